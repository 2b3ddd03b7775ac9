from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.aws.fleet import Fleet

STAGES = [
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
]
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:check"


def changed(fleet: Fleet, **configuration: Any) -> None:  # noqa: ANN401 - botocore checks it
    """Give the service another deployment configuration, which starts no deployment."""
    fleet.ecs.update_service(cluster="development", service="my-api", deploymentConfiguration=configuration)


def weights(found: dict[str, Any]) -> tuple[Any, ...]:
    """Test and production traffic of the new revision, then of the old one."""
    keys = ("requestedTestTrafficWeight", "requestedProductionTrafficWeight")
    both = (found["targetServiceRevision"], found["sourceServiceRevisions"][0])
    return tuple(one.get(key) for one in both for key in keys)


def until(fleet: Fleet, stage: str, most: int = 40) -> dict[str, Any]:
    for _ in range(most):
        fleet.tick()
        found = fleet.deployment()
        if found.get("lifecycleStage") == stage:
            return found
    raise AssertionError(f"{stage} was never reached, but {found}")


def until_over(fleet: Fleet, most: int = 60) -> dict[str, Any]:
    for _ in range(most):
        fleet.tick()
        found = fleet.deployment()
        if "finishedAt" in found:
            return found
    raise AssertionError(f"it never ended: {found}")


def pausing(stage: str = "POST_TEST_TRAFFIC_SHIFT", action: str = "ROLLBACK", minutes: int = 2) -> dict[str, Any]:
    return {
        "targetType": "PAUSE",
        "lifecycleStages": [stage],
        "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": action},
    }


def calling(stage: str = "PRE_SCALE_UP") -> dict[str, Any]:
    return {"hookTargetArn": LAMBDA, "roleArn": "arn:aws:iam::123456789012:role/hooks", "lifecycleStages": [stage]}


def test_blue_and_green_go_through_every_stage(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", bakeTimeInMinutes=1)
    new = fleet.update("102")["deployments"][0]["id"]
    seen: dict[str, tuple[Any, ...]] = {}
    baked = 0
    while (found := fleet.deployment())["status"] in {"PENDING", "IN_PROGRESS"}:
        if "lifecycleStage" in found:
            seen[found["lifecycleStage"]] = weights(found)
            baked += found["lifecycleStage"] == "BAKE_TIME"
        fleet.tick()
    assert list(seen) == STAGES
    assert seen["SCALE_UP"] == (None, 0.0, None, 100.0)
    assert seen["TEST_TRAFFIC_SHIFT"] == (100.0, 0.0, 0.0, 100.0)
    assert seen["PRE_PRODUCTION_TRAFFIC_SHIFT"] == (100.0, 0.0, 0.0, 100.0)
    assert seen["PRODUCTION_TRAFFIC_SHIFT"] == seen["BAKE_TIME"] == (100.0, 100.0, 0.0, 0.0)
    assert baked == 5
    assert (found["status"], weights(found)) == ("SUCCESSFUL", (100.0, 100.0, 0.0, 0.0))
    assert fleet.describe()["deployments"][0]["id"] == new
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]


def test_both_revisions_run_while_it_bakes(fleet: Fleet) -> None:
    fleet.create(count=2)
    changed(fleet, strategy="BLUE_GREEN", bakeTimeInMinutes=1380)
    fleet.update("102")
    found = until(fleet, "BAKE_TIME")
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 2, 0, 0), ("ACTIVE", "COMPLETED", 2, 0, 0)]
    assert found["sourceServiceRevisions"][0]["runningTaskCount"] == 2
    assert fleet.describe()["runningCount"] == 4


def test_before_it_scales_up_nothing_of_the_new_revision_runs(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[pausing("PRE_SCALE_UP", minutes=60)])
    fleet.update("102")
    fleet.tick(10)
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 0, 0, 0), ("ACTIVE", "COMPLETED", 1, 0, 0)]


def test_a_canary_waits_with_a_share_of_the_traffic(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="CANARY", canaryConfiguration={"canaryPercent": 12.5, "canaryBakeTimeInMinutes": 2})
    fleet.update("102")
    until(fleet, "PRODUCTION_TRAFFIC_SHIFT")
    shares = []
    while (found := fleet.deployment())["lifecycleStage"] != "POST_PRODUCTION_TRAFFIC_SHIFT":
        shares.append((found["lifecycleStage"], weights(found)[1]))
        fleet.tick()
    assert shares == [
        *[("PRODUCTION_TRAFFIC_SHIFT", 12.5)] * 10,
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", 12.5),
        ("PRODUCTION_TRAFFIC_SHIFT", 100.0),
    ]


def test_a_linear_shift_takes_equal_steps(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="LINEAR", linearConfiguration={"stepPercent": 40, "stepBakeTimeInMinutes": 0})
    fleet.update("102")
    until(fleet, "PRODUCTION_TRAFFIC_SHIFT")
    shares = []
    while (found := fleet.deployment())["lifecycleStage"] != "POST_PRODUCTION_TRAFFIC_SHIFT":
        shares.append(weights(found)[1])
        fleet.tick()
    assert shares == [40.0, 40.0, 80.0, 80.0, 100.0]


def test_defaults_are_filled_in_and_what_another_strategy_needs_is_dropped(fleet: Fleet) -> None:
    fleet.create(strategy="LINEAR")
    found = fleet.describe()["deploymentConfiguration"]
    assert found["linearConfiguration"] == {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
    changed(fleet, strategy="CANARY", lifecycleHooks=[calling()])
    found = fleet.describe()["deploymentConfiguration"]
    assert found["canaryConfiguration"] == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
    assert "linearConfiguration" not in found
    assert found["deploymentCircuitBreaker"]["enable"] is True
    assert found["lifecycleHooks"][0]["targetType"] == "AWS_LAMBDA"
    assert found["lifecycleHooks"][0]["timeoutConfiguration"] == {"timeoutInMinutes": 1440, "action": "ROLLBACK"}


def test_a_service_that_says_nothing_rolls(fleet: Fleet) -> None:
    fleet.create()
    assert fleet.describe()["deploymentConfiguration"]["strategy"] == "ROLLING"
    assert "lifecycleStage" not in fleet.deployment()


def test_more_than_one_active_revision_is_reconciled_first(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    fleet.update("102")
    until(fleet, "BAKE_TIME")
    fleet.update("103")
    fleet.tick()
    found = fleet.deployment()
    assert found["lifecycleStage"] == "RECONCILE_SERVICE"
    assert len(found["sourceServiceRevisions"]) == 2
    changed(fleet, bakeTimeInMinutes=0)
    fleet.tick(60 * 5 + 20)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert [one["status"] for one in fleet.listed()] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_a_pause_waits_until_somebody_continues(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[pausing(minutes=60)])
    fleet.update("102")
    found = until(fleet, "POST_TEST_TRAFFIC_SHIFT")
    hook = found["lifecycleHookDetails"][0]
    assert (hook["targetType"], hook["status"], hook["timeoutAction"]) == ("PAUSE", "AWAITING_ACTION", "ROLLBACK")
    assert hook["hookId"].startswith("ecs-pause-")
    assert "targetArn" not in hook
    assert 55 < (hook["expiresAt"] - found["updatedAt"]).total_seconds() < 65  # 60 minutes of 5 ticks of 0.2 s
    fleet.tick(20)
    assert fleet.deployment()["lifecycleStage"] == "POST_TEST_TRAFFIC_SHIFT"
    arn = found["serviceDeploymentArn"]
    fleet.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"], action="CONTINUE")
    assert fleet.deployment()["lifecycleHookDetails"][0]["status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="either completed, unavailable"):
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"])
    assert until_over(fleet)["status"] == "SUCCESSFUL"
    with pytest.raises(ClientError, match="not allowed for service deployment in terminal states"):
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"])


def test_a_pause_rolls_back_when_somebody_says_so(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[pausing()])
    fleet.update("102")
    found = until(fleet, "POST_TEST_TRAFFIC_SHIFT")
    hook = found["lifecycleHookDetails"][0]["hookId"]
    fleet.ecs.continue_service_deployment(
        serviceDeploymentArn=found["serviceDeploymentArn"], hookId=hook, action="ROLLBACK"
    )
    fleet.tick()
    going = fleet.deployment()
    assert (going["status"], weights(going)[1::2]) == ("ROLLBACK_IN_PROGRESS", (0.0, 100.0))
    over = until_over(fleet)
    assert over["status"] == "ROLLBACK_SUCCESSFUL"
    assert over["statusReason"] == "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook failed."
    assert weights(over)[1::2] == (0.0, 100.0)
    assert fleet.describe()["taskDefinition"].endswith(":1")


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        (
            "ROLLBACK",
            "ROLLBACK_SUCCESSFUL",
            "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook timed out.",
        ),
        ("CONTINUE", "SUCCESSFUL", None),
    ],
)
def test_a_pause_that_nobody_ends_takes_its_own_action(
    fleet: Fleet, action: str, status: str, reason: str | None
) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[pausing(action=action)])
    fleet.update("102")
    found = until_over(fleet)
    assert (found["status"], found.get("statusReason")) == (status, reason)


def test_each_shift_of_a_canary_pauses_anew(fleet: Fleet) -> None:
    fleet.create()
    changed(
        fleet,
        strategy="CANARY",
        canaryConfiguration={"canaryPercent": 5, "canaryBakeTimeInMinutes": 0},
        lifecycleHooks=[pausing("PRE_PRODUCTION_TRAFFIC_SHIFT", minutes=60)],
    )
    fleet.update("102")
    asked = []
    for _ in range(2):
        found = until(fleet, "PRE_PRODUCTION_TRAFFIC_SHIFT")
        assert found["lifecycleHookDetails"][0]["status"] == "AWAITING_ACTION"
        asked.append(found["lifecycleHookDetails"][0]["hookId"])
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=found["serviceDeploymentArn"], hookId=asked[-1])
        fleet.tick(2)
    assert len(set(asked)) == 2
    assert until_over(fleet)["status"] == "SUCCESSFUL"


def test_a_hook_id_of_another_form_is_refused(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[pausing()])
    fleet.update("102")
    arn = until(fleet, "POST_TEST_TRAFFIC_SHIFT")["serviceDeploymentArn"]
    with pytest.raises(ClientError, match="hookId must follow the format"):
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId="x")
    with pytest.raises(fleet.ecs.exceptions.ServiceDeploymentNotFoundException):
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=f"{arn}x", hookId="ecs-pause-x")


def test_a_function_is_in_progress_then_lets_the_deployment_go_on(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.answer_hooks("SUCCEEDED", stage="PRE_SCALE_UP", ticks=3)
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[calling()])
    fleet.update("102")
    seen = []
    for _ in range(4):
        fleet.tick()
        details = fleet.deployment().get("lifecycleHookDetails", [])
        seen.append([(one["targetArn"], one["status"]) for one in details])
    assert seen == [[(LAMBDA, "IN_PROGRESS")]] * 3 + [[(LAMBDA, "SUCCEEDED")]]
    assert until_over(fleet)["status"] == "SUCCESSFUL"


@pytest.mark.parametrize("service", ["my-api", None])
def test_a_function_that_fails_rolls_back_in_its_words(fleet: Fleet, service: str | None) -> None:
    fleet.create()
    fleet.scheduler.answer_hooks("FAILED", service=service)
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[calling("POST_PRODUCTION_TRAFFIC_SHIFT")])
    fleet.update("102")
    found = until_over(fleet)
    reason = (
        "Service deployment rolled back because POST_PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed. "
        f"Lifecycle hook target {LAMBDA} returned FAILED status."
    )
    assert (found["status"], found["statusReason"]) == ("ROLLBACK_SUCCESSFUL", reason)
    assert any(event.endswith(f"deployment failed: {reason}") for event in fleet.events())


def test_another_services_answers_are_not_taken(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.answer_hooks("FAILED", service="my-worker")
    fleet.scheduler.answer_hooks("FAILED", stage="POST_SCALE_UP")
    changed(fleet, strategy="BLUE_GREEN", lifecycleHooks=[calling()])
    fleet.update("102")
    assert until_over(fleet)["status"] == "SUCCESSFUL"


def test_a_first_deployment_whose_hook_fails_has_nothing_to_return_to(fleet: Fleet) -> None:
    fleet.scheduler.answer_hooks("FAILED")
    fleet.create(strategy="BLUE_GREEN", lifecycleHooks=[calling()])
    found = fleet.deployment()
    assert found["status"] == "ROLLBACK_FAILED"
    assert found["statusReason"] == "No rollback candidate was found to run the rollback."
    assert any("PRE_SCALE_UP lifecycle hook(s) failed" in event for event in fleet.events())


def test_the_circuit_breaker_watches_while_green_scales_up(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN")
    fleet.scheduler.behave("crash-loop", tag="102")
    fleet.update("102")
    found = until_over(fleet)
    assert found["status"] == "ROLLBACK_SUCCESSFUL"
    assert found["statusReason"].endswith("because the circuit breaker threshold was exceeded.")
    assert found["lifecycleStage"] == "SCALE_UP"


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "ROLLING"])
def test_an_alarm_rolls_back(fleet: Fleet, strategy: str) -> None:
    fleet.create()
    watched = {"alarmNames": ["quiet", "errors-5xx"], "enable": True, "rollback": True}
    changed(fleet, strategy=strategy, bakeTimeInMinutes=2, alarms=watched)
    fleet.update("102")
    fleet.tick(2)
    assert fleet.deployment()["alarms"] == {
        "status": "MONITORING",
        "alarmNames": ["quiet", "errors-5xx"],
        "triggeredAlarmNames": [],
    }
    fleet.aws.set_alarm("errors-5xx")
    fleet.tick()
    found = fleet.deployment()
    assert found["status"] == "ROLLBACK_IN_PROGRESS"
    assert "errors-5xx" in found["statusReason"]
    assert found["alarms"]["status"] == "TRIGGERED"
    assert found["alarms"]["triggeredAlarmNames"] == ["errors-5xx"]
    assert any("deployment failed: alarm detected." in event for event in fleet.events())
    assert until_over(fleet)["status"] == "ROLLBACK_SUCCESSFUL"


def test_an_alarm_that_rings_already_is_not_watched(fleet: Fleet) -> None:
    fleet.create()
    fleet.aws.set_alarm("errors-5xx")
    changed(fleet, alarms={"alarmNames": ["errors-5xx"], "enable": True, "rollback": True})
    fleet.update("102")
    found = until_over(fleet)
    assert (found["status"], found["alarms"]) == ("SUCCESSFUL", {"status": "DISABLED"})


def test_alarms_are_watched_for_a_while_after_a_rolling_deployment(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, alarms={"alarmNames": ["errors-5xx"], "enable": True, "rollback": False})
    fleet.update("102")
    fleet.tick(6)
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 1, 0, 0), ("ACTIVE", "COMPLETED", 0, 0, 0)]
    fleet.aws.set_alarm("errors-5xx")
    fleet.tick()
    assert fleet.deployment()["status"] == "STOPPED"


def test_a_person_stops_a_bake(fleet: Fleet) -> None:
    fleet.create()
    changed(fleet, strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    fleet.update("102")
    found = until(fleet, "BAKE_TIME")
    fleet.ecs.stop_service_deployment(serviceDeploymentArn=found["serviceDeploymentArn"], stopType="ROLLBACK")
    over = until_over(fleet)
    assert over["status"] == "ROLLBACK_SUCCESSFUL"
    assert "user" in over["statusReason"]


def early(cleanup: str, percent: int = 50) -> dict[str, Any]:
    return {"enable": True, "healthyPercent": percent, "sourceServiceRevisionCleanup": cleanup}


def test_early_success_ends_before_all_tasks_run(fleet: Fleet) -> None:
    fleet.create(count=3)
    changed(fleet, minimumHealthyPercent=50, earlySuccessCriteria=early("BLOCKING"))
    fleet.scheduler.behave("slow", tag="102", ticks=20, healthy=2)
    fleet.update("102")
    found = until_over(fleet)
    assert (found["status"], found["targetServiceRevision"]["runningTaskCount"]) == ("SUCCESSFUL", 2)
    assert found["deploymentConfiguration"]["earlySuccessCriteria"] == early("BLOCKING")
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 2, 1, 0)]
    assert "reached a steady state" not in fleet.events()[0]
    fleet.tick(30)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 3, 0, 0)]
    assert "reached a steady state" in fleet.events()[0]
    assert fleet.deployment()["targetServiceRevision"]["runningTaskCount"] == 2


def test_deferred_clean_up_leaves_old_tasks_running_for_a_while(fleet: Fleet) -> None:
    fleet.create(count=2)
    changed(fleet, earlySuccessCriteria=early("DEFERRED", 100))
    fleet.update("102")
    assert until_over(fleet)["status"] == "SUCCESSFUL"
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 2, 0, 0), ("ACTIVE", "COMPLETED", 2, 0, 0)]
    fleet.tick(6)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 2, 0, 0)]


def test_after_an_early_success_nothing_rolls_back(fleet: Fleet) -> None:
    fleet.create(count=4)
    changed(fleet, minimumHealthyPercent=50, earlySuccessCriteria=early("DEFERRED"))
    fleet.scheduler.behave("crash-loop", tag="102", healthy=2)
    fleet.update("102")
    assert until_over(fleet)["status"] == "SUCCESSFUL"
    fleet.tick(20)
    state, running = fleet.shape()[0][1:3]
    assert (state, running < 4, fleet.shape()[0][4] > 3) == ("COMPLETED", True, True)
    assert fleet.describe()["taskDefinition"].endswith(":2")


def test_a_configuration_that_aws_refuses_changes_nothing(fleet: Fleet) -> None:
    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException, match="strategy should be one of"):
        fleet.create(strategy="BLUE")
    fleet.create()
    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException, match="strategy should be one of"):
        changed(fleet, strategy="BLUE")
    assert fleet.describe()["deploymentConfiguration"]["strategy"] == "ROLLING"


def test_the_threshold_of_the_circuit_breaker_can_be_configured(fleet: Fleet) -> None:
    fleet.create(count=4)
    rule = {"type": "COUNT", "value": 1}
    changed(fleet, deploymentCircuitBreaker={"enable": True, "rollback": True, "thresholdConfiguration": rule})
    fleet.scheduler.behave("crash-loop", tag="102", healthy=3)
    fleet.update("102")
    found = until_over(fleet)
    breaker = found["deploymentCircuitBreaker"]
    assert (found["status"], breaker["threshold"], breaker["failureCount"]) == ("ROLLBACK_SUCCESSFUL", 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"status": "IN_PROGRESS"}, "unknown answer 'IN_PROGRESS'"),
        ({"status": "FAILED", "stage": "BAKE_TIME"}, "no hook runs at the stage 'BAKE_TIME'"),
        ({"status": "FAILED", "service": "a b"}, "cannot be the name of a service"),
        ({"status": "FAILED", "ticks": -1}, "ticks must not be negative"),
    ],
)
def test_an_answer_no_hook_can_give_is_refused(fleet: Fleet, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fleet.scheduler.answer_hooks(**arguments)
