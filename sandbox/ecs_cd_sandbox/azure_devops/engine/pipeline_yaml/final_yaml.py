"""Writes a pipeline as the service's preview does: block style, lists not indented, the author's quotes."""

from __future__ import annotations

import re
import sys

import yaml
from yaml.resolver import Resolver

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import Node, ScalarNode, SequenceNode, Style

_STYLES: dict[Style, str | None] = {"plain": None, "single": "'", "double": "'", "literal": "|", "folded": "|"}
_RESOLVER = Resolver()
_FOLDED_AWAY = re.compile("[\r\x85\u2028\u2029]")
"""What only double quotes keep: elsewhere YAML takes these for the end of a line."""


def write(node: Node) -> str:
    """Return the YAML of a pipeline; it ends with an empty line."""
    written: str = yaml.serialize(_node(node), Dumper=yaml.SafeDumper, width=sys.maxsize, allow_unicode=True)
    return f"{written}\n"


def _node(node: Node) -> yaml.Node:
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        items = [_node(item) for item in node.items]
        return yaml.SequenceNode("tag:yaml.org,2002:seq", items, flow_style=not items)
    pairs = [(_node(key), _node(value)) for key, value in node.pairs]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not pairs)


def _scalar(node: ScalarNode) -> yaml.Node:
    """Return a scalar that is written without a tag: all values of a pipeline are texts."""
    style = _STYLES[node.style] if node.text else "'"
    style = None if style == "|" and "\n" not in node.text else style
    style = '"' if _FOLDED_AWAY.search(node.text) else style
    tag = "tag:yaml.org,2002:str" if style else _RESOLVER.resolve(yaml.ScalarNode, node.text, (True, False))  # type: ignore[no-untyped-call]  # not typed in the stubs
    return yaml.ScalarNode(tag, node.text, style=style)
