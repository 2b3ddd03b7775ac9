"""The `format` function: `{0}` in a text, with a date format where the value is a point in time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from ecs_cd_sandbox.azure_devops.expressions.errors import ExpressionError
from ecs_cd_sandbox.azure_devops.expressions.values import Value, kind_of, to_text

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<place>\d+)(?::(?P<specifiers>[^{}]*))?\}|[^{}]+")
_LETTERS = re.compile(r"([a-zA-Z])\1*|[^a-zA-Z]+")
_DATE_PARTS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dddd": "%A",
    "ddd": "%a",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "tt": "%p",
}
_DATE_NUMBERS = {"M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def format_text(template: str, values: Sequence[Value]) -> str:
    """Return the text with the values put in; a brace that is meant is doubled.

    Raises:
        ExpressionError: a brace stands alone, a value is missing, or cannot be shown as asked for.
    """
    pieces: list[str] = []
    at = 0
    while at < len(template):
        match = _PIECE.match(template, at)
        if match is None:
            raise ExpressionError(f"The following format string is invalid: {template}")
        if match["place"] is None:
            pieces.append(match[0][0] if match[0] in ("{{", "}}") else match[0])
        elif int(match["place"]) >= len(values):
            raise ExpressionError(
                f"The following format string references more arguments than were supplied: {template}"
            )
        else:
            pieces.append(_shown(values[int(match["place"])], match["specifiers"] or ""))
        at = match.end()
    return "".join(pieces)


def _shown(value: Value, specifiers: str) -> str:
    if not specifiers:
        return to_text(value)
    if isinstance(value, datetime):
        return "".join(_date_part(value, part[0], specifiers) for part in _LETTERS.finditer(specifiers))
    raise _not_valid(specifiers, value)


def _date_part(value: datetime, part: str, specifiers: str) -> str:
    if part in _DATE_PARTS:
        return value.strftime(_DATE_PARTS[part])
    if part in _DATE_NUMBERS:
        return str(getattr(value, _DATE_NUMBERS[part]))
    if part.strip("f") == "" and len(part) <= len("ffffff"):
        return f"{value.microsecond:06}"[: len(part)]
    if part[0].isalpha():
        raise _not_valid(specifiers, value)
    return part


def _not_valid(specifiers: str, value: Value) -> ExpressionError:
    return ExpressionError(f"The format specifiers '{specifiers}' are not valid for objects of type '{kind_of(value)}'")
