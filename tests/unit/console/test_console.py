"""The console: which way it shows things, and what it does with results, reports, errors and bad streams."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from ecs_cd.console import Console, Mode, Output, choose_mode
from ecs_cd.errors import DeadlineReached, RunFailed
from ecs_cd.model.events import CallStarted, Phase, PhaseEnded, PhaseStarted, Warned
from ecs_cd.report.facts import Failure, Outcome, PhaseFact, RunFact
from ecs_cd.report.report import VERSION, Report
from tests.support.console_script import DELIVERY, URL, Screen
from tests.support.fakes import FakeClock

ERROR = RunFailed(
    "Run 7 failed in task 'Terraform plan'.",
    hint="Fix the cause.",
    details=("Error: no such thing", "on main.tf line 3\n  3: x"),
    link=URL,
)


def report(error: RunFailed | None = None) -> Report:
    return Report(
        version=VERSION,
        outcome=Outcome.FAILED if error else Outcome.DEPLOYED,
        exit_code=1 if error else 0,
        service="my-api",
        environment="development",
        tag="102",
        dry_run=False,
        summary=f"my-api 102 to development: {error.message}" if error else "my-api 102 is deployed to development.",
        evidence=("ECR has my-api:102.", "Run 7 succeeded."),
        image=None,
        parameter=None,
        run=RunFact(7, "7", URL, 1, "refs/heads/develop", "succeeded"),
        rollout=None,
        failure=Failure.of(error) if error else None,
        warnings=("It took long.",),
        phases=(PhaseFact("check", 0.4),),
        started_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        seconds=123.0,
        deadline_seconds=1800.0,
    )


@pytest.mark.parametrize(
    ("environ", "terminal", "quiet", "mode"),
    [
        ({"TERM": "xterm"}, True, False, Mode.LIVE),
        ({}, True, False, Mode.LIVE),
        ({"TERM": "dumb"}, True, False, Mode.LINES),
        ({"TERM": "xterm"}, False, False, Mode.LINES),
        ({"FORCE_COLOR": "1"}, False, False, Mode.LINES),
        ({"TF_BUILD": "True"}, False, False, Mode.AZURE),
        ({"TF_BUILD": "True"}, True, False, Mode.AZURE),
        ({"TF_BUILD": "True"}, False, True, Mode.QUIET),
        ({"TERM": "xterm"}, True, True, Mode.QUIET),
    ],
)
def test_the_mode_follows_from_the_surroundings(
    environ: dict[str, str], terminal: bool, quiet: bool, mode: Mode
) -> None:
    assert choose_mode(environ, terminal=terminal, quiet=quiet) is mode


def test_a_report_is_aligned_and_says_the_worst_first() -> None:
    screen = Screen(Mode.LINES)
    screen.console.report(report(ERROR))
    assert screen.out.getvalue().splitlines() == [
        "error: my-api 102 to development: Run 7 failed in task 'Terraform plan'.",
        "  because   Error: no such thing",
        "            on main.tf line 3",
        "              3: x",
        "  do next   Fix the cause.",
        "  evidence  ECR has my-api:102.",
        "            Run 7 succeeded.",
        "  warning   It took long.",
        f"  link      {URL}",
        "  took      2 min 3 s of 30 min (check 0.4 s)",
    ]
    assert screen.err.getvalue() == ""


def test_a_report_of_success_names_no_advice() -> None:
    screen = Screen(Mode.LINES)
    screen.console.report(report())
    labels = [line.split("  ")[1].strip() for line in screen.out.getvalue().splitlines()[1:]]
    assert labels == ["evidence", "", "warning", "link", "took"]


def test_a_report_as_json_is_the_reports_own_json() -> None:
    screen = Screen(Mode.LINES, output="json")
    screen.console.report(report())
    assert json.loads(screen.out.getvalue()) == report().to_dict()
    assert screen.err.getvalue() == ""


def test_a_failure_as_json_is_told_to_people_too() -> None:
    screen = Screen(Mode.LINES, output="json")
    screen.console.report(report(ERROR))
    assert json.loads(screen.out.getvalue())["failure"]["reason"] == "run-failed"
    assert screen.lines == ["error: my-api 102 to development: Run 7 failed in task 'Terraform plan'."]


@pytest.mark.parametrize("output", ["text", "json"])
def test_on_an_agent_a_report_leaves_issues_once_each(output: Output) -> None:
    screen = Screen(Mode.AZURE, output=output)
    screen.play(Warned("It took long."))
    screen.console.report(report(ERROR))
    assert screen.lines == [
        "##vso[task.logissue type=warning;]It took long.",
        f"##vso[task.logissue type=error;]{report(ERROR).summary} Fix the cause.",
    ]


def test_an_error_is_a_sentence_then_evidence_advice_and_link() -> None:
    screen = Screen(Mode.LINES)
    screen.console.error(ERROR)
    assert screen.lines == [
        "error: Run 7 failed in task 'Terraform plan'.",
        "  Error: no such thing",
        "  on main.tf line 3",
        "    3: x",
        "  do next: Fix the cause.",
        f"  {URL}",
    ]
    assert screen.out.getvalue() == ""


def test_no_further_line_of_a_message_can_pass_for_one_of_ours() -> None:
    screen = Screen(Mode.LINES)
    screen.console.error(RunFailed("one\nerror: two"))
    assert screen.lines == ["error: one", "  error: two"]


def test_an_error_as_json_has_all_a_program_decides_by() -> None:
    screen = Screen(Mode.LINES, output="json")
    screen.console.error(DeadlineReached("Gave up.", hint="Again.", details=("a",), link=URL))
    assert json.loads(screen.out.getvalue()) == {
        "error": {
            "reason": "deadline-reached",
            "message": "Gave up.",
            "hint": "Again.",
            "details": ["a"],
            "link": URL,
            "retryable": True,
            "exit_code": 3,
        }
    }


def test_debug_shows_where_in_the_program_without_secrets() -> None:
    screen = Screen(Mode.LINES, secrets=["hunter22"])
    error = RunFailed("no hunter22")
    error.__cause__ = ValueError("hunter22 ##vso[task.complete]")
    with pytest.raises(RunFailed) as raised:
        raise error
    screen.console.error(raised.value, debug=True)
    text = screen.err.getvalue()
    assert "Traceback" in text
    assert "ValueError: *** # #vso[task.complete]" in text
    assert "hunter22" not in text


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"FORCE_COLOR": "1", "TERM": "xterm"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_are_for_terminals_and_those_who_ask(environ: dict[str, str], coloured: bool) -> None:
    screen = Screen(Mode.LINES, environ=environ)
    screen.console.report(report(ERROR))
    screen.console.error(ERROR)
    assert ("\x1b[1;31merror:\x1b[0m my-api" in screen.out.getvalue()) is coloured
    assert ("\x1b[1;31merror:\x1b[0m Run" in screen.err.getvalue()) is coloured
    assert ("\x1b" in screen.out.getvalue()) is coloured


def console_on(out: io.TextIOWrapper, err: io.TextIOWrapper, mode: Mode = Mode.LINES) -> Console:
    return Console(out=out, err=err, mode=mode, clock=FakeClock(), environ={})


def test_characters_the_stream_has_not_are_escaped() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="cp1252", newline="\n") as stream:
        console = console_on(stream, stream)
        console.result("é \u4e2d \U0001f600")
        console.watch(Warned("\u2713"))
        assert raw.getvalue().decode("cp1252").splitlines()[0] == "é \\u4e2d \\U0001f600"
        assert raw.getvalue().decode("cp1252").endswith("warning    \\u2713\n")


def test_json_on_such_a_stream_is_still_json() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="cp1252", newline="\n") as stream:
        console_on(stream, stream).json({"name": "é \u4e2d \x85"})
        assert json.loads(raw.getvalue()) == {"name": "é \u4e2d \\x85"}


@pytest.mark.parametrize("mode", [Mode.LINES, Mode.AZURE])
def test_a_reader_that_left_ends_nothing(mode: Mode) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        console = console_on(stream, stream, mode)
        for event in DELIVERY:
            console.watch(event)
        console.result("x" * 100_000)
        console.json({"a": "b"})
        console.error(ERROR)


def test_a_closed_stream_ends_nothing() -> None:
    screen = Screen(Mode.LINES)
    screen.out.close()
    screen.err.close()
    screen.play(*DELIVERY)
    screen.console.result("text")
    screen.console.report(report())


def test_a_full_disk_is_an_error_for_results_and_none_for_progress() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    console = Console(out=Full(), err=Full(), mode=Mode.LINES, clock=FakeClock(), environ={})
    console.watch(Warned("careful"))
    with pytest.raises(OSError, match="No space"):
        console.result("text")


def test_a_process_whose_reader_left_ends_as_it_would_have() -> None:
    program = (
        "import sys; from ecs_cd.console import *; from ecs_cd.support.clock import SystemClock\n"
        "sys.stdin.readline()\n"
        "console = Console(out=sys.stdout, err=sys.stderr, mode=Mode.LINES, clock=SystemClock(), environ={})\n"
        "console.result('x' * 100000); console.result('y')\n"
        "assert 'rich' not in sys.modules\n"
        "sys.exit(7)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write("go\n")
        process.stdin.close()
        complaint = process.stderr.read()
        assert (process.wait(), complaint) == (7, "")


def test_a_call_for_one_service_does_not_name_it_in_every_line() -> None:
    screen = Screen(Mode.LINES)
    with screen.console.following():
        screen.play(
            CallStarted("my-api 102 to development", 60, service="my-api"),
            PhaseEnded(Phase.CHECK, "image found", service="my-api"),
        )
    [line] = screen.lines
    assert line.split(maxsplit=1)[1] == "check      image found"


def test_a_call_for_several_names_service_or_pipeline_in_every_line_and_tells_each_change_once() -> None:
    screen = Screen(Mode.LINES)
    found = [PhaseEnded(Phase.CHECK, "image found", service=name) for name in ("my-api", "my-worker", "my-api")]
    with screen.console.following():
        screen.play(
            CallStarted("2 services to development", 60, ("my-api", "my-worker")),
            *found,
            PhaseStarted(Phase.RUN, "following", pipeline="\\infra"),
        )
    assert [line.split()[1:3] for line in screen.lines] == [
        ["my-api", "check"],
        ["my-worker", "check"],
        ["\\infra", "run"],
    ]


def test_after_a_call_for_several_what_is_told_belongs_to_none_of_them() -> None:
    screen = Screen(Mode.LINES)
    with screen.console.following():
        screen.play(CallStarted("2 services to development", 60, ("my-api", "my-worker")))
    screen.play(Warned("afterwards"))
    assert screen.lines[-1].split(maxsplit=1)[1] == "warning    afterwards"
