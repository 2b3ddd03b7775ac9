from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.document import MAX_DEPTH, read_document
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Refused,
    ScalarNode,
    SequenceNode,
    value_of,
)
from ecs_cd_sandbox.azure_devops.expressions import Value


def read(text: str) -> MappingNode:
    node = read_document(text, "/f.yml")
    assert isinstance(node, MappingNode)
    return node


def test_every_part_knows_its_place() -> None:
    root = read("a: 1\nb:\n  - x\n  - y: z\n")
    assert str(root.place) == "/f.yml (Line: 1, Col: 1)"
    listed = root.get("b")
    assert isinstance(listed, SequenceNode)
    assert [str(item.place) for item in listed.items] == ["/f.yml (Line: 3, Col: 5)", "/f.yml (Line: 4, Col: 5)"]
    assert str(root.pairs[1][0].place) == "/f.yml (Line: 2, Col: 1)"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", ""),
        ("~", ""),
        ("null", ""),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("'true'", "true"),
        ("42", 42),
        ("-7", -7),
        ("1.0", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'42'", "42"),
        ('"4\\n2"', "4\n2"),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("0x1F", "0x1F"),
        ("!!str 42", "42"),
        ("[1, [two], {a: true}]", [1, ["two"], {"a": True}]),
    ],
)
def test_a_scalar_has_the_value_of_the_core_schema(written: str, value: Value) -> None:
    found = value_of(read(f"a: {written}").pairs[0][1])
    assert found == value
    assert type(found) is type(value)


def test_a_document_may_be_marked_as_one() -> None:
    assert value_of(read("---\na: 1\n...\n")) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "/f.yml (Line: 3, Col: 1): 'a' is already defined"),
        ("a: 1\nA: 3", "/f.yml (Line: 2, Col: 1): 'A' is already defined"),
        ("x:\n  - b: 1\n    b: 2", "/f.yml (Line: 3, Col: 5): 'b' is already defined"),
        (
            "a: &shared 1",
            "/f.yml (Line: 1, Col: 4): Anchors are not currently supported. Remove the anchor 'shared'",
        ),
        (
            "a: *shared",
            "/f.yml (Line: 1, Col: 4): Anchors are not currently supported. Remove the alias 'shared'",
        ),
        ("a: !secret 1", "/f.yml (Line: 1, Col: 4): Unexpected tag '!secret'"),
        ("a: !!python/x 1", "/f.yml (Line: 1, Col: 4): Unexpected tag 'tag:yaml.org,2002:python/x'"),
        ("? [a, b]\n: 1", "/f.yml (Line: 1, Col: 3): Expected a scalar value"),
        ("a: 1\n---\nb: 2", "/f.yml: Expected stream end parse event"),
        ("", "/f.yml: The file is empty"),
        ("# nothing", "/f.yml: The file is empty"),
        (
            "a:\n  - b\n c: d",
            "/f.yml (Line: 3, Col: 2): While parsing a block mapping, did not find expected key.",
        ),
        (
            "a:\n- b\nc",
            "/f.yml (Line: 3, Col: 2): While scanning a simple key, could not find expected ':'.",
        ),
        (
            "a: [b, c: d: e]",
            "/f.yml (Line: 1, Col: 12): While parsing a flow sequence, did not find expected ',' or ']'.",
        ),
        ("a: b: c", "/f.yml (Line: 1, Col: 5): Mapping values are not allowed here."),
        ("a: 'b", "/f.yml (Line: 1, Col: 6): While scanning a quoted scalar, found unexpected end of stream."),
        ("a: \x07", "/f.yml: Unacceptable character #x0007: special characters are not allowed."),
    ],
)
def test_what_the_service_does_not_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refused) as raised:
        read_document(text, "/f.yml")
    assert str(raised.value) == message


def test_directives_may_come_twice_in_a_mapping() -> None:
    assert len(read("${{ if a }}:\n  x: 1\n${{ if a }}:\n  y: 2\n").pairs) == 2


def test_a_file_nests_to_a_limit() -> None:
    read_document("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "/f.yml")
    with pytest.raises(Refused, match="Maximum object depth exceeded"):
        read_document("[" * 10_000 + "]" * 10_000, "/f.yml")


NAMES = st.text("abc", min_size=1, max_size=3)
VALUES = st.recursive(
    st.booleans() | st.integers(-999, 999) | st.text(alphabet="abc xyz-:#'\"{}[]\n", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("pq", min_size=1, max_size=3), VALUES, min_size=1, max_size=4))
def test_what_yaml_can_write_is_read_as_it_was(value: dict[str, Value]) -> None:
    assert value_of(read_document(yaml.safe_dump(value), "/f.yml")) == value


def test_a_quoted_scalar_keeps_its_style() -> None:
    found = read("a: 'b'").pairs[0][1]
    assert isinstance(found, ScalarNode) and found.style == "single"
