"""The parameters of a pipeline or a template: what is declared, and what a value given for them becomes.

How values are converted, and the sentences about what is wrong, follow the live service: a scalar is bound as the text
it was written as, and the type then reads that text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.document import read_document
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Place,
    Refused,
    ScalarNode,
    SequenceNode,
    node_of,
    value_of,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_text import OPENING, lone_expression
from ecs_cd_sandbox.azure_devops.expressions import ExactMapping, Value
from ecs_cd_sandbox.azure_devops.expressions.values import parse_number
from ecs_cd_sandbox.azure_devops.model.definitions import Parameter

PARTS = {
    "step": "step",
    "stepList": "steps",
    "job": "job",
    "jobList": "jobs",
    "deployment": "job",
    "deploymentList": "jobs",
    "stage": "stage",
    "stageList": "stages",
}
"""Types that hold parts of a pipeline, and what those are."""

_SIMPLE = ("string", "number", "boolean", "stringList")
_CLOSED = ("boolean", "number")
_TYPES = (*_SIMPLE, "object", *PARTS)
_ELSEWHERE = (
    "container",
    "containerList",
    "environment",
    "filePath",
    "legacyObject",
    "pool",
    "secureFile",
    "serviceConnection",
)
_FIELDS = ("name", "displayName", "type", "default", "values")

ReadPart = Callable[[str, Node], Value]
"""Makes a value of a part of a pipeline (`steps`, `job`, ...), raising `Refused` if it is not one."""


@dataclass(frozen=True)
class Declared:
    """A parameter as a file declares it. In the short form of a mapping it has no `type`, and takes anything."""

    name: str
    place: Place
    type: str = ""
    default: Node | None = None
    values: tuple[ScalarNode, ...] = ()

    @property
    def is_part(self) -> bool:
        """Whether it holds a part of a pipeline."""
        return self.type in PARTS

    def as_parameter(self) -> Parameter:
        """Return the parameter as somebody who queues a run meets it; a default that is no text is JSON."""
        values, closed = tuple(value.text for value in self.values), self.type in _CLOSED
        if self.default is None or isinstance(self.default, ScalarNode):
            return Parameter(self.default.text if self.default else None, values, closed)
        return Parameter(json.dumps(value_of(self.default), ensure_ascii=False), values, closed)

    def bind(self, given: Node, read_part: ReadPart) -> Value:
        """Return the value of the parameter when this is given.

        Raises:
            Refused: it cannot be.
        """
        if self.is_part:
            try:
                return read_part(PARTS[self.type], given)
            except Refused as refused:
                raise Refused(given.place, f"{self._is_not(given)}\n{refused}") from refused
        if self.type == "object":
            return value_of(given)
        if not self.type:
            return _texts(given)
        if self.type == "stringList":
            return self._strings(given)
        if not isinstance(given, ScalarNode):
            raise Refused(given.place, self._is_not(given))
        return self._allowed(self._scalar(given), given)

    def _strings(self, given: Node) -> Value:
        if not isinstance(given, SequenceNode):
            raise Refused(given.place, self._is_not(given))
        return [self._allowed(item.text, item) if isinstance(item, ScalarNode) else "" for item in given.items]

    def _scalar(self, given: ScalarNode) -> Value:
        if self.type == "string":
            return given.text if given.value != "" else ""
        if self.type == "number":
            number = parse_number(given.text)
            if number is None:
                raise Refused(given.place, self._is_not(given))
            return int(number) if float(number).is_integer() else number
        if given.text.lower() not in ("true", "false"):
            raise Refused(given.place, self._is_not(given))
        return given.text.lower() == "true"

    def _allowed(self, value: Value, given: ScalarNode) -> Value:
        allowed = [self._scalar(each) if self.type != "stringList" else each.text for each in self.values]
        if allowed and value not in allowed:
            raise Refused(given.place, f"The '{self.name}' parameter value '{given.text}' is not a valid value.")
        return value

    def _is_not(self, given: Node) -> str:
        kind = f"{self.type[:1].upper()}{self.type[1:]}"
        if isinstance(given, ScalarNode) and self.type in _SIMPLE:
            shown = given.text if given.value != "" else ""
            return f"The '{self.name}' parameter value '{shown}' is not a valid {kind}."
        return f"The '{self.name}' parameter is not a valid {kind}."


def _texts(node: Node) -> Value:
    if isinstance(node, MappingNode):
        return ExactMapping({key.text: _texts(value) for key, value in node.pairs})
    if isinstance(node, SequenceNode):
        return [_texts(item) for item in node.items]
    return node.text if node.value != "" else ""


def read_declarations(node: Node | None, *, of_pipeline: bool) -> list[Declared]:
    """Return the parameters a file declares; only a template may do so in the short form of a mapping.

    Raises:
        Refused: they are not well formed.
    """
    if node is None or (isinstance(node, ScalarNode) and node.value == ""):
        return []
    if isinstance(node, MappingNode) and not of_pipeline:
        return [Declared(key.text, key.place, "", _default(value)) for key, value in node.pairs]
    if not isinstance(node, SequenceNode):
        raise Refused(node.place, "Expected a sequence")
    found: list[Declared] = []
    for item in node.items:
        declared = _declared(item)
        if any(declared.name.lower() == known.name.lower() for known in found):
            raise Refused(
                declared.place, f"The '{declared.name}' parameter is declared more than once in the parameter list."
            )
        found.append(declared)
    return found


def _declared(item: Node) -> Declared:
    if not isinstance(item, MappingNode):
        raise Refused(item.place, "Expected a mapping")
    unknown = [key for key, _ in item.pairs if key.text not in _FIELDS]
    if unknown:
        raise Refused(unknown[0].place, f"Unexpected value '{unknown[0].text}'")
    name, kind, values = item.get("name"), item.get("type"), item.get("values")
    if not isinstance(name, ScalarNode) or not name.text:
        raise Refused(item.place, f"Unexpected value '{item.pairs[0][0].text if item.pairs else ''}'")
    declared = Declared(name.text, item.place, _type(kind), _default(item.get("default")), _allowed_values(values))
    if declared.default is not None and declared.type in _SIMPLE:
        declared.bind(declared.default, lambda _part, _node: None)
    return declared


def _type(node: Node | None) -> str:
    if node is None:
        return "string"
    if isinstance(node, ScalarNode) and node.text in _TYPES:
        return node.text
    if isinstance(node, ScalarNode) and node.text in _ELSEWHERE:
        raise Refused(node.place, f"Parameters of the type '{node.text}' are not supported by the sandbox.")
    raise Refused(node.place, f"Unexpected value '{node.text if isinstance(node, ScalarNode) else ''}'")


def _allowed_values(node: Node | None) -> tuple[ScalarNode, ...]:
    if node is None:
        return ()
    if not isinstance(node, SequenceNode):
        raise Refused(node.place, "Expected a sequence")
    return tuple(item for item in node.items if isinstance(item, ScalarNode))


def _default(node: Node | None) -> Node | None:
    """Return a default; the one expression it may be is a quoted text."""
    if isinstance(node, MappingNode):
        pairs = [(key, _default(value) or value) for key, value in node.pairs]
        return MappingNode(tuple(pairs), node.place)
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple(_default(item) or item for item in node.items), node.place)
    if node is None or OPENING not in node.text:
        return node
    expression = lone_expression(node.text) or ""
    if not (len(expression) > 1 and expression.startswith("'") and expression.endswith("'")):
        raise Refused(node.place, "A template expression is not allowed in this context")
    return node_of(expression[1:-1].replace("''", "'"), node.place)


def queued(text: str, declared: Declared) -> Node:
    """Return the value somebody gave when queueing: objects and lists are YAML or JSON within the text.

    Raises:
        Refused: it should be YAML, and is not.
    """
    nowhere = Place("")
    if declared.type in ("string", "number", "boolean") or not text.strip():
        return ScalarNode(text, nowhere, text, "double", final=True)
    try:
        return read_document(text, "")
    except Refused as refused:
        raise Refused(
            None, f"The '{declared.name}' parameter value '{text}' is not YAML: {refused.reason}"
        ) from refused


def missing(declared: Sequence[Declared], given: Iterable[str]) -> list[Declared]:
    """Return the parameters that have no default and were not given."""
    names = {name.lower() for name in given}
    return [each for each in declared if each.default is None and each.name.lower() not in names]
