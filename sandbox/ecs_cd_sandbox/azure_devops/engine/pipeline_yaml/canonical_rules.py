"""What may stand under a key, and the canonical form of it: the words for describing parts of a pipeline.

A rule takes what stands in the file and returns it in the one form that the rest of the sandbox reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Refused,
    ScalarNode,
    SequenceNode,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems

Rule = Callable[[Node], Node]
NOT_HERE: Final = "is not supported by the sandbox."

_TRUE = ("true", "y", "yes", "on")
_FALSE = ("false", "n", "no", "off")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def not_supported(_node: Node) -> Node:
    """Stand for a key the service knows and the sandbox does not; `fields` refuses it by name."""
    raise NotImplementedError


def text(node: Node) -> ScalarNode:
    """Take a scalar."""
    if isinstance(node, MappingNode):
        raise Refused(node.place, "A mapping was not expected")
    if isinstance(node, SequenceNode):
        raise Refused(node.place, "A sequence was not expected")
    return node


def filled(node: Node) -> ScalarNode:
    """Take a scalar that is not empty."""
    if not text_of(node):
        raise Refused(node.place, "Unexpected value ''")
    return text(node)


def text_of(node: Node) -> str:
    """Return the text of a scalar; null is empty."""
    found = text(node)
    return "" if found.value == "" else found.text


def boolean(node: Node) -> ScalarNode:
    """Take one of the words for yes and no."""
    if text_of(node).lower() not in (*_TRUE, *_FALSE):
        raise Refused(node.place, f"Unexpected value '{text_of(node)}'")
    return text(node)


def is_true(node: Node) -> bool:
    """Say which of the words it is."""
    return text_of(boolean(node)).lower() in _TRUE


def number(node: Node) -> ScalarNode:
    """Take a number that is not negative; one that is only known when the run goes on cannot be used here."""
    found = text_of(node)
    if "$(" in found or "$[" in found:
        raise Refused(node.place, f"A number that a variable holds, '{found}', {NOT_HERE}")
    if not _NUMBER.fullmatch(found):
        raise Refused(node.place, f"Unexpected value '{found}'")
    return text(node)


def one_of(*words: str) -> Rule:
    """Return a rule that takes one of these words."""

    def take(node: Node) -> Node:
        if text_of(node) not in words:
            raise Refused(node.place, f"Unexpected value '{text_of(node)}'")
        return node

    return take


def sequence(node: Node) -> SequenceNode:
    """Take a list."""
    if isinstance(node, MappingNode):
        raise Refused(node.place, "A mapping was not expected")
    if isinstance(node, ScalarNode):
        raise Refused(node.place, f"Unexpected value '{text_of(node)}'")
    return node


def list_of(rule: Rule) -> Rule:
    """Return a rule that takes a list of what another one takes."""

    def take(node: Node) -> Node:
        return SequenceNode(tuple(_all(partial(rule, item) for item in sequence(node).items)), node.place)

    return take


def texts(node: Node) -> SequenceNode:
    """Take a list of texts; a single one is a list of it, nothing is an empty one."""
    if isinstance(node, ScalarNode):
        return SequenceNode((node,) if text_of(node) else (), node.place)
    return SequenceNode(tuple(text(item) for item in sequence(node).items), node.place)


def mapping(node: Node) -> MappingNode:
    """Take a mapping."""
    if isinstance(node, SequenceNode):
        raise Refused(node.place, "A sequence was not expected")
    if isinstance(node, ScalarNode):
        raise Refused(node.place, f"Unexpected value '{text_of(node)}'")
    return node


def text_mapping(node: Node) -> MappingNode:
    """Take a mapping of texts; nothing is an empty one."""
    if isinstance(node, ScalarNode) and not text_of(node):
        return MappingNode((), node.place)
    found = mapping(node)
    return MappingNode(tuple((key, text(value)) for key, value in found.pairs), node.place)


def anything(node: Node) -> Node:
    """Take whatever it is."""
    return node


def fields(node: Node, rules: Mapping[str, Rule]) -> MappingNode:
    """Return a mapping with each value brought into its form; keys count as they are written."""
    found = mapping(node).pairs
    values = _all(partial(_field, key, value, rules) for key, value in found)
    return MappingNode(tuple((key, value) for (key, _), value in zip(found, values, strict=True)), node.place)


def _field(key: ScalarNode, value: Node, rules: Mapping[str, Rule]) -> Node:
    rule = rules.get(key.text)
    if rule is None:
        raise Refused(key.place, f"Unexpected value '{key.text}'")
    if rule is not_supported:
        raise Refused(key.place, f"'{key.text}' {NOT_HERE}")
    return rule(value)


def _all(calls: Iterable[Callable[[], Node]]) -> list[Node]:
    """Return what all calls return; what any of them refuse is refused together."""
    problems = Problems()
    done: list[Node] = []
    for call in calls:
        with problems.collect():
            done.append(call())
    if problems.found:
        raise Refused.joined(problems.found)
    return done


def fields_of(rules: Mapping[str, Rule]) -> Rule:
    """Return a rule that takes a mapping with these fields."""
    return lambda node: fields(node, rules)
