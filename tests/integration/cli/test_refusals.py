"""What the clouds refuse: said in one sentence, with what to do next, and nothing changed that need not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import EXECUTE, READ, StepContext, Token
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PARAMETER, PAT, PERSON, PIPELINE, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
FOREVER = 10_000


def denied(action: str, on: str = "") -> ErrorAnswer:
    words = f"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {action}"
    return ErrorAnswer("AccessDeniedException", f"{words} on resource: {on}" if on else words)


def test_a_missing_image_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "999").refused(1, "no image tagged '999'")
    assert "pushed" in called.advice
    assert clouds.writes() == []


def test_a_missing_repository_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli(*DEPLOY, "--repository", "nowhere").refused(1, "'nowhere'")
    assert clouds.writes() == []


def test_a_missing_parameter_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*DEPLOY, "--parameter", "/no/such").refused(1, "no parameter '/no/such'")
    assert "Create it" in called.advice
    assert clouds.writes() == []


def test_a_parameter_of_the_wrong_type_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.client("ssm").put_parameter(Name="/list", Value="1,2", Type="StringList")
    clouds.forget()
    for argv in (DEPLOY, ("parameter", "get", "my-api", "development")):
        cli(*argv, "--parameter", "/list").refused(1, "'/list' is a StringList")
    assert clouds.writes() == []


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ecr", None, "ecr:DescribeImages"),
        ("ssm", "GetParameters", "ssm:GetParameters"),
        ("ssm", "PutParameter", "ssm:PutParameter"),
        ("ecs", "DescribeServices", "ecs:DescribeServices"),
        ("ecs", "DescribeTaskDefinition", "ecs:DescribeTaskDefinition"),
    ],
)
def test_a_missing_right_in_aws_is_named_with_who_lacks_it(
    cli: Cli, clouds: SimulatedClouds, service: str, operation: str | None, action: str
) -> None:
    clouds.aws.inject(service, operation, denied(action, "arn:aws:some:::thing"))
    called = cli(*DEPLOY).refused(1, "arn:aws:iam::123456789012:user/ci", action)
    assert f"Allow {action} on arn:aws:some:::thing" in called.advice
    assert clouds.azure.recorder.find("POST", "/runs") == []
    assert clouds.value() == "101"


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_bad_aws_credentials_are_called_that(cli: Cli, clouds: SimulatedClouds, code: str) -> None:
    clouds.aws.inject("ssm", None, ErrorAnswer(code, "The security token included in the request is invalid."))
    cli("parameter", "get", "my-api", "development").refused(1, "credentials")


def test_no_aws_credentials_are_called_that(cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    cli(*DEPLOY).refused(1, "no usable AWS credentials")
    assert clouds.writes() == []


def test_a_throttled_parameter_is_written_once_aws_permits(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.inject("ssm", "PutParameter", ErrorAnswer("TooManyUpdates"), times=3)
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


@pytest.mark.parametrize("label", ["ecs-cd.floor", "verified"])
def test_of_a_hundred_versions_the_oldest_gives_way_unless_somebody_elses_label_keeps_it(
    cli: Cli, clouds: SimulatedClouds, label: str
) -> None:
    clouds.aws.client("ssm").label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[label])
    for _ in range(99):
        clouds.aws.put_parameter(PARAMETER, "101")
    called = cli("parameter", "set", "my-api", "development", "--tag", "102")
    if label == "verified":
        assert "--labels verified" in called.refused(1, "100 versions", "labelled verified").advice
    assert clouds.value() == ("101" if label == "verified" else "102")


def test_an_unknown_pipeline_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    for reference in ("nowhere", "\\platform\\nowhere"):
        cli(*DEPLOY, "--pipeline", reference).refused(1, "no pipeline")
    assert clouds.writes() == []


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_unknown_id_of_a_pipeline_is_refused(cli: Cli, clouds: SimulatedClouds, more: tuple[str, ...]) -> None:
    cli(*DEPLOY, "--pipeline", "99", *more).refused(1, "no pipeline '99'")
    assert clouds.writes() == []


def test_an_ambiguous_pipeline_is_refused_with_the_candidates(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.define(clouds.pipeline(2, folder="\\other"))
    called = cli(*DEPLOY).refused(1, f"2 pipelines are called '{PIPELINE}'")
    assert "\\platform\\my-infrastructure (id 1)" in called.out
    assert "\\other\\my-infrastructure (id 2)" in called.out
    assert clouds.writes() == []
    assert cli(*DEPLOY, "--pipeline", "\\platform\\my-infrastructure").code == 0


def test_a_pat_that_may_only_read_is_told_the_scope_it_lacks(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.tokens.add(Token(PAT, PERSON, scopes=frozenset({READ})))
    called = cli("pipeline", "queue", "my-api", "development")
    assert called.code == 1
    assert EXECUTE in called.advice


@pytest.mark.parametrize("expired", [True, False])
def test_a_bad_pat_is_refused_before_anything_changes(cli: Cli, clouds: SimulatedClouds, expired: bool) -> None:
    clouds.azure.tokens.revoke(PAT)
    if expired:
        clouds.azure.tokens.add(Token(PAT, PERSON, expired=True))
    called = cli(*DEPLOY).refused(1, "does not accept the PAT")
    assert "renewed" in called.advice
    assert clouds.writes() == []


def test_an_unsettable_variable_is_refused_and_leaves_the_tag_recorded_for_the_next_delivery(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    """Whether a preview tells is not known of the real service; the sandbox's does not."""
    called = cli(*DEPLOY, "--variable", "SECRET=red").refused(1, "SECRET")
    assert "override" in called.advice
    assert clouds.value() == "102"
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def test_a_wrong_project_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli(*DEPLOY, "--project", "elsewhere").refused(1, "no project 'elsewhere'")
    assert clouds.writes() == []


def test_a_wrong_organization_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli(*DEPLOY, "--organization", f"{clouds.azure.origin}/elsewhere").refused(1, "does not answer as Azure DevOps")
    assert clouds.writes() == []


def test_a_failing_run_is_told_with_its_task_its_first_error_and_its_link(cli: Cli, clouds: SimulatedClouds) -> None:
    def fail(context: StepContext) -> None:
        context.log("\x1b[31mError: \x1b[0mno role to assume ##vso[task.complete result=Succeeded]")
        context.fail("Terraform exited with code 1.")

    clouds.during_apply = fail
    called = cli(*DEPLOY).refused(1, "failed in task 'Terraform apply'")
    because, _, rest = called.out.partition("do next")
    assert because.splitlines()[1].split(maxsplit=1)[1].startswith("Error: no role to assume")
    assert f"{clouds.azure.url}/" in rest.partition("link")[2]
    assert "view=logs" in rest
    assert clouds.serves() == "101"


def test_a_run_that_somebody_cancels_is_told_with_their_name(cli: Cli, clouds: SimulatedClouds) -> None:
    def cancel(context: StepContext) -> None:
        clouds.cancel(context.run_id)
        context.cancelled.wait()
        context.fail("cancelled")

    clouds.during_apply = cancel
    cli(*DEPLOY).refused(1, "was cancelled", PERSON.display_name)


def test_a_run_that_changes_nothing_is_an_error_with_a_hint(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.define(replace(clouds.pipeline(1), stages=clouds.pipeline(1).stages[:0]))
    called = cli(*DEPLOY).refused(1, "succeeded", "my-api:101")
    assert "ignore_changes" in called.advice


@pytest.mark.parametrize(
    ("rollout", "evidence"), [("crash-loop", "Essential container"), ("cannot-pull", "CannotPull")]
)
def test_a_rollout_that_ecs_takes_back_is_told_with_the_tasks_reasons(
    cli: Cli, clouds: SimulatedClouds, rollout: str, evidence: str
) -> None:
    clouds.scheduler.behave(rollout, service="my-api", tag="102")
    called = cli(*DEPLOY).refused(1, "ECS", "my-api:101")
    assert evidence in called.out
    assert "event: " in called.out
    assert clouds.value() == "102"


def test_a_service_that_is_not_there_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli("verify", "my-api", "production", "--tag", "101").refused(1, "no service 'my-api'")


def test_a_container_that_is_not_there_is_refused_with_those_that_are(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("verify", "my-api", "development", "--tag", "101", "--container", "web").refused(2, "'web'")
    assert "datadog-agent" in called.sentence
