"""Reads one YAML file as the service does: one document, no anchors, no key twice."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Place,
    Refused,
    ScalarNode,
    SequenceNode,
    Style,
    scalar,
)

MAX_DEPTH = 100
"""How deep a file may nest."""

_STYLES: dict[str | None, Style] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_BLOCK_ENDS = {"while parsing a block collection": "'-' indicator"}
_FLOW_ENDS = re.compile(r"expected (',' or '[}\]]'), but got .*")
_TEXT_TAGS = ("tag:yaml.org,2002:str", "!")
_CORE_TAGS = (*_TEXT_TAGS, *(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null", "seq", "map")))


def read_document(text: str, file: str) -> Node:
    """Return the content of a file.

    Raises:
        Refused: it is not YAML, or uses what the service does not understand.
    """
    try:
        reader = _Reader(file, yaml.parse(text, Loader=yaml.SafeLoader))
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise Refused(place, _sentence(error.context or "", error.problem or "")) from error
    except yaml.YAMLError as error:
        raise Refused(Place(file), _sentence("", str(error).partition("\n")[0])) from error


def _sentence(context: str, problem: str) -> str:
    """Return what is wrong in the words of the service's own parser, where they differ from PyYAML's."""
    if problem.startswith("expected <block end>"):
        problem = f"did not find expected {_BLOCK_ENDS.get(context, 'key')}"
    problem = _FLOW_ENDS.sub(r"did not find expected \1", problem)
    message = ", ".join(part for part in (context, problem) if part)
    return f"{message[:1].upper()}{message[1:]}."


class _Reader:
    def __init__(self, file: str, events: Any) -> None:  # noqa: ANN401 - PyYAML's events are not typed
        self.file = file
        self.events = events

    def place(self, event: Any) -> Place:  # noqa: ANN401 - likewise
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def document(self) -> Node:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise Refused(Place(self.file), "The file is empty")
        node = self.node(next(self.events), depth=1)
        next(self.events)
        if not isinstance(next(self.events), yaml.StreamEndEvent):
            raise Refused(Place(self.file), "Expected stream end parse event")
        return node

    def node(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - likewise
        place = self.place(event)
        if depth > MAX_DEPTH:
            raise Refused(place, "Maximum object depth exceeded")
        if isinstance(event, yaml.AliasEvent):
            raise Refused(place, f"Anchors are not currently supported. Remove the alias '{event.anchor}'")
        if event.anchor:
            raise Refused(place, f"Anchors are not currently supported. Remove the anchor '{event.anchor}'")
        if event.tag and event.tag not in _CORE_TAGS:
            raise Refused(place, f"Unexpected tag '{event.tag}'")
        if isinstance(event, yaml.ScalarEvent):
            style = _STYLES[event.style]
            return scalar(event.value, place, "double" if style == "plain" and event.tag in _TEXT_TAGS else style)
        return self.sequence(place, depth) if isinstance(event, yaml.SequenceStartEvent) else self.mapping(place, depth)

    def sequence(self, place: Place, depth: int) -> SequenceNode:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return SequenceNode(tuple(items), place)

    def mapping(self, place: Place, depth: int) -> MappingNode:
        pairs, known = [], set()
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            if not isinstance(key, ScalarNode):
                raise Refused(key.place, "Expected a scalar value")
            if key.text.lower() in known and not key.text.startswith("${{"):
                raise Refused(key.place, f"'{key.text}' is already defined")
            known.add(key.text.lower())
            pairs.append((key, self.node(next(self.events), depth + 1)))
        return MappingNode(tuple(pairs), place)
