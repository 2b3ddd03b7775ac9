"""Expands a pipeline: its own file, and the templates put into it.

Parts are expanded in the order the service does: the variables of a pipeline, a stage or a job become known as they are
met, before anything else that stands beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.expansion import Entry, entries, expand, items, unique
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Place,
    Refused,
    ScalarNode,
    SequenceNode,
    value_of,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.parameters import Declared, missing, queued, read_declarations
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_files import Source
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_frame import Frame, Session
from ecs_cd_sandbox.azure_devops.expressions import RequiredMapping, Value

LISTS = {"stages": "stage", "jobs": "job", "steps": "step", "variables": "variable"}
"""Lists that templates can be put into, by their key, and what they are lists of."""

_PARTS: dict[str, dict[str, str]] = {
    "root": {name: name for name in LISTS},
    "stage": {"jobs": "jobs", "variables": "variables"},
    "job": {"steps": "steps", "variables": "variables", "strategy": "strategy"},
    "strategy": {"runOnce": "hooks", "rolling": "hooks", "canary": "hooks"},
    "hooks": {
        **dict.fromkeys(("preDeploy", "deploy", "routeTraffic", "postRouteTraffic"), "hook"),
        "on": "outcomes",
    },
    "outcomes": {"failure": "hook", "success": "hook"},
    "hook": {"steps": "steps"},
}
_HEAD = ("trigger", "pr", "schedules", "resources")
_SCOPES = ("stage", "job")
_OF_EXTENDED = ("parameters", "resources", "variables", "stages", "jobs", "steps", "extends")

Canonical = Callable[[str, Node], Node]
"""Brings a part of a pipeline (`steps`, `job`, ...) into its canonical form, raising `Refused` if it is not one."""


@dataclass(frozen=True)
class Expander:
    """Expands one pipeline; parts given as parameters are brought into canonical form, as the service does."""

    session: Session
    canonical: Canonical

    def pipeline(self, path: str, variables: Mapping[str, str], given: Mapping[str, str]) -> Pipeline:
        """Return a pipeline's file with everything expanded; `given` are the parameters of the run.

        Raises:
            Refused: the file cannot be used at all; what else is wrong is noted as a problem.
        """
        source = self.session.library.root(path)
        document = self._document(self.session.library.read(source, source))
        declared = read_declarations(document.get("parameters"), of_pipeline=True)
        frame = Frame(self.session, source, variables=dict(variables))
        frame = replace(frame, parameters=self._queued(declared, given, frame))
        self._declare(document, frame)
        return Pipeline(MappingNode(tuple(self._root(document, frame)), document.place), declared)

    def head(self, path: str, variables: Mapping[str, str]) -> MappingNode:
        """Return what a pipeline's file says of when it starts, with parameters at their defaults.

        Raises:
            Refused: the file cannot be used.
        """
        source = self.session.library.root(path)
        document = self._document(self.session.library.read(source, source))
        declared = read_declarations(document.get("parameters"), of_pipeline=True)
        frame = Frame(self.session, source, variables=dict(variables))
        defaults = RequiredMapping(
            {
                each.name: self._argument(each, each.default, frame)
                for each in declared
                if each.default is not None and not each.is_part
            }
        )
        frame = replace(frame, parameters=defaults)
        pairs = [(key, expand(value, frame)) for key, value in document.pairs if key.text in _HEAD]
        return MappingNode(tuple(pairs), document.place)

    def _document(self, node: Node) -> MappingNode:
        if isinstance(node, MappingNode):
            return node
        if isinstance(node, SequenceNode):
            raise Refused(node.place, "A sequence was not expected")
        raise Refused(node.place, f"Unexpected value '{node.text}'")

    def _declare(self, document: MappingNode, frame: Frame) -> None:
        resources = document.get("resources")
        if resources is not None:
            with self.session.problems.collect():
                self.session.library.declare(expand(resources, frame))

    def _root(self, document: MappingNode, frame: Frame) -> list[tuple[ScalarNode, Node]]:
        """Expand the content of a pipeline; a template it extends takes the place of `extends`."""
        pairs: list[tuple[ScalarNode, Node]] = []
        for key, value, inner in self._in_order(document, frame, "root"):
            if key.text == "parameters":
                pairs.append((key, value))
            elif key.text == "extends":
                with self.session.problems.collect():
                    _merge(pairs, self._extended(value, inner))
            else:
                with self.session.problems.collect():
                    _merge(pairs, [(key, self._part(value, _PARTS["root"].get(key.text, ""), inner))])
        return pairs

    def _in_order(self, node: MappingNode, frame: Frame, shape: str) -> list[tuple[ScalarNode, Node, Frame]]:
        """Return the entries of a mapping, the variables among them expanded already."""
        found = []
        for entry in unique(entries(node, frame)):
            known = _PARTS[shape].get(entry.key.text) == "variables"
            value = self._part(entry.value, "variables", entry.frame) if known else entry.value
            found.append((entry.key, value, entry.frame))
        return found

    def _extended(self, node: Node, frame: Frame) -> list[tuple[ScalarNode, Node]]:
        document, inner = self._template(node, frame)
        self._declare(document, inner)
        pairs = self._root(document, inner)
        for key, _ in pairs:
            if key.text not in _OF_EXTENDED:
                self.session.problems.add(key.place, f"Unexpected value '{key.text}'")
        return [pair for pair in pairs if pair[0].text != "parameters"]

    def _part(self, node: Node, shape: str, frame: Frame) -> Node:
        if shape in LISTS and isinstance(node, SequenceNode):
            return SequenceNode(tuple(self._items(node, shape, frame)), node.place)
        if shape == "variables" and isinstance(node, MappingNode):
            return self._variables(node, frame)
        if shape in _PARTS and isinstance(node, MappingNode):
            return self._mapping(node, shape, frame)
        found = expand(node, frame)
        if shape == "variables":
            _learn(found, frame)
        return found

    def _mapping(self, node: MappingNode, shape: str, frame: Frame) -> MappingNode:
        inner = frame.inner() if shape in _SCOPES else frame
        pairs: list[tuple[ScalarNode, Node]] = []
        for key, value, at in self._in_order(node, inner, shape):
            with self.session.problems.collect():
                pairs.append((key, self._part(value, _PARTS[shape].get(key.text, ""), at)))
        return MappingNode(tuple(pairs), node.place)

    def _items(self, node: SequenceNode, shape: str, frame: Frame) -> list[Node]:
        found: list[Node] = []
        for item, inner in items(node, frame):
            with self.session.problems.collect():
                if isinstance(item, MappingNode) and item.get("template") is not None:
                    found += self._included(item, shape, inner)
                    continue
                part = self._part(item, LISTS[shape], inner)
                if shape == "variables":
                    _learn(SequenceNode((part,), part.place), inner)
                found.append(part)
        return found

    def _included(self, item: MappingNode, shape: str, frame: Frame) -> list[Node]:
        document, inner = self._template(item, frame)
        found: list[Node] = []
        for key, value, at in self._in_order(document, inner, "root"):
            if key.text == shape:
                part = self._part(value, shape, at) if shape != "variables" else value
                found += _listed(part)
            elif key.text != "parameters":
                raise Refused(key.place, f"Unexpected value '{key.text}'")
        return found

    def _template(self, node: Node, frame: Frame) -> tuple[MappingNode, Frame]:
        """Return the template that is asked for, and the frame it is read in."""
        if not isinstance(node, MappingNode):
            raise Refused(node.place, "Expected a mapping")
        reference: ScalarNode | None = None
        given: list[Entry] = []
        for entry in unique(entries(node, frame)):
            if entry.key.text == "template":
                found = expand(entry.value, entry.frame)
                reference = found if isinstance(found, ScalarNode) else None
            elif entry.key.text == "parameters":
                given = self._arguments(entry.value, entry.frame)
            else:
                raise Refused(entry.key.place, f"Unexpected value '{entry.key.text}'")
        if reference is None or not reference.text:
            raise Refused(node.place, "Expected the path of a template")
        library = self.session.library
        source = library.find(reference.text, frame.source)
        document = self._document(library.read(source, frame.source))
        return document, self._bound(document, source, given, frame)

    def _arguments(self, node: Node, frame: Frame) -> list[Entry]:
        found = expand(node, frame) if isinstance(node, ScalarNode) else node
        if isinstance(found, ScalarNode) and found.value == "":
            return []
        if not isinstance(found, MappingNode):
            raise Refused(node.place, "Expected a mapping")
        return list(unique(entries(found, frame)))

    def _bound(self, document: MappingNode, source: Source, given: list[Entry], frame: Frame) -> Frame:
        declared = read_declarations(document.get("parameters"), of_pipeline=False)
        known = {each.name.lower(): each for each in declared}
        parameters = RequiredMapping()
        for entry in given:
            name = entry.key.text.lower()
            if name in known:
                parameters[known[name].name] = self._argument(known[name], entry.value, entry.frame)
            elif document.get("parameters") is not None:
                raise Refused(entry.key.place, f"Unexpected parameter '{entry.key.text}'")
        inner = Frame(self.session, source, variables=frame.variables)
        for each in missing(declared, parameters):
            self.session.problems.add(Place(source.name), f"A value for the '{each.name}' parameter must be provided.")
        self._complete(parameters, declared, inner)
        return replace(inner, parameters=parameters)

    def _argument(self, declared: Declared, node: Node, frame: Frame) -> Value:
        def read_part(shape: str, part: Node) -> Value:
            return value_of(self.canonical(shape, self._part(part, shape, frame)))

        return declared.bind(node if declared.is_part else expand(node, frame), read_part)

    def _queued(self, declared: list[Declared], given: Mapping[str, str], frame: Frame) -> RequiredMapping:
        """Return the parameters of a pipeline; what is wrong with them has no place in a file."""
        known = {each.name.lower(): each for each in declared}
        parameters = RequiredMapping()
        for name, text in given.items():
            found = known.get(name.lower())
            if found is None:
                self.session.problems.add(None, f"Unexpected parameter '{name}'")
                continue
            try:
                parameters[found.name] = self._argument(found, queued(text, found), frame)
            except Refused as refused:
                self.session.problems.add(None, refused.reason)
        for each in missing(declared, given):
            self.session.problems.add(None, f"A value for the '{each.name}' parameter must be provided.")
        self._complete(parameters, declared, frame)
        self.session.problems.check()
        return parameters

    def _complete(self, parameters: RequiredMapping, declared: list[Declared], frame: Frame) -> None:
        """Fill in the defaults."""
        for each in declared:
            if each.default is not None and each.name not in parameters:
                parameters[each.name] = self._argument(each, each.default, frame)

    def _variables(self, node: MappingNode, frame: Frame) -> MappingNode:
        pairs: list[tuple[ScalarNode, Node]] = []
        for entry in unique(entries(node, frame)):
            value = expand(entry.value, entry.frame)
            if isinstance(value, ScalarNode):
                frame.set_variable(entry.key.text, value.text)
            pairs.append((entry.key, value))
        return MappingNode(tuple(pairs), node.place)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline's file with everything expanded, and the parameters it declares."""

    root: MappingNode
    declared: list[Declared]


def _learn(node: Node, frame: Frame) -> None:
    """Make the variables of an expanded list or mapping known."""
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, MappingNode):
            name, value = item.get("name"), item.get("value")
            if isinstance(name, ScalarNode) and isinstance(value, ScalarNode):
                frame.set_variable(name.text, value.text)
    for key, value in node.pairs if isinstance(node, MappingNode) else ():
        if isinstance(value, ScalarNode):
            frame.set_variable(key.text, value.text)


def _listed(node: Node) -> list[Node]:
    """Return the items of a list that is put into another; variables may be a mapping instead."""
    if isinstance(node, SequenceNode):
        return list(node.items)
    if isinstance(node, MappingNode):
        return [
            MappingNode(((replace(key, text="name"), key), (replace(key, text="value"), value)), key.place)
            for key, value in node.pairs
        ]
    if node.value == "":
        return []
    raise Refused(node.place, f"Unexpected value '{node.text}'")


_JOINED = ("variables", "resources", "repositories", "pipelines")


def _merge(pairs: list[tuple[ScalarNode, Node]], more: Iterable[tuple[ScalarNode, Node]]) -> None:
    """Put entries of an extended template beside those of the pipeline; variables and resources are joined."""
    for key, value in more:
        at = next((at for at, (known, _) in enumerate(pairs) if known.text == key.text), None)
        if at is None:
            pairs.append((key, value))
        elif key.text in _JOINED:
            pairs[at] = (pairs[at][0], _joined(pairs[at][1], value))
        else:
            raise Refused(key.place, f"'{key.text}' is already defined")


def _joined(first: Node, second: Node) -> Node:
    if isinstance(first, MappingNode) and isinstance(second, MappingNode) and first.get("repositories"):
        pairs = list(first.pairs)
        _merge(pairs, second.pairs)
        return MappingNode(tuple(pairs), first.place)
    return SequenceNode((*_listed(first), *_listed(second)), first.place)
