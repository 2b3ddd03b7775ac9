"""Whether there is a service to verify, as far as one look at it shows."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from ecs_cd.errors import AccessDenied, RolloutFailed, ServiceMissing, SettingsError, Throttled, Unreachable
from ecs_cd.messages import Message
from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, TaskDefinition, TaskTarget
from ecs_cd.rollout.preflight import RolloutPreflight, check_target
from ecs_cd.rollout.wanted import Wanted
from tests.support.fakes import FakeServices

TARGET = ServiceTarget("prod", "api", "api", "api")
DEFINITION = TaskDefinition("arn:aws:ecs:::task-definition/api:1", (Container("api", "r/api:1"), Container("x", "r/x")))
SERVICE = ServiceSnapshot(TARGET, "ACTIVE", 1, 1, deployments=(Deployment("d", "PRIMARY", DEFINITION),))


def checked(snapshot: ServiceSnapshot | None = None, target: ServiceTarget = TARGET) -> RolloutPreflight:
    services = FakeServices()
    if snapshot:
        services.play(replace(snapshot, target=target))
    return check_target(services, target)


def test_without_a_named_service_nothing_is_asked() -> None:
    services = FakeServices()
    assert check_target(services, None) == RolloutPreflight()
    assert services.calls == []


def test_a_service_with_its_container_is_not_refused() -> None:
    assert checked(SERVICE) == RolloutPreflight(SERVICE)


@pytest.mark.parametrize(
    ("snapshot", "problem"),
    [
        (None, "ECS cluster 'prod' has no service 'api'."),
        (replace(SERVICE, status="INACTIVE"), "ECS cluster 'prod' has no service 'api'."),
        (replace(SERVICE, status="DRAINING"), "ECS service 'api' in cluster 'prod' is DRAINING: it is being deleted."),
    ],
)
def test_what_is_not_there_or_is_going_is_missing(snapshot: ServiceSnapshot | None, problem: str) -> None:
    found = checked(snapshot)
    assert isinstance(found.refusal, ServiceMissing)
    assert (found.refusal.message, found.missing, found.snapshot) == (problem, True, None)
    assert isinstance(found.refusal.hint, Message)
    assert "`ecs_service=`" in found.refusal.hint
    assert "`allow_missing_service=`" in found.refusal.hint


def test_a_missing_cluster_is_called_that() -> None:
    services = FakeServices()
    services.fail("brief", RolloutFailed("There is no such cluster."))
    found = check_target(services, TARGET)
    assert isinstance(found.refusal, ServiceMissing)
    assert found.missing
    assert "no ECS cluster 'prod'" in found.refusal.message
    assert "`cluster=`" in found.refusal.hint


@pytest.mark.parametrize("target", [replace(TARGET, container="web"), ServiceTarget("prod", "api")])
def test_a_container_that_is_missing_or_not_clear_is_refused_with_those_there_are(target: ServiceTarget) -> None:
    found = checked(SERVICE, target)
    assert isinstance(found.refusal, SettingsError)
    assert found.missing
    assert "api, x" in found.refusal.message


def test_a_service_without_a_primary_deployment_has_no_container_yet() -> None:
    bare = replace(SERVICE, deployments=(), controller="EXTERNAL")
    assert checked(bare) == RolloutPreflight(bare)


def test_a_missing_right_is_refused_and_not_taken_for_a_missing_service() -> None:
    services = FakeServices()
    services.fail("brief", AccessDenied("No ecs:DescribeServices."))
    found = check_target(services, TARGET)
    assert isinstance(found.refusal, AccessDenied)
    assert not found.missing


@pytest.mark.parametrize("error", [Throttled("Rate exceeded."), Unreachable("No connection.")])
def test_what_may_pass_by_itself_refuses_nothing(error: Throttled) -> None:
    services = FakeServices()
    services.fail("brief", error)
    assert check_target(services, TARGET) == RolloutPreflight()


TASK = TaskTarget("api", "api")


def test_a_task_definition_with_its_container_is_not_refused() -> None:
    services = FakeServices()
    services.families["api"] = deque([DEFINITION])
    assert check_target(services, TASK) == RolloutPreflight(definition=DEFINITION)


def test_a_missing_family_and_a_missing_container_are_refused() -> None:
    services = FakeServices()
    found = check_target(services, TASK)
    assert isinstance(found.refusal, ServiceMissing)
    assert found.missing
    assert "no task definition 'api'" in found.refusal.message
    assert "`task_definition=`" in found.refusal.hint
    services.families["api"] = deque([DEFINITION])
    found = check_target(services, replace(TASK, container="web"))
    assert isinstance(found.refusal, SettingsError)
    assert found.missing


@pytest.mark.parametrize(("tag", "has"), [("1", True), ("2", False)])
def test_what_has_the_tag_already_needs_no_run(tag: str, has: bool) -> None:
    wanted = Wanted(ImageTag(tag))
    primary = replace(SERVICE.deployments[0], rollout_state="COMPLETED")
    assert RolloutPreflight(replace(SERVICE, deployments=(primary,))).has(TARGET, wanted) is has
    assert RolloutPreflight(definition=DEFINITION).has(TASK, wanted) is has
    assert not RolloutPreflight().has(None, wanted)
    assert not RolloutPreflight(SERVICE, refusal=SettingsError("?")).has(TARGET, wanted)
