"""The evidence of a failed rollout: whose logs are read, how much of them is shown, and that none of it does harm."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecs_cd.errors import AccessDenied, Throttled
from ecs_cd.model.stopped_task import LogLocation, StoppedContainer, StoppedTask
from ecs_cd.rollout.evidence import CHARACTERS, LINES, RolloutEvidence, gather, shown_line
from ecs_cd.sanitize import sanitize
from tests.support.fakes import FakeClock, FakeLogs

DENIED = AccessDenied("Cannot read log stream 'x' (eu-west-1): AWS does not allow role/x to perform logs:GetLogEvents.")


def container(name: str, code: int | None = 1, task: str = "1") -> StoppedContainer:
    stream = f"ecs/{name}/{task}"
    return StoppedContainer(name, code, log=LogLocation("eu-west-1", "/ecs/api", stream, f"https://logs/{stream}"))


def stopped(*containers: StoppedContainer, reason: str = "Essential container in task exited") -> StoppedTask:
    return StoppedTask("arn:definition", reason, containers=containers, arn="arn:task")


def gathered(logs: FakeLogs, *tasks: StoppedTask) -> RolloutEvidence:
    return gather(tasks, logs, FakeClock(), application="api", events=("(service api) gave up.",))


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


def test_the_last_lines_of_what_failed_stand_below_why_its_task_stopped(logs: FakeLogs) -> None:
    logs.streams["ecs/api/1"] = ("starting", "KeyError: 'DATABASE_URL'")
    logs.streams["ecs/envoy/1"] = ("noise",)
    found = gathered(logs, stopped(container("envoy", 143), container("api")))
    assert found.details == (
        "task stopped: Essential container in task exited; api: exit code 1; envoy was stopped with it",
        "api | starting",
        "api | KeyError: 'DATABASE_URL'",
        "event: (service api) gave up.",
    )
    assert logs.asked == ["ecs/api/1"]
    assert [(one.container.name, one.cause) for one in found.containers] == [("api", True), ("envoy", False)]


def test_of_tasks_that_stopped_alike_one_log_is_read(logs: FakeLogs) -> None:
    tasks = [stopped(container("api", task=str(number))) for number in range(9)]
    logs.streams |= {f"ecs/api/{number}": ("no",) for number in range(9)}
    assert gathered(logs, *tasks).details[:2] == (
        "task stopped: Essential container in task exited; api: exit code 1",
        "api | no",
    )
    assert logs.asked == ["ecs/api/0"]


def test_where_the_newest_has_sent_nothing_yet_the_one_before_is_read(logs: FakeLogs) -> None:
    tasks = [stopped(container("api", task=str(number))) for number in range(3)]
    logs.streams["ecs/api/1"] = ("no",)
    found = gathered(logs, *tasks)
    assert "api | no" in found.details
    assert found.containers[0].container.log == tasks[1].containers[0].log
    assert logs.asked == ["ecs/api/0", "ecs/api/1"]


def test_a_log_with_nothing_in_it_is_said(logs: FakeLogs) -> None:
    found = gathered(logs, stopped(container("api")))
    assert found.details[-1] == "(There is nothing of api in log group /ecs/api, stream ecs/api/1.)"


def test_a_log_that_is_not_in_cloudwatch_is_not_missed(logs: FakeLogs) -> None:
    found = gathered(logs, stopped(StoppedContainer("api", 1)))
    assert (logs.asked, found.unread) == ([], ())


def test_what_was_only_scaled_in_explains_nothing_and_is_not_read(logs: FakeLogs) -> None:
    scaled = replace(
        stopped(container("api", 143), reason="Scaling activity initiated by x"), stop_code="ServiceSchedulerInitiated"
    )
    logs.streams["ecs/api/2"] = ("no",)
    found = gathered(logs, scaled, stopped(container("api", task="2")))
    assert [line for line in found.details if line.startswith("task stopped")] == [
        "task stopped: Essential container in task exited; api: exit code 1",
    ]
    assert logs.asked == ["ecs/api/2"]


def test_few_logs_are_read_and_few_tasks_shown(logs: FakeLogs) -> None:
    many = stopped(*[container(f"c{number}") for number in range(9)])
    found = gathered(logs, many, *[stopped(container("api"), reason=f"reason {number}") for number in range(30)])
    assert len(found.tasks) == 5
    assert len(set(logs.asked)) == 3


def test_a_right_that_is_missing_is_named_once_and_fails_nothing(logs: FakeLogs) -> None:
    logs.fail("tail", DENIED, DENIED)
    found = gathered(logs, stopped(container("api"), container("envoy")))
    told = [line for line in found.details if "logs:GetLogEvents" in line]
    assert len(told) == 1
    assert "Allow logs:GetLogEvents to see here what" in told[0]


def test_another_error_fails_nothing_either(logs: FakeLogs) -> None:
    logs.fail("tail", Throttled("Slow down."))
    assert gathered(logs, stopped(container("api"))).unread == ("Slow down.",)


def test_what_no_adapter_should_raise_does_not_hide_the_failure() -> None:
    class Broken(FakeLogs):
        def tail(self, location: LogLocation, lines: int) -> tuple[str, ...]:
            raise ZeroDivisionError

    assert gathered(Broken(), stopped(container("api"))).unread == (
        "The log of api cannot be read: ZeroDivisionError.",
    )


def test_a_log_that_does_not_come_in_time_is_not_waited_for() -> None:
    clock, never = FakeClock(), threading.Event()

    class Slow(FakeLogs):
        def tail(self, location: LogLocation, lines: int) -> tuple[str, ...]:
            clock.advance(11)
            never.wait(60)
            return ()

    found = gather([stopped(container("api"))], Slow(), clock)
    never.set()
    assert found.unread == ("The log of api did not come within 10 s.",)


def test_thousands_of_lines_are_cut_to_the_last(logs: FakeLogs) -> None:
    logs.streams["ecs/api/1"] = tuple(f"line {number}" for number in range(5000))
    shown = [line for line in gathered(logs, stopped(container("api"))).details if line.startswith("api | ")]
    assert len(shown) == LINES
    assert shown[-1] == "api | line 4999"


# One line


def test_colours_and_tabs_of_a_log_are_left_out() -> None:
    assert shown_line("\x1b[1;31merror\x1b[0m\tat com.acme.Main\r") == "error   at com.acme.Main"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("connecting to postgres://admin:hunter22@db:5432/x", "connecting to postgres://db:5432/x"),
        ("DB_PASSWORD=hunter22 PORT=80", "DB_PASSWORD=(removed) PORT=80"),
        ('{"api_key": "hunter22", "port": 80}', '{"api_key": (removed), "port": 80}'),
        ("authorization: Bearer hunter22", "authorization: Bearer (removed)"),
        ("with key AKIAIOSFODNN7EXAMPLE", "with key (a key id)"),
        ("KeyError: 'password'", "KeyError: 'password'"),
        ("Invalid token: expected a name", "Invalid token: expected a name"),
    ],
)
def test_what_looks_like_a_credential_is_left_out(line: str, shown: str) -> None:
    assert shown_line(line) == shown


def test_a_long_line_is_cut_between_words_so_that_no_secret_is_halved() -> None:
    secret = "s3cret" * 20
    line = shown_line(f"{'word ' * 50}{secret} {'word ' * 1000}")
    assert "s3cret" not in line
    assert line.endswith(" ... (5371 characters)")


@settings(max_examples=50)
@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Cs", "L", "N", "P", "Z"]), max_size=700))
@example("##vso[task.complete result=Succeeded]done")
@example("\ud800 lone")
@example("\x1b]0;title\x07")
def test_no_line_does_harm_or_is_too_long(line: str) -> None:
    shown = shown_line(line)
    assert shown == sanitize(shown)
    assert "\n" not in shown
    assert len(shown) <= 10 * CHARACTERS + 40  # of each character the escape at the most
    shown.encode()


@pytest.mark.parametrize("line", ["a" * 1_000_000, "password" * 100_000, "\x1b[" * 500_000, "x=" * 500_000])
def test_a_line_of_a_megabyte_takes_no_time(line: str) -> None:
    began = time.process_time()
    assert len(shown_line(line)) <= 10 * CHARACTERS + 40
    assert time.process_time() - began < 1
