"""What is known before the write is said before it: nothing is written, and no run is queued (rule 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from ecs_cd_sandbox.azure_devops import Token
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PARAMETER, PAT, PERSON, PIPELINE, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")


def nothing_was_changed(clouds: SimulatedClouds) -> None:
    assert clouds.writes() == []
    versions = clouds.aws.client("ssm").get_parameter_history(Name=PARAMETER)["Parameters"]
    assert [version["Value"] for version in versions] == ["101"]
    assert clouds.azure.recorder.find("POST", "/runs") == []


@dataclass(frozen=True)
class Mistake:
    """What is given wrongly, how it is refused, and a word of the advice."""

    argv: tuple[str, ...]
    words: tuple[str, ...]
    advice: str
    code: int = 1


MISTAKES = [
    Mistake(("--branch", "nowhere"), ("no branch", "nowhere"), "branch"),
    Mistake(("--template-parameter", "colour=red"), ("template parameters", "colour"), "template_parameters"),
    Mistake(("--cluster", "nope"), ("no ECS cluster 'nope'",), "--cluster"),
    Mistake(("--ecs-service", "nope"), ("'development' has no service 'nope'",), "--ecs-service"),
    Mistake(("--container", "nope"), ("no container 'nope'", "datadog-agent"), "--container", 2),
    Mistake(("--container", "new-name"), ("no container 'new-name'",), "--allow-missing-service", 2),
]


@pytest.mark.parametrize("more", [(), ("--pipeline", "1", "--dry-run")])
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.argv[0])
def test_a_mistake_in_the_settings_is_refused(
    cli: Cli, clouds: SimulatedClouds, mistake: Mistake, more: tuple[str, ...]
) -> None:
    called = cli(*DEPLOY, *mistake.argv, *more).refused(mistake.code, *mistake.words)
    assert mistake.advice in called.advice
    nothing_was_changed(clouds)


@pytest.mark.parametrize("pipeline", [PIPELINE, "1"])
@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_a_pipeline_that_starts_no_run_is_refused_by_name_and_by_id(
    cli: Cli, clouds: SimulatedClouds, status: Literal["paused", "disabled"], pipeline: str
) -> None:
    clouds.azure.set_queue_status(1, status)
    called = cli(*DEPLOY, "--pipeline", pipeline).refused(1, PIPELINE, f"is {status}: ")
    assert {"disabled": "Enable it", "paused": "Resume it"}[status] in called.advice
    nothing_was_changed(clouds)


@pytest.mark.parametrize("pipeline", [PIPELINE, "1"])
def test_a_missing_right_to_queue_is_named(cli: Cli, clouds: SimulatedClouds, pipeline: str) -> None:
    clouds.azure.tokens.add(Token(PAT, PERSON, may_queue=frozenset()))
    called = cli(*DEPLOY, "--pipeline", pipeline).refused(1, "The owner of the PAT", "Queue builds", PIPELINE)
    assert "vso.build_execute" in called.advice
    nothing_was_changed(clouds)


def test_two_mistakes_are_both_told(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*DEPLOY, "--branch", "nowhere", "--cluster", "nope").refused(1, "no branch")
    assert "There is no ECS cluster 'nope'" in called.out
    nothing_was_changed(clouds)


@pytest.mark.parametrize("path", ["/preview", "/permissions/"])
@pytest.mark.parametrize("status", [401, 500])
def test_where_azure_devops_does_not_say_beforehand_the_delivery_goes_on(
    cli: Cli, clouds: SimulatedClouds, path: str, status: int
) -> None:
    body = {"message": "TF400813: The user is not authorized.", "typeKey": "UnauthorizedRequestException"}
    clouds.azure.faults.answer("*", path, status=status, body=body, times=9)
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def test_a_paused_pipeline_is_no_matter_to_a_delivery_that_needs_no_run(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.set_queue_status(1, "paused")
    assert cli("deploy", "my-api", "development", "--tag", "101", "--order", "numeric").code == 0
    clouds.aws.put_parameter(PARAMETER, "103")
    assert "superseded" in cli(*DEPLOY).out


def test_a_wait_for_an_image_ends_at_once_where_the_run_would_be_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.set_queue_status(1, "paused")
    argv = ("deploy", "my-api", "development", "--tag", "999", "--wait-for-image", "20m")
    cli(*argv).refused(1, "is paused")
    nothing_was_changed(clouds)


def test_a_first_delivery_may_come_before_the_service(cli: Cli, clouds: SimulatedClouds) -> None:
    """As where Terraform has made the parameter and is about to make the service."""

    def create(_: object) -> None:
        if clouds.value() == "102":
            clouds.create_service("my-new-api", "my-api", "102")

    clouds.during_apply = create
    new = ("--ecs-service", "my-new-api", "--container", "api")
    cli(*DEPLOY, *new).refused(1, "no service 'my-new-api'")
    nothing_was_changed(clouds)
    assert cli(*DEPLOY, *new, "--allow-missing-service").code == 0


@pytest.mark.parametrize("value", ["none", "102"])
def test_a_parameter_that_never_held_a_tag_that_served_says_that_it_is_the_first_delivery(
    cli: Cli, clouds: SimulatedClouds, value: str
) -> None:
    clouds.aws.put_parameter(PARAMETER, value)
    clouds.during_apply = lambda _: clouds.create_service("my-new-api", "my-api", "102")
    assert cli(*DEPLOY, "--ecs-service", "my-new-api", "--container", "api").code == 0


def test_a_service_that_was_deleted_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.client("ecs").delete_service(cluster="development", service="my-api", force=True)
    clouds.forget()
    cli(*DEPLOY).refused(1, "has no service 'my-api'")
    nothing_was_changed(clouds)


def test_a_rollback_is_refused_as_a_delivery_is(cli: Cli, clouds: SimulatedClouds) -> None:
    back = ("rollback", "my-api", "development", "--to", "102")
    cli(*back, "--branch", "nowhere").refused(1, "no branch")
    cli(*back, "--ecs-service", "nope").refused(1, "no service 'nope'")
    clouds.azure.set_queue_status(1, "paused")
    cli(*back).refused(1, "is paused")
    nothing_was_changed(clouds)


def test_several_services_ask_once_and_one_of_them_stops_all(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy-many", "development", "my-api=102", "my-worker=102", "--branch", "nowhere")
    assert called.code == 1
    assert len(clouds.azure.recorder.find("POST", "/preview")) == 1
    assert len(clouds.azure.recorder.find("GET", "/definitions")) == 1
    nothing_was_changed(clouds)
