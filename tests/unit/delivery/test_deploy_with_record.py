"""A delivery to a service of which ECS shows a service deployment: rejected while Terraform waits, and a bake time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ecs_cd.errors import AccessDenied
from ecs_cd.model.service import ServiceEvent, ServiceSnapshot
from ecs_cd.model.service_deployment import (
    DeploymentMonitor,
    RevisionImage,
    RolloutUntil,
    ServiceDeployment,
    ServiceRevision,
)
from ecs_cd.model.stopped_task import StoppedTask
from ecs_cd.report.facts import Outcome
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import NAME, World, fail_the_run, serving

OURS = serving("102").deployments[0].task_definition.arn
NOT_STABLE = "Error: waiting for ECS service to become stable"


@pytest.fixture
def world() -> World:
    return World()


def recorded(snapshot: ServiceSnapshot, status: str, **more: object) -> ServiceSnapshot:
    """Return the service with ECS's record of its deployment of 102."""
    target = ServiceRevision(
        "arn:service-revision/9", 1, 1, task_definition=OURS, images=(RevisionImage("api", "r.io/my-api:102"),)
    )
    record = ServiceDeployment("arn:sd/102", status, target=target)
    return replace(snapshot, service_deployment=replace(record, **more))  # type: ignore[arg-type]  # fields by name


def rejected(snapshot: ServiceSnapshot, status: str = "ROLLBACK_SUCCESSFUL") -> ServiceSnapshot:
    """Return the service after its circuit breaker ended the deployment of 102."""
    return recorded(snapshot, status, breaker=DeploymentMonitor("TRIGGERED", 3, 3))


MADE = datetime(2026, 11, 28, 9, tzinfo=timezone.utc)


def rejected_at(snapshot: ServiceSnapshot, made: datetime) -> ServiceSnapshot:
    """Return the service with the record of a deployment of 102 that was made then, and rolled back since."""
    return replace(rejected(snapshot), service_deployment=replace(_record(rejected(snapshot)), created_at=made))


def _record(snapshot: ServiceSnapshot) -> ServiceDeployment:
    assert snapshot.service_deployment
    return snapshot.service_deployment


def shown_until(snapshot: ServiceSnapshot, moment: datetime) -> ServiceSnapshot:
    """Return the service with an event of that moment."""
    return replace(snapshot, events=(ServiceEvent("steady", moment, "has reached a steady state."),))


def baking(status: str = "IN_PROGRESS") -> ServiceSnapshot:
    """Return the service with 102 in its bake time, or after that."""
    return recorded(
        serving("102", "COMPLETED" if status == "SUCCESSFUL" else "IN_PROGRESS"),
        status,
        strategy="BLUE_GREEN",
        stage="BAKE_TIME",
        bake_minutes=60,
        updated_at=datetime(2026, 11, 28, 12, tzinfo=timezone.utc),
    )


# A run that failed because ECS rejects the image


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        pytest.param(serving("102", "FAILED", "tasks failed to start"), "rollout-failed", id="failed in the list"),
        pytest.param(rejected(serving("101")), "rolled-back-by-ecs", id="rolled back"),
        pytest.param(rejected(serving("102", "IN_PROGRESS"), "STOPPED"), "rollout-failed", id="stopped"),
    ],
)
def test_a_run_that_failed_because_ecs_rejects_the_image_is_a_failure_of_ecs(
    world: World, after: ServiceSnapshot, reason: str
) -> None:
    fail_the_run(world, NOT_STABLE)
    world.services.stopped[OURS] = (StoppedTask(OURS, "Essential container in task exited"),)
    world.services.play(serving("101"), after)
    report = world.deploy()
    assert report.failure
    assert report.failure.reason == reason
    assert report.failure.details[0] == "task stopped: Essential container in task exited"
    assert "failed in task 'terraform apply'" in report.failure.details[-2]
    assert report.failure.details[-1] == NOT_STABLE
    assert report.run
    assert report.failure.link.startswith(report.run.url)


def test_what_ecs_rejects_while_terraform_waits_is_rolled_back_and_held(world: World) -> None:
    world.services.play(serving("101"))
    assert world.deploy(world.delivery("101")).outcome is Outcome.UNCHANGED  # and 101 is verified now
    fail_the_run(world, NOT_STABLE)
    world.services.play(serving("101"), rejected(serving("101")), serving("101"))
    report = world.deploy(vary(world.delivery(), rollback_on_failure=True))
    assert report.failure
    assert report.failure.reason == "rolled-back-by-ecs"
    assert "It was rolled back to 101 and is held there." in report.summary
    assert report.hold
    assert (report.hold.state, report.hold.tag) == ("held", "101")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            shown_until(serving("101"), MADE + timedelta(minutes=9)),
            rejected_at(serving("101"), MADE),
            id="rejected before",
        ),
        pytest.param(serving("102", "FAILED"), serving("102", "FAILED"), id="failed in the list before"),
        pytest.param(serving("101"), serving("103", "FAILED"), id="another that failed"),
        pytest.param(serving("101"), replace(serving("101"), status="DRAINING"), id="the service is going"),
    ],
)
def test_a_run_that_failed_by_itself_is_not_blamed_on_ecs(
    world: World, before: ServiceSnapshot, after: ServiceSnapshot
) -> None:
    fail_the_run(world, "Error: no such subnet")
    world.services.play(before, after)
    report = world.deploy()
    assert report.failure
    assert report.failure.reason == "run-failed"
    assert report.failure.details == ("Error: no such subnet",)


def test_an_image_that_ecs_rejected_before_is_not_rolled_back_for_a_run_that_failed_by_itself(world: World) -> None:
    world.services.play(serving("101"))
    assert world.deploy(world.delivery("101")).outcome is Outcome.UNCHANGED  # and 101 is verified now
    fail_the_run(world, "Error: no such subnet")
    before = shown_until(serving("101"), MADE + timedelta(minutes=9))
    world.services.play(before, rejected_at(before, MADE))
    report = world.deploy(vary(world.delivery(), rollback_on_failure=True))
    assert report.hold is None
    assert world.parameters.values(NAME)[-1] == "102"


def test_an_image_that_ecs_rejects_again_is_a_failure_of_ecs(world: World) -> None:
    fail_the_run(world, NOT_STABLE)
    before = shown_until(serving("101"), MADE)
    world.services.play(before, rejected_at(serving("101"), MADE + timedelta(minutes=9)))
    report = world.deploy()
    assert report.failure
    assert report.failure.reason == "rolled-back-by-ecs"


def test_an_image_that_ecs_rejected_before_is_deployed_once_a_new_run_makes_it_work(world: World) -> None:
    before = shown_until(serving("101"), MADE + timedelta(minutes=9))
    stale = rejected_at(before, MADE)
    world.services.play(before, stale, stale, serving("102", "IN_PROGRESS"), serving("102"))
    assert world.deploy().outcome is Outcome.DEPLOYED


def test_ecs_is_not_blamed_where_the_service_could_not_be_seen_before_the_run(world: World) -> None:
    fail_the_run(world, "Error: no such subnet")
    world.services.fail("snapshot", AccessDenied("No ecs:DescribeServices."))
    world.services.play(rejected(serving("101")))
    report = world.deploy()
    assert report.failure
    assert report.failure.reason == "run-failed"


def test_a_bake_time_goes_on_after_a_run_that_gave_up_waiting_for_it(world: World) -> None:
    fail_the_run(world, NOT_STABLE)
    world.services.play(serving("101"), baking(), baking("SUCCESSFUL"))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert "brought 102 to ECS all the same" in report.warnings[0]


# The bake time


def test_production_traffic_ends_a_delivery_before_the_bake_time_does_and_marks_nothing(world: World) -> None:
    world.services.play(serving("101"), baking())
    report = world.deploy(vary(world.delivery(), rollout_until=RolloutUntil.PRODUCTION_TRAFFIC))
    assert (report.outcome, report.exit_code) == (Outcome.DEPLOYED, 0)
    assert "has all production traffic in development; ECS can still take it back" in report.summary
    assert "BAKE_TIME until about 2026-11-28 13:00 UTC" in report.summary
    assert "Delivering the same tag again once that is over marks the version as verified." in report.summary
    assert report.rollout
    assert report.rollout.serving == "baking"
    assert world.parameters.labelled(NAME, "ecs-cd.verified") == []


def test_the_same_delivery_after_the_bake_time_marks_the_version(world: World) -> None:
    world.services.play(serving("101"), baking())
    delivery = vary(world.delivery(), rollout_until=RolloutUntil.PRODUCTION_TRAFFIC)
    world.deploy(delivery)
    world.services.play(baking("SUCCESSFUL"))
    assert world.deploy(delivery).outcome is Outcome.UNCHANGED
    assert world.parameters.labelled(NAME, "ecs-cd.verified") == [2]


def test_the_same_delivery_within_the_bake_time_queues_no_run(world: World) -> None:
    world.services.play(serving("101"), baking())
    delivery = vary(world.delivery(), rollout_until=RolloutUntil.PRODUCTION_TRAFFIC)
    world.deploy(delivery)
    assert world.deploy(delivery).outcome is Outcome.DEPLOYED
    assert world.pipelines.calls.count("queue") == 1
    assert world.parameters.labelled(NAME, "ecs-cd.verified") == []


def test_the_bake_time_is_waited_for_by_default(world: World) -> None:
    world.services.play(serving("101"), baking(), baking(), baking("SUCCESSFUL"))
    assert world.deploy().outcome is Outcome.DEPLOYED
    assert world.parameters.labelled(NAME, "ecs-cd.verified") == [2]
