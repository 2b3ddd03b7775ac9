from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

import pytest

from ecs_cd_sandbox.azure_devops.expressions import Context, ExpressionError, Value, parse

FRUITS: list[Value] = ["apple", "Pear", 3, True]
CONTEXT = Context(
    {
        "variables": {"letters": "ABC", "numbers": "123", "empty": "", "Build.SourceBranch": "refs/heads/main"},
        "parameters": {
            "list": FRUITS,
            "none": [],
            "pair": {"a": "x", "b": 7},
            "deep": [["a"], {"b": 1}, "c"],
            "flag": True,
            "off": False,
        },
        "pipeline": {"startTime": datetime(2026, 3, 4, 15, 6, 7, 89_000, tzinfo=timezone.utc)},
    }
)

DOCUMENTED: list[tuple[str, Value]] = [
    ("and(eq(variables.letters, 'ABC'), eq(variables.numbers, 123))", True),
    ("and(true, 'x', 0)", False),
    ("and(false, lt(1, 'not a number'))", False),
    ("coalesce(variables.none, variables.empty, 'literal so it always works')", "literal so it always works"),
    ("coalesce(false, 'x')", False),
    ("coalesce('hit', lt(1, 'not a number'))", "hit"),
    ("coalesce('', variables.none)", None),
    ("contains('ABCDE', 'BCD')", True),
    ("contains('ABCDE', 'bcd')", True),
    ("contains('ABCDE', 'BD')", False),
    ("containsValue(parameters.list, 'APPLE')", True),
    ("containsValue(parameters.list, '3')", True),
    ("containsValue(parameters.pair, 'x')", True),
    ("containsValue(parameters.pair, 'a')", False),
    ("containsValue('apple', 'apple')", False),
    ("convertToJson('text')", '"text"'),
    ("convertToJson(parameters.none)", "[]"),
    ("convertToJson(parameters.pair)", '{\n  "a": "x",\n  "b": 7\n}'),
    ("convertToJson(1.0)", "1"),
    ("convertToJson(1.2.3)", '"1.2.3"'),
    ("convertToJson(variables.none)", "null"),
    ("endsWith('ABCDE', 'de')", True),
    ("endsWith('ABCDE', 'AB')", False),
    ("eq(variables.letters, 'abc')", True),
    ("eq(1, 'x')", False),
    ("format('Hello {0} {1}', 'John', 'Doe')", "Hello John Doe"),
    ("format('{1}-{0}-{1}', 'A', 'B')", "B-A-B"),
    ("format('literal left brace {{ and literal right brace }}')", "literal left brace { and literal right brace }"),
    ("format('{{{0}}}', 'x')", "{x}"),
    ("format('{0}', true)", "True"),
    ("format('{0:yyyyMMdd}', pipeline.startTime)", "20260304"),
    ("format('{0:yyyy-M-d H:mm:ss.fff}', pipeline.startTime)", "2026-3-4 15:06:07.089"),
    ("ge(5, 5)", True),
    ("ge(4, 5)", False),
    ("gt(5, 2)", True),
    ("gt(5, 5)", False),
    ("iif(true, 'yes', 'no')", "yes"),
    ("iif(eq('a', 'b'), 'yes', 'no')", "no"),
    ("in('B', 'A', 'B', 'C')", True),
    ("in('b', 'B', lt(1, 'not a number'))", True),
    ("in('D', 'A', 'B')", False),
    ("join(';', parameters.list)", "apple;Pear;3;True"),
    ("join(';', parameters.deep)", ";;c"),
    ("join('-', 12)", "12"),
    ("le(2, 2)", True),
    ("le(3, 2)", False),
    ("length('fabrikam')", 8),
    ("length(parameters.list)", 4),
    ("length(parameters.pair)", 2),
    ("lower('FOO')", "foo"),
    ("lt(2, 5)", True),
    ("lt(5, 5)", False),
    ("ne(1, 2)", True),
    ("ne(1, 'x')", True),
    ("not(eq(1, 2))", True),
    ("notIn('D', 'A', 'B', 'C')", True),
    ("notIn('a', 'A')", False),
    ("or(eq(1, 1), eq(2, 3))", True),
    ("or(true, lt(1, 'not a number'))", True),
    ("or('', 0)", False),
    ("replace('https://www.tinfoilsecurity.com/saml/consume','https://www.tinfoilsecurity.com','http://server')",
     "http://server/saml/consume"),
    ("replace('AaA', 'a', 'x')", "AxA"),
    ("replace('abc', '', 'x')", "abc"),
    ("join('|', split('a,b,,c', ','))", "a|b||c"),
    ("join('|', split('a,b;c', ',;'))", "a,b;c"),
    ("join('|', split('abc', ''))", "abc"),
    ("split('a,b', ',')[1]", "b"),
    ("startsWith('ABCDE', 'ab')", True),
    ("startsWith(12345, '123')", True),
    ("startsWith('ABCDE', 'B')", False),
    ("trim('  variable  ')", "variable"),
    ("upper('bah')", "BAH"),
    ("xor(True, False)", True),
    ("xor(True, 'x')", False),
    ("startsWith(variables['build.sourcebranch'], 'refs/heads/')", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), DOCUMENTED)
def test_a_function_answers_as_documented(text: str, value: Value) -> None:
    found = parse(text).evaluate(CONTEXT)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lt(1, 'x')", "Unable to convert from String to Number. Value: 'x'"),
        ("iif(true, 1, lt(1, 'x'))", "Unable to convert from String to Number. Value: 'x'"),
        ("contains(parameters.list, 'apple')", "Unable to convert from Array to String. Value: Array"),
        ("format('{0}', parameters.pair)", "Unable to convert from Object to String. Value: Object"),
        ("lt(parameters.pair, parameters.pair)", "Unable to convert from Object to Number. Value: Object"),
        ("gt(pipeline.startTime, 1)", "Unable to convert from Number to DateTime. Value: 1"),
        ("format('{0')", "The following format string is invalid: {0"),
        ("format('}')", "The following format string is invalid: }"),
        ("format('{x}', 1)", "The following format string is invalid: {x}"),
        ("format('{1}', 1)", "The following format string references more arguments than were supplied: {1}"),
        ("format('{0:N2}', 1)", "The format specifiers 'N2' are not valid for objects of type 'Number'"),
        (
            "format('{0:yyyyQ}', pipeline.startTime)",
            "The format specifiers 'yyyyQ' are not valid for objects of type 'DateTime'",
        ),
    ],
)
def test_a_function_refuses_what_it_cannot_use(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text).evaluate(CONTEXT)
    assert str(raised.value) == message


class Asked:
    def __init__(self) -> None:
        self.names: list[list[str]] = []

    def always(self) -> bool:
        return True

    def canceled(self) -> bool:
        return False

    def failed(self, names: Sequence[str]) -> bool:
        self.names.append(list(names))
        return False

    def succeeded(self, names: Sequence[str]) -> bool:
        self.names.append(list(names))
        return True

    def succeededOrFailed(self, names: Sequence[str]) -> bool:  # noqa: N802 - the protocol's name
        self.names.append(list(names))
        return True


def test_status_functions_are_answered_by_the_context() -> None:
    asked = Asked()
    text = "and(always(), not(CANCELED()), not(failed('A')), succeeded('A', variables.letters), SucceededOrFailed())"
    assert parse(text).evaluate(Context(CONTEXT.values, asked)) is True
    assert asked.names == [["A"], ["A", "ABC"], []]


def test_a_counter_is_counted_where_the_context_offers_one() -> None:
    seen: list[tuple[str, int]] = []

    def count(prefix: str, seed: int) -> int:
        seen.append((prefix, seed))
        return 7

    assert parse("counter(variables.letters, 100)").evaluate(Context(CONTEXT.values, counter=count)) == 7
    assert seen == [("ABC", 100)]


@pytest.mark.parametrize("text", ["succeeded()", "counter('a', 1)", "nothing.at.all", "madeUp(1)"])
def test_what_the_context_does_not_offer_is_named(text: str) -> None:
    name = re.split(r"[(.]", text, maxsplit=1)[0]
    with pytest.raises(ExpressionError) as raised:
        parse(text).evaluate(Context()) if name != "madeUp" else parse(text)
    assert str(raised.value).startswith(f"Unrecognized value: '{name}'. Located at position 1 within expression: ")
