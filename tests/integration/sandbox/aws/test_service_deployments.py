from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecs_cd_sandbox.aws.ecs_service_deployment import Counts, Monitor, ServiceDeployment
from ecs_cd_sandbox.aws.ecs_service_revision import RevisionImage, ServiceRevision
from tests.integration.sandbox.aws.fleet import REGISTRY, Fleet

BREAKER = "Service deployment rolled back because the circuit breaker threshold was exceeded."


def test_each_deployment_is_recorded_from_its_begin_to_its_end(fleet: Fleet) -> None:
    fleet.create(count=2)
    first = fleet.deployment()
    fleet.update("102")
    begun = fleet.deployment()
    assert (begun["status"], "startedAt" in begun) == ("PENDING", False)
    assert fleet.describe()["currentServiceDeployment"] == begun["serviceDeploymentArn"]
    fleet.tick()
    going = fleet.deployment()
    new, old = going["targetServiceRevision"], going["sourceServiceRevisions"]
    assert (going["status"], "startedAt" in going, "finishedAt" in going) == ("IN_PROGRESS", True, False)
    assert (new["requestedTaskCount"], new["pendingTaskCount"], new["runningTaskCount"]) == (2, 2, 0)
    assert [(one["arn"], one["runningTaskCount"]) for one in old] == [(first["targetServiceRevision"]["arn"], 2)]
    assert going["deploymentCircuitBreaker"] == {"status": "MONITORING", "failureCount": 0, "threshold": 3}
    assert going["alarms"] == {"status": "DISABLED"}
    fleet.tick(3)
    done = fleet.deployment()
    assert (done["status"], "finishedAt" in done, "stoppedAt" in done) == ("SUCCESSFUL", True, False)
    assert done["targetServiceRevision"]["runningTaskCount"] == 2
    assert done["sourceServiceRevisions"][0]["runningTaskCount"] == 0
    assert done["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"
    assert "currentServiceDeployment" not in fleet.describe()
    assert first["sourceServiceRevisions"] == []


def test_a_deployment_and_its_revision_have_the_same_number(fleet: Fleet) -> None:
    fleet.create()
    service = fleet.describe()
    number = service["deployments"][0]["id"].removeprefix("ecs-svc/")
    listed = fleet.listed()[0]
    assert listed["targetServiceRevisionArn"].endswith(f":service-revision/development/my-api/{number}")
    assert service["currentServiceRevisions"][0]["arn"] == listed["targetServiceRevisionArn"]
    assert number not in listed["serviceDeploymentArn"]
    assert ":service-deployment/development/my-api/" in listed["serviceDeploymentArn"]


def test_the_counts_of_a_finished_deployment_stay_as_they_were(fleet: Fleet) -> None:
    fleet.create()
    fleet.ecs.update_service(cluster="development", service="my-api", desiredCount=3)
    fleet.tick(4)
    assert fleet.deployment()["targetServiceRevision"]["runningTaskCount"] == 1


def test_a_tripped_circuit_breaker_rolls_the_service_deployment_back(fleet: Fleet) -> None:
    fleet.create()
    old = fleet.listed()[0]["targetServiceRevisionArn"]
    fleet.scheduler.behave("crash-loop", tag="103")
    fleet.update("103")
    fleet.tick(7)
    going = fleet.deployment()
    assert (going["status"], going["statusReason"]) == ("ROLLBACK_IN_PROGRESS", BREAKER)
    assert (going["rollback"]["serviceRevisionArn"], going["rollback"]["reason"]) == (old, BREAKER)
    assert going["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    fleet.tick(5)
    done = fleet.deployment()
    assert (done["status"], done["statusReason"]) == ("ROLLBACK_SUCCESSFUL", BREAKER)
    assert done["targetServiceRevision"]["arn"] != old
    assert len(fleet.listed()) == 2


@pytest.mark.parametrize(
    ("breaker", "status", "reason"),
    [
        ((True, True), "ROLLBACK_FAILED", "No rollback candidate was found to run the rollback."),
        ((True, False), "STOPPED", "Service deployment stopped because the circuit breaker threshold was exceeded."),
    ],
)
def test_a_first_deployment_that_fails_returns_to_nothing(
    fleet: Fleet, breaker: tuple[bool, bool], status: str, reason: str
) -> None:
    fleet.scheduler.behave("crash-loop")
    fleet.create(breaker=breaker)
    fleet.tick(10)
    found = fleet.deployment()
    assert (found["status"], found["statusReason"]) == (status, reason)
    assert ("stoppedAt" in found) == (status == "STOPPED")
    assert "rollback" not in found


def test_a_superseded_deployment_is_stopped(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("stuck", tag="102")
    fleet.update("102")
    fleet.tick(2)
    fleet.update("103")
    assert [one["status"] for one in fleet.listed()] == ["PENDING", "STOPPED", "SUCCESSFUL"]
    fleet.tick(4)
    assert [one["status"] for one in fleet.listed()] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_a_person_rolls_a_deployment_back(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("stuck", tag="102")
    fleet.update("102")
    fleet.tick(2)
    arn = fleet.listed()[0]["serviceDeploymentArn"]
    assert fleet.ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    assert fleet.deployment()["status"] == "ROLLBACK_REQUESTED"
    fleet.tick()
    assert fleet.deployment()["status"] == "ROLLBACK_IN_PROGRESS"
    fleet.tick(5)
    found = fleet.deployment()
    assert found["status"] == "ROLLBACK_SUCCESSFUL"
    assert found["statusReason"] == found["rollback"]["reason"]
    assert fleet.describe()["taskDefinition"].endswith(":1")
    with pytest.raises(fleet.ecs.exceptions.ConflictException):
        fleet.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")


def test_a_person_ends_a_deployment_where_it_is(fleet: Fleet) -> None:
    fleet.create()
    fleet.update("102")
    fleet.tick(1)
    arn = fleet.listed()[0]["serviceDeploymentArn"]
    fleet.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    assert fleet.deployment()["status"] == "STOP_REQUESTED"
    fleet.tick(3)
    found = fleet.deployment()
    assert (found["status"], "stoppedAt" in found) == ("STOPPED", True)
    assert fleet.shape() == [("PRIMARY", "FAILED", 0, 0, 0), ("ACTIVE", "COMPLETED", 1, 0, 0)]


def test_deployments_are_listed_newest_first_by_pages_states_and_times(fleet: Fleet) -> None:
    fleet.create()
    for tag in ("102", "103"):
        fleet.update(tag)
        fleet.tick(4)
    everything = [one["serviceDeploymentArn"] for one in fleet.listed()]
    page = fleet.ecs.list_service_deployments(cluster="development", service="my-api", maxResults=2)
    rest = fleet.ecs.list_service_deployments(cluster="development", service="my-api", nextToken=page["nextToken"])
    paged = [one["serviceDeploymentArn"] for one in page["serviceDeployments"] + rest["serviceDeployments"]]
    assert paged == everything
    assert "nextToken" not in rest
    assert fleet.listed(status=["IN_PROGRESS"]) == []
    assert len(fleet.listed(status=["SUCCESSFUL"])) == 3
    soon = datetime.now(timezone.utc) + timedelta(minutes=1)
    assert fleet.listed(createdAt={"after": soon}) == []
    assert len(fleet.listed(createdAt={"after": soon - timedelta(hours=1), "before": soon})) == 3


def test_what_is_not_there_is_a_failure_or_an_error(fleet: Fleet) -> None:
    fleet.create()
    base = fleet.listed()[0]["serviceDeploymentArn"].rpartition("/")[0]
    found = fleet.ecs.describe_service_deployments(serviceDeploymentArns=[f"{base}/none"])
    assert (found["serviceDeployments"], found["failures"]) == ([], [{"arn": f"{base}/none", "reason": "MISSING"}])
    with pytest.raises(fleet.ecs.exceptions.ServiceNotFoundException):
        fleet.ecs.list_service_deployments(cluster="development", service="nope")
    with pytest.raises(fleet.ecs.exceptions.ClusterNotFoundException):
        fleet.ecs.list_service_deployments(cluster="nope", service="my-api")
    with pytest.raises(fleet.ecs.exceptions.ServiceDeploymentNotFoundException):
        fleet.ecs.stop_service_deployment(serviceDeploymentArn=f"{base}/none")
    with pytest.raises(ClientError, match="between 1 and 20"):
        fleet.ecs.describe_service_deployments(serviceDeploymentArns=[base] * 21)


def test_deployments_go_with_their_service(fleet: Fleet) -> None:
    fleet.create()
    listed = fleet.listed()[0]
    fleet.ecs.delete_service(cluster="development", service="my-api", force=True)
    arns = [listed["serviceDeploymentArn"]]
    assert fleet.ecs.describe_service_deployments(serviceDeploymentArns=arns)["failures"][0]["reason"] == "MISSING"


def test_a_tag_pushed_again_changes_nothing_until_a_new_deployment(fleet: Fleet) -> None:
    fleet.create("102", count=2)
    before = fleet.aws.push_image("my-api", "102")
    after = fleet.aws.push_image("my-api", "102", content="another build")
    arn = fleet.listed()[0]["targetServiceRevisionArn"]
    fleet.ecs.update_service(cluster="development", service="my-api", desiredCount=3)
    fleet.tick(3)
    assert fleet.running_digests() == [before] * 3
    fleet.ecs.stop_task(cluster="development", task=fleet.tasks("RUNNING")[0]["taskArn"])
    fleet.tick(3)
    assert fleet.running_digests() == [before] * 3
    assert fleet.revision(arn)["containerImages"][1]["imageDigest"] == before
    fleet.ecs.update_service(cluster="development", service="my-api", forceNewDeployment=True)
    fleet.tick(4)
    assert fleet.running_digests() == [after] * 3
    assert fleet.listed()[0]["targetServiceRevisionArn"] != arn
    assert fleet.revision(fleet.listed()[0]["targetServiceRevisionArn"])["containerImages"][1]["imageDigest"] == after


def test_without_version_consistency_each_task_takes_what_the_tag_names(fleet: Fleet) -> None:
    before = fleet.aws.push_image("my-api", "102")
    container = {"name": "api", "image": f"{REGISTRY}/my-api:102", "memory": 64, "versionConsistency": "disabled"}
    fleet.ecs.register_task_definition(family="my-api", containerDefinitions=[container])
    fleet.ecs.create_service(cluster="development", serviceName="my-api", taskDefinition="my-api", desiredCount=1)
    fleet.tick(4)
    after = fleet.aws.push_image("my-api", "102", content="another build")
    fleet.ecs.update_service(cluster="development", service="my-api", desiredCount=2)
    fleet.tick(3)
    assert sorted(fleet.running_digests()) == sorted([before, after])
    shown = fleet.revision(fleet.listed()[0]["targetServiceRevisionArn"])["containerImages"]
    assert shown == [{"containerName": "api", "image": f"{REGISTRY}/my-api:102"}]


def test_a_tag_pushed_during_its_deployment_is_not_taken(fleet: Fleet) -> None:
    fleet.create("101")
    before = fleet.aws.push_image("my-api", "102")
    fleet.update("102")
    fleet.aws.push_image("my-api", "102", content="another build")
    fleet.tick(4)
    assert fleet.running_digests() == [before]


def test_a_rollback_returns_to_the_digest_that_ran(fleet: Fleet) -> None:
    fleet.create("101")
    before = fleet.aws.push_image("my-api", "101")
    fleet.aws.push_image("my-api", "101", content="another build")
    fleet.scheduler.behave("crash-loop", tag="103")
    fleet.update("103")
    fleet.tick(12)
    assert fleet.shape()[0][1] == "COMPLETED"
    assert fleet.running_digests() == [before]


@pytest.mark.parametrize("tag", ["102@{}", "@{}"])
def test_a_pinned_digest_runs_whatever_the_tag_names(fleet: Fleet, tag: str) -> None:
    digest = fleet.aws.push_image("my-api", "102")
    fleet.aws.push_image("my-api", "102", content="another build")
    fleet.create(tag.format(digest))
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert fleet.running_digests() == [digest]


def test_a_pinned_digest_that_is_not_there_cannot_be_pulled(fleet: Fleet) -> None:
    fleet.create(f"102@sha256:{'0' * 64}")
    assert "CannotPullContainerError" in fleet.tasks("STOPPED")[0]["stoppedReason"]


@pytest.mark.parametrize(("tag", "rollout"), [("102@{}", "102"), ("@{}", "102")])
def test_behaviour_by_tag_finds_pinned_digests(fleet: Fleet, tag: str, rollout: str) -> None:
    fleet.create()
    fleet.scheduler.behave("stuck", tag=rollout)
    fleet.update(tag.format(fleet.aws.push_image("my-api", "102")))
    fleet.tick(4)
    assert fleet.shape()[0] == ("PRIMARY", "IN_PROGRESS", 0, 0, 0)


@pytest.mark.parametrize(("architecture", "platform"), [("X86_64", "linux/amd64"), ("ARM64", "linux/arm64")])
@pytest.mark.parametrize("which", ["index", "platform"])
def test_an_index_shows_its_own_digest_or_its_platforms(
    fleet: Fleet, architecture: str, platform: str, which: str
) -> None:
    fleet.scheduler.show_digests(tasks=which, revisions=which)
    pushed = fleet.aws.push_index("my-api", "200")
    definition = fleet.definition("200", runtimePlatform={"cpuArchitecture": architecture})
    fleet.ecs.create_service(cluster="development", serviceName="my-api", taskDefinition=definition, desiredCount=1)
    fleet.tick(4)
    expected = pushed.digest if which == "index" else pushed.platforms[platform]
    assert fleet.running_digests() == [expected]
    shown = fleet.revision(fleet.listed()[0]["targetServiceRevisionArn"])["containerImages"][1]
    assert shown["imageDigest"] == expected


def test_an_index_in_ecr_names_its_platforms(fleet: Fleet) -> None:
    pushed = fleet.aws.push_index("my-api", "200")
    ecr = fleet.aws.client("ecr")
    found = ecr.batch_get_image(repositoryName="my-api", imageIds=[{"imageTag": "200"}])["images"][0]
    assert found["imageId"]["imageDigest"] == pushed.digest
    assert all(digest in found["imageManifest"] for digest in pushed.platforms.values())
    children = [{"imageDigest": digest} for digest in pushed.platforms.values()]
    assert len(ecr.describe_images(repositoryName="my-api", imageIds=children)["imageDetails"]) == 2


def test_a_kind_of_digest_nobody_knows_is_refused(fleet: Fleet) -> None:
    with pytest.raises(ValueError, match="choose index or platform"):
        fleet.scheduler.show_digests(tasks="both")


def test_a_moved_tag_leaves_its_image_without_a_tag(fleet: Fleet) -> None:
    before = fleet.aws.push_image("my-api", "102")
    after = fleet.aws.push_image("my-api", "102", content="another build")
    ecr = fleet.aws.client("ecr")
    found = {
        one["imageDigest"]: one.get("imageTags") for one in ecr.describe_images(repositoryName="my-api")["imageDetails"]
    }
    assert (found[after], found[before]) == (["102"], None)
    assert fleet.aws.push_image("my-api", "102") == before
    named = ecr.describe_images(repositoryName="my-api", imageIds=[{"imageTag": "102"}])["imageDetails"]
    assert [one["imageDigest"] for one in named] == [before]


def test_an_immutable_tag_does_not_move(fleet: Fleet) -> None:
    ecr = fleet.aws.client("ecr")
    ecr.put_image_tag_mutability(repositoryName="my-api", imageTagMutability="IMMUTABLE")
    before = fleet.aws.push_image("my-api", "102")
    with pytest.raises(ClientError):
        fleet.aws.push_image("my-api", "102", content="another build")
    assert fleet.aws.push_image("my-api", "102") == before


def _members(shape: Any, value: Any) -> None:  # noqa: ANN401 - botocore's shapes and JSON
    """Fail for a key that the API does not have: moto drops it in silence."""
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), f"{shape.name}: {set(value) - set(shape.members)}"
        for key, one in value.items():
            _members(shape.members[key], one)
    elif shape.type_name == "list":
        for one in value:
            _members(shape.member, one)


def test_nothing_is_answered_that_the_api_does_not_have() -> None:
    model = boto3.Session(region_name="eu-west-1").client("ecs").meta.service_model
    revision = ServiceRevision(
        "arn:r",
        "arn:aws:ecs:eu-west-1:1:service/c/s",
        "arn:c",
        "arn:t",
        "ARM64",
        [RevisionImage("a", "i", "d")],
        "FARGATE",
        "LATEST",
        {"awsvpcConfiguration": {"subnets": []}},
        [{"containerName": "a"}],
    )
    deployment = ServiceDeployment(
        revision,
        [revision],
        {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}},
        lambda _: Counts(1, 1, 1, 100.0, 0.0),
        3,
        breaker=Monitor(enabled=True),
        alarms=Monitor(enabled=True),
        lifecycle_stage="BAKE_TIME",
        hooks=[{"hookId": "h"}],
    )
    deployment.roll_back("r", revision)
    deployment.turn("STOPPED")
    _members(model.shape_for("ServiceDeployment"), deployment.describe())
    _members(model.shape_for("ServiceDeploymentBrief"), deployment.describe_briefly())
    _members(model.shape_for("ServiceRevision"), revision.describe("index"))
