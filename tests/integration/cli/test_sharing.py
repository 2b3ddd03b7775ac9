"""Deliveries that share a run, wait for a lock, or are given up by a person, as their caller sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd_sandbox.azure_devops import StepContext, Token
from tests.support.azure_in_memory import LOCK_ERROR
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PAT, PERSON, PIPELINE, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")


@pytest.fixture(autouse=True)
def plain_pipeline(clouds: SimulatedClouds) -> None:
    """A pipeline without parameters: the service fills in nothing that a delivery did not ask for."""
    clouds.azure.define(replace(clouds.pipeline(1), parameters={}))


def queued(clouds: SimulatedClouds) -> int:
    return len(clouds.azure.recorder.find("POST", "runs$"))


def test_a_delivery_started_again_joins_the_run_it_queued_before(cli: Cli, clouds: SimulatedClouds) -> None:
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, "--timeout", "30s").code == 3
        again = cli(*DEPLOY, "--timeout", "30s")
        assert "joined" in again.err and "which carries the tag as well" in again.err
    assert queued(clouds) == 1
    assert clouds.azure.wait(1) == "succeeded"
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def test_two_services_take_one_run(cli: Cli, clouds: SimulatedClouds) -> None:
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, "--timeout", "30s").code == 3
        assert cli("deploy", "my-worker", "development", "--tag", "103", "--timeout", "30s").code == 3
    assert queued(clouds) == 1
    assert clouds.azure.wait(1) == "succeeded"
    assert (clouds.serves(), clouds.serves("my-worker")) == ("102", "103")


def test_a_state_lock_is_waited_for_and_its_holder_told(cli: Cli, clouds: SimulatedClouds) -> None:
    met: list[int] = []

    def locked_twice(context: StepContext) -> None:
        met.append(context.run_id)
        if len(met) <= 2:
            for line in LOCK_ERROR:
                context.log(line)
            context.fail("Bash exited with code '1'.")

    clouds.during_apply = locked_twice
    called = cli(*DEPLOY, "--output", "json")
    assert called.code == 0, called.told
    assert (called.json["run"]["attempts"], called.json["run"]["origin"], met) == (3, "queued", [1, 2, 3])
    assert called.err.count("met Terraform's state lock: somebody@else holds it") == 2
    assert called.json["warnings"] == []
    assert clouds.serves() == "102"


def test_a_run_that_fails_after_it_brought_our_tag_is_success_with_a_warning(cli: Cli, clouds: SimulatedClouds) -> None:
    def fail_for_another(context: StepContext) -> None:
        clouds.during_apply = lambda _: None
        clouds._apply(context)
        context.log("Error: creating ECS Service (other)")
        context.fail("Bash exited with code '1'.")

    clouds.during_apply = fail_for_another
    called = cli(*DEPLOY, "--output", "json")
    assert (called.code, called.json["outcome"], called.json["run"]["state"]) == (0, "deployed", "failed")
    assert "Terraform apply" in called.json["warnings"][0]
    assert queued(clouds) == 1


def test_a_person_who_cancels_is_named_and_no_run_is_queued_in_its_place(cli: Cli, clouds: SimulatedClouds) -> None:
    def cancel(context: StepContext) -> None:
        clouds.cancel(context.run_id)

    clouds.during_apply = cancel
    called = cli(*DEPLOY)
    called.refused(1, "was cancelled by Ann Author")
    assert queued(clouds) == 1


@pytest.mark.parametrize("right", ["may_stop", "may_tag"])
def test_a_missing_right_to_make_several_runs_one_is_told_as_a_warning(
    cli: Cli, clouds: SimulatedClouds, right: str
) -> None:
    clouds.azure.tokens.add(Token(PAT, PERSON, **{right: False}))  # type: ignore[arg-type]  # a switch by its name
    clouds.azure.define(clouds.pipeline(1))  # its default is filled in: without a preview, no run is known to be alike
    clouds.azure.faults.answer("POST", "preview", status=403, times=9)
    with clouds.azure.agents_offline():
        assert cli("pipeline", "queue", "--pipeline", PIPELINE, "--branch", "develop").code == 0
        called = cli(*DEPLOY, "--timeout", "30s")
    missing = "Stop builds" if right == "may_stop" else "Edit build quality"
    assert "'Ann Author' may not do this" in called.out and missing in called.out
    assert clouds.azure.recorder.find("PATCH", "builds/[0-9]+$") == [] or right == "may_stop"
    assert {clouds.azure.wait(1), clouds.azure.wait(2)} == {"succeeded"}
