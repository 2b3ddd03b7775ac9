from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ecs_cd.aws import Aws, AwsSettings
from ecs_cd.aws.services import EcsServices
from ecs_cd.aws.task_definitions import MAX_SINGLE_REQUESTS
from ecs_cd.errors import RolloutFailed, UnexpectedAnswer
from ecs_cd.model.image_name import container_image
from ecs_cd.model.service import Container, ServiceSnapshot, ServiceTarget
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws import EcsScheduler
from ecs_cd_sandbox.aws.ecs_backend import EcsBackend
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.aws.conftest import Answering, Connect, http

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TARGET = ServiceTarget("development", "my-api", "api")
Deploy = Callable[..., str]


@pytest.fixture
def scheduler(aws: Cloud) -> EcsScheduler:
    aws.create_cluster("development")
    aws.create_repository("my-api")
    for tag in ("101", "102"):
        aws.push_image("my-api", tag)
    return EcsScheduler(aws)


@pytest.fixture
def deploy(aws: Cloud) -> Deploy:
    """Register a revision with the tag, and create or update the service with it; return the revision's ARN."""

    def go(tag: str, *, service: str = "my-api", controller: str = "ECS") -> str:
        ecs = aws.client("ecs")
        image = {"name": "api", "image": f"{REGISTRY}/my-api:{tag}", "memory": 64}
        revision = ecs.register_task_definition(family="my-api", containerDefinitions=[image])["taskDefinition"]
        arn = str(revision["taskDefinitionArn"])
        if ecs.describe_services(cluster="development", services=[service])["services"]:
            ecs.update_service(cluster="development", service=service, taskDefinition=arn)
        else:
            ecs.create_service(
                cluster="development",
                serviceName=service,
                desiredCount=1,
                deploymentController={"type": controller},
                **({"taskDefinition": arn} if controller == "ECS" else {}),
            )
        return arn

    return go


def ticked(scheduler: EcsScheduler, times: int = 4) -> None:
    for _ in range(times):
        scheduler.tick()


def test_a_snapshot_shows_the_rollout_and_the_image(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    ticked(scheduler)
    deploy("102")
    scheduler.tick()
    snapshot = adapter.services.snapshot(TARGET)
    assert snapshot is not None
    assert snapshot.primary is not None
    assert (snapshot.status, snapshot.controller, snapshot.desired) == ("ACTIVE", "ECS", 1)
    assert snapshot.primary.rollout_state == "IN_PROGRESS"
    assert snapshot.primary.task_definition.containers == (Container("api", f"{REGISTRY}/my-api:102"),)
    assert [d.status for d in snapshot.deployments] == ["PRIMARY", "ACTIVE"]
    ticked(scheduler)
    done = adapter.services.snapshot(TARGET)
    assert done is not None
    assert done.primary is not None
    assert (done.primary.rollout_state, done.primary.running) == ("COMPLETED", 1)
    assert done.events[0].message.startswith("(service my-api)")


def test_a_task_definition_and_a_revision_are_asked_for_once(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    ticked(scheduler)
    aws.forget_requests()
    for _ in range(3):
        adapter.services.snapshot(TARGET)
    assert asked(aws) == {
        "DescribeServices": 3,
        "DescribeTaskDefinition": 1,
        "DescribeServiceRevisions": 1,
        "ListServiceDeployments": 3,
        "DescribeServiceDeployments": 1,
    }


def test_a_brief_look_takes_two_requests(aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy) -> None:
    deploy("1")
    aws.forget_requests()
    found = adapter.services.brief(TARGET)
    assert found
    assert found.primary
    assert found.primary.task_definition.containers
    assert [request.operation for request in aws.requests] == ["DescribeServices", "DescribeTaskDefinition"]
    assert adapter.services.brief(ServiceTarget("development", "none")) is None
    with pytest.raises(RolloutFailed, match="no such cluster"):
        adapter.services.brief(ServiceTarget("nowhere", "none"))


def test_the_latest_revision_of_a_task_definition_is_found_by_its_family(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    arn = deploy("102")
    found = adapter.services.task_definition("my-api")
    assert found
    assert (found.arn, found.containers[0].image) == (arn, f"{REGISTRY}/my-api:102")
    assert adapter.services.task_definition("no-such-family") is None


def digests(found: ServiceSnapshot | None) -> tuple[str, ...]:
    assert found
    assert found.primary
    return found.primary.digests


def test_a_snapshot_shows_the_digest_that_runs_whatever_the_tag_is_by_now(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    ticked(scheduler)
    old, new = digests(adapter.services.snapshot(TARGET)), aws.push_image("my-api", "101", content="again")
    assert old
    assert digests(adapter.services.snapshot(TARGET)) == old != (new,)


def test_a_forced_deployment_of_the_same_task_definition_has_a_digest_of_its_own(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    ticked(scheduler)
    old = digests(adapter.services.snapshot(TARGET))
    new = aws.push_image("my-api", "101", content="again")
    aws.client("ecs").update_service(cluster="development", service="my-api", forceNewDeployment=True)
    scheduler.tick()
    going = adapter.services.snapshot(TARGET)
    assert going
    assert {one.status: one.digests for one in going.deployments} == {"PRIMARY": (new,), "ACTIVE": old}
    ticked(scheduler)
    assert digests(adapter.services.snapshot(TARGET)) == (new,)


@pytest.fixture
def twins(aws: Cloud, scheduler: EcsScheduler) -> EcsScheduler:
    """A service with two containers of one image, and a sidecar from another registry."""
    image = f"{REGISTRY}/my-api:101"
    containers = [{"name": name, "image": image, "memory": 64} for name in ("web", "worker")]
    containers.append({"name": "agent", "image": "r.io/agent:7", "memory": 64})
    aws.client("ecs").register_task_definition(family="twins", containerDefinitions=containers)
    aws.client("ecs").create_service(cluster="development", serviceName="twins", taskDefinition="twins", desiredCount=1)
    ticked(scheduler)
    return scheduler


def test_containers_with_one_image_are_judged_together(aws: Cloud, adapter: Aws, twins: EcsScheduler) -> None:
    both = ServiceTarget("development", "twins", repository="my-api")
    found = digests(adapter.services.snapshot(both))
    assert found == digests(adapter.services.snapshot(replace(both, container="worker")))
    aws.forget_requests()
    adapter.services.snapshot(both)
    assert "DescribeServiceRevisions" not in asked(aws), "the sidecar has no digest, and is none of ours"


def test_where_revisions_may_not_be_seen_the_tasks_tell(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    scheduler.show_digests(tasks="platform", revisions="index")
    index = aws.push_index("my-api", "102")
    deploy("102")
    ticked(scheduler)
    assert digests(adapter.services.snapshot(TARGET)) == (index.digest,)
    adapter.services = EcsServices(adapter.services._ecs)
    aws.forget_requests()
    aws.inject("ecs", "DescribeServiceRevisions", ErrorAnswer("AccessDeniedException"))
    for _ in range(2):
        found = adapter.services.snapshot(TARGET)
        assert digests(found) == (index.platforms["linux/amd64"],)
        assert found
        assert found.unseen == ()
    counted = asked(aws)
    assert (counted["DescribeServiceRevisions"], counted["ListTasks"], counted["DescribeTasks"]) == (1, 2, 2)


def test_where_neither_may_be_seen_the_snapshot_says_why_and_nobody_asks_again(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    deploy("101")
    ticked(scheduler)
    aws.forget_requests()
    aws.inject("ecs", "DescribeServiceRevisions", ErrorAnswer("AccessDeniedException"))
    aws.inject("ecs", "ListTasks", ErrorAnswer("AccessDeniedException"))
    for _ in range(2):
        found = adapter.services.snapshot(TARGET)
        assert found
        assert digests(found) == ()
        assert [reason.partition(" (")[0] for reason in found.unseen] == [
            "Cannot see 1 service revisions",
            "Cannot see the running tasks of ECS service 'my-api'",
        ]
    counted = asked(aws)
    assert (counted["DescribeServiceRevisions"], counted["ListTasks"], counted.get("DescribeTasks")) == (1, 1, None)


def test_a_missing_service_is_none(adapter: Aws, scheduler: EcsScheduler) -> None:
    assert adapter.services.snapshot(TARGET) is None


def test_a_missing_cluster_is_named(adapter: Aws) -> None:
    with pytest.raises(RolloutFailed, match=r"in cluster 'development' \(eu-west-1\): there is no such cluster"):
        adapter.services.snapshot(TARGET)


@pytest.mark.parametrize("body", ["{}", '{"services": [{"serviceName": "my-api"}]}', '{"services": [7]}'])
def test_an_answer_of_another_shape_is_told_as_such(connected: Connect, answering: Answering, body: str) -> None:
    url = answering(http("200 OK", body))
    with pytest.raises(UnexpectedAnswer):
        connected(AwsSettings(region="eu-west-1", endpoint_url=url)).services.snapshot(TARGET)


def test_task_sets_stand_for_deployments_where_another_controller_moves_the_tasks(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    arn = deploy("101", controller="EXTERNAL")
    ecs = aws.client("ecs")
    made = ecs.create_task_set(cluster="development", service="my-api", taskDefinition=arn)["taskSet"]
    ecs.update_service_primary_task_set(cluster="development", service="my-api", primaryTaskSet=made["taskSetArn"])
    snapshot = adapter.services.snapshot(TARGET)
    assert snapshot is not None
    assert snapshot.primary is not None
    assert (snapshot.controller, snapshot.primary.task_definition.arn) == ("EXTERNAL", arn)
    assert (snapshot.primary.steady, snapshot.primary.rollout_state) == (True, "")


def test_stopped_tasks_tell_why(aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy) -> None:
    old = deploy("101")
    ticked(scheduler)
    scheduler.behave("crash-loop", tag="102")
    new = deploy("102")
    ticked(scheduler, 8)
    tasks = adapter.services.stopped_tasks(TARGET, new)
    assert tasks
    assert {task.task_definition_arn for task in tasks} == {new}
    assert (tasks[0].reason, tasks[0].stop_code) == ("Essential container in task exited", "EssentialContainerExited")
    api = tasks[0].containers[0]
    assert (api.name, api.exit_code, api.essential) == ("api", 1, True)
    assert [t.stopped_at for t in tasks] == sorted((t.stopped_at for t in tasks if t.stopped_at), reverse=True)
    assert old not in {task.task_definition_arn for task in tasks}


def test_many_services_take_one_request_for_every_ten(
    aws: Cloud, adapter: Aws, scheduler: EcsScheduler, deploy: Deploy
) -> None:
    targets = [ServiceTarget("development", f"service-{n}") for n in range(12)]
    for target in targets:
        deploy("101", service=target.service)
    missing = ServiceTarget("development", "missing")
    aws.forget_requests()
    found = adapter.services.snapshots([*targets, missing])
    assert list(found) == targets
    assert [r.operation for r in aws.requests].count("DescribeServices") == 2


@pytest.fixture
def fleet(aws: Cloud) -> list[ServiceTarget]:
    """More services than are asked for one by one, each with a task definition of its own and a sidecar."""
    aws.create_cluster("fleet")
    ecs = aws.client("ecs")
    targets = [ServiceTarget("fleet", f"service-{n}", "api") for n in range(MAX_SINGLE_REQUESTS + 5)]
    for target in targets:
        containers = [{"name": "api", "image": f"r.io/{target.service}:7", "memory": 64}]
        containers += [{"name": "sidecar", "image": "r.io/proxy:1", "memory": 64}]
        ecs.register_task_definition(family=target.service, containerDefinitions=containers)
        ecs.create_service(cluster="fleet", serviceName=target.service, taskDefinition=target.service, desiredCount=0)
    aws.forget_requests()
    return targets


def asked(aws: Cloud) -> dict[str, int]:
    return dict(Counter(request.operation for request in aws.requests))


def images(found: Mapping[ServiceTarget, ServiceSnapshot]) -> set[str]:
    primaries = [snapshot.primary for snapshot in found.values()]
    return {container_image(one.task_definition, target) for target, one in zip(found, primaries, strict=True) if one}


def test_the_definitions_of_many_services_take_one_request_for_every_twenty(
    aws: Cloud, adapter: Aws, fleet: list[ServiceTarget]
) -> None:
    found = adapter.services.snapshots(fleet)
    assert images(found) == {f"r.io/{target.service}:7" for target in fleet}
    assert asked(aws) == {"DescribeServices": 3, "DescribeServiceRevisions": 2}
    aws.forget_requests()
    assert adapter.services.snapshots(fleet) == found
    assert asked(aws) == {"DescribeServices": 3}


def test_a_few_definitions_are_asked_for_one_by_one(aws: Cloud, adapter: Aws, fleet: list[ServiceTarget]) -> None:
    adapter.services.snapshots(fleet[:MAX_SINGLE_REQUESTS])
    assert asked(aws) == {"DescribeServices": 2, "DescribeTaskDefinition": MAX_SINGLE_REQUESTS}


def test_where_revisions_may_not_be_seen_definitions_are_asked_for_one_by_one(
    aws: Cloud, adapter: Aws, fleet: list[ServiceTarget]
) -> None:
    aws.inject("ecs", "DescribeServiceRevisions", ErrorAnswer("AccessDeniedException"), times=2)
    assert len(images(adapter.services.snapshots(fleet))) == len(fleet)
    assert asked(aws)["DescribeTaskDefinition"] == len(fleet)


@pytest.mark.parametrize(
    "item",
    [
        [],
        [{"containerName": "sidecar", "image": "r.io/proxy:1"}],
        [{"containerName": "api"}],
    ],
)
def test_a_revision_without_the_container_that_is_meant_is_not_enough(
    aws: Cloud,
    adapter: Aws,
    fleet: list[ServiceTarget],
    monkeypatch: pytest.MonkeyPatch,
    item: list[dict[str, str]],
) -> None:
    real = EcsBackend.describe_service_revisions

    def partial(self: EcsBackend, arns: list[str]) -> list[dict[str, Any]]:
        revisions = real(self, arns)
        return [
            {**one, "containerImages": item} if "/service-3/" in one["serviceRevisionArn"] else one for one in revisions
        ]

    monkeypatch.setattr(EcsBackend, "describe_service_revisions", partial)
    assert images(adapter.services.snapshots(fleet)) == {f"r.io/{target.service}:7" for target in fleet}
    assert asked(aws)["DescribeTaskDefinition"] == 1


def test_a_container_that_is_not_named_is_known_by_its_repository_or_else_asked_for(
    aws: Cloud, adapter: Aws, fleet: list[ServiceTarget]
) -> None:
    by_repository = [replace(target, container="", repository=target.service) for target in fleet[1:]]
    unclear = replace(fleet[0], container="", repository="other")
    found = adapter.services.snapshots([*by_repository, unclear])
    del found[unclear]
    assert images(found) == {f"r.io/{target.service}:7" for target in by_repository}
    assert asked(aws)["DescribeTaskDefinition"] == 1
