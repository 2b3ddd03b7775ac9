from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.expressions import (
    CONDITION,
    ROOT_VARIABLE,
    STEP_CONDITION,
    TEMPLATE,
    VARIABLE,
    Context,
    ExactMapping,
    ExpressionError,
    RequiredMapping,
    Scope,
    Value,
    Version,
    parse,
    with_names,
)

HELP = "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"
OBJECT: Value = {
    "a": 1,
    "_lead": "three",
    "9num": "four",
    "dotted.name": "five",
    "list": [{"id": 7, "n": "x"}, {"id": 8}, "plain"],
    "rows": [[1, 2], [3]],
    "map": {"x": {"id": 1}, "y": {"id": 2}},
}
CONTEXT = Context({"parameters": {"obj": OBJECT, "first": 0}, "variables": {"My.Var": "dotted", "myVar": "plain"}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("42", 42),
        ("-1.2", -1.2),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.2", 1.2),
        ("1.2.3", Version((1, 2, 3))),
        ("1.2.3.4", Version((1, 2, 3, 4))),
        ("  'a b c'\n", "a b c"),
        ("'It''s OK'", "It's OK"),
        ("''", ""),
        ("''''", "'"),
        ("parameters.obj.a", 1),
        ("PARAMETERS.OBJ.A", 1),
        ("parameters . obj [ 'a' ]", 1),
        ("parameters.obj._lead", "three"),
        ("parameters.obj['9num']", "four"),
        ("parameters.obj['dotted.name']", "five"),
        ("parameters['obj'].list[0].id", 7),
        ("parameters.obj.list[parameters.obj.a].id", 8),
        ("parameters.obj.list['1'].id", 8),
        ("parameters.obj.list[1.9].id", 8),
        ("parameters.obj.list[variables.none].id", 7),
        ("parameters.obj.list[-1]", None),
        ("parameters.obj.list[3]", None),
        ("parameters.obj.list['x']", None),
        ("parameters.obj.nosuch", None),
        ("parameters.obj.nosuch.deeper['still']", None),
        ("parameters.obj.a.b", None),
        ("variables['my.var']", "dotted"),
        ("variables.My.Var", None),
        ("variables.MYVAR", "plain"),
        ("parameters.obj.list.*.id", [7, 8]),
        ("parameters.obj.list[*].id", [7, 8]),
        ("parameters.obj.list.*.n", ["x"]),
        ("parameters.obj.map.*.id", [1, 2]),
        ("parameters.obj.map.*['ID']", [1, 2]),
        ("parameters.obj.rows.*.*", [1, 2, 3]),
        ("parameters.obj.rows.*[1]", [2]),
        ("parameters.obj.a.*", []),
        ("parameters.obj.nosuch.*.id", []),
        ("eq (1, 1)", True),
        ("EQ(1,1)", True),
        ("eq(parameters.obj.list.*.id[0], 1)", False),
    ],
)
def test_an_expression_yields(text: str, value: Value) -> None:
    found = parse(text).evaluate(CONTEXT)
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


UNRECOGNIZED = "Unrecognized value"
UNEXPECTED = "Unexpected symbol"
PROPERTY = "Expected a property name to follow the dereference operator '.'"


@pytest.mark.parametrize(
    ("text", "problem", "raw", "position"),
    [
        ("null", UNRECOGNIZED, "null", 1),
        ("+1", UNRECOGNIZED, "+1", 1),
        ("1e3", UNRECOGNIZED, "1e3", 1),
        ("0x1F", UNRECOGNIZED, "0x1F", 1),
        ("-1.2.3", UNRECOGNIZED, "-1.2.3", 1),
        ("1..2", UNRECOGNIZED, "1..2", 1),
        ("1.2.3.4.5", UNRECOGNIZED, "1.2.3.4.5", 1),
        ("1e3 2", UNRECOGNIZED, "1e3", 1),
        ('"double"', UNRECOGNIZED, '"double"', 1),
        ('"double" 2', UNEXPECTED, "2", 10),
        ("'unclosed", UNRECOGNIZED, "'unclosed", 1),
        ("!true", UNRECOGNIZED, "!true", 1),
        ("! true", UNEXPECTED, "true", 3),
        ("!eq(1, 1)", UNRECOGNIZED, "!eq", 1),
        ("1 == 1", UNEXPECTED, "==", 3),
        ("true && false", UNEXPECTED, "&&", 6),
        ("(true)", UNEXPECTED, "(", 1),
        ("1 2", UNEXPECTED, "2", 3),
        ("'a'.b", UNEXPECTED, ".", 4),
        ("parameters.obj.9num", UNEXPECTED, "9num", 16),
        ("parameters.a-b", UNEXPECTED, "a-b", 12),
        ("parameters.obj.list[]", UNEXPECTED, "]", 21),
        ("parameters.obj.list[0,", UNEXPECTED, ",", 22),
        ("parameters.obj.", PROPERTY, ".", 15),
        ("parameters.obj[", "Unclosed indexer", "[", 15),
        ("parameters.obj[0", "Unclosed indexer", "[", 15),
        ("nosuchfunc(1)", UNRECOGNIZED, "nosuchfunc", 1),
        ("nosuchfunc(1) 2", UNEXPECTED, "2", 15),
        ("nosuchcontext.a", UNRECOGNIZED, "nosuchcontext", 1),
        ("eq(nosuchcontext.a, 'x')", UNRECOGNIZED, "nosuchcontext", 4),
        ("eq(1)", UNEXPECTED, ")", 5),
        ("eq()", UNEXPECTED, ")", 4),
        ("eq(1, 2, 3)", UNEXPECTED, ",", 8),
        ("eq(1,)", UNEXPECTED, ")", 6),
        ("in('Alpha')", UNEXPECTED, ")", 11),
        ("eq(1,", "Unclosed function", "eq", 1),
        ("not(eq(1, 'a'", "Unclosed function", "eq", 5),
        ("eq", "Expected '(' to follow a function", "eq", 1),
        ("counter('a', 1)", UNRECOGNIZED, "counter", 1),
        ("succeeded()", UNRECOGNIZED, "succeeded", 1),
        ("always", UNRECOGNIZED, "always", 1),
        ("eq(eq(1) 2, null)", UNEXPECTED, ")", 8),
    ],
)
def test_what_is_no_expression_is_pointed_at(text: str, problem: str, raw: str, position: int) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(f"  {text} ", TEMPLATE)
    assert (
        str(raised.value) == f"{problem}: '{raw}'. Located at position {position} within expression: '{text}'. {HELP}"
    )


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_is_no_expression(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^An expression was expected$"):
        parse(text)


def nested(depth: int) -> str:
    return "not(" * (depth - 1) + "false" + ")" * (depth - 1)


def test_functions_nest_to_fifty() -> None:
    assert parse(nested(50)).evaluate(CONTEXT) is True
    with pytest.raises(ExpressionError) as raised:
        parse(nested(51))
    assert str(raised.value) == f"Exceeded max expression depth 50. {HELP}"


def test_indexes_do_not_count_as_nesting_but_do_not_go_on_for_ever() -> None:
    assert parse("parameters.obj" + ".a" * 60 + "['a']" * 60).evaluate(CONTEXT) is None
    with pytest.raises(ExpressionError, match="Exceeded max expression depth"):
        parse("parameters" + ".a" * 5000)
    with pytest.raises(ExpressionError, match="Exceeded max expression depth"):
        parse("parameters[" * 5000 + "0" + "]" * 5000)


@pytest.mark.parametrize(
    ("scope", "fine", "refused"),
    [
        (TEMPLATE, "parameters.a", "dependencies.A.result"),
        (TEMPLATE, "variables.a", "pipeline.startTime"),
        (ROOT_VARIABLE, "counter('a', 1)", "dependencies.A.result"),
        (ROOT_VARIABLE, "resources.repositories.self.ref", "parameters.a"),
        (VARIABLE, "dependencies.A.outputs['s.v']", "always()"),
        (CONDITION, "succeeded('A', 'B')", "resources.x"),
        (CONDITION, "stageDependencies.S.A.result", "counter('a', 1)"),
        (STEP_CONDITION, "and(always(), eq(variables.a, 'b'))", "dependencies.A.result"),
    ],
)
def test_a_place_knows_its_own_names_only(scope: Scope, fine: str, refused: str) -> None:
    parse(fine, scope)
    with pytest.raises(ExpressionError, match="Unrecognized value"):
        parse(refused, scope)


def test_status_functions_take_names_except_in_a_step() -> None:
    parse("failed('A')", CONDITION)
    for text, scope in (("failed('A')", STEP_CONDITION), ("always('A')", CONDITION), ("canceled('A')", CONDITION)):
        with pytest.raises(ExpressionError, match="Unexpected symbol: '\\)'"):
            parse(text, scope)


def test_names_can_join_a_scope() -> None:
    assert parse("Item.a", with_names(TEMPLATE, "item")).evaluate(Context({"ITEM": {"a": 1}})) == 1


def test_keys_count_as_written_in_an_object_and_must_be_known_among_parameters() -> None:
    context = Context({"parameters": RequiredMapping({"One": ExactMapping({"Key": 1})})})
    assert parse("parameters.ONE.Key").evaluate(context) == 1
    assert parse("parameters.one.key").evaluate(context) is None
    with pytest.raises(ExpressionError, match=r"^Key not found 'two'$"):
        parse("parameters.two").evaluate(context)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@given(st.text())
def test_quoted_text_yields_itself(text: str) -> None:
    assert parse("'" + text.replace("'", "''") + "'").evaluate(Context()) == text


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_yields_itself(number: int) -> None:
    assert parse(str(number)).evaluate(Context()) == number


@given(st.text(alphabet="aeqno12.,()[]*'! ${}\"-", max_size=30))
def test_any_text_is_an_expression_or_refused_with_a_position_in_it(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        place = re.search(r": '(.*)'. Located at position (\d+) within expression: '", str(error), re.DOTALL)
        if place:
            assert text.strip()[int(place[2]) - 1 :].startswith(place[1])


@given(NAMES, NAMES, st.text())
def test_property_and_index_are_one_lookup(outer: str, inner: str, text: str) -> None:
    context = Context({"variables": {outer: {inner: text}}})
    assert parse(f"variables.{outer}.{inner}").evaluate(context) == text
    assert parse(f"variables['{outer}']['{inner.swapcase()}']").evaluate(context) == text
