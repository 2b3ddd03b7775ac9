"""The values of expressions, and how one kind turns into another.

The table is that of the documentation ("Type casting"), with what the live service does where they differ: text becomes
a number with decimals and thousands too, and True and False are capitalised in text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Union

from ecs_cd_sandbox.azure_devops.expressions.errors import ExpressionError

Value = Union[None, bool, int, float, str, "Version", datetime, Sequence["Value"], Mapping[str, "Value"]]
"""What an expression yields. Keys of a mapping are looked up without regard to case, except in an `ExactMapping`."""

Number = int | float


class Version(tuple[int, ...]):
    """A version of two to four parts, `1.2.3`; a part that is not given is older than any that is."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the parts with dots between them."""
        return ".".join(map(str, self))


class ExactMapping(dict[str, Value]):
    """A mapping whose keys count as they are written: what an object parameter holds."""


class RequiredMapping(dict[str, Value]):
    """A mapping that must know what it is asked for: the parameters of a template."""


class FilteredList(list[Value]):
    """What `.*` yields: an index into it goes into each of its items."""


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "Boolean"),
    ((int, float), "Number"),
    (str, "String"),
    (Version, "Version"),
    (datetime, "DateTime"),
    (Mapping, "Object"),
    (Sequence, "Array"),
)
_ORDERED = ("Boolean", "Number", "String", "Version", "DateTime")
_NUMBER = re.compile(r"\s*[+-]?(?:\d[\d,]*\.?\d*|\.\d+)\s*")
_VERSION = re.compile(r"\s*\d+(?:\.\d+){1,3}\s*")
_LARGEST_VERSION_PART = 2**31 - 1
_WHOLE_AS_FLOAT = 1e15


def kind_of(value: Value) -> str:
    """Return the name the service gives to the kind of a value."""
    return next((name for types, name in _KINDS if isinstance(value, types)), "Null")


def truthy(value: Value) -> bool:
    """Return the value as a boolean: null, 0 and empty text are False, lists and objects are True even when empty."""
    if isinstance(value, (bool, int, float, str)):
        return bool(value)
    return value is not None


def to_text(value: Value) -> str:
    """Return the value as text: nothing for null, `True` and `False`, numbers without thousands.

    Raises:
        ExpressionError: a list or an object has no text.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, (str, bool, int, Version)):
        return str(value)
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    raise cannot_convert(value, "String")


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < _WHOLE_AS_FLOAT:
        return str(int(value))
    return repr(value).upper()


def to_number(value: Value) -> Number:
    """Return the value as a number.

    Raises:
        ExpressionError: it is not one, and cannot become one.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and (number := parse_number(value)) is not None:
        return number
    raise cannot_convert(value, "Number")


def parse_number(text: str) -> Number | None:
    """Return the number a text stands for (sign, decimals, thousands, blanks around it), or None."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.strip().replace(",", "")
    return float(digits) if "." in digits else int(digits)


def to_version(value: Value) -> Version:
    """Return the value as a version.

    Raises:
        ExpressionError: it is not one, and cannot become one.
    """
    if isinstance(value, Version):
        return value
    if isinstance(value, float) and value > 0 and not value.is_integer():
        return to_version(to_text(value))
    if isinstance(value, str) and _VERSION.fullmatch(value):
        parts = [int(part) for part in value.split(".")]
        if max(parts) <= _LARGEST_VERSION_PART:
            return Version(parts)
    raise cannot_convert(value, "Version")


def cannot_convert(value: Value, kind: str) -> ExpressionError:
    """Return the service's error for a value that cannot become another kind."""
    shown = f"'{value}'" if isinstance(value, str) else kind_of(value)
    if isinstance(value, (int, float, Version, datetime)):
        shown = to_text(value)
    return ExpressionError(f"Unable to convert from {kind_of(value)} to {kind}. Value: {shown}")


def fold(text: str) -> str:
    """Return text for comparing without regard to case, character by character as .NET's ordinal comparison does."""
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in text)


def equal(left: Value, right: Value) -> bool:
    """Say whether two values are equal; the right one is taken as the kind of the left one if it can be."""
    if left is None:
        return right is None or right == ""
    if isinstance(left, (Mapping, FilteredList)) or kind_of(left) == "Array":
        return left is right
    try:
        return _key(left, kind_of(left)) == _key(right, kind_of(left))
    except ExpressionError:
        return False


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1 as the left value is smaller, equal or greater; it decides the kind of both.

    Raises:
        ExpressionError: a value cannot become that kind.
    """
    kind = kind_of(left) if kind_of(left) in _ORDERED else "Number"
    first, second = _key(left, kind), _key(right, kind)
    return (first > second) - (first < second)  # type: ignore[operator]  # both are of the same kind


def _key(value: Value, kind: str) -> bool | Number | str | Version | datetime:
    if kind == "Boolean":
        return truthy(value)
    if kind == "String":
        return fold(to_text(value))
    if kind == "Version":
        return to_version(value)
    if kind == "DateTime":
        if isinstance(value, datetime):
            return value
        raise cannot_convert(value, kind)
    return to_number(value)


def find(mapping: Mapping[str, Value], key: str) -> tuple[Value] | None:
    """Return what stands under a key as a tuple of one, None where there is nothing.

    Raises:
        ExpressionError: a `RequiredMapping` has no such key.
    """
    if key in mapping:
        return (mapping[key],)
    if not isinstance(mapping, ExactMapping):
        wanted = fold(key)
        for known, value in mapping.items():
            if fold(known) == wanted:
                return (value,)
    if isinstance(mapping, RequiredMapping):
        raise ExpressionError(f"Key not found '{key}'")
    return None


def items_of(value: Value) -> Sequence[Value]:
    """Return the items of a list or the values of an object; anything else has none."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, (str, Version)):
        return value
    return []
