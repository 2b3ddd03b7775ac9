from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.expressions import Context, ExpressionError, Value, Version, parse, to_text, truthy
from ecs_cd_sandbox.azure_devops.expressions.values import compare, equal, fold

SAME: list[Value] = [1, 2]
VERSION = Version((1, 2, 0))


@pytest.mark.parametrize(
    ("value", "text", "truth"),
    [
        (None, "", False),
        (True, "True", True),
        (False, "False", False),
        (0, "0", False),
        (-1, "-1", True),
        (0.5, "0.5", True),
        (1.0, "1", True),
        (-1.25, "-1.25", True),
        (1000000.0, "1000000", True),
        (1e-7, "1E-07", True),
        ("", "", False),
        ("false", "false", True),
        (Version((1, 2, 3, 4)), "1.2.3.4", True),
    ],
)
def test_text_and_truth_of_a_value(value: Value, text: str, truth: bool) -> None:
    assert (to_text(value), truthy(value)) == (text, truth)


@pytest.mark.parametrize(("value", "kind"), [([], "Array"), ({}, "Object")])
def test_a_collection_is_true_even_when_empty_and_has_no_text(value: Value, kind: str) -> None:
    assert truthy(value) is True
    with pytest.raises(ExpressionError) as raised:
        to_text(value)
    assert str(raised.value) == f"Unable to convert from {kind} to String. Value: {kind}"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("AbC", "aBc", True),
        ("ä", "Ä", True),
        ("ß", "SS", False),
        (0.5, "0.5", True),
        (1000, "1,000", True),
        (5, " 5 ", True),
        (5, "+5.", True),
        (0, "", True),
        (0, None, True),
        (None, 0, False),
        (None, "", True),
        ("", None, True),
        (1, "x", False),
        (1, True, True),
        (True, "false", True),
        ("true", True, True),
        ("1.5", 1.5, True),
        (1, [], False),
        (SAME, SAME, True),
        (SAME, list(SAME), False),
        (SAME, None, False),
        (None, SAME, False),
        (VERSION, "1.2.0", True),
        (VERSION, "1.2", False),
        (VERSION, 1.2, False),
        (Version((1, 2)), 1.2, True),
        (VERSION, "1", False),
        (VERSION, f"1.2.{2**31}", False),
        ("1.2.0", VERSION, True),
        (1, VERSION, False),
    ],
)
def test_the_left_value_decides_what_is_compared(left: Value, right: Value, same: bool) -> None:
    assert equal(left, right) is same


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        (False, True, -1),
        ("a", "B", -1),
        (1.10, 1.9, -1),
        (Version((1, 10, 0)), Version((1, 9, 0)), 1),
        (VERSION, "1.3", -1),
        (VERSION, 1.3, -1),
        (None, "1", -1),
        ("10", 9, -1),
        (10, "9", 1),
    ],
)
def test_order_follows_the_kind_of_the_left_value(left: Value, right: Value, order: int) -> None:
    assert compare(left, right) == order


@pytest.mark.parametrize(
    ("left", "right"), [(1, "x"), (VERSION, 2), (VERSION, True), ([], []), ("x", []), (1, VERSION)]
)
def test_order_of_what_cannot_be_converted_is_an_error(left: Value, right: Value) -> None:
    with pytest.raises(ExpressionError, match=r"^Unable to convert from "):
        compare(left, right)


PLAIN = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6) | st.text(max_size=20)


@given(PLAIN)
def test_a_value_equals_itself_and_its_text(value: Value) -> None:
    assert equal(value, value)
    assert equal(to_text(value), value)


@given(PLAIN, PLAIN)
def test_in_ne_and_not_in_follow_eq(left: Value, right: Value) -> None:
    context = Context({"a": left, "b": right})

    def answer(text: str) -> Value:
        return parse(text).evaluate(context)

    same = answer("eq(a, b)")
    assert answer("ne(a, b)") is (not same)
    assert answer("in(a, b)") is same
    assert answer("notIn(a, b)") is (not same)
    assert answer("containsValue(split('x', ','), a)") is answer("eq(a, 'x')")


@given(PLAIN, PLAIN)
def test_exactly_one_of_less_equal_greater_holds_or_there_is_no_order(left: Value, right: Value) -> None:
    try:
        order = compare(left, right)
    except ExpressionError:
        assert not equal(left, right) or left is None
        return
    context = Context({"a": left, "b": right})
    answers = [parse(f"{name}(a, b)").evaluate(context) for name in ("lt", "le", "ge", "gt")]
    assert answers == [order < 0, order <= 0, order >= 0, order > 0]
    if left is not None:
        assert equal(left, right) is (order == 0)


@given(st.text(), st.text())
def test_text_is_compared_without_regard_to_case(left: str, right: str) -> None:
    assert equal(left, right) == (fold(left) == fold(right))
    assert equal(left, "".join(c.upper() if len(c.upper()) == 1 else c for c in left))


@given(PLAIN, PLAIN)
def test_de_morgan(left: Value, right: Value) -> None:
    context = Context({"a": left, "b": right})
    assert parse("not(and(a, b))").evaluate(context) is parse("or(not(a), not(b))").evaluate(context)
    assert parse("xor(a, b)").evaluate(context) is parse("ne(not(a), not(b))").evaluate(context)


@given(st.lists(st.text(max_size=8), min_size=1), st.text(min_size=1, max_size=3))
def test_split_undoes_join(parts: list[str], separator: str) -> None:
    joined = separator.join(parts)
    context = Context({"text": joined, "separator": separator})
    assert parse("join(separator, split(text, separator))").evaluate(context) == joined
