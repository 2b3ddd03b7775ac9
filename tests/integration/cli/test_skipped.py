"""Runs that succeed and leave out what applies, and pipelines with a stage for each branch, as their caller sees it."""

from __future__ import annotations

from dataclasses import replace

from ecs_cd_sandbox.azure_devops import (
    Environment,
    Identity,
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
    Token,
)
from tests.support.called_commands import Called, Cli
from tests.support.sandbox_api import Api
from tests.support.simulated_clouds import PAT, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
BOB = Identity("Bob Approver", "bob@example.com")
BOBS = Token("bob-0123456789abcdefghijklmnopqrstuvwxyz", BOB)
ON_MAIN = "eq(variables['Build.SourceBranch'], 'refs/heads/main')"


def without_service(clouds: SimulatedClouds) -> None:
    """Let my-api have no ECS service, as a scheduled task has none."""
    text = clouds.file.read_text(encoding="utf-8")
    clouds.file.write_text(text.replace('ecs: {cluster: "{environment}", container: api}', "ecs: null"), "utf-8")


def with_stages(clouds: SimulatedClouds, *stages: StageDefinition) -> PipelineDefinition:
    definition = replace(clouds.pipeline(1), stages=stages, parameters={})
    clouds.azure.define(definition)
    return definition


def applying(clouds: SimulatedClouds, name: str = "Apply", **more: object) -> StageDefinition:
    (stage,) = clouds.pipeline(1).stages
    return replace(stage, name=name, **more)  # type: ignore[arg-type]  # fields by name


def plan(context: StepContext) -> None:
    context.log("Plan: 1 to change.")


def planning(name: str = "Plan") -> StageDefinition:
    return StageDefinition(name, (JobDefinition("plan", (StepDefinition("terraform plan", plan),)),))


def refused(called: Called, *texts: str) -> None:
    assert called.code == 1, called.told
    for text in texts:
        assert text in called.out, called.out


def test_without_a_service_a_run_that_skipped_its_apply_stage_is_a_failure_that_names_it(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    without_service(clouds)
    with_stages(clouds, planning(), applying(clouds, condition="eq(variables['Build.Reason'], 'Schedule')"))
    refused(cli(*DEPLOY), "Run ", "succeeded, but skipped its stage 'Apply'.", "Look at the stage's condition")
    assert len(clouds.azure.recorder.find("POST", "runs$")) == 1, "another run of ours would skip it as well"
    assert clouds.serves() == "101"


def test_without_a_service_a_run_that_skipped_its_apply_step_is_a_failure_that_names_it(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    without_service(clouds)
    stage = applying(clouds)
    (job,) = stage.jobs
    steps = (job.steps[0], replace(job.steps[1], condition="eq(variables.never, 'set')"))
    with_stages(clouds, replace(stage, jobs=(replace(job, steps=steps),)))
    refused(cli(*DEPLOY), "succeeded, but skipped its step 'Terraform apply'")


def test_without_a_service_what_is_skipped_by_nature_fails_nothing(cli: Cli, clouds: SimulatedClouds) -> None:
    without_service(clouds)
    stage = applying(clouds)
    (job,) = stage.jobs
    on_failure = StepDefinition("publish on failure", plan, condition="failed()")
    notify = replace(planning("Notify"), condition="failed()")
    with_stages(clouds, replace(stage, jobs=(replace(job, steps=(*job.steps, on_failure)),)), notify)
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def test_with_a_service_the_skipped_stage_is_the_hint_in_the_place_of_ignore_changes(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    with_stages(clouds, planning(), applying(clouds, condition="eq(variables['Build.Reason'], 'Schedule')"))
    called = cli(*DEPLOY, "--timeout", "60s")
    refused(called, "did not bring 102 to 'my-api'", "skipped its stage 'Apply'.")
    assert "ignore_changes" not in called.told
    assert len(clouds.azure.recorder.find("POST", "runs$")) == 1


def guarded(clouds: SimulatedClouds, *, timeout: float = 43200) -> None:
    """Let the apply stage wait for Bob's approval."""
    clouds.azure.tokens.add(BOBS)
    clouds.azure._state.environments.define(Environment("infrastructure", approvers=(BOB,), timeout=timeout))
    stage = applying(clouds)
    (job,) = stage.jobs
    with_stages(clouds, replace(stage, jobs=(replace(job, kind="deployment", environment="infrastructure"),)))


def test_an_approval_that_timed_out_is_named(cli: Cli, clouds: SimulatedClouds) -> None:
    without_service(clouds)
    guarded(clouds, timeout=0.001)
    refused(cli(*DEPLOY), "skipped its stage 'Apply': its approval timed out at ", "asked: Bob Approver")
    assert len(clouds.azure.recorder.find("GET", "approvals")) == 1


def test_an_approval_that_was_rejected_is_named_with_who_and_why(cli: Cli, clouds: SimulatedClouds) -> None:
    guarded(clouds)
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, "--timeout", "30s").code == 3
    pending = list(clouds.azure._state.approvals)
    body = [{"approvalId": pending[0], "status": "rejected", "comment": "not today"}]
    assert Api(clouds.azure, BOBS.secret)("PATCH", "pipelines/approvals", json=body).ok
    called = cli("pipeline", "wait", "1")
    assert called.code == 1
    assert "its stage 'Apply' did not begin, because Bob Approver rejected its approval at " in called.err
    assert "('not today')" in called.err
    assert "Open the run to see why" not in called.err


def test_two_releases_share_a_run_of_a_pipeline_with_a_stage_for_each_branch(cli: Cli, clouds: SimulatedClouds) -> None:
    production = replace(planning("Production"), condition=ON_MAIN)
    development = applying(clouds, "Development", depends_on=(), condition=f"not({ON_MAIN})", lock="sequential")
    with_stages(clouds, production, development)
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, "--timeout", "30s").code == 3
        clouds.azure.wait_until(1, lambda run: any(r.result == "skipped" for r in run.timeline.records))
        other = cli("deploy", "my-worker", "development", "--tag", "103", "--timeout", "30s")
        assert other.code == 3 and "joined" in other.err
    assert clouds.azure.wait(1) == "succeeded"
    assert cli(*DEPLOY).code == 0
    assert len(clouds.azure.recorder.find("POST", "runs$")) == 1
    assert (clouds.serves(), clouds.serves("my-worker")) == ("102", "103")


def test_two_releases_share_a_run_of_a_pipeline_whose_parameters_have_defaults(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    clouds.azure.define(clouds.pipeline(1))
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, "--timeout", "30s").code == 3
        assert cli("deploy", "my-worker", "development", "--tag", "103", "--timeout", "30s").code == 3
    assert len(clouds.azure.recorder.find("POST", "runs$")) == 1
    assert PAT not in str([exchange.request_json for exchange in clouds.azure.recorder.exchanges])
