from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_cd_sandbox.aws import Aws


@pytest.fixture
def codedeploy(aws: Aws) -> Any:  # noqa: ANN401 - a boto3 client
    client = aws.client("codedeploy")
    client.create_application(applicationName="my-api", computePlatform="ECS")
    client.create_deployment_group(
        applicationName="my-api",
        deploymentGroupName="my-api",
        serviceRoleArn="arn:aws:iam::123456789012:role/codedeploy",
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        ecsServices=[{"serviceName": "my-api", "clusterName": "development"}],
    )
    return client


def deploy(codedeploy: Any) -> str:  # noqa: ANN401 - likewise
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}}
    made = codedeploy.create_deployment(applicationName="my-api", deploymentGroupName="my-api", revision=revision)
    return str(made["deploymentId"])


def info(codedeploy: Any, deployment: str) -> dict[str, Any]:  # noqa: ANN401 - likewise
    return dict(codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"])


def test_a_deployment_of_an_ecs_service_goes_as_chosen(aws: Aws, codedeploy: Any) -> None:  # noqa: ANN401 - likewise
    made = deploy(codedeploy)
    assert re.fullmatch(r"d-[A-Z0-9]{9}", made)
    begun = info(codedeploy, made)
    assert (begun["status"], begun["computePlatform"], begun["creator"]) == ("Created", "ECS", "user")
    assert "errorInformation" not in begun
    aws.set_codedeploy(made, "InProgress")
    going = info(codedeploy, made)
    assert (going["status"], "startTime" in going, "completeTime" in going) == ("InProgress", True, False)
    aws.set_codedeploy(made, "Failed", code="ALARM_ACTIVE", message="One or more alarms have been activated")
    ended = codedeploy.batch_get_deployments(deploymentIds=[made])["deploymentsInfo"][0]
    assert ended["errorInformation"] == {"code": "ALARM_ACTIVE", "message": "One or more alarms have been activated"}
    assert "completeTime" in ended


def test_deployments_are_listed_by_group_and_status(aws: Aws, codedeploy: Any) -> None:  # noqa: ANN401 - likewise
    first, second = deploy(codedeploy), deploy(codedeploy)
    aws.set_codedeploy(first, "Succeeded")
    group = {"applicationName": "my-api", "deploymentGroupName": "my-api"}
    assert set(codedeploy.list_deployments(**group)["deployments"]) == {first, second}
    assert codedeploy.list_deployments(**group, includeOnlyStatuses=["Created"])["deployments"] == [second]


def test_a_stopped_deployment_says_that_somebody_stopped_it(codedeploy: Any) -> None:  # noqa: ANN401 - likewise
    made = deploy(codedeploy)
    assert codedeploy.stop_deployment(deploymentId=made)["status"] == "Succeeded"
    found = info(codedeploy, made)
    assert (found["status"], found["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    with pytest.raises(codedeploy.exceptions.DeploymentAlreadyCompletedException):
        codedeploy.stop_deployment(deploymentId=made)
    with pytest.raises(codedeploy.exceptions.DeploymentDoesNotExistException):
        codedeploy.stop_deployment(deploymentId="d-000000000")


def test_a_task_set_names_the_deployment_that_made_it(aws: Aws, codedeploy: Any) -> None:  # noqa: ANN401 - likewise
    made = deploy(codedeploy)
    ecs = aws.client("ecs")
    aws.create_cluster("development")
    containers = [{"name": "api", "image": "r.io/my-api:1", "memory": 64}]
    ecs.register_task_definition(family="my-api", containerDefinitions=containers)
    ecs.create_service(
        cluster="development", serviceName="my-api", desiredCount=1, deploymentController={"type": "CODE_DEPLOY"}
    )
    ecs.create_task_set(cluster="development", service="my-api", taskDefinition="my-api:1", externalId=made)
    service = ecs.describe_services(cluster="development", services=["my-api"])["services"][0]
    assert service["taskSets"][0]["externalId"] == made
    assert ecs.list_service_deployments(cluster="development", service="my-api")["serviceDeployments"] == []


def test_a_status_codedeploy_has_not_is_refused(aws: Aws, codedeploy: Any) -> None:  # noqa: ANN401 - likewise
    with pytest.raises(ValueError, match="unknown status 'Done'"):
        aws.set_codedeploy(deploy(codedeploy), "Done")
