"""Cuts an expression into tokens.

What ends a token, and what a token that cannot be read is called, follow the live service: a word is anything up to a
blank, bracket, comma or dot, so that `==` and `"x"` are words, which nothing then knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ecs_cd_sandbox.azure_devops.expressions.errors import at_position
from ecs_cd_sandbox.azure_devops.expressions.values import Value, Version

Kind = Literal["value", "word", "(", ")", "[", "]", ",", ".", "*", "end"]

_SYMBOLS = "()[],*"
_STRING = re.compile(r"'(?:[^']|'')*'")
_NUMBER_LIKE = re.compile(r"-?\.?[0-9][^\s()\[\],']*|-[^\s()\[\],']*")
_WORD = re.compile(r"[^\s()\[\],.'*]+")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_VERSION = re.compile(r"\d+(?:\.\d+){2,3}")


@dataclass(frozen=True)
class Token:
    """A piece of an expression; `position` counts from 1, `value` is that of a literal."""

    kind: Kind
    raw: str
    position: int
    value: Value = None


def tokenize(text: str) -> list[Token]:
    """Return the tokens of an expression, an `end` last.

    Raises:
        ExpressionError: something that starts as a number or text does not end as one.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at, tokens[-1] if tokens else None)
        tokens.append(token)
        at += len(token.raw)
    return [*tokens, Token("end", "", len(text) + 1)]


def _token(text: str, at: int, previous: Token | None) -> Token:
    character, position = text[at], at + 1
    if character in _SYMBOLS:
        return Token(character, character, position)  # type: ignore[arg-type]  # the symbols are kinds
    if character == "." and (_ends_operand(previous) or not text[at + 1 : at + 2].isdigit()):
        return Token(".", ".", position)
    if character == "'":
        return _string(text, at)
    if (previous is None or previous.kind != ".") and (match := _NUMBER_LIKE.match(text, at)):
        return _number(match[0], position, text)
    match = _WORD.match(text, at)
    raw = match[0] if match else character
    if raw.lower() in ("true", "false") and (previous is None or previous.kind != "."):
        return Token("value", raw, position, raw.lower() == "true")
    return Token("word", raw, position)


def _ends_operand(previous: Token | None) -> bool:
    return previous is not None and previous.kind in ("word", ")", "]", "*")


def _string(text: str, at: int) -> Token:
    match = _STRING.match(text, at)
    if match is None:
        raise at_position("Unrecognized value", text[at:], at + 1, text)
    return Token("value", match[0], at + 1, match[0][1:-1].replace("''", "'"))


def _number(raw: str, position: int, text: str) -> Token:
    if _NUMBER.fullmatch(raw):
        return Token("value", raw, position, float(raw) if "." in raw else int(raw))
    if _VERSION.fullmatch(raw):
        return Token("value", raw, position, Version(int(part) for part in raw.split(".")))
    raise at_position("Unrecognized value", raw, position, text)
