"""What ECS's own record of a deployment says of a tag (rule 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.model.service import ServiceSnapshot, Serving
from ecs_cd.model.service_deployment import (
    DeploymentMonitor,
    LifecycleHook,
    RolloutUntil,
    ServiceDeployment,
    ServiceRevision,
)
from ecs_cd.rollout.judge import judge
from tests.unit.rollout.service_deployments import NOON, TARGET, TWO, WANTED, deployment, record, revision, service

UNTIL_TRAFFIC = replace(WANTED, until=RolloutUntil.PRODUCTION_TRAFFIC)
OURS, OLD = deployment("7"), deployment("5", "ACTIVE", "COMPLETED")
BACK = deployment("5", "PRIMARY", "IN_PROGRESS")
BAKING = record(
    "IN_PROGRESS",
    strategy="BLUE_GREEN",
    stage="BAKE_TIME",
    bake_minutes=23 * 60,
    target=revision("7", production=100.0),
)

CASES: dict[str, tuple[ServiceSnapshot, Serving]] = {
    "pending": (service(record("PENDING"), OURS, OLD), Serving.ROLLING),
    "in progress": (service(record("IN_PROGRESS"), OURS, OLD), Serving.ROLLING),
    "in progress, though the list says completed": (
        service(record("IN_PROGRESS"), deployment("7", state="COMPLETED")),
        Serving.ROLLING,
    ),
    "in progress, without traffic yet": (
        service(record("IN_PROGRESS"), deployment("5", state="COMPLETED"), deployment("7", "ACTIVE")),
        Serving.ROLLING,
    ),
    "in progress, not listed": (service(record("IN_PROGRESS"), deployment("5", state="COMPLETED")), Serving.ROLLING),
    "in progress, of a revision that cannot be seen": (
        service(record("IN_PROGRESS", target=ServiceRevision("")), deployment("7", state="COMPLETED")),
        Serving.ROLLING,
    ),
    "baking": (service(BAKING, OURS, OLD), Serving.ROLLING),
    "successful": (service(record("SUCCESSFUL"), deployment("7", state="COMPLETED")), Serving.DEPLOYED),
    "successful, and no rollout state": (
        service(record("SUCCESSFUL", strategy="BLUE_GREEN"), deployment("7", state=""), deployment("5", "ACTIVE", "")),
        Serving.DEPLOYED,
    ),
    "successful, the list still says in progress": (service(record("SUCCESSFUL"), OURS), Serving.ROLLING),
    "successful early": (
        service(record("SUCCESSFUL", early_success_percent=50), deployment("7", state="COMPLETED", running=1)),
        Serving.ROLLING,
    ),
    "successful with nothing desired": (
        replace(service(record("SUCCESSFUL"), deployment("7", state="COMPLETED", desired=0, running=0)), desired=0),
        Serving.DEPLOYED,
    ),
    "successful, another deployed since": (
        service(record("SUCCESSFUL"), deployment("5", state="COMPLETED")),
        Serving.NOT_APPLIED,
    ),
    "being stopped": (service(record("STOP_REQUESTED"), OURS, OLD), Serving.ROLLING),
    "stopped": (service(record("STOPPED"), OURS, OLD), Serving.FAILED),
    "to be rolled back": (service(record("ROLLBACK_REQUESTED"), OURS, OLD), Serving.REVERTED),
    "being rolled back": (service(record("ROLLBACK_IN_PROGRESS"), BACK), Serving.REVERTED),
    "rolled back": (service(record("ROLLBACK_SUCCESSFUL"), deployment("5", state="COMPLETED")), Serving.REVERTED),
    "rolled back, the list still has it": (service(record("ROLLBACK_SUCCESSFUL"), OURS, OLD), Serving.REVERTED),
    "could not be rolled back": (service(record("ROLLBACK_FAILED"), OURS, OLD), Serving.FAILED),
    "rolled back to another revision of the same image": (
        service(
            record("ROLLBACK_SUCCESSFUL", "9", target=replace(revision("7"), arn="arn:9")),
            deployment("7", state="COMPLETED"),
        ),
        Serving.DEPLOYED,
    ),
    "being rolled back to another revision of the same image": (
        service(record("ROLLBACK_IN_PROGRESS", target=replace(revision("7"), arn="arn:9")), OURS),
        Serving.ROLLING,
    ),
    "a status nobody knows yet": (service(record("NEW_STATUS"), deployment("7", state="COMPLETED")), Serving.DEPLOYED),
    "another's, which failed": (service(record("STOPPED", "5"), deployment("7", state="COMPLETED")), Serving.DEPLOYED),
    "a newer one, in progress": (service(record("IN_PROGRESS", "8"), deployment("8")), Serving.ROLLING),
    "a newer one, successful": (
        service(record("SUCCESSFUL", "8"), deployment("8", state="COMPLETED")),
        Serving.SUPERSEDED,
    ),
    "the tag's other image": (
        service(record("STOPPED", target=revision("7", TWO)), deployment("5", state="COMPLETED")),
        Serving.NOT_APPLIED,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_on(name: str) -> None:
    snapshot, serving = CASES[name]
    assert judge(snapshot, WANTED).serving is serving


@pytest.mark.parametrize(
    ("stage", "weight", "serving"),
    [
        ("BAKE_TIME", 100.0, Serving.BAKING),
        ("BAKE_TIME", None, Serving.BAKING),
        ("CLEAN_UP", 100.0, Serving.BAKING),
        ("BAKE_TIME", 10.0, Serving.ROLLING),
        ("POST_PRODUCTION_TRAFFIC_SHIFT", 100.0, Serving.ROLLING),
        ("PRODUCTION_TRAFFIC_SHIFT", 100.0, Serving.ROLLING),
        ("", None, Serving.ROLLING),
    ],
)
def test_production_traffic_is_enough_once_nothing_of_the_shift_is_left(
    stage: str, weight: float | None, serving: Serving
) -> None:
    target = replace(revision("7"), production_weight=weight)
    snapshot = service(replace(BAKING, stage=stage, target=target), OURS, OLD)
    assert judge(snapshot, UNTIL_TRAFFIC).serving is serving
    assert judge(snapshot, WANTED).serving is Serving.ROLLING


def test_a_newer_image_with_all_production_traffic_supersedes() -> None:
    snapshot = service(replace(BAKING, target=revision("8", production=100.0)), deployment("8"), OLD)
    assert judge(snapshot, UNTIL_TRAFFIC).serving is Serving.SUPERSEDED
    assert judge(snapshot, WANTED).serving is Serving.ROLLING


# The sentence

PAUSED = LifecycleHook(
    "hook-1", "PAUSE", "AWAITING_ACTION", expires_at=NOON + timedelta(hours=1), timeout_action="ROLLBACK", since=NOON
)
WHY = "Service deployment rolled back because the circuit breaker threshold was exceeded."
HOOK = "arn:aws:lambda:eu-west-1:123456789012:function:smoke-test"


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            replace(BAKING, stage="PRODUCTION_TRAFFIC_SHIFT", strategy="CANARY", target=revision("7", production=5.0)),
            "canary stage PRODUCTION_TRAFFIC_SHIFT, 5% of production traffic, 2 of 2 tasks run, 0 are starting.",
        ),
        (
            replace(BAKING, stage="POST_TEST_TRAFFIC_SHIFT", target=revision("7", production=0.0, test=100.0)),
            "0% of production traffic and 100% of test traffic",
        ),
        (BAKING, "blue/green stage BAKE_TIME until about 2026-11-29 11:00 UTC, 100% of production traffic"),
        (replace(BAKING, stage_since=NOON - timedelta(hours=1)), "until about 2026-11-29 10:00 UTC"),
        (
            replace(BAKING, alarms=DeploymentMonitor("MONITORING", names=("errors", "latency"))),
            "0 are starting, watched by alarm errors, latency.",
        ),
        (
            replace(BAKING, stage="PRE_SCALE_UP", hooks=(PAUSED,)),
            "since 2026-11-28 12:00 UTC for somebody to let it continue; at 2026-11-28 13:00 UTC it is rolled back by",
        ),
        (replace(BAKING, hooks=(replace(PAUSED, timeout_action="CONTINUE"),)), "13:00 UTC it goes on by itself."),
        (replace(BAKING, hooks=(LifecycleHook("h", "PAUSE", "AWAITING_ACTION"),)), "for somebody to let it continue."),
        (record("IN_PROGRESS"), "2 of 2 tasks run, 0 are starting."),
        (
            record("IN_PROGRESS", alarms=DeploymentMonitor("MONITORING", names=("errors",))),
            "2 of 2 tasks run, 0 are starting, watched by alarm errors.",
        ),
        (
            record("IN_PROGRESS", breaker=DeploymentMonitor("MONITORING", 2, 3)),
            "2 failed (its circuit breaker ends it at 3).",
        ),
        (
            replace(BAKING, stage="PRE_SCALE_UP", hooks=(LifecycleHook("h", "AWS_LAMBDA", "IN_PROGRESS", HOOK),)),
            "0 are starting, lifecycle hook smoke-test runs.",
        ),
        (record("STOP_REQUESTED"), "ECS is stopping the deployment: somebody stopped it."),
    ],
)
def test_progress_is_said_with_stage_traffic_tasks_and_who_is_waited_for(
    shown: ServiceDeployment, sentence: str
) -> None:
    assert sentence in judge(service(shown, OURS, OLD), WANTED).sentence


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            record("ROLLBACK_SUCCESSFUL", breaker=DeploymentMonitor("TRIGGERED", 3, 3), reason=WHY),
            f"ECS put api:5 back: its circuit breaker ended it after 3 failed tasks. ECS says: {WHY}",
        ),
        (
            record("ROLLBACK_SUCCESSFUL", rollback_reason=WHY, reason=WHY),
            f"its circuit breaker ended it. ECS says: {WHY}",
        ),
        (
            record("ROLLBACK_IN_PROGRESS", alarms=DeploymentMonitor("TRIGGERED", names=("a", "b"), triggered=("b",))),
            "the CloudWatch alarm b ended it.",
        ),
        (
            record("ROLLBACK_IN_PROGRESS", reason="Alarm detected"),
            "a CloudWatch alarm ended it. ECS says: Alarm detected.",
        ),
        (
            record(
                "ROLLBACK_SUCCESSFUL",
                stage="TEST_TRAFFIC_SHIFT",
                hooks=(LifecycleHook("h", "AWS_LAMBDA", "FAILED", HOOK),),
            ),
            "the lifecycle hook smoke-test failed at TEST_TRAFFIC_SHIFT.",
        ),
        (
            record("ROLLBACK_SUCCESSFUL", reason="TEST_TRAFFIC_SHIFT lifecycle hook(s) failed."),
            "a lifecycle hook ended it. ECS says: TEST_TRAFFIC_SHIFT lifecycle hook(s) failed.",
        ),
        (
            record("ROLLBACK_SUCCESSFUL", stage="PRE_SCALE_UP", hooks=(replace(PAUSED, status="TIMED_OUT"),)),
            "nobody let it continue in time at PRE_SCALE_UP.",
        ),
        (
            record("ROLLBACK_SUCCESSFUL", stage="PRE_SCALE_UP", hooks=(replace(PAUSED, status="FAILED"),)),
            "somebody had it rolled back at PRE_SCALE_UP.",
        ),
        (
            record("ROLLBACK_SUCCESSFUL", reason="PRE_SCALE_UP pause hook failed."),
            "somebody had it rolled back at a pause. ECS says: PRE_SCALE_UP pause hook failed.",
        ),
        (record("ROLLBACK_SUCCESSFUL", reason="PRE_SCALE_UP pause hook timed out."), "nobody let it continue in time."),
        (
            record("ROLLBACK_SUCCESSFUL", reason="Rolled back by the user."),
            "somebody had it rolled back. ECS says: Rol",
        ),
        (record("ROLLBACK_SUCCESSFUL"), "ECS put api:5 back: somebody had it rolled back."),
        (
            record("ROLLBACK_SUCCESSFUL", reason="Rolled back because of invalid networking configuration"),
            "it was no circuit breaker, no alarm and no hook. ECS says: Rolled back because of invalid",
        ),
    ],
)
def test_who_took_a_deployment_back_is_told_apart(shown: ServiceDeployment, sentence: str) -> None:
    assert sentence in judge(service(shown, BACK), WANTED).sentence


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (record("STOPPED"), "ECS stopped the deployment: somebody stopped it."),
        (record("STOPPED", breaker=DeploymentMonitor("TRIGGERED", 3, 3)), "its circuit breaker ended it after 3"),
        (
            record("ROLLBACK_FAILED", reason=WHY),
            "The deployment failed, and ECS could not roll it back: its circuit breaker ended it. ECS says: ",
        ),
        (
            record("ROLLBACK_FAILED", reason="No rollback candidate was found to run the rollback."),
            "could not roll it back: its events say why it failed. ECS says: No rollback candidate was found",
        ),
    ],
)
def test_who_stopped_a_deployment_is_told_apart(shown: ServiceDeployment, sentence: str) -> None:
    assert sentence in judge(service(shown, OURS), WANTED).sentence


def test_an_early_success_says_what_is_still_missing() -> None:
    early = record("SUCCESSFUL", early_success_percent=50)
    sentence = judge(service(early, deployment("7", state="COMPLETED", running=1, pending=1)), WANTED).sentence
    assert sentence == (
        "ECS counts the deployment as complete at 50% of its tasks, as its early success criteria allow; 1 of 2 tasks "
        "run, 1 are starting. Neither circuit breaker nor alarms end it from here on."
    )


def test_the_verdict_names_our_task_definition_though_it_is_no_longer_listed() -> None:
    blamed = judge(service(record("ROLLBACK_SUCCESSFUL"), BACK), WANTED).deployment
    assert blamed
    assert blamed.task_definition.arn == "arn:task-definition/api:7"


# Any record at all

statuses = st.sampled_from(
    [
        "PENDING", "SUCCESSFUL", "STOPPED", "STOP_REQUESTED", "IN_PROGRESS", "ROLLBACK_REQUESTED",
        "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "?",
    ]
)  # fmt: skip
tags = st.sampled_from(["5", "7", "8"])
records = st.builds(
    lambda status, tag, stage, weight: record(
        status, tag, stage=stage, target=replace(revision(tag), production_weight=weight)
    ),
    statuses,
    tags,
    st.sampled_from(["", "BAKE_TIME", "CLEAN_UP", "PRODUCTION_TRAFFIC_SHIFT"]),
    st.sampled_from([None, 0.0, 50.0, 100.0]),
)
listed = st.builds(
    lambda tag, status, state, running: deployment(tag, status, state, running=running),
    tags,
    st.sampled_from(["PRIMARY", "ACTIVE"]),
    st.sampled_from(["", "IN_PROGRESS", "COMPLETED", "FAILED"]),
    st.integers(0, 2),
)
wishes = st.sampled_from([WANTED, UNTIL_TRAFFIC])


@given(records, st.lists(listed, max_size=3), wishes)
def test_it_is_never_deployed_before_its_own_deployment_was_successful(
    shown: ServiceDeployment, deployments: list[object], wanted: object
) -> None:
    snapshot = service(shown, *deployments)  # type: ignore[arg-type]  # of `listed`
    verdict = judge(snapshot, wanted)  # type: ignore[arg-type]  # of `wishes`
    if verdict.serving is not Serving.DEPLOYED:
        return
    assert snapshot.primary
    assert shown.target
    assert snapshot.primary.running >= snapshot.primary.desired
    if snapshot.primary.id.endswith(f"/{shown.target.number}"):
        assert shown.status in ("SUCCESSFUL", "?")


@given(records, st.lists(listed, max_size=3), wishes)
def test_baking_is_only_said_to_who_wants_production_traffic_and_only_when_all_has_moved(
    shown: ServiceDeployment, deployments: list[object], wanted: object
) -> None:
    verdict = judge(service(shown, *deployments), wanted)  # type: ignore[arg-type]  # of `listed` and `wishes`
    if verdict.serving is Serving.BAKING:
        assert wanted is UNTIL_TRAFFIC
        assert shown.has_production_traffic
        assert shown.goes_on


@given(records.filter(lambda one: one.arn.endswith("of-5") or one.arn.endswith("of-8")), st.lists(listed, max_size=3))
def test_somebody_elses_deployment_is_never_our_failure(shown: ServiceDeployment, deployments: list[object]) -> None:
    with_it, without = service(shown, *deployments), service(None, *deployments)  # type: ignore[arg-type]  # of `listed`
    serving, otherwise = judge(with_it, WANTED).serving, judge(without, WANTED).serving
    assert serving is otherwise or (serving is Serving.ROLLING and otherwise is Serving.SUPERSEDED and shown.goes_on)


def test_a_service_without_a_record_is_judged_by_its_deployments() -> None:
    assert judge(service(None, deployment("7", state="COMPLETED")), WANTED).serving is Serving.DEPLOYED
    assert service(None).target == TARGET


NEWER = deployment("9", state="COMPLETED")


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(service(record("IN_PROGRESS", "9"), NEWER), id="its record says that it goes on"),
        pytest.param(service(None, deployment("9", state="COMPLETED", running=1)), id="too few of its tasks run"),
        pytest.param(
            service(record("SUCCESSFUL", "9"), deployment("9", state="COMPLETED", desired=1, running=1)),
            id="ECS wants more",
        ),
    ],
)
def test_a_newer_image_takes_the_place_only_once_it_serves_as_ours_would_have_to(snapshot: ServiceSnapshot) -> None:
    assert judge(snapshot, WANTED).serving is Serving.ROLLING


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(
            service(record("SUCCESSFUL"), deployment("7", state="COMPLETED", desired=1, running=1)),
            id="the service wants more tasks than its deployment has",
        ),
        pytest.param(
            service(record("PENDING", target=None), deployment("7", state="COMPLETED")), id="a record without revision"
        ),
    ],
)
def test_a_completed_deployment_is_no_success_yet(snapshot: ServiceSnapshot) -> None:
    assert judge(snapshot, WANTED).serving is Serving.ROLLING


@pytest.mark.parametrize("tag", ["7", "9"])
def test_production_traffic_is_not_enough_while_tasks_are_missing(tag: str) -> None:
    shown = record("IN_PROGRESS", tag, strategy="BLUE_GREEN", stage="BAKE_TIME")
    assert judge(service(shown, deployment(tag, running=1)), UNTIL_TRAFFIC).serving is Serving.ROLLING
