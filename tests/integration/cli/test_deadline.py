"""The one deadline, reached in each phase: said with what was going on, and nothing is stopped in the clouds."""

from __future__ import annotations

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.support.called_commands import Called, Cli
from tests.support.simulated_clouds import SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102", "--timeout", "30s")
FOREVER = 10_000


def gave_up(called: Called, doing: str) -> Called:
    called.refused(3, "Gave up after 30 s, the deadline of the whole delivery", doing)
    assert "continue where this one stopped" in called.advice
    return called


def test_while_the_image_is_waited_for(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "999", "--wait-for-image", "10m", "--timeout", "30s")
    gave_up(called, "999")
    assert clouds.writes() == []


def test_while_the_parameter_is_throttled(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.inject("ssm", "PutParameter", ErrorAnswer("ThrottlingException", "Rate exceeded"), times=FOREVER)
    called = gave_up(cli(*DEPLOY), "writing parameter /my-api/development/docker-image-tag")
    assert "Rate exceeded" in called.sentence
    assert clouds.azure.recorder.find("POST", "/runs") == []
    assert clouds.value() == "101"


def test_while_the_run_waits_for_an_agent(cli: Cli, clouds: SimulatedClouds) -> None:
    with clouds.azure.agents_offline():
        called = gave_up(cli(*DEPLOY), "following run")
    assert "buildId=1" in called.out
    assert clouds.azure.wait(1) == "succeeded"


@pytest.mark.parametrize("output", ["text", "json"])
def test_while_the_run_applies(cli: Cli, clouds: SimulatedClouds, output: str) -> None:
    clouds.during_apply = lambda _: clouds.released.wait()
    called = cli(*DEPLOY, "--output", output)
    if output == "text":
        assert "'Terraform apply'" in gave_up(called, "following run").out
    else:
        assert (called.code, called.json["outcome"]) == (3, "timed-out")
        assert called.json["failure"]["retryable"] is True
    assert clouds.azure.recorder.find("PATCH") == []
    clouds.released.set()
    assert clouds.azure.wait(1) == "succeeded"


def test_while_ecs_replaces_its_tasks(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("stuck", service="my-api", tag="102")
    called = gave_up(cli(*DEPLOY), "waiting for ECS service my-api to serve 102")
    assert "event: " in called.out
    clouds.scheduler.forget()
    assert cli("verify", "my-api", "development", "--tag", "102").code == 0


def test_while_a_run_is_waited_for_alone(cli: Cli, clouds: SimulatedClouds) -> None:
    with clouds.azure.agents_offline():
        gave_up(cli("pipeline", "queue", "my-api", "development", "--wait", "--timeout", "30s"), "following run")
        gave_up(cli("pipeline", "wait", "1", "--timeout", "30s"), "following run")


def test_what_was_given_up_is_taken_up_by_the_next_call(cli: Cli, clouds: SimulatedClouds) -> None:
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY).code == 3
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"
