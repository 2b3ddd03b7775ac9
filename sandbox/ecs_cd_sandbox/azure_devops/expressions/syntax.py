"""The parts of a parsed expression; each evaluates itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ecs_cd_sandbox.azure_devops.expressions.context import Context
from ecs_cd_sandbox.azure_devops.expressions.errors import ExpressionError, at_position
from ecs_cd_sandbox.azure_devops.expressions.functions import find_function
from ecs_cd_sandbox.azure_devops.expressions.values import (
    FilteredList,
    Value,
    Version,
    find,
    fold,
    items_of,
    to_number,
    to_text,
)


class Node(Protocol):
    """A part of an expression."""

    def evaluate(self, context: Context) -> Value:
        """Return its value."""


@dataclass(frozen=True)
class Literal:
    """A value that stands in the text."""

    value: Value

    def evaluate(self, context: Context) -> Value:  # noqa: ARG002 - every node is evaluated alike
        """Return the value."""
        return self.value


@dataclass(frozen=True)
class Name:
    """A named value of the context, `variables`; `expression` is the text it stands in."""

    name: str
    position: int
    expression: str

    def evaluate(self, context: Context) -> Value:
        """Return what the context has under this name, whatever its case."""
        for known, value in context.values.items():
            if fold(known) == fold(self.name):
                return value
        raise at_position("Unrecognized value", self.name, self.position, self.expression)


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    position: int
    expression: str
    arguments: tuple[Node, ...]

    def evaluate(self, context: Context) -> Value:
        """Return what the function makes of its arguments, of which it may leave some unevaluated."""
        function = find_function(self.name, context)
        if function is None:
            raise at_position("Unrecognized value", self.name, self.position, self.expression)
        return function([partial(argument.evaluate, context) for argument in self.arguments])


@dataclass(frozen=True)
class Index:
    """`target[index]` or `target.name`."""

    target: Node
    index: Node

    def evaluate(self, context: Context) -> Value:
        """Return what stands there, null where there is nothing."""
        target, index = self.target.evaluate(context), self.index.evaluate(context)
        if isinstance(target, FilteredList):
            return FilteredList(value for child in target for value in _find(child, index) or ())
        found = _find(target, index)
        return found[0] if found else None


@dataclass(frozen=True)
class Wildcard:
    """`target.*` or `target[*]`: all that is in it."""

    target: Node

    def evaluate(self, context: Context) -> Value:
        """Return the children; those of the children where the target is itself such a result."""
        target = self.target.evaluate(context)
        if isinstance(target, FilteredList):
            return FilteredList(grandchild for child in target for grandchild in items_of(child))
        return FilteredList(items_of(target))


def _find(target: Value, index: Value) -> tuple[Value] | None:
    if isinstance(index, (Mapping, list, Version)):
        return None
    if isinstance(target, Mapping):
        return find(target, to_text(index))
    try:
        place = math.floor(to_number(index))
    except ExpressionError:
        return None
    items = items_of(target)
    return (items[place],) if 0 <= place < len(items) else None
