"""Carries out the directives and the expressions of a template: `${{ if }}`, `${{ each }}`, `${{ insert }}` and values.

A mapping is unfolded entry by entry and a list item by item, each with the frame its expressions are read in, so that
whoever asks decides in which order they are expanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Refused,
    ScalarNode,
    SequenceNode,
    computed,
    node_of,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_frame import Frame
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_text import (
    Directive,
    EmbeddedExpression,
    TextError,
    keyword_of,
    lone_expression,
    read_directive,
    split_text,
)
from ecs_cd_sandbox.azure_devops.expressions import ExactMapping, ExpressionError, Value, truthy


@dataclass(frozen=True)
class Entry:
    """A key of a mapping with its value, which is still to be expanded."""

    key: ScalarNode
    value: Node
    frame: Frame


@dataclass
class _Chain:
    """The `if`, `elseif` and `else` that belong together: open while none of them was taken, None outside of one."""

    is_open: bool | None = None

    def takes(self, directive: Directive, key: ScalarNode, frame: Frame) -> bool:
        if directive.keyword == "if":
            self.is_open = True
        elif self.is_open is None:
            raise Refused(key.place, f"The expression directive '{directive.keyword}' is not supported in this context")
        chosen = self.is_open and (
            directive.keyword == "else" or truthy(frame.evaluate(directive.expression, key.place))
        )
        if directive.keyword == "else":
            self.is_open = None
        elif chosen:
            self.is_open = False
        return bool(chosen)


def entries(mapping: MappingNode, frame: Frame) -> Iterator[Entry]:
    """Return what a mapping has once its directives are carried out.

    Raises:
        Refused: a directive or a key is wrong.
    """
    chain = _Chain()
    for key, value in mapping.pairs:
        directive = _directive(key)
        if directive is None:
            yield Entry(_key(key, frame), value, frame)
        elif directive.keyword in ("if", "elseif", "else"):
            if chain.takes(directive, key, frame):
                yield from entries(_mapping(value, frame), frame)
        else:
            chain = _Chain()
            for inner in _rounds(directive, key, frame):
                yield from entries(_mapping(value, inner), inner)


def items(sequence: SequenceNode, frame: Frame) -> Iterator[tuple[Node, Frame]]:
    """Return what a list has once its directives are carried out; the items of a list within it become its own.

    Raises:
        Refused: a directive or an expression is wrong.
    """
    chain = _Chain()
    for item in sequence.items:
        key, body = item.pairs[0] if isinstance(item, MappingNode) and len(item.pairs) == 1 else (None, item)
        directive = _directive(key) if key else None
        if key is None or directive is None:
            yield from _spliced(item, frame)
        elif directive.keyword == "insert":
            chain = _Chain()
            yield item, frame
        elif directive.keyword == "each":
            chain = _Chain()
            for inner in _rounds(directive, key, frame):
                yield from _body(body, inner)
        elif chain.takes(directive, key, frame):
            yield from _body(body, frame)


def expand(node: Node, frame: Frame) -> Node:
    """Return a part of a file without expressions.

    Raises:
        Refused: something in it is wrong.
    """
    if isinstance(node, ScalarNode):
        return expand_scalar(node, frame)
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple(expand(item, inner) for item, inner in items(node, frame)), node.place)
    pairs = [(entry.key, expand(entry.value, entry.frame)) for entry in unique(entries(node, frame))]
    return MappingNode(tuple(pairs), node.place)


def unique(found: Iterator[Entry]) -> Iterator[Entry]:
    """Return the entries of a mapping as they come.

    Raises:
        Refused: a key comes twice, whatever its case.
    """
    known = set()
    for entry in found:
        if entry.key.text.lower() in known:
            raise Refused(entry.key.place, f"'{entry.key.text}' is already defined")
        known.add(entry.key.text.lower())
        yield entry


def expand_scalar(node: ScalarNode, frame: Frame) -> Node:
    """Return a scalar without expressions; one that is an expression as a whole keeps its kind.

    Raises:
        Refused: an expression in it is wrong.
    """
    frame.session.budget.spend(node)
    if node.final:
        return node
    try:
        if keyword_of(node.text):
            raise Refused(node.place, f"Unexpected value '{node.text}'")
        lone = lone_expression(node.text)
        pieces = [] if lone is not None else split_text(node.text)
    except TextError as error:
        raise Refused(node.place, str(error)) from error
    if lone is not None:
        return _counted(node_of(frame.evaluate(lone, node.place), node.place), frame)
    if not any(isinstance(piece, EmbeddedExpression) for piece in pieces):
        return node
    text = "".join(
        frame.text(piece.expression, node.place) if isinstance(piece, EmbeddedExpression) else piece for piece in pieces
    )
    return ScalarNode(text, node.place, text, node.style, final=True)


def _counted(node: Node, frame: Frame) -> Node:
    if isinstance(node, ScalarNode):
        frame.session.budget.spend(node)
        return node
    for part in node.items if isinstance(node, SequenceNode) else [part for pair in node.pairs for part in pair]:
        _counted(part, frame)
    return node


def _directive(key: ScalarNode) -> Directive | None:
    if key.final:
        return None
    try:
        return read_directive(key.text)
    except (TextError, ExpressionError) as error:
        raise Refused(key.place, str(error)) from error


def _key(key: ScalarNode, frame: Frame) -> ScalarNode:
    try:
        # A directive that is not well formed is read as the expression it is not.
        lone = None if key.final else lone_expression(key.text)
    except TextError as error:
        raise Refused(key.place, str(error)) from error
    if lone is not None:
        found = node_of(frame.evaluate(lone, key.place), key.place)
        if not isinstance(found, ScalarNode):
            raise Refused(key.place, "Expected a scalar value")
        return computed(found.text, key.place)
    found = expand_scalar(key, frame)
    return found if isinstance(found, ScalarNode) else key


def _rounds(directive: Directive, key: ScalarNode, frame: Frame) -> Iterator[Frame]:
    """Return a frame for each round of a loop; an insertion is one round."""
    if directive.keyword == "insert":
        yield frame
        return
    frame.check_loop(directive.name, key.place)
    values = frame.evaluate(directive.expression, key.place)
    rounds: Sequence[Value]
    if isinstance(values, Mapping):
        rounds = [ExactMapping({"key": name, "value": value}) for name, value in values.items()]
    elif isinstance(values, list):
        rounds = values
    elif values is None:
        rounds = []
    else:
        shown = frame.text(directive.expression, key.place)
        raise Refused(key.place, f"Expected a sequence or mapping. Actual value '{shown}'")
    for value in rounds:
        frame.session.budget.spend(key)
        yield frame.within_loop(directive.name, value)


def _mapping(value: Node, frame: Frame) -> MappingNode:
    found = expand_scalar(value, frame) if isinstance(value, ScalarNode) else value
    if not isinstance(found, MappingNode):
        raise Refused(value.place, "Expected a mapping")
    return found


def _body(body: Node, frame: Frame) -> Iterator[tuple[Node, Frame]]:
    return items(body if isinstance(body, SequenceNode) else SequenceNode((body,), body.place), frame)


def _spliced(item: Node, frame: Frame) -> Iterator[tuple[Node, Frame]]:
    """Return an item, or the items of the list that an expression in its place yields."""
    if isinstance(item, ScalarNode):
        found = expand_scalar(item, frame)
        if isinstance(found, SequenceNode):
            yield from ((part, frame) for part in found.items)
            return
        yield found, frame
    else:
        yield item, frame
