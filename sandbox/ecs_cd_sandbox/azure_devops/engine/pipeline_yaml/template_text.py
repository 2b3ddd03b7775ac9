"""Finds the `${{ }}` expressions in a text, and the directives among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecs_cd_sandbox.azure_devops.expressions.lexer import Token, tokenize

OPENING = "${{"
CLOSING = "}}"
NOT_CLOSED = (
    "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."
)

EACH_FORMAT = "The expected format of an 'each' expression is: ${ each <identifier> in <value> }"

Keyword = Literal["if", "elseif", "else", "each", "insert"]
KEYWORDS: tuple[Keyword, ...] = ("if", "elseif", "else", "each", "insert")


class TextError(Exception):
    """A text or a directive is not well formed; the message is the service's."""


@dataclass(frozen=True)
class EmbeddedExpression:
    """An expression within a text, without the signs around it."""

    expression: str


@dataclass(frozen=True)
class Directive:
    """A key that steers what is inserted: `expression` is a condition or a collection, `name` a loop's variable."""

    keyword: Keyword
    expression: str = ""
    name: str = ""


def split_text(text: str) -> list[str | EmbeddedExpression]:
    """Return the pieces of a text, expressions as holes; signs within quotes of an expression do not count.

    Raises:
        TextError: an expression does not end.
    """
    pieces: list[str | EmbeddedExpression] = []
    at = 0
    while (start := text.find(OPENING, at)) >= 0:
        end = _end(text, start + len(OPENING))
        if start > at:
            pieces.append(text[at:start])
        pieces.append(EmbeddedExpression(text[start + len(OPENING) : end].strip()))
        at = end + len(CLOSING)
    return [*pieces, text[at:]] if at < len(text) or not pieces else pieces


def _end(text: str, at: int) -> int:
    quoted = False
    for place in range(at, len(text)):
        if text[place] == "'":
            quoted = not quoted
        elif not quoted and text.startswith(CLOSING, place):
            return place
    raise TextError(NOT_CLOSED)


def lone_expression(text: str) -> str | None:
    """Return the expression of a text that is nothing else, or None.

    Raises:
        TextError: an expression does not end.
    """
    if not text.startswith(OPENING):
        return None
    pieces = split_text(text)
    return pieces[0].expression if len(pieces) == 1 and isinstance(pieces[0], EmbeddedExpression) else None


def keyword_of(text: str) -> Keyword | None:
    """Return the directive's keyword a text begins with, or None."""
    expression = lone_expression(text)
    words = expression.split(maxsplit=1) if expression else []
    return next((keyword for keyword in KEYWORDS if words and words[0] == keyword), None)


def read_directive(text: str) -> Directive | None:
    """Return the directive a key stands for, or None if it is an ordinary key.

    Raises:
        TextError: it has the wrong parameters.
        ExpressionError: its parameters are not expressions.
    """
    keyword = keyword_of(text)
    if keyword is None:
        return None
    expression = lone_expression(text) or ""
    rest = expression[len(keyword) :].strip()
    units = split_units(rest)
    if keyword in ("if", "elseif"):
        return Directive(keyword, rest) if len(units) == 1 else None
    wanted = 3 if keyword == "each" else 0
    if len(units) != wanted:
        raise TextError(
            f"Exactly {wanted} parameter(s) were expected following the directive '{keyword}'. "
            f"Actual parameter count: {len(units)}"
        )
    if keyword != "each":
        return Directive(keyword)
    if units[1] != "in":
        raise TextError(f"The value '{units[1]}' is unexpected. {EACH_FORMAT}")
    return Directive(keyword, units[2], units[0])


def split_units(text: str) -> list[str]:
    """Return the expressions that stand one after the other in a text.

    Raises:
        ExpressionError: a text or number in it does not end.
    """
    starts, depth = [], 0
    previous: Token | None = None
    for token in tokenize(text):
        if depth == 0 and token.kind in ("word", "value") and (previous is None or previous.kind != "."):
            starts.append(token.position - 1)
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        previous = token
    ends = [*starts, len(text)][1:]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
