"""Reads an expression.

The language has no operators: an expression is a literal, a name or a function call, with indexes behind it. Faults of
syntax are told where they are met; a name nobody knows is told only when the rest is well formed, as the service does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.expressions.context import Context
from ecs_cd_sandbox.azure_devops.expressions.errors import HELP, ExpressionError, at_position
from ecs_cd_sandbox.azure_devops.expressions.lexer import Kind, Token, tokenize
from ecs_cd_sandbox.azure_devops.expressions.scopes import ANY, Scope
from ecs_cd_sandbox.azure_devops.expressions.syntax import Call, Index, Literal, Name, Node, Wildcard
from ecs_cd_sandbox.azure_devops.expressions.values import Value

MAX_DEPTH = 50
"""How deep functions may stand in each other."""

_MAX_LINKS = 300
_PROPERTY_START = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_PROPERTY = _PROPERTY_START + "0123456789"


@dataclass(frozen=True)
class Expression:
    """A parsed expression; `text` is what it was parsed from, without the blanks around it."""

    text: str
    root: Node

    def evaluate(self, context: Context) -> Value:
        """Return the value of the expression.

        Raises:
            ExpressionError: a value cannot be converted, or the context lacks a name or a function.
        """
        return self.root.evaluate(context)


def parse(text: str, scope: Scope = ANY) -> Expression:
    """Return the expression a text stands for; `scope` says which names and functions it may use.

    Raises:
        ExpressionError: the text is not such an expression.
    """
    stripped = text.strip()
    if not stripped:
        raise ExpressionError("An expression was expected")
    parser = _Parser(stripped, scope, tokenize(stripped))
    root = parser.operand(depth=1)
    if not parser.sees("end"):
        raise parser.unexpected()
    if parser.unknown:
        raise at_position("Unrecognized value", parser.unknown[0].raw, parser.unknown[0].position, stripped)
    return Expression(stripped, root)


@dataclass
class _Parser:
    text: str
    scope: Scope
    tokens: list[Token]
    at: int = 0
    unknown: list[Token] = field(default_factory=list)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def sees(self, kind: Kind) -> bool:
        return self.token.kind == kind

    def unexpected(self) -> ExpressionError:
        return at_position("Unexpected symbol", self.token.raw, self.token.position, self.text)

    def operand(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _too_deep(MAX_DEPTH)
        if self.sees("value"):
            return Literal(self.take().value)
        if not self.sees("word"):
            raise self.unexpected()
        name = self.take()
        return self.tail(self.call(name, depth) if self.sees("(") else self.name(name), depth)

    def name(self, token: Token) -> Node:
        if self.scope.arity(token.raw):
            raise at_position("Expected '(' to follow a function", token.raw, token.position, self.text)
        if not self.scope.knows(token.raw):
            self.unknown.append(token)
        return Name(token.raw, token.position, self.text)

    def call(self, name: Token, depth: int) -> Node:
        arity = self.scope.arity(name.raw)
        if arity is None:
            self.unknown.append(name)
        least, most = arity or (0, len(self.tokens))
        self.take()
        arguments: list[Node] = []
        while arguments or least or not self.sees(")"):
            self.still_open("Unclosed function", name)
            arguments.append(self.operand(depth + 1))
            self.still_open("Unclosed function", name)
            if not self.sees(",") or len(arguments) == most:
                break
            self.take()
        if not self.sees(")") or not least <= len(arguments) <= most:
            raise self.unexpected()
        self.take()
        return Call(name.raw, name.position, self.text, tuple(arguments))

    def tail(self, node: Node, depth: int) -> Node:
        links = 0
        while self.sees(".") or self.sees("["):
            links += 1
            if links > _MAX_LINKS:
                raise _too_deep(_MAX_LINKS)
            opening = self.take()
            node = self.property(node, opening) if opening.kind == "." else self.index(node, opening, depth)
        return node

    def property(self, target: Node, dot: Token) -> Node:
        if self.sees("*"):
            self.take()
            return Wildcard(target)
        if self.sees("end"):
            raise at_position(
                "Expected a property name to follow the dereference operator '.'", ".", dot.position, self.text
            )
        raw = self.token.raw
        if not self.sees("word") or raw[0] not in _PROPERTY_START or set(raw) - set(_PROPERTY):
            raise self.unexpected()
        self.take()
        return Index(target, Literal(raw))

    def index(self, target: Node, bracket: Token, depth: int) -> Node:
        self.still_open("Unclosed indexer", bracket)
        node: Node
        if self.sees("*"):
            self.take()
            node = Wildcard(target)
        else:
            node = Index(target, self.operand(depth + 1))
        self.still_open("Unclosed indexer", bracket)
        if not self.sees("]"):
            raise self.unexpected()
        self.take()
        return node

    def still_open(self, problem: str, opening: Token) -> None:
        """Raise if the expression ends before what was opened is closed."""
        if self.sees("end"):
            raise at_position(problem, opening.raw, opening.position, self.text)


def _too_deep(most: int) -> ExpressionError:
    return ExpressionError(f"Exceeded max expression depth {most}. {HELP}")
