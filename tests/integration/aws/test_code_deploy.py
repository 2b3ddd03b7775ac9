"""Services that CodeDeploy deploys: its own deployment counts, and the task sets where that cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ecs_cd.aws import Aws
from ecs_cd.aws.code_deploy import CodeDeployments
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.aws.services import EcsServices
from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import Container, ServiceSnapshot, ServiceTarget, Serving, TaskDefinition, Verdict
from ecs_cd.model.service_deployment import RolloutUntil
from ecs_cd.rollout.judge import judge
from ecs_cd.rollout.wanted import Wanted
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.sandbox.aws.fleet import Fleet

TARGET = ServiceTarget("development", "my-api", "api")


@dataclass
class BlueGreen:
    """A service with a task set of 101 that serves, and one of 102 that CodeDeploy is moving it to."""

    aws: Cloud
    services: EcsServices
    deployment: str
    old: str
    new: str

    def look(self, until: RolloutUntil = RolloutUntil.COMPLETED) -> tuple[ServiceSnapshot, Verdict]:
        snapshot = self.services.snapshot(TARGET)
        assert snapshot
        return snapshot, judge(snapshot, Wanted(ImageTag("102"), until=until))

    def serve(self, task_set: str) -> None:
        """Move the traffic to a task set."""
        self.aws.client("ecs").update_service_primary_task_set(
            cluster="development", service="my-api", primaryTaskSet=task_set
        )


@pytest.fixture
def deploying(aws: Cloud, adapter: Aws) -> BlueGreen:
    fleet, ecs, codedeploy = Fleet(aws), aws.client("ecs"), aws.client("codedeploy")
    ecs.create_service(
        cluster="development", serviceName="my-api", desiredCount=1, deploymentController={"type": "CODE_DEPLOY"}
    )
    codedeploy.create_application(applicationName="my-api", computePlatform="ECS")
    made = []
    for tag in ("101", "102"):
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}}
        codedeploy.create_deployment_group(
            applicationName="my-api",
            deploymentGroupName=tag,
            serviceRoleArn="arn:aws:iam::123456789012:role/codedeploy",
        )
        deployment = codedeploy.create_deployment(applicationName="my-api", deploymentGroupName=tag, revision=revision)
        task_set = ecs.create_task_set(
            cluster="development",
            service="my-api",
            taskDefinition=fleet.definition(tag),
            launchType="FARGATE",
            externalId=deployment["deploymentId"],
            scale={"value": 100, "unit": "PERCENT"},
        )["taskSet"]
        made.append((deployment["deploymentId"], task_set["taskSetArn"]))
    fleet.tick(4)
    aws.set_codedeploy(made[0][0], "Succeeded")
    services = EcsServices(
        ServiceClient(adapter._ecs, adapter._region), ServiceClient(adapter._codedeploy, adapter._region)
    )
    found = BlueGreen(aws, services, made[1][0], made[0][1], made[1][1])
    found.serve(found.old)
    return found


def test_it_is_deployed_when_codedeploy_says_so_and_not_before(deploying: BlueGreen) -> None:
    deploying.aws.set_codedeploy(deploying.deployment, "InProgress")
    assert deploying.look()[1].serving is Serving.ROLLING
    deploying.serve(deploying.new)
    snapshot, verdict = deploying.look()
    assert verdict.serving is Serving.ROLLING
    record = snapshot.service_deployment
    assert record
    assert (record.id, record.strategy, record.status) == (deploying.deployment, "CODE_DEPLOY", "IN_PROGRESS")
    deploying.aws.set_codedeploy(deploying.deployment, "Baking")
    assert deploying.look()[1].serving is Serving.ROLLING
    assert deploying.look(RolloutUntil.PRODUCTION_TRAFFIC)[1].serving is Serving.BAKING
    deploying.aws.set_codedeploy(deploying.deployment, "Succeeded")
    assert deploying.look()[1].serving is Serving.DEPLOYED


@pytest.mark.parametrize(
    ("status", "code", "message", "sentence"),
    [
        ("Failed", "ALARM_ACTIVE", "One or more alarms have been activated.", "a CloudWatch alarm ended it."),
        ("Stopped", "MANUAL_STOP", "The deployment was stopped by a user.", "somebody stopped it."),
        ("Failed", "TIMEOUT", "The deployment timed out.", "CodeDeploy says: TIMEOUT: The deployment timed out."),
    ],
)
def test_a_bad_end_is_told_in_codedeploys_words(
    deploying: BlueGreen, status: str, code: str, message: str, sentence: str
) -> None:
    deploying.look()
    deploying.aws.set_codedeploy(deploying.deployment, status, code=code, message=message)
    deploying.aws.client("ecs").delete_task_set(
        cluster="development", service="my-api", taskSet=deploying.new, force=True
    )
    verdict = deploying.look()[1]
    assert verdict.serving is Serving.FAILED
    assert verdict.sentence.startswith("CodeDeploy stopped the deployment: ")
    assert sentence in verdict.sentence


def test_without_the_right_the_task_sets_count_and_it_is_said_once(deploying: BlueGreen) -> None:
    deploying.aws.inject("codedeploy", "GetDeployment", ErrorAnswer("AccessDeniedException"))
    deploying.aws.set_codedeploy(deploying.deployment, "InProgress")
    deploying.serve(deploying.new)
    snapshot, verdict = deploying.look()
    assert verdict.serving is Serving.DEPLOYED
    assert snapshot.service_deployment is None
    assert "GetDeployment" in snapshot.unseen[0]
    deploying.aws.forget_requests()
    deploying.look()
    assert "GetDeployment" not in [request.operation for request in deploying.aws.requests]


def test_a_task_set_of_another_tool_is_judged_as_such(deploying: BlueGreen) -> None:
    deploying.aws.inject("codedeploy", "GetDeployment", ErrorAnswer("DeploymentDoesNotExistException"))
    deploying.serve(deploying.new)
    assert deploying.look()[1].serving is Serving.DEPLOYED


# What the sandbox's CodeDeploy does not tell


@dataclass
class Answering:
    """A client of CodeDeploy that answers this."""

    info: dict[str, Any]

    def get_deployment(self, *, deploymentId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"deploymentInfo": {"deploymentId": deploymentId, **self.info}}


@pytest.mark.parametrize(
    ("info", "status", "stage"),
    [
        ({"status": "InProgress", "instanceTerminationWaitTimeStarted": True}, "IN_PROGRESS", "BAKE_TIME"),
        ({"status": "Ready"}, "IN_PROGRESS", "READY"),
        ({"status": "Stopped", "rollbackInfo": {"rollbackDeploymentId": "d-2"}}, "ROLLBACK_IN_PROGRESS", ""),
        ({"status": "Failed", "rollbackInfo": {}}, "STOPPED", ""),
    ],
)
def test_a_deployment_of_codedeploy_is_a_record_as_ecs_has_them(info: dict[str, Any], status: str, stage: str) -> None:
    client = Answering(info)
    definition = TaskDefinition("arn:task-definition/my-api:7", (Container("api", "my-api:7"),))
    deployments = CodeDeployments(ServiceClient(lambda: client, lambda: "eu-west-1"), lambda _: definition)
    service: Any = {
        "serviceArn": "arn:service/my-api",
        "deploymentController": {"type": "CODE_DEPLOY"},
        "taskSets": [{"id": "ecs-svc/1", "externalId": "d-1", "taskDefinition": definition.arn}],
    }
    record = deployments.current(service)
    assert record
    assert (record.status, record.stage, record.id) == (status, stage, "d-1")
    assert record.target
    assert record.target.images[0].image == "my-api:7"
    service["taskSets"] = []
    assert deployments.current(service) == record
    service["deploymentController"] = {"type": "EXTERNAL"}
    assert deployments.current(service) is None
