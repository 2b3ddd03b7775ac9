"""Deliveries through real Terraform."""

from __future__ import annotations

import ecs_cd
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.sandbox import Sandbox


def images(sandbox: Sandbox, environment: str, service: str) -> dict[str, str]:
    """Return the containers of the task definition that a service has now, and their images."""
    ecs = sandbox.aws.client("ecs")
    arn = ecs.describe_services(cluster=environment, services=[service])["services"][0]["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return {container["name"]: container["image"] for container in definition["containerDefinitions"]}


def test_a_delivery_changes_the_task_definition_through_terraform(in_sandbox: Sandbox) -> None:
    in_sandbox.aws.push_image("my-api", "226")
    before = images(in_sandbox, "development", "my-api")
    report = ecs_cd.deploy("my-api", "development", tag="226")
    assert report.outcome is ecs_cd.Outcome.DEPLOYED, report.to_text()
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert images(in_sandbox, "development", "my-api") == {**before, "api": f"{registry}/my-api:226"}
    assert images(in_sandbox, "development", "my-worker") == {"worker": f"{registry}/my-worker:100"}
    assert images(in_sandbox, "production", "my-api") == before
    assert report.run and report.rollout
    assert report.rollout.image == f"{registry}/my-api:226"


def test_a_rollout_that_ecs_takes_back_fails_the_delivery_and_says_why(in_sandbox: Sandbox) -> None:
    in_sandbox.aws.push_image("my-worker", "227")
    lines = ("reading the queue", "KeyError: 'QUEUE_URL'")
    in_sandbox.scheduler.behave("crash-loop", service="my-worker", tag="227", log=lines)
    report = ecs_cd.deploy("my-worker", "development", tag="227")
    assert (report.outcome, report.exit_code) == (ecs_cd.Outcome.FAILED, 1), report.to_text()
    assert report.run and report.run.state == "succeeded"
    assert report.failure and report.failure.reason == "rolled-back-by-ecs"
    assert any("Essential container in task exited; worker: exit code 1" in line for line in report.failure.details)
    assert report.failure.details[1:3] == ("worker | reading the queue", "worker | KeyError: 'QUEUE_URL'")
    assert any("rolling back to deployment" in line for line in report.failure.details)
    assert [link.shows for link in report.links] == ["logs", "service"]


def test_a_failing_terraform_fails_the_delivery_with_its_own_words(in_sandbox: Sandbox) -> None:
    in_sandbox.aws.push_image("my-worker", "228")
    denied = ErrorAnswer("AccessDeniedException", "Not with this role.")
    in_sandbox.aws.inject("ecs", "RegisterTaskDefinition", denied)
    report = ecs_cd.deploy("my-worker", "production", tag="228")
    assert report.exit_code == 1
    assert report.failure and report.failure.reason == "run-failed"
    assert "'Apply'" in report.failure.message
    assert any("Error: " in line for line in report.failure.details), report.to_text()
    assert report.failure.link.startswith(in_sandbox.azure_devops.url)
