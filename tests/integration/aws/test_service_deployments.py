"""Service deployments of every strategy, read from an ECS that rolls out, and what they say of a tag (rule 10)."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_cd.aws import Aws
from ecs_cd.aws.service_deployments import MOST_FAILURES
from ecs_cd.errors import DeliveryFailed, NothingWaits, Throttled
from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.model.service_deployment import RolloutUntil
from ecs_cd.rollout.judge import judge
from ecs_cd.rollout.pause import answer_pause
from ecs_cd.rollout.wanted import Wanted
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.sandbox.aws.fleet import Fleet

TARGET = ServiceTarget("development", "my-api", "api")
WANTED = Wanted(ImageTag("102"))
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:smoke-test"


@pytest.fixture
def fleet(aws: Cloud) -> Fleet:
    return Fleet(aws)


class Deploying:
    """A service that is moved from 101 to 102, looked at after every tick."""

    def __init__(self, fleet: Fleet, adapter: Aws, *, count: int = 1, **configuration: Any) -> None:  # noqa: ANN401 - botocore checks it
        self.fleet, self.adapter = fleet, adapter
        fleet.create(count=count)
        fleet.ecs.update_service(
            cluster="development",
            service="my-api",
            deploymentConfiguration=configuration,
        )
        fleet.update("102")
        self.seen: list[tuple[str, Verdict]] = []

    def look(self, until: RolloutUntil = RolloutUntil.COMPLETED) -> tuple[ServiceSnapshot, Verdict]:
        snapshot = self.adapter.services.snapshot(TARGET)
        assert snapshot
        return snapshot, judge(snapshot, Wanted(WANTED.tag, until=until))

    def ticked(self, until: RolloutUntil = RolloutUntil.COMPLETED, most: int = 80) -> Verdict:
        """Tick until the verdict is an end, and return it."""
        for _ in range(most):
            snapshot, verdict = self.look(until)
            record = snapshot.service_deployment
            self.seen.append((record.stage if record else "", verdict))
            if verdict.serving is not Serving.ROLLING:
                return verdict
            self.fleet.tick()
        raise AssertionError(f"it never ended: {self.seen[-1]}")

    def at(self, stage: str) -> tuple[ServiceSnapshot, Verdict]:
        """Tick until a stage is reached."""
        for _ in range(80):
            self.fleet.tick()
            snapshot, verdict = self.look()
            if snapshot.service_deployment and snapshot.service_deployment.stage == stage:
                return snapshot, verdict
        raise AssertionError(f"{stage} was never reached")


BLUE_GREEN: dict[str, Any] = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}
STRATEGIES: dict[str, dict[str, Any]] = {
    "rolling": {"strategy": "ROLLING"},
    "blue/green": BLUE_GREEN,
    "linear": {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50, "stepBakeTimeInMinutes": 1}},
    "canary": {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10, "canaryBakeTimeInMinutes": 1}},
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_ends_deployed_and_never_before_ecs_says_so(fleet: Fleet, adapter: Aws, strategy: str) -> None:
    deploying = Deploying(fleet, adapter, **STRATEGIES[strategy])
    assert deploying.ticked().serving is Serving.DEPLOYED
    assert fleet.deployment()["status"] == "SUCCESSFUL"
    assert fleet.shape()[0][:2] == ("PRIMARY", "COMPLETED")
    told = [verdict.sentence for _, verdict in deploying.seen]
    if strategy != "rolling":
        assert any(f"{strategy} stage PRODUCTION_TRAFFIC_SHIFT" in sentence for sentence in told)


def test_a_bake_time_has_an_end_and_production_traffic_before_it(fleet: Fleet, adapter: Aws) -> None:
    deploying = Deploying(fleet, adapter, **BLUE_GREEN)
    verdict = deploying.ticked(RolloutUntil.PRODUCTION_TRAFFIC)
    assert verdict.serving is Serving.BAKING
    assert "blue/green stage BAKE_TIME until about 20" in verdict.sentence
    assert "100% of production traffic" in verdict.sentence
    assert fleet.deployment()["lifecycleStage"] == "BAKE_TIME"
    assert deploying.ticked().serving is Serving.DEPLOYED


def pausing(**timeout: object) -> dict[str, Any]:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"], "timeoutConfiguration": timeout}
    return {**BLUE_GREEN, "lifecycleHooks": [hook]}


@pytest.mark.parametrize(("rollback", "serving"), [(False, Serving.DEPLOYED), (True, Serving.REVERTED)])
def test_a_pause_is_seen_and_answered(fleet: Fleet, adapter: Aws, rollback: bool, serving: Serving) -> None:
    deploying = Deploying(fleet, adapter, **pausing(timeoutInMinutes=60, action="ROLLBACK"))
    snapshot, verdict = deploying.at("PRE_SCALE_UP")
    record = snapshot.service_deployment
    assert record
    (hook,) = record.waiting
    assert hook.since
    assert hook.expires_at
    assert (hook.expires_at - hook.since).total_seconds() == 3600
    assert "It waits at PRE_SCALE_UP since 20" in verdict.sentence
    assert "it is rolled back by itself." in verdict.sentence
    fleet.tick(5)
    assert deploying.look()[1].serving is Serving.ROLLING
    assert answer_pause(adapter.services, TARGET, rollback=rollback, dry_run=True).hooks == (hook,)
    assert deploying.look()[0].service_deployment == record
    assert answer_pause(adapter.services, TARGET, rollback=rollback).hooks == (hook,)
    ended = deploying.ticked()
    assert ended.serving is serving
    assert ("somebody had it rolled back" in ended.sentence) == rollback
    with pytest.raises(NothingWaits, match="waits for somebody: its latest one is"):
        answer_pause(adapter.services, TARGET, rollback=rollback)


def test_a_right_to_continue_that_is_missing_is_named(aws: Cloud, fleet: Fleet, adapter: Aws) -> None:
    Deploying(fleet, adapter, **pausing(timeoutInMinutes=60, action="ROLLBACK")).at("PRE_SCALE_UP")
    aws.inject("ecs", "ContinueServiceDeployment", ErrorAnswer("AccessDeniedException"))
    with pytest.raises(DeliveryFailed, match="ContinueServiceDeployment"):
        answer_pause(adapter.services, TARGET, rollback=False)


def test_a_pause_that_nobody_answered_is_told(fleet: Fleet, adapter: Aws) -> None:
    ended = Deploying(fleet, adapter, **pausing(timeoutInMinutes=1, action="ROLLBACK")).ticked()
    assert ended.serving is Serving.REVERTED
    assert "nobody let it continue in time" in ended.sentence


# Who ended it


def test_the_circuit_breaker_is_told(fleet: Fleet, adapter: Aws) -> None:
    fleet.scheduler.behave("crash-loop", tag="102")
    ended = Deploying(fleet, adapter, **BLUE_GREEN).ticked()
    assert ended.serving is Serving.REVERTED
    assert "its circuit breaker ended it after 3 failed tasks." in ended.sentence
    assert (
        "ECS says: Service deployment rolled back because the circuit breaker threshold was exceeded." in ended.sentence
    )


@pytest.mark.parametrize("strategy", ["ROLLING", "BLUE_GREEN"])
@pytest.mark.parametrize(("rollback", "serving"), [(True, Serving.REVERTED), (False, Serving.FAILED)])
def test_the_alarm_is_named(fleet: Fleet, adapter: Aws, strategy: str, rollback: bool, serving: Serving) -> None:
    alarms = {"alarmNames": ["quiet", "errors-5xx"], "enable": True, "rollback": rollback}
    deploying = Deploying(fleet, adapter, strategy=strategy, bakeTimeInMinutes=5, alarms=alarms)
    fleet.tick(2)
    fleet.aws.set_alarm("errors-5xx")
    ended = deploying.ticked()
    assert ended.serving is serving
    assert "the CloudWatch alarm errors-5xx ended it." in ended.sentence


def test_the_hook_is_named(fleet: Fleet, adapter: Aws) -> None:
    fleet.scheduler.answer_hooks("FAILED")
    hook = {
        "hookTargetArn": LAMBDA,
        "roleArn": "arn:aws:iam::123456789012:role/hooks",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
    }
    ended = Deploying(fleet, adapter, **BLUE_GREEN, lifecycleHooks=[hook]).ticked()
    assert ended.serving is Serving.REVERTED
    assert "smoke-test" in ended.sentence
    assert "POST_TEST_TRAFFIC_SHIFT" in ended.sentence


@pytest.mark.parametrize("strategy", ["ROLLING", "BLUE_GREEN"])
def test_a_person_who_stops_it_is_told(fleet: Fleet, adapter: Aws, strategy: str) -> None:
    deploying = Deploying(fleet, adapter, strategy=strategy, bakeTimeInMinutes=5)
    fleet.tick(2)
    fleet.ecs.stop_service_deployment(
        serviceDeploymentArn=fleet.deployment()["serviceDeploymentArn"], stopType="ROLLBACK"
    )
    ended = deploying.ticked()
    assert ended.serving is Serving.REVERTED
    assert "somebody had it rolled back." in ended.sentence


# Early success


def test_an_early_success_is_no_success_before_all_tasks_run(fleet: Fleet, adapter: Aws) -> None:
    fleet.scheduler.behave("slow", tag="102", ticks=10, healthy=1)
    criteria = {"enable": True, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"}
    deploying = Deploying(fleet, adapter, count=2, minimumHealthyPercent=50, earlySuccessCriteria=criteria)
    assert deploying.ticked().serving is Serving.DEPLOYED
    assert any("complete at 50% of its tasks" in verdict.sentence for _, verdict in deploying.seen)
    assert fleet.shape()[0] == ("PRIMARY", "COMPLETED", 2, 0, 0)


# Where the record cannot be seen


def test_without_the_right_the_list_of_deployments_counts(aws: Cloud, fleet: Fleet, adapter: Aws) -> None:
    denied = ErrorAnswer("AccessDeniedException")
    for operation in ("DescribeServiceDeployments", "ListServiceDeployments", "DescribeServiceRevisions"):
        aws.inject("ecs", operation, denied, times=100)
    deploying = Deploying(fleet, adapter, **BLUE_GREEN)
    assert deploying.ticked().serving is Serving.DEPLOYED
    assert fleet.shape()[0][:2] == ("PRIMARY", "COMPLETED")
    snapshot, _ = deploying.look()
    assert snapshot.service_deployment is None
    assert "DescribeServiceDeployments" in snapshot.unseen[0]


@pytest.mark.parametrize("operation", ["DescribeServiceDeployments", "DescribeServiceRevisions"])
def test_an_answer_that_keeps_failing_to_come_is_done_without(
    aws: Cloud, fleet: Fleet, adapter: Aws, operation: str
) -> None:
    deploying = Deploying(fleet, adapter, strategy="ROLLING")
    aws.inject("ecs", operation, ErrorAnswer("ThrottlingException"), times=7)
    for _ in range(MOST_FAILURES - 1):
        with pytest.raises(Throttled):
            deploying.look()
    snapshot, _ = deploying.look()
    if operation == "DescribeServiceDeployments":
        assert (snapshot.service_deployment, "fewer requests" in snapshot.unseen[0]) == (None, True)
    assert deploying.ticked().serving is Serving.DEPLOYED
    snapshot, _ = deploying.look()
    assert snapshot.service_deployment  # as it answers again
    assert snapshot.unseen == ()
