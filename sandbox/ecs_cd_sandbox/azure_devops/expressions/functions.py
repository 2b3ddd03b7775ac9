"""What each function does.

Arguments arrive unevaluated, because some functions stop at the first one that decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ecs_cd_sandbox.azure_devops.expressions.context import Context, Status
from ecs_cd_sandbox.azure_devops.expressions.formatting import format_text
from ecs_cd_sandbox.azure_devops.expressions.values import (
    Value,
    Version,
    compare,
    equal,
    fold,
    items_of,
    kind_of,
    to_number,
    to_text,
    truthy,
)

Argument = Callable[[], Value]
Function = Callable[[Sequence[Argument]], Value]


def find_function(name: str, context: Context) -> Function | None:
    """Return the function of a name, whatever its case; None if there is none, or the context cannot answer it."""
    wanted = fold(name)
    if wanted in _LAZY:
        return _LAZY[wanted]
    if wanted in _EAGER:
        return lambda arguments: _EAGER[wanted](*(argument() for argument in arguments))
    if wanted in _STATUS and context.status:
        return _answering(_STATUS[wanted], context.status)
    if wanted == "COUNTER" and context.counter:
        return _counting(context.counter)
    return None


def _answering(answer: Callable[[Status, Sequence[str]], bool], status: Status) -> Function:
    return lambda arguments: answer(status, [to_text(argument()) for argument in arguments])


def _counting(counter: Callable[[str, int], int]) -> Function:
    def count(arguments: Sequence[Argument]) -> Value:
        prefix, *seed = (argument() for argument in arguments)
        return counter(to_text(prefix), int(to_number(seed[0])) if seed else 0)

    return count


def _and(arguments: Sequence[Argument]) -> Value:
    return all(truthy(argument()) for argument in arguments)


def _or(arguments: Sequence[Argument]) -> Value:
    return any(truthy(argument()) for argument in arguments)


def _in(arguments: Sequence[Argument]) -> Value:
    left = arguments[0]()
    return any(equal(left, argument()) for argument in arguments[1:])


def _not_in(arguments: Sequence[Argument]) -> Value:
    return not _in(arguments)


def _coalesce(arguments: Sequence[Argument]) -> Value:
    for argument in arguments:
        value = argument()
        if value is not None and value != "":
            return value
    return None


def _contains(text: Value, part: Value) -> Value:
    return fold(to_text(part)) in fold(to_text(text))


def _contains_value(values: Value, wanted: Value) -> Value:
    return any(equal(wanted, value) for value in items_of(values))


def _ends_with(text: Value, end: Value) -> Value:
    return fold(to_text(text)).endswith(fold(to_text(end)))


def _starts_with(text: Value, start: Value) -> Value:
    return fold(to_text(text)).startswith(fold(to_text(start)))


def _format(template: Value, *values: Value) -> Value:
    return format_text(to_text(template), values)


def _iif(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if truthy(condition) else otherwise


def _join(separator: Value, values: Value) -> Value:
    if kind_of(values) != "Array":
        return to_text(values)
    texts = ("" if kind_of(value) in ("Array", "Object") else to_text(value) for value in items_of(values))
    return to_text(separator).join(texts)


def _length(value: Value) -> Value:
    return len(items_of(value)) if kind_of(value) in ("Array", "Object") else len(to_text(value))


def _replace(text: Value, old: Value, new: Value) -> Value:
    return to_text(text).replace(to_text(old), to_text(new)) if to_text(old) else to_text(text)


def _split(text: Value, delimiter: Value) -> Value:
    separator = to_text(delimiter)
    return list(to_text(text).split(separator)) if separator else [to_text(text)]


def _convert_to_json(value: Value) -> Value:
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def _plain(value: Value) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (Version, datetime)):
        return to_text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_plain(item) for item in items_of(value)] if kind_of(value) == "Array" else value


def _folded(functions: Mapping[str, Any]) -> dict[str, Any]:
    return {fold(name): function for name, function in functions.items()}


_LAZY: dict[str, Function] = _folded({"and": _and, "or": _or, "in": _in, "notIn": _not_in, "coalesce": _coalesce})

_EAGER: dict[str, Callable[..., Value]] = _folded(
    {
        "contains": _contains,
        "containsValue": _contains_value,
        "convertToJson": _convert_to_json,
        "endsWith": _ends_with,
        "eq": equal,
        "format": _format,
        "ge": lambda left, right: compare(left, right) >= 0,
        "gt": lambda left, right: compare(left, right) > 0,
        "iif": _iif,
        "join": _join,
        "le": lambda left, right: compare(left, right) <= 0,
        "length": _length,
        "lower": lambda text: to_text(text).lower(),
        "lt": lambda left, right: compare(left, right) < 0,
        "ne": lambda left, right: not equal(left, right),
        "not": lambda value: not truthy(value),
        "replace": _replace,
        "split": _split,
        "startsWith": _starts_with,
        "trim": lambda text: to_text(text).strip(),
        "upper": lambda text: to_text(text).upper(),
        "xor": lambda left, right: truthy(left) != truthy(right),
    }
)

_STATUS: dict[str, Callable[[Status, Sequence[str]], bool]] = _folded(
    {
        "always": lambda status, _names: status.always(),
        "canceled": lambda status, _names: status.canceled(),
        "failed": lambda status, names: status.failed(names),
        "succeeded": lambda status, names: status.succeeded(names),
        "succeededOrFailed": lambda status, names: status.succeededOrFailed(names),
    }
)
