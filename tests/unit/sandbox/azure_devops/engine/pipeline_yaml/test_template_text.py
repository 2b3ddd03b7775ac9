from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_text import (
    Directive,
    EmbeddedExpression,
    TextError,
    keyword_of,
    lone_expression,
    read_directive,
    split_text,
    split_units,
)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", [""]),
        ("plain", ["plain"]),
        ("${{ a }}", [EmbeddedExpression("a")]),
        ("${{a}}", [EmbeddedExpression("a")]),
        ("x ${{ a }} y${{ b }}", ["x ", EmbeddedExpression("a"), " y", EmbeddedExpression("b")]),
        ("${{ 'my${{value' }}", [EmbeddedExpression("'my${{value'")]),
        ("${{ 'a }} '' b' }}!", [EmbeddedExpression("'a }} '' b'"), "!"]),
        ("$(a) $[b] }}", ["$(a) $[b] }}"]),
    ],
)
def test_a_text_is_split_at_its_expressions(text: str, pieces: list[str | EmbeddedExpression]) -> None:
    assert split_text(text) == pieces


@pytest.mark.parametrize("text", ["${{ a", "x ${{ 'a }}", "${{ a }"])
def test_an_expression_must_end(text: str) -> None:
    with pytest.raises(TextError) as raised:
        split_text(text)
    assert str(raised.value) == (
        "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."
    )


PLAIN = st.text(alphabet="ab${}' ", max_size=30).filter(lambda text: "${{" not in text)


@given(PLAIN, st.lists(st.sampled_from(["x", "'q'", "f(1)"]), max_size=3))
def test_nothing_of_a_text_is_lost(plain: str, expressions: list[str]) -> None:
    whole = plain + "".join(f"${{{{ {expression} }}}}{plain}" for expression in expressions)
    pieces = split_text(whole)
    assert [piece.expression for piece in pieces if isinstance(piece, EmbeddedExpression)] == expressions
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == plain * (len(expressions) + 1)


def test_only_a_whole_text_is_a_lone_expression() -> None:
    assert lone_expression("${{ a.b }}") == "a.b"
    assert [lone_expression(text) for text in ("${{ a }} ", " ${{ a }}", "${{ a }}${{ b }}", "a")] == [None] * 4


@pytest.mark.parametrize(
    ("key", "directive"),
    [
        ("${{ if eq(1, 1) }}", Directive("if", "eq(1, 1)")),
        ("${{if a.b}}", Directive("if", "a.b")),
        ("${{  elseif   'a b'  }}", Directive("elseif", "'a b'")),
        ("${{ else }}", Directive("else")),
        ("${{ insert }}", Directive("insert")),
        ("${{ each x in parameters.list }}", Directive("each", "parameters.list", "x")),
        ("${{ each x in split('a in b', ' in ') }}", Directive("each", "split('a in b', ' in ')", "x")),
        ("${{ each x in split(in('b', 'b'), ',')[0].y }}", Directive("each", "split(in('b', 'b'), ',')[0].y", "x")),
        ("${{ IF eq(1, 1) }}", None),
        ("${{ iff }}", None),
        ("${{ if }}", None),
        ("${{ if a b }}", None),
        ("${{ parameters.x }}", None),
        ("if", None),
        ("x ${{ if a }}", None),
    ],
)
def test_a_key_is_a_directive_or_not(key: str, directive: Directive | None) -> None:
    assert read_directive(key) == directive


EACH = "The expected format of an 'each' expression is: ${ each <identifier> in <value> }"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "${{ else if eq(1, 1) }}",
            "Exactly 0 parameter(s) were expected following the directive 'else'. Actual parameter count: 2",
        ),
        (
            "${{ insert extra }}",
            "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: 1",
        ),
        (
            "${{ each a in b c }}",
            "Exactly 3 parameter(s) were expected following the directive 'each'. Actual parameter count: 4",
        ),
        ("${{ each a IN b }}", f"The value 'IN' is unexpected. {EACH}"),
    ],
)
def test_a_directive_with_wrong_parameters_is_refused(key: str, message: str) -> None:
    with pytest.raises(TextError) as raised:
        read_directive(key)
    assert str(raised.value) == message


def test_a_keyword_is_found_whatever_follows_it() -> None:
    assert [keyword_of(text) for text in ("${{ if }}", "${{ each }}", "${{ iffy }}", "if")] == [
        "if",
        "each",
        None,
        None,
    ]


@given(st.lists(st.sampled_from(["a", "b.c", "f(1, 'x y')", "d[0]", "'t t'", "e.*.g", "1.5"]), max_size=5))
def test_units_are_what_was_put_one_after_the_other(units: list[str]) -> None:
    assert split_units(" ".join(units)) == units
