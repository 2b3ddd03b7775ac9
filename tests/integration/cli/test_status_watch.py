"""`ecs-cd status --watch`: what is shown at each look, and how it ends."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ecs_cd.cli.status import watched
from ecs_cd.console.mask import Mask
from ecs_cd.console.printer import Printer
from ecs_cd.console.screen import ScreenLog, live_screen
from ecs_cd.errors import AccessDenied, Throttled
from ecs_cd.overview.matrix import PlaceStatus
from tests.support.fakes import FakeClock

PLACE = PlaceStatus("my-api", "development", "/tag", recorded="101", serves="101", rollout="completed")


class Scripted:
    """Looks in order; Ctrl-C comes in the wait after the last."""

    def __init__(self, *answers: Sequence[PlaceStatus] | Exception) -> None:
        self._left = list(answers)
        self.clock = FakeClock()
        self.clock.later(10.0 * len(answers) - 5, self._interrupt)

    def look(self) -> Sequence[PlaceStatus]:
        answer = self._left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _interrupt(self) -> None:
        raise KeyboardInterrupt


def log_of(*answers: Sequence[PlaceStatus] | Exception) -> list[str]:
    out, script = io.StringIO(), Scripted(*answers)
    watched(script.look, ScreenLog(Printer(out, Mask(())), script.clock), script.clock, 10, long=False)
    return [re.sub(r"^\S+  ", "", line) for line in out.getvalue().splitlines()]


def test_in_a_log_there_is_a_line_for_every_change_and_none_for_what_stays() -> None:
    other = replace(PLACE, service="worker")
    newer = replace(PLACE, recorded="102", drift=True)
    assert log_of([PLACE, other], [PLACE, other], [newer, other]) == [
        "my-api development: 101",
        "worker development: 101",
        "my-api development: 102, DRIFT: 101 serves",
    ]


def test_what_may_pass_is_told_and_the_watch_goes_on_and_all_else_ends_it() -> None:
    assert log_of([PLACE], Throttled("Slow down."), [PLACE]) == ["my-api development: 101", "Slow down."]
    with pytest.raises(AccessDenied):
        log_of(AccessDenied("No."))


def test_at_a_terminal_the_whole_table_is_redrawn_and_the_cursor_comes_back() -> None:
    out = io.StringIO()
    script = Scripted([PLACE], [replace(PLACE, recorded="102", serves="102")])
    with live_screen(Printer(out, Mask(())), script.clock, {"COLUMNS": "100", "LINES": "30"}) as screen:
        watched(script.look, screen, script.clock, 10, long=True)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue().rpartition("SERVICE")[2])
    assert "102" in last
    assert "101" not in last
    assert "Ctrl-C ends it" in last
    assert out.getvalue().endswith("\x1b[?25h")


def test_a_narrow_terminal_loses_nothing_of_the_table() -> None:
    out = io.StringIO()
    script = Scripted([replace(PLACE, problem="this is told at the far end of the line")])
    with live_screen(Printer(out, Mask(())), script.clock, {"COLUMNS": "40", "LINES": "30"}) as screen:
        watched(script.look, screen, script.clock, 10, long=True)
    assert "far end of the line" in " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).split())
