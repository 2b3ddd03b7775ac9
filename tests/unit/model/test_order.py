"""Which of two tags is newer (rule 3)."""

from __future__ import annotations

import functools
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.errors import WrongInput
from ecs_cd.model.order import Order

number = st.integers(min_value=0, max_value=10**40).map(str)
numbers = st.lists(number, min_size=1, max_size=4).map(".".join)
identifier = st.one_of(
    st.integers(min_value=0, max_value=10**6).map(str),
    st.from_regex(r"[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,4}", fullmatch=True),
)
versions = st.builds(
    lambda lead, core, pre: lead + ".".join(map(str, core)) + ("-" + ".".join(pre) if pre else ""),
    st.sampled_from(["", "v"]),
    st.tuples(*[st.integers(min_value=0, max_value=12)] * 3),
    st.lists(identifier, max_size=3),
)
outside = st.sampled_from(
    [
        "latest",
        "none",
        "",
        "1.2.",
        ".1",
        "1..2",
        "-5",
        "1e",
        "v",
        "release-7",
        "\u0661\u0662",
        "1.0.0-01",
        "1.0.0+b",
        " 7",
    ]
)
IN_ORDER = [(Order.NUMERIC, numbers), (Order.SEMVER, versions)]

# Semantic Versioning 2.0.0, point 11, in its own order.
PRECEDENCE = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]


def compare(order: Order, one: str, other: str) -> int:
    return int(order.newer(one, other)) - int(order.newer(other, one))


def test_226_is_newer_than_26() -> None:
    assert Order.NUMERIC.newer("226", "26")
    assert not Order.NUMERIC.newer("26", "226")


@given(st.integers(min_value=0, max_value=10**40), st.integers(min_value=0, max_value=10**40))
def test_numbers_compare_as_numbers(one: int, other: int) -> None:
    assert Order.NUMERIC.newer(str(one), str(other)) == (one > other)


@pytest.mark.parametrize(
    ("newer", "older"),
    [("20260317.2", "20260317.1"), ("20260317.10", "20260317.9"), ("20260318.1", "20260317.99"), ("226.1", "226")],
)
def test_dotted_numbers_compare_part_by_part(newer: str, older: str) -> None:
    assert Order.NUMERIC.newer(newer, older)
    assert not Order.NUMERIC.newer(older, newer)


@pytest.mark.parametrize(
    ("order", "tag", "offered"),
    [
        (Order.NUMERIC, "v1.2.3", "`order='semver'` or `order='none'`"),
        (Order.NUMERIC, "release-7", "`order='none'`"),
        (Order.SEMVER, "20260317.1", "`order='numeric'` or `order='none'`"),
        (Order.SEMVER, "main-abc", "`order='none'`"),
    ],
)
def test_the_orders_proposed_for_a_refused_tag_take_it(order: Order, tag: str, offered: str) -> None:
    with pytest.raises(WrongInput) as refused:
        order.check(tag)
    assert refused.value.hint.endswith(f"set {offered}.")


def test_leading_zeros_do_not_make_a_number_newer() -> None:
    assert not Order.NUMERIC.newer("007", "7")
    assert not Order.NUMERIC.newer("7", "007")
    assert Order.NUMERIC.newer("08", "7")


def test_every_example_of_the_semver_text_is_in_its_order() -> None:
    for older, newer in itertools.combinations(PRECEDENCE, 2):
        assert Order.SEMVER.newer(newer, older)
        assert not Order.SEMVER.newer(older, newer)


def test_a_leading_v_means_nothing() -> None:
    assert not Order.SEMVER.newer("v1.2.3", "1.2.3")
    assert not Order.SEMVER.newer("1.2.3", "v1.2.3")
    assert Order.SEMVER.newer("v1.10.0", "1.9.0")


@pytest.mark.parametrize(
    "tag", ["01.0.0", "1.0", "1.0.0-", "1.0.0-a..b", "1.0.0-01", "1.0.0+build", "1.\u0662.0", "1.0.0\n"]
)
def test_what_semver_does_not_call_a_version_is_outside_the_order(tag: str) -> None:
    with pytest.raises(WrongInput, match="semantic version"):
        Order.SEMVER.check(tag)
    assert Order.SEMVER.newer("0.0.0-0", tag)


@pytest.mark.parametrize("tag", ["", "latest", "-1", "1.5.", "1,5", "\u0661", "7\n", " 7"])
def test_what_is_not_a_number_is_outside_the_numeric_order(tag: str) -> None:
    with pytest.raises(WrongInput, match="not a number such as 226"):
        Order.NUMERIC.check(tag)
    assert Order.NUMERIC.newer("0", tag)


@given(st.data(), st.sampled_from(IN_ORDER))
def test_the_order_is_total_and_transitive(data: st.DataObject, case: tuple[Order, st.SearchStrategy[str]]) -> None:
    order, tags = case
    a, b, c = (data.draw(st.one_of(tags, outside)) for _ in range(3))
    assert not order.newer(a, a)
    assert not (order.newer(a, b) and order.newer(b, a))
    first, second, third = sorted([a, b, c], key=functools.cmp_to_key(functools.partial(compare, order)))
    assert not order.newer(first, second)
    assert not order.newer(second, third)
    assert not order.newer(first, third)


@given(st.data(), st.sampled_from(IN_ORDER), outside)
def test_any_tag_inside_the_order_is_newer_than_any_outside(
    data: st.DataObject, case: tuple[Order, st.SearchStrategy[str]], odd: str
) -> None:
    order, tags = case
    tag = data.draw(tags)
    assert order.newer(tag, odd)
    assert not order.newer(odd, tag)


@given(outside, outside)
def test_nothing_outside_the_order_is_newer_than_anything(one: str, other: str) -> None:
    for order in Order:
        assert not order.newer(one, other)


@given(st.data(), st.sampled_from(IN_ORDER))
def test_the_newest_is_one_that_none_is_newer_than(
    data: st.DataObject, case: tuple[Order, st.SearchStrategy[str]]
) -> None:
    order, tags = case
    some = data.draw(st.lists(st.one_of(tags, outside), max_size=6))
    newest = order.newest(some)
    if newest is None:
        assert not any(order.newer(tag, "") for tag in some)
    else:
        assert newest in some
        assert not any(order.newer(tag, newest) for tag in some)


def test_the_newest_of_equals_is_the_first() -> None:
    assert Order.SEMVER.newest(["1.0.0", "v1.0.0"]) == "1.0.0"


def test_without_an_order_nothing_is_newer_and_every_tag_is_accepted() -> None:
    assert not Order.NONE.newer("2", "1")
    assert Order.NONE.newest(["1", "2"]) is None
    Order.NONE.check("feature-x")


@pytest.mark.parametrize("order", [Order.NUMERIC, Order.SEMVER])
def test_a_parameter_holding_thousands_of_digits_is_compared(order: Order) -> None:
    tail = ".0.0" if order is Order.SEMVER else ""
    huge = "9" * 8000 + tail
    assert order.newer(huge, "1" + tail)
    assert not order.newer("1" + tail, huge)
