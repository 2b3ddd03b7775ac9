"""What a YAML file is made of, each part with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ecs_cd_sandbox.azure_devops.expressions import ExactMapping, ExpressionError, Value, to_text

Style = Literal["plain", "single", "double", "literal", "folded"]
"""How a scalar is written."""


@dataclass(frozen=True)
class Place:
    """A position in a file; line and column count from 1. Line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return the place as the service writes it."""
        return f"{self.file} (Line: {self.line}, Col: {self.column})" if self.line else self.file


class Refused(Exception):
    """Something in a file cannot be used, or several things; without a place the message stands alone."""

    def __init__(self, place: Place | None, message: str) -> None:
        """Keep where and why."""
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.reason = message
        self.all: tuple[Refused, ...] = (self,)

    @classmethod
    def joined(cls, several: Sequence[Refused]) -> Refused:
        """Return one refusal for several."""
        if len(several) == 1:
            return several[0]
        found = cls(None, "\n".join(map(str, several)))
        found.all = tuple(each for one in several for each in one.all)
        return found


@dataclass(frozen=True)
class ScalarNode:
    """A text, and the value it stands for. A `final` one was computed, and holds no expressions any more."""

    text: str
    place: Place
    value: Value
    style: Style = "plain"
    final: bool = False


@dataclass(frozen=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class MappingNode:
    """Keys and values in the order they stand in."""

    pairs: tuple[tuple[ScalarNode, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return what stands under a key, or None."""
        return next((value for name, value in self.pairs if name.text == key), None)


Node = ScalarNode | SequenceNode | MappingNode

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "null", "Null", "NULL", "~"}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def plain_value(text: str) -> Value:
    """Return what an unquoted scalar stands for by YAML's core schema; nothing and `null` are empty text here."""
    if text in _NULLS:
        return ""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def scalar(text: str, place: Place, style: Style = "plain") -> ScalarNode:
    """Return a scalar as it is written in a file."""
    return ScalarNode(text, place, plain_value(text) if style == "plain" else text, style)


def computed(text: str, place: Place) -> ScalarNode:
    """Return a text that nobody wrote there."""
    return ScalarNode(text, place, text, "literal" if "\n" in text else "plain", final=True)


def node_of(value: Value, place: Place) -> Node:
    """Return a value as a part of a file; every part of it is at the place it was asked for.

    Raises:
        Refused: the value has no place in YAML.
    """
    if isinstance(value, Mapping):
        return MappingNode(tuple((computed(key, place), node_of(item, place)) for key, item in value.items()), place)
    if isinstance(value, list):
        return SequenceNode(tuple(node_of(item, place) for item in value), place)
    try:
        text = to_text(value)
    except ExpressionError as error:
        raise Refused(place, str(error)) from error
    return ScalarNode(text, place, "" if value is None else value, "literal" if "\n" in text else "plain", final=True)


def value_of(node: Node) -> Value:
    """Return what a part of a file stands for."""
    if isinstance(node, MappingNode):
        return ExactMapping({key.text: value_of(value) for key, value in node.pairs})
    if isinstance(node, SequenceNode):
        return [value_of(item) for item in node.items]
    return node.value


def mapping(place: Place, pairs: Sequence[tuple[str, Node | str]]) -> MappingNode:
    """Return a mapping that nobody wrote like that."""
    return MappingNode(
        tuple(
            (computed(key, place), computed(value, place) if isinstance(value, str) else value) for key, value in pairs
        ),
        place,
    )
