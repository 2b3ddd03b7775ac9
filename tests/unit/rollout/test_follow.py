"""A service followed to its verdict, with the evidence of a failure (rules 10 and 11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import (
    AccessDenied,
    DeadlineReached,
    NotApplied,
    RolledBackByEcs,
    RolloutFailed,
    SettingsError,
    Throttled,
    Unreachable,
)
from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import (
    Container,
    Deployment,
    Rollout,
    ServiceEvent,
    ServiceSnapshot,
    ServiceTarget,
    Serving,
    TaskDefinition,
    Verdict,
)
from ecs_cd.model.stopped_task import StoppedContainer, StoppedTask
from ecs_cd.rollout.evidence import RolloutEvidence
from ecs_cd.rollout.follow import SETTLE, follow_rollout, new_events
from ecs_cd.rollout.judge import Wanted
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock, FakeLogs, FakeServices

TARGET = ServiceTarget("dev", "api")
OURS = "arn:task-definition/api:7"


def deployment(tag: str, status: str = "PRIMARY", state: str = "COMPLETED", reason: str = "") -> Deployment:
    definition = TaskDefinition(f"arn:task-definition/api:{tag}", (Container("api", f"api:{tag}"),))
    return Deployment(f"ecs-svc/{tag}", status, definition, state, reason, 2, 2)


def service(*deployments: Deployment, events: tuple[str, ...] = ()) -> ServiceSnapshot:
    listed = tuple(ServiceEvent(event, None, f"(service api) {event}") for event in events)
    return ServiceSnapshot(TARGET, "ACTIVE", 2, 2, "ECS", deployments, listed)


ROLLING = service(deployment("7", state="IN_PROGRESS"), deployment("5", "ACTIVE"))
DONE = service(deployment("7"))
OLD = service(deployment("5"))
FAILED = service(deployment("7", state="FAILED", reason="tasks failed to start."))
REVERTED = service(deployment("5", state="IN_PROGRESS"), deployment("7", "ACTIVE", "FAILED", "tasks failed to start."))


class Following:
    """A service played in front of `follow`; `told` is what its watcher was told."""

    def __init__(self, *steps: ServiceSnapshot) -> None:
        self.services = FakeServices()
        self.logs = FakeLogs()
        self.explained: list[RolloutEvidence] = []
        if steps:
            self.services.play(*steps)
        self.clock = FakeClock()
        self.told: list[tuple[ServiceSnapshot, Verdict]] = []

    def follow(self, before: ServiceSnapshot | None = None, seconds: float = 600) -> Rollout:
        return follow_rollout(
            self.services,
            self.logs,
            TARGET,
            Wanted(ImageTag("7")),
            deadline=Deadline.after(seconds, self.clock),
            watch=lambda snapshot, verdict: self.told.append((snapshot, verdict)),
            before=before,
            note=self.explained.append,
        )

    def fails(
        self, kind: type[RolloutFailed | DeadlineReached], before: ServiceSnapshot | None = None
    ) -> tuple[str, ...]:
        """Return the evidence of the failure, which is of exactly this kind."""
        with pytest.raises(kind) as caught:
            self.follow(before)
        assert type(caught.value) is kind
        return caught.value.details


# Good ends


def test_it_ends_when_the_tag_serves() -> None:
    following = Following(OLD, ROLLING, DONE)
    assert following.follow().verdict.serving is Serving.DEPLOYED
    assert following.services.calls == ["snapshot"] * 3


def test_it_ends_when_a_newer_tag_serves() -> None:
    newer = service(deployment("8"))
    rollout = Following(ROLLING, newer).follow()
    assert (rollout.verdict.serving, rollout.snapshot) == (Serving.SUPERSEDED, newer)


def test_it_ends_where_nothing_can_be_judged() -> None:
    external = replace(service(), controller="EXTERNAL")
    assert Following(external).follow().verdict.serving is Serving.NOT_JUDGED


def test_each_change_is_told_once() -> None:
    following = Following(ROLLING, ROLLING, ROLLING, DONE)
    following.follow()
    assert [snapshot for snapshot, _ in following.told] == [ROLLING, DONE]
    assert [verdict.serving for _, verdict in following.told] == [Serving.ROLLING, Serving.DEPLOYED]


def test_a_long_rollout_outlives_short_failures() -> None:
    following = Following(ROLLING, DONE)
    following.services.fail("snapshot", Unreachable("No route."), Throttled("Slow down."))
    assert following.follow().verdict.serving is Serving.DEPLOYED


# The grace after a run


@pytest.mark.parametrize("stale", [OLD, service(), service(deployment("5"), deployment("7", "ACTIVE", "FAILED"))])
def test_an_answer_from_before_the_run_is_not_believed_at_once(stale: ServiceSnapshot) -> None:
    assert Following(stale, stale, ROLLING, DONE).follow().verdict.serving is Serving.DEPLOYED


def test_what_still_is_not_applied_after_the_grace_never_was() -> None:
    following = Following(OLD)
    following.fails(NotApplied)
    assert sum(following.clock.slept) >= SETTLE


def test_a_rollback_that_happened_while_the_run_went_on_is_told_after_the_grace() -> None:
    following = Following(REVERTED)
    following.fails(RolledBackByEcs)
    assert sum(following.clock.slept) >= SETTLE


def test_a_rollback_seen_to_happen_is_told_at_once() -> None:
    following = Following(ROLLING, REVERTED)
    following.fails(RolledBackByEcs)
    assert len(following.clock.slept) == 1


# Bad ends


def test_a_run_that_changed_nothing_is_explained() -> None:
    with pytest.raises(NotApplied, match=r"did not bring 7 to 'api'.*The service runs api:5") as caught:
        Following(OLD).follow()
    assert "ignore_changes" in caught.value.hint


def test_a_rollback_by_ecs_is_explained() -> None:
    with pytest.raises(RolledBackByEcs, match=r"7 did not stay on 'api'.*tasks failed to start") as caught:
        Following(ROLLING, REVERTED).follow()
    assert "deliver a new build" in caught.value.hint


def test_a_rollback_that_only_our_memory_shows_is_one() -> None:
    Following(ROLLING, OLD).fails(RolledBackByEcs)


def test_a_rollback_that_was_over_before_the_run_ended_is_one_by_its_events() -> None:
    """Terraform can go on with other things for longer than ECS needs to try, fail and put the old tasks back."""
    after = service(deployment("5"), events=("rolling back to deployment ecs-svc/5.", "old"))
    following = Following(after)
    following.services.stopped = {
        OURS: (StoppedTask(OURS, "OutOfMemory"),),
        "arn:task-definition/api:5": (StoppedTask("arn:task-definition/api:5", "Scaling activity"),),
    }
    details = following.fails(RolledBackByEcs, before=service(deployment("5"), events=("old",)))
    assert details == ("task stopped: OutOfMemory", "event: (service api) rolling back to deployment ecs-svc/5.")
    assert following.clock.slept == []


def test_a_rollback_from_before_the_run_is_not_ours() -> None:
    before = service(deployment("5"), events=("rolling back to deployment ecs-svc/5.",))
    Following(before).fails(NotApplied, before=before)


def test_a_rollout_that_failed_without_a_rollback_is_explained() -> None:
    with pytest.raises(RolloutFailed, match=r"rollout of 7 to 'api' failed\. tasks failed to start") as caught:
        Following(FAILED).follow()
    assert type(caught.value) is RolloutFailed


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(RolloutFailed, match="cluster 'dev' has no service 'api'"):
        Following().follow()


def test_an_unclear_container_ends_the_wait() -> None:
    definition = TaskDefinition("arn", (Container("one", "x:1"), Container("two", "y:1")))
    with pytest.raises(SettingsError):
        Following(service(replace(deployment("7"), task_definition=definition))).follow()


# Evidence


def test_events_from_before_the_start_are_not_evidence() -> None:
    before = service(deployment("5"), events=("old 2", "old 1"))
    after = replace(FAILED, events=service(events=("new 2", "new 1", "old 2", "old 1")).events)
    assert Following(after).fails(RolloutFailed, before=before) == (
        "event: (service api) new 1",
        "event: (service api) new 2",
    )


def test_without_a_start_to_compare_with_all_events_are_new() -> None:
    snapshot = service(events=("b", "a"))
    assert new_events(snapshot, None) == snapshot.events


def test_only_the_newest_events_are_told() -> None:
    many = replace(FAILED, events=service(events=tuple(str(number) for number in range(30))).events)
    details = Following(many).fails(RolloutFailed)
    assert len(details) == 8
    assert details[-1] == "event: (service api) 0"


def test_tasks_that_stopped_alike_are_told_once() -> None:
    crash = StoppedTask(
        OURS,
        "Essential container in task exited",
        containers=(StoppedContainer("envoy", 143), StoppedContainer("api", 1)),
    )
    pull = StoppedTask(OURS, "CannotPullContainerError")
    following = Following(FAILED)
    following.services.stopped[OURS] = (*[crash] * 9, pull)
    assert following.fails(RolloutFailed) == (
        "task stopped: Essential container in task exited; api: exit code 1; envoy was stopped with it",
        "task stopped: CannotPullContainerError",
    )


def test_only_a_few_stopped_tasks_are_told() -> None:
    following = Following(FAILED)
    following.services.stopped[OURS] = tuple(StoppedTask(OURS, f"reason {number}") for number in range(30))
    assert len(following.fails(RolloutFailed)) == 5


def test_after_a_rollback_it_is_our_tasks_that_are_asked_for() -> None:
    """Also when our deployment is listed no more; the tasks of the one put back explain nothing."""
    following = Following(ROLLING, OLD)
    following.services.stopped[OURS] = (StoppedTask(OURS, "OutOfMemory"),)
    following.services.stopped["arn:task-definition/api:5"] = (StoppedTask("", "Scaling activity"),)
    assert following.fails(RolledBackByEcs) == ("task stopped: OutOfMemory",)


def test_where_nothing_was_applied_no_tasks_are_asked_for() -> None:
    following = Following(OLD)
    following.fails(NotApplied)
    assert "stopped_tasks" not in following.services.calls


def test_evidence_that_cannot_be_read_does_not_hide_the_failure() -> None:
    following = Following(replace(FAILED, events=service(events=("no luck",)).events))
    following.services.fail("stopped_tasks", AccessDenied("No right to list tasks."))
    assert following.fails(RolloutFailed) == (
        "event: (service api) no luck",
        "(stopped tasks could not be read: No right to list tasks.)",
    )


def test_an_inactive_service_has_no_tasks_to_blame() -> None:
    following = Following(replace(OLD, status="INACTIVE"))
    assert following.fails(RolloutFailed) == ()
    assert "stopped_tasks" not in following.services.calls


# The deadline


def test_the_deadline_comes_with_evidence() -> None:
    following = Following(replace(ROLLING, events=service(events=("has started 2 tasks", "old")).events))
    following.services.stopped[OURS] = (StoppedTask(OURS, "OutOfMemory"),)
    before = service(deployment("5"), events=("old",))
    with pytest.raises(DeadlineReached, match="waiting for ECS service api to serve 7") as caught:
        following.follow(before)
    assert caught.value.details == ("task stopped: OutOfMemory", "event: (service api) has started 2 tasks")


def test_the_deadlines_evidence_is_nothing_a_terminal_would_obey() -> None:
    following = Following(replace(ROLLING, events=service(events=("##vso[task.complete]\x1b[2J",)).events))
    details = following.fails(DeadlineReached)
    assert "##vso" not in details[0]
    assert "\x1b" not in details[0]


def test_a_service_never_seen_leaves_no_evidence() -> None:
    following = Following(ROLLING)
    following.services.fail("snapshot", *[Unreachable("No route.")] * 1000)
    assert following.fails(DeadlineReached) == ()
