"""Which containers made a task stop, told apart from those that were stopped with them."""

from __future__ import annotations

import pytest

from ecs_cd.model.stopped_task import StoppedContainer, StoppedTask
from ecs_cd.rollout.causes import causes, describe_stop, severity, stopped_with_it, worth_reading

EXITED = "Essential container in task exited"


def task(*containers: StoppedContainer, reason: str = EXITED, code: str = "EssentialContainerExited") -> StoppedTask:
    return StoppedTask("arn:definition", reason, containers=containers, arn="arn:task", stop_code=code)


def names(containers: tuple[StoppedContainer, ...]) -> list[str]:
    return [one.name for one in containers]


def test_what_was_stopped_with_the_cause_is_half_a_sentence() -> None:
    stopped = task(StoppedContainer("envoy", 143), StoppedContainer("router", 137), StoppedContainer("api", 1))
    assert names(causes(stopped)) == ["api"]
    assert describe_stop(stopped) == (
        f"task stopped: {EXITED}; api: exit code 1; envoy and router were stopped with it"
    )


def test_a_container_that_ended_well_is_the_cause_where_the_others_were_stopped() -> None:
    stopped = task(StoppedContainer("envoy", 143), StoppedContainer("api", 0))
    assert describe_stop(stopped) == f"task stopped: {EXITED}; api: exit code 0; envoy was stopped with it"


def test_a_sidecar_that_ended_well_hides_no_application_that_was_killed() -> None:
    stopped = task(StoppedContainer("envoy", 0), StoppedContainer("api", 137))
    assert names(causes(stopped, "api")) == ["api", "envoy"]


def test_a_container_that_is_not_essential_is_no_cause_alone() -> None:
    """Its end stops nothing; that of the essential one did, whatever its exit code."""
    stopped = task(StoppedContainer("migrate", 2, essential=False), StoppedContainer("api", 0))
    assert names(causes(stopped)) == ["api", "migrate"]


def test_one_that_ended_well_and_is_not_essential_is_not_mentioned() -> None:
    stopped = task(StoppedContainer("init", 0, essential=False), StoppedContainer("api", 1))
    assert "init" not in describe_stop(stopped)


def test_the_application_comes_first_among_those_that_failed() -> None:
    stopped = task(StoppedContainer("envoy", 1), StoppedContainer("api", 3))
    assert names(causes(stopped, "api")) == ["api", "envoy"]


def test_only_killed_containers_leave_none_to_tell_apart() -> None:
    stopped = task(StoppedContainer("api", 143))
    assert names(causes(stopped)) == ["api"]
    assert stopped_with_it(stopped) == ()


def test_the_reason_of_the_container_says_more_than_its_code() -> None:
    stopped = task(StoppedContainer("api", 137, "OutOfMemoryError: Container killed due to memory usage"))
    assert describe_stop(stopped).endswith(
        "api: exit code 137 (OutOfMemoryError: Container killed due to memory usage)"
    )


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(137, "SIGKILL: out of memory"), (139, "SIGSEGV"), (134, "SIGABRT"), (127, "its command was not found")],
)
def test_an_exit_code_that_means_the_same_everywhere_is_explained(code: int, meaning: str) -> None:
    assert f"exit code {code} ({meaning}" in describe_stop(task(StoppedContainer("api", code)))


def test_a_reason_that_the_task_gives_too_is_said_once() -> None:
    reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s)"
    stopped = task(StoppedContainer("api", reason=reason), reason=reason, code="TaskFailedToStart")
    assert describe_stop(stopped) == f"task stopped: {reason}"
    assert severity(stopped) == 0


@pytest.mark.parametrize("code", ["ServiceSchedulerInitiated", "UserInitiated", "SpotInterruption"])
def test_exit_codes_say_nothing_where_ecs_or_a_person_stopped_the_task(code: str) -> None:
    stopped = task(StoppedContainer("api", 1), reason="Scaling activity initiated by (deployment x)", code=code)
    assert describe_stop(stopped) == "task stopped: Scaling activity initiated by (deployment x)"
    assert (severity(stopped), worth_reading(stopped)) == (2, ())


def test_after_a_failed_check_of_the_load_balancer_the_application_is_worth_reading() -> None:
    stopped = task(
        StoppedContainer("init", 0, essential=False),
        StoppedContainer("envoy", 143),
        StoppedContainer("api", 143),
        reason="Task failed ELB health checks in (target-group tg)",
        code="ServiceSchedulerInitiated",
    )
    assert names(worth_reading(stopped, "api")) == ["api", "envoy"]
    assert (causes(stopped), severity(stopped)) == ((), 1)


def test_an_unhealthy_container_is_the_cause() -> None:
    stopped = task(
        StoppedContainer("envoy", 143),
        StoppedContainer("api", 137, unhealthy=True),
        reason="Task failed container health checks",
        code="ServiceSchedulerInitiated",
    )
    assert describe_stop(stopped) == (
        "task stopped: Task failed container health checks; api: its health check failed; envoy was stopped with it"
    )
