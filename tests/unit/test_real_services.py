"""docs/real-services.md: each fact has a source or says that it has none, and names files that there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "real-services.md"
HEAD = "| fact | where it matters | source | seen |"
TOOLS = ROOT / "tools" / "real"
SETTLED = re.compile(r"`make real`: ((?:`[a-z-]+`(?:, )?)+)")
UNSOURCED = re.compile(r"\bunsourced\b")
SOURCE = re.compile(
    r"https?://\S+|(?<![\w`])[\w.-]+/[\w.-]+|\b[Rr]eference\b|\bguide\b|\bbotocore\b|"
    r"\bthe same\b|\bthere$|the schema of"
)
"""A public address, an owner and a repository, a page of AWS's by its title, or the source of the row before."""
FOLDERS = [ROOT, *(ROOT / each for each in ("ecs_cd", "sandbox/ecs_cd_sandbox", "sandbox/ecs_cd_sandbox/azure_devops"))]
"""What a path may begin below."""


@dataclass(frozen=True)
class Row:
    section: str
    fact: str
    where: str
    source: str
    seen: str


def rows() -> list[Row]:
    found = []
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        section, _, text = part.partition("\n")
        _, table, lines = text.partition(f"{HEAD}\n|---|---|---|---|\n")
        if table:
            found += [_row(section, line) for line in lines.partition("\n\n")[0].splitlines() if line.startswith("|")]
    return found


def _row(section: str, line: str) -> Row:
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert len(cells) == 4, f"{section}: not four cells: {line}"
    return Row(section, *cells)


def test_every_fact_has_a_source_or_says_that_it_has_none() -> None:
    found = rows()
    assert len(found) > 60
    for row in found:
        assert UNSOURCED.search(row.source) or SOURCE.search(row.source), f"{row.section}: {row.fact}: {row.source}"


def test_every_fact_says_whether_it_was_seen_and_none_without_a_source_was() -> None:
    for row in rows():
        assert row.seen in {"yes", "no"}, row.fact
        assert row.seen == "no" or not UNSOURCED.search(row.source), row.fact


def test_every_fact_says_where_it_matters_and_the_files_are_there() -> None:
    for row in rows():
        assert row.where, row.fact
        for path in re.findall(r"`([\w.-]+/[\w./-]+)`", row.where):
            assert any((folder / path).exists() for folder in FOLDERS), f"{row.fact}: {path}"


def test_no_fact_is_there_twice() -> None:
    facts = [row.fact for row in rows()]
    assert len(facts) == len(set(facts))


def test_make_real_settles_the_facts_that_name_it_and_no_other() -> None:
    registered = {
        name
        for path in TOOLS.glob("*.py")
        for name in re.findall(r'^@fact\(\s*"([a-z-]+)"', path.read_text("utf-8"), re.MULTILINE)
    }
    named = {
        name for row in rows() for names in SETTLED.findall(row.source) for name in re.findall(r"`([a-z-]+)`", names)
    }
    assert registered == named
    assert len(registered) > 20


def test_every_variable_of_make_real_is_described() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TOOLS.glob("*.py"))
    read = {f"ECS_CD_REAL_{name}" for name in re.findall(r'(?:value|number)\("([A-Z_]+)"\)', text)}
    described = set(re.findall(r"`(ECS_CD_REAL_[A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    assert read == described
    assert len(read) == 8
