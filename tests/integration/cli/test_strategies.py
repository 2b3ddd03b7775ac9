"""Deliveries to services that ECS deploys blue/green, and to one that rejects the image while Terraform waits."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops import StepContext
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PARAMETER, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")


def configured(clouds: SimulatedClouds, **configuration: object) -> None:
    """Have the service deployed in another way; that starts no deployment."""
    clouds.aws.client("ecs").update_service(
        cluster="development",
        service="my-api",
        deploymentConfiguration=configuration,
    )


def latest(clouds: SimulatedClouds) -> dict[str, Any]:
    """Return the latest service deployment."""
    ecs = clouds.aws.client("ecs")
    listed = ecs.list_service_deployments(cluster="development", service="my-api")["serviceDeployments"]
    newest = max(listed, key=lambda one: one["createdAt"])["serviceDeploymentArn"]
    return dict(ecs.describe_service_deployments(serviceDeploymentArns=[newest])["serviceDeployments"][0])


def verified(clouds: SimulatedClouds) -> list[str]:
    """Return the tags that are marked as verified."""
    history = clouds.aws.client("ssm").get_parameter_history(Name=PARAMETER)["Parameters"]
    return [version["Value"] for version in history if "ecs-cd.verified" in version.get("Labels", [])]


def test_production_traffic_ends_a_delivery_while_the_bake_time_goes_on(cli: Cli, clouds: SimulatedClouds) -> None:
    configured(clouds, strategy="BLUE_GREEN", bakeTimeInMinutes=1380)
    called = cli(*DEPLOY, "--rollout-until", "production-traffic", "--output", "json")
    assert (called.code, called.json["outcome"]) == (0, "deployed")
    assert "has all production traffic in development; ECS can still take it back" in called.json["summary"]
    rollout = called.json["rollout"]
    assert (rollout["serving"], rollout["deployment"]["stage"]) == ("baking", "BAKE_TIME")
    assert (rollout["deployment"]["strategy"], rollout["deployment"]["production_traffic"]) == ("BLUE_GREEN", 100.0)
    assert rollout["deployment"]["bake_ends_at"]
    assert "stage BAKE_TIME until about" in called.err
    assert verified(clouds) == []


def test_a_delivery_at_a_pause_says_how_to_go_on_and_continue_does(cli: Cli, clouds: SimulatedClouds) -> None:
    pause = {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": {"timeoutInMinutes": 10_000, "action": "ROLLBACK"},
    }
    configured(clouds, strategy="BLUE_GREEN", lifecycleHooks=[pause])
    assert cli("continue", "my-api", "development").sentence.startswith("No deployment of ECS service 'my-api' in")
    waiting = cli(*DEPLOY, "--timeout", "2m")
    assert waiting.code == 3
    assert "It waits at POST_TEST_TRAFFIC_SHIFT since" in waiting.told
    assert waiting.advice.startswith("`ecs-cd continue my-api development` lets it go on.")
    clouds.forget()
    dry = cli("continue", "my-api", "development", "--dry-run")
    assert (dry.code, clouds.writes()) == (0, [])
    assert dry.out.startswith("my-api in development would go on: its deployment")
    answered = cli("continue", "my-api", "development", "--output", "json")
    assert (answered.code, answered.json["stage"]) == (0, "POST_TEST_TRAFFIC_SHIFT")
    assert (answered.json["rolled_back"], answered.json["dry_run"]) == (False, False)
    assert clouds.writes() == ["ContinueServiceDeployment"]
    assert cli(*DEPLOY).code == 0
    assert verified(clouds) == ["102"]


def test_what_ecs_rejects_while_terraform_waits_is_a_failure_of_ecs_and_is_taken_back(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    assert cli("deploy", "my-api", "development", "--tag", "101").code == 0  # 101 is verified
    clouds.scheduler.behave("crash-loop", tag="102")

    def wait_for_steady_state(context: StepContext) -> None:
        clouds.apply("development")
        for _ in range(100):
            if "finishedAt" in latest(clouds):
                break
            clouds.scheduler.tick()
        if clouds.value() == "102":
            context.fail("Error: waiting for ECS Service (my-api) update: tasks failed to start")

    clouds.during_apply = wait_for_steady_state
    called = cli(*DEPLOY, "--rollback", "on-failure", "--output", "json")
    failure = called.json["failure"]
    assert (called.code, failure["reason"]) == (1, "rolled-back-by-ecs")
    assert "its circuit breaker ended it after 3 failed tasks" in failure["message"]
    assert any(line.startswith("task stopped: ") for line in failure["details"])
    assert failure["details"][-1] == "Error: waiting for ECS Service (my-api) update: tasks failed to start"
    assert failure["link"].startswith(clouds.azure.url)
    assert "It was rolled back to 101 and is held there." in called.json["summary"]
    assert (clouds.value(), clouds.serves()) == ("101", "101")
