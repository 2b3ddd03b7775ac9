"""The live view: for narrow and wide terminals, going on by itself, leaving its last state and a sane terminal."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console as Terminal

from ecs_cd.console import Console, Mode
from ecs_cd.console.changes import NewEvents
from ecs_cd.console.live import Live
from ecs_cd.console.mask import Mask
from ecs_cd.console.printer import Printer
from ecs_cd.console.progress import Progress
from ecs_cd.console.render import Renderer
from ecs_cd.model.events import CallStarted, Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, Warned
from ecs_cd.model.run import RunState
from ecs_cd.model.service_deployment import ServiceDeployment, ServiceRevision
from ecs_cd.support.deadline import Deadline
from tests.support.console_script import (
    BEFORE_RUN,
    DELIVERY,
    ROLLING,
    RUN_FAILED,
    RUN_SUCCEEDED,
    RUNNING,
    STARTED,
    URL,
    job,
    run,
    stage,
    task,
)
from tests.support.fakes import FakeClock

MARK = r"^([^\w\s]) \w"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
WIDTHS = pytest.mark.parametrize("width", [40, 100])


class _Stream(io.StringIO):
    """A terminal of a given encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a StringIO has none; a terminal does
        return self._encoding

    def isatty(self) -> bool:
        return True


class Drawn:
    """A progress drawn after some events, each two seconds after the one before."""

    def __init__(self, told: Sequence[Event], *, secrets: Sequence[str] = (), encoding: str = "utf-8") -> None:
        self.clock = FakeClock()
        printer = Printer(_Stream(encoding), Mask(secrets))
        deadline = Deadline.after(1800, self.clock)
        self.picture = Renderer(printer, "my-api 102 to development", self.clock.now(), deadline)
        self.progress = Progress()
        new_events = NewEvents()
        for event in told:
            self.clock.advance(2)
            new = new_events.of(event) if isinstance(event, RolloutChanged) else ()
            self.progress = self.progress.after(event, self.clock.now(), new)

    def text(self, width: int, height: int = 40) -> str:
        file = io.StringIO()
        terminal = Terminal(file=file, width=width, height=height, force_terminal=True, color_system=None)
        terminal.print(self.picture.of(self.progress, self.clock.now(), width, height))
        lines = [line.rstrip() for line in file.getvalue().splitlines()]
        assert all(len(line) <= width for line in lines)
        return "\n".join(lines)


def test_a_run_going_on_is_a_tree_under_its_phase() -> None:
    text = re.sub("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", "*", Drawn((*BEFORE_RUN, *RUNNING)).text(100))
    text = re.sub(r" {2,}(?=\d+ s$)", "  ", text, flags=re.MULTILINE)
    assert text.splitlines() == [
        "my-api 102 to development",
        "✔ check     image found, pipeline \\platform\\my-infrastructure.  2 s",
        "✔ parameter /my-api/development/docker-image-tag changed from 101 to 102 (version 3).  2 s",
        "* run       20261123.4 is running  8 s",
        f"            {URL}",
        "            * Terraform",
        "              * Apply",
        "                ✔ Terraform plan",
        "                * Terraform apply",
        "· rollout",
        "18 s of 30 min",
    ]


def test_a_narrow_terminal_has_what_is_said_below_each_phase() -> None:
    assert Drawn((*BEFORE_RUN, *RUNNING, *RUN_SUCCEEDED)).text(40).splitlines() == [
        "my-api 102 to development",
        f"✔ check{'2 s':>32}",
        "  image found, pipeline",
        "  \\platform\\my-infrastructure.",
        f"✔ parameter{'2 s':>28}",
        "  /my-api/development/docker-image-tag",
        "  changed from 101 to 102 (version 3).",
        f"✔ run{'12 s':>34}",
        "  Run 20261123.4 of",
        "  \\platform\\my-infrastructure succeeded.",
        "· rollout",
        "22 s of 30 min",
    ]


@WIDTHS
def test_a_rollout_has_a_bar_and_the_latest_events(width: int) -> None:
    told = (*BEFORE_RUN, *RUN_SUCCEEDED, *ROLLING)
    text = Drawn(told).text(width)
    assert "━━━━━━━━━━────────── 1/2 tasks" in text
    assert STARTED.message in " ".join(text.split())
    assert "deregistered" not in text


@WIDTHS
def test_a_deployment_that_shifts_traffic_has_a_bar_for_it_while_it_goes_on(width: int) -> None:
    def shown(status: str) -> str:
        record = ServiceDeployment("arn/1", status, target=ServiceRevision("arn/1", production_weight=25.0))
        last = ROLLING[-1]
        assert isinstance(last, RolloutChanged)
        changed = replace(last, snapshot=replace(last.snapshot, service_deployment=record))
        return Drawn((*BEFORE_RUN, *RUN_SUCCEEDED, *ROLLING, changed)).text(width)

    assert "━━━━━─────────────── 25% of traffic" in shown("IN_PROGRESS")
    assert "of traffic" not in shown("ROLLBACK_IN_PROGRESS")


@WIDTHS
def test_the_end_of_a_delivery_is_four_marks_and_its_warnings(width: int) -> None:
    text = Drawn(DELIVERY).text(width)
    assert re.findall(MARK, text, re.MULTILINE) == ["✔"] * 4
    assert "warning: Run 20261123.4 took long." in text
    assert "Terraform apply" not in text


@WIDTHS
def test_a_phase_that_did_not_end_well_is_crossed_and_keeps_its_tree(width: int) -> None:
    drawn = Drawn((*BEFORE_RUN, RUN_FAILED))
    drawn.progress = drawn.progress.stopped(drawn.clock.now())
    drawn.clock.advance(500)
    text = drawn.text(width)
    assert re.findall(MARK, text, re.MULTILINE) == ["✔", "✔", "✘", "·"]
    assert "✘ Terraform plan failed" in text
    assert "· Terraform apply was skipped" not in text
    assert re.search(r"run .*2 s", text)


def test_elapsed_times_go_on_while_nothing_happens() -> None:
    drawn = Drawn(BEFORE_RUN)
    before = drawn.text(100)
    drawn.clock.advance(120)
    assert before.splitlines()[-1] == "10 s of 30 min"
    assert drawn.text(100).splitlines()[-1] == "2 min 10 s of 30 min"
    assert re.search(r"run .* 2 min$", drawn.text(100), re.MULTILINE)


def test_a_phase_that_begins_again_puts_those_behind_it_ahead_again() -> None:
    drawn = Drawn((*DELIVERY, PhaseStarted(Phase.PARAMETER, "recording 102")))
    assert re.findall(MARK, drawn.text(100), re.MULTILINE)[2:] == ["·", "·"]
    assert "1/2" not in drawn.text(100)


def test_a_long_run_on_a_low_screen_shows_what_goes_on() -> None:
    tasks = [task(n, f"step {n}", "completed", "succeeded") for n in range(40)] + [task(40, "now", "inProgress")]
    told = (*BEFORE_RUN, run(RunState.RUNNING, stage("inProgress"), job("inProgress"), *tasks))
    text = Drawn(told).text(100, height=24)
    assert len(text.splitlines()) <= 24
    assert " now" in text
    assert "and 33 more steps" in text


def test_a_terminal_without_unicode_gets_plain_marks() -> None:
    text = Drawn((*DELIVERY[:-2],), encoding="cp1252").text(100)
    assert text.isascii()
    assert "##########---------- 1/2 tasks" in text
    assert text.splitlines()[1].startswith("+ check")


def test_what_is_drawn_is_masked_and_neutral() -> None:
    hostile = "hunter22 ##vso[task.complete]\x1b[2J\n[bold]x[/bold] :smile:"
    drawn = Drawn(
        (
            PhaseStarted(Phase.RUN, hostile),
            Warned(hostile),
            run(RunState.RUNNING, task(1, hostile, "completed", hostile)),
            PhaseEnded(Phase.CHECK, hostile),
        ),
        secrets=["hunter22"],
    )
    text = drawn.text(200)
    assert "hunter22" not in text
    assert "##vso" not in text
    assert "\x1b" not in text
    assert "[bold]x[/bold] :smile:" in text


def live(stream: _Stream, clock: FakeClock, environ: dict[str, str]) -> Live:
    return Live(Printer(stream, Mask()), clock, environ, title="my-api 102", redraw=False)


@WIDTHS
def test_the_last_state_stays_on_the_screen_and_the_cursor_comes_back(width: int) -> None:
    stream, clock = _Stream(), FakeClock()
    view = live(stream, clock, {"TERM": "xterm", "COLUMNS": str(width), "LINES": "30"})
    view.start()
    assert HIDE in stream.getvalue()
    for event in DELIVERY:
        view.show(event)
    view.stop()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue().rpartition("my-api 102")[2])
    assert shown.count("✔") == 4
    assert stream.getvalue().rindex(SHOW) > stream.getvalue().rindex(HIDE)


def test_no_color_has_no_colours() -> None:
    stream = _Stream()
    view = live(stream, FakeClock(), {"TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "80", "LINES": "30"})
    view.start()
    view.show(DELIVERY[0])
    view.stop()
    colours = [code for codes in re.findall(r"\x1b\[([0-9;]*)m", stream.getvalue()) for code in codes.split(";")]
    assert not {"31", "32", "33", "36"} & set(colours)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, RuntimeError, None])
def test_the_terminal_is_given_back_however_it_ends(ending: type[BaseException] | None) -> None:
    err, clock = _Stream(), FakeClock()
    environ = {"TERM": "xterm", "COLUMNS": "80", "LINES": "30"}
    console = Console(out=io.StringIO(), err=err, mode=Mode.LIVE, clock=clock, environ=environ)
    others = set(threading.enumerate())

    def deliver() -> None:
        with console.following():
            console.watch(CallStarted("my-api 102 to development", 60))
            console.watch(DELIVERY[0])
            if ending:
                raise ending

    if ending:
        with pytest.raises(ending):
            deliver()
    else:
        deliver()
    text = err.getvalue()
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert "✘" in text.rpartition(HIDE)[2]
    for thread in set(threading.enumerate()) - others:
        thread.join(10)
        assert not thread.is_alive()
    console.watch(Warned("afterwards"))
    assert "warning    afterwards" in err.getvalue()
