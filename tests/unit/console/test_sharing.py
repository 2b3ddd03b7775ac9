"""Which run a delivery follows, and why it is another than before, as each kind of reader sees it."""

from __future__ import annotations

import pytest

from ecs_cd.console import Mode
from ecs_cd.model.events import Event, LockMet, Phase, PhaseStarted, RunChanged, RunChosen, RunGivenUp, RunLeft
from ecs_cd.model.run import Run, RunOrigin, RunState
from ecs_cd.model.state_lock import StateLock
from tests.support.console_script import BEFORE_RUN, Screen, run
from tests.unit.console.test_live import Drawn

OWN = Run(6, "20261123.6", "https://dev/6", RunState.WAITING, 7)
OTHER = Run(5, "20261123.5", "https://dev/5", RunState.WAITING, 7)
STALE = LockMet(OTHER, StateLock("Terraform", stale=True), "the state changed after the run had made its plan", 0.0)
LOCK = LockMet(OTHER, StateLock("S3", who="ann@laptop"), "ann@laptop (OperationTypeApply) holds it for 5 min", 6.4)

TOLD = [
    pytest.param(RunChosen(OWN, RunOrigin.QUEUED), "queued 20261123.6", id="queued"),
    pytest.param(RunChosen(OTHER, RunOrigin.JOINED), "joined 20261123.5, which carries the tag as well", id="joined"),
    pytest.param(
        RunGivenUp(OWN, OTHER),
        "cancelled 20261123.6: 20261123.5, queued at the same moment, carries the tag as well",
        id="cancelled our own",
    ),
    pytest.param(
        RunLeft(OWN, "Azure DevOps cancelled it for a newer one", OTHER),
        "left 20261123.6, because Azure DevOps cancelled it for a newer one; going on with 20261123.5",
        id="going on with another",
    ),
    pytest.param(
        RunLeft(OWN, "its agent was lost"),
        "left 20261123.6, because its agent was lost; looking for another run",
        id="starting over",
    ),
    pytest.param(
        LOCK,
        "20261123.5 met Terraform's state lock: ann@laptop (OperationTypeApply) holds it for 5 min; trying again in 6 s",  # noqa: E501 - one sentence
        id="a lock",
    ),
    pytest.param(
        STALE,
        "20261123.5 could not apply its plan: the state changed after the run had made its plan; trying again",
        id="a stale plan",
    ),
]


@pytest.mark.parametrize(("event", "said"), TOLD)
@pytest.mark.parametrize("mode", [Mode.LINES, Mode.AZURE])
def test_a_log_has_a_line_for_each_choice(mode: Mode, event: Event, said: str) -> None:
    screen = Screen(mode)
    screen.play(PhaseStarted(Phase.RUN, "joining or queueing a run"), event)
    assert [line for line in screen.lines if line.endswith(f"run        {said}")]


@pytest.mark.parametrize(("event", "said"), TOLD)
def test_the_live_view_shows_the_choice_until_there_is_news_of_a_run(event: Event, said: str) -> None:
    before = (*BEFORE_RUN, PhaseStarted(Phase.RUN, "joining or queueing a run"), event)
    assert Drawn(before).progress.row(Phase.RUN).text == said
    assert said[:60] in Drawn(before).text(100)
    after = Drawn((*before, run(RunState.WAITING)))
    assert "20261123.4 waits for an agent" in after.text(200)
    assert said in " ".join(after.text(200).split())


def test_the_live_view_keeps_only_the_latest_choices() -> None:
    events = [RunChosen(Run(n, f"20261123.{n}", "", RunState.WAITING, 7), RunOrigin.QUEUED) for n in range(1, 9)]
    drawn = Drawn((*BEFORE_RUN, PhaseStarted(Phase.RUN, "looking"), *events, run(RunState.WAITING)))
    assert [line.strip() for line in drawn.text(100).splitlines() if "queued" in line] == [
        "queued 20261123.6",
        "queued 20261123.7",
        "queued 20261123.8",
    ]


def test_another_run_is_told_anew() -> None:
    screen = Screen(Mode.LINES)
    screen.play(run(RunState.WAITING), RunLeft(OWN, "its agent was lost", OTHER), run(RunState.WAITING, run_id=5))
    assert sum("waits for an agent" in line for line in screen.lines) == 2


def test_a_choice_does_not_move_the_tasks_progress_back() -> None:
    screen = Screen(Mode.AZURE)
    screen.play(
        PhaseStarted(Phase.RUN, "looking"), RunChosen(OWN, RunOrigin.QUEUED), LOCK, RunChosen(OTHER, RunOrigin.JOINED)
    )
    values = [line.partition("value=")[2].partition(";")[0] for line in screen.lines if "setprogress" in line]
    assert values == sorted(values, key=int)


def test_a_changed_run_is_still_shown_after_a_choice() -> None:
    shown = Drawn(
        (*BEFORE_RUN, PhaseStarted(Phase.RUN, "looking"), RunChosen(OWN, RunOrigin.QUEUED), run(RunState.RUNNING))
    )
    assert isinstance(run(RunState.RUNNING), RunChanged)
    assert "is running" in shown.text(100)
