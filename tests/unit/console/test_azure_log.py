"""Progress on an Azure Pipelines agent: lines, and logging commands of our own making only."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ecs_cd.console import Mode
from ecs_cd.console.azure_log import command
from ecs_cd.errors import RunFailed
from ecs_cd.model.events import Phase, PhaseStarted, Warned
from tests.support.console_script import DELIVERY, RUN_FAILED, RUNNING, Screen

_COMMAND = re.compile(r"##vso\[(?P<name>[\w.]+)(?: (?P<properties>.*?))?\](?P<data>.*)")


def commands(screen: Screen) -> list[tuple[str, str, str]]:
    """The commands as the agent reads them."""
    found = (_COMMAND.match(line) for line in screen.lines)
    return [(m["name"], m["properties"], m["data"]) for m in found if m]


def test_phases_are_headings_and_warnings_are_issues() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(*DELIVERY)
    headings = [line.split("  ")[1] for line in screen.lines if line.startswith("##[section]")]
    assert headings == ["check", "parameter", "run", "rollout"]
    assert ("task.logissue", "type=warning;", "Run 20261123.4 took long.") in commands(screen)
    assert sum("took long" in line for line in screen.lines) == 1


def test_progress_grows_from_nothing_to_all_and_never_goes_back() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(*DELIVERY, *DELIVERY)
    percents = [
        int(properties.removeprefix("value=").rstrip(";"))
        for name, properties, _ in commands(screen)
        if name == "task.setprogress"
    ]
    assert percents == sorted(set(percents))
    assert (percents[0], percents[-1]) == (0, 100)
    assert 40 in percents  # half of the run's tasks are done
    assert 85 in percents  # half of the service's tasks run


def test_the_progress_names_its_phase() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(PhaseStarted(Phase.RUN, "queueing"), RUNNING[-1], RUN_FAILED)
    assert {data for _, _, data in commands(screen)} == {"run"}


def test_a_failure_is_an_issue_with_its_advice_said_once_then_the_evidence() -> None:
    screen = Screen(Mode.AZURE)
    screen.console.error(
        RunFailed("Run 1 failed.", hint="Fix it.", details=("Error: 100% wrong",), link="https://dev.azure.com/x")
    )
    assert screen.lines == [
        "##vso[task.logissue type=error;]Run 1 failed. Fix it.",
        "  Error: 100% wrong",
        "  https://dev.azure.com/x",
    ]


def test_more_issues_than_the_agent_keeps_are_lines() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(*(Warned(f"careful {number}") for number in range(12)))
    assert len(commands(screen)) == 10
    assert screen.lines[10:] == ["##[warning]careful 10", "##[warning]careful 11"]


def test_an_issue_is_logged_once() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(Warned("careful"), Warned("careful"))
    assert len(screen.lines) == 1


def test_data_and_properties_are_escaped_as_the_agent_unescapes_them() -> None:
    text = "100%; [a]\r\nb %0A %AZP25"
    line = command("task.logissue", text, code=text)
    match = _COMMAND.fullmatch(line)
    assert match
    assert "\n" not in line
    assert unquote(match["data"].replace("%AZP25", "%25")) == text
    value = match["properties"].removeprefix("code=").removesuffix(";")
    assert ";" not in value
    assert "]" not in value
    assert unquote(value.replace("%AZP25", "%25")) == text
