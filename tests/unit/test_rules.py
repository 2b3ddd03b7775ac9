"""Citations of rules lead to headings of docs/rules.md, each rule is cited by a test, and its exit codes are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.errors import DeliveryFailed, EcsCdError, TryLater, WrongInput
from ecs_cd.model.delivery import Place
from ecs_cd.model.events import ignore_events
from ecs_cd.report.facts import Outcome
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock
from tests.support.repository import ROOT, missing_paths, text_files

PAGE = ROOT / "docs" / "rules.md"
HEADING = re.compile(r"^## Rule (\d+): ", re.MULTILINE)
CITATION = re.compile(r"\brules? (\d+(?:(?:, | and |, and |-| to )\d+)*)", re.IGNORECASE)
BREAK = re.compile(r"\n[ \t]*(?:#|//|\*)?[ \t]*")
"""The end of a line, and what a comment's next line begins with."""


def cited(text: str) -> set[int]:
    """Return the numbers of all rules that a text cites: `rule 4`, `rules 6-9`, `rules 3 to 5 and 12`."""
    found: set[int] = set()
    for numbers in CITATION.findall(BREAK.sub(" ", text)):
        for part in re.split(r", and |, | and ", numbers.replace(" to ", "-")):
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
    return found


def citations() -> dict[Path, set[int]]:
    return {path: cited(text) for path, text in text_files() if path not in (PAGE, Path(__file__))}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(rule 4)", {4}),
        ("Rules 6 to 9, explored", {6, 7, 8, 9}),
        ("rules 6-8", {6, 7, 8}),
        ("(rules 3 to 5 and 12)", {3, 4, 5, 12}),
        ("rules 9, 10 and 16", {9, 10, 16}),
        ("# as rules 3\n    # and 4 have it", {3, 4}),
        ("rule's letters; 4 rules", set()),
    ],
)
def test_a_citation_is_recognised(text: str, numbers: set[int]) -> None:
    assert cited(text) == numbers


def test_the_rules_are_numbered_from_one_without_a_gap() -> None:
    assert [int(number) for number in HEADING.findall(PAGE.read_text(encoding="utf-8"))] == list(range(1, 17))


def test_every_cited_rule_has_a_heading() -> None:
    rules = {int(number) for number in HEADING.findall(PAGE.read_text(encoding="utf-8"))}
    wrong = {str(path.relative_to(ROOT)): numbers - rules for path, numbers in citations().items() if numbers - rules}
    assert not wrong


def test_every_rule_is_cited_by_a_test() -> None:
    by_tests = [numbers for path, numbers in citations().items() if path.is_relative_to(ROOT / "tests")]
    assert sorted(set().union(*by_tests)) == list(range(1, 17))


def test_code_and_tests_that_the_rules_name_exist() -> None:
    assert missing_paths(PAGE) == []


def test_every_rule_says_why_where_it_is_kept_and_where_it_is_tested() -> None:
    for rule in HEADING.split(PAGE.read_text(encoding="utf-8"))[2::2]:
        assert "*Why*: " in rule, rule
        assert re.search(r"Kept\s+in `ecs_cd/", rule), rule
        assert re.search(r"Tested\s+in\s+`tests/|and,[\w\s,]+`tests/", rule), rule


def test_every_outcome_is_in_the_table_with_its_exit_code() -> None:
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Outcomes\n")
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]+\| ([^|]+) \| (\w+) \|$", table, re.MULTILINE)
    assert [name for name, _, _ in rows] == [outcome.value for outcome in Outcome]
    for name, code, task in rows:
        assert (code == "0") == Outcome(name).succeeded == (task != "Failed"), name


def test_the_exit_codes_in_the_table_are_those_that_a_delivery_ends_with() -> None:
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Outcomes\n")
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]+\| ([^|]+) \| \w+ \|$", table, re.MULTILINE)
    reports = [new_report().failed(error("It failed.")) for error in error_classes()]
    reports += [new_report().succeeded(outcome) for outcome in Outcome if outcome.succeeded]
    found: dict[str, set[int]] = {}
    for report in reports:
        found.setdefault(report.outcome.value, set()).add(report.exit_code)
    assert {name: {int(code) for code in re.findall(r"\d+", codes)} for name, codes in rows} == found


def test_the_sentence_on_each_exit_code_is_about_the_errors_that_have_it() -> None:
    _, _, text = PAGE.read_text(encoding="utf-8").partition(" Exit code ")
    explained = re.findall(r"(\d+): (\w+ \w+)", text.partition("\n\n")[0])
    assert [(int(code), words) for code, words in explained] == [
        (DeliveryFailed.exit_code, "the delivery"),
        (WrongInput.exit_code, "wrong input"),
        (TryLater.exit_code, "stopped by"),
    ]


def error_classes() -> list[type[EcsCdError]]:
    """Return every class of the error tree but its root, which nothing raises."""
    found, waiting = list[type[EcsCdError]](), EcsCdError.__subclasses__()
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return found


def new_report() -> ReportBuilder:
    place, deadline = Place("my-api", "development", "/my-api/tag"), Deadline.after(60, FakeClock())
    return ReportBuilder(place, deadline, ignore_events, None, dry_run=False)


def test_no_text_cites_a_design_document() -> None:
    """Whoever reads the repository has nothing but the repository."""
    design = re.compile(r"\bDESI[G]N\b")
    assert [str(path.relative_to(ROOT)) for path, text in text_files() if design.search(text)] == []
