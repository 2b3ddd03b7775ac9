"""What the clouds refuse: said in one sentence, with what to do next, and nothing changed that need not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import EXECUTE, READ, StepContext, Token
from tests.integration.cli.world import PARAMETER, PAT, PERSON, PIPELINE, Cli, World

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
FOREVER = 10_000


def denied(action: str, on: str = "") -> ErrorAnswer:
    words = f"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {action}"
    return ErrorAnswer("AccessDeniedException", f"{words} on resource: {on}" if on else words)


def test_a_missing_image_is_refused(cli: Cli, world: World) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "999").refused(1, "no image tagged '999'")
    assert "pushed" in called.advice
    assert world.writes() == []


def test_a_missing_repository_is_refused(cli: Cli, world: World) -> None:
    cli(*DEPLOY, "--repository", "nowhere").refused(1, "'nowhere'")
    assert world.writes() == []


def test_a_missing_parameter_is_refused(cli: Cli, world: World) -> None:
    called = cli(*DEPLOY, "--parameter", "/no/such").refused(1, "no parameter '/no/such'")
    assert "Create it" in called.advice
    assert world.writes() == []


def test_a_parameter_of_the_wrong_type_is_refused(cli: Cli, world: World) -> None:
    world.aws.client("ssm").put_parameter(Name="/list", Value="1,2", Type="StringList")
    world.forget()
    for argv in (DEPLOY, ("parameter", "get", "my-api", "development")):
        cli(*argv, "--parameter", "/list").refused(1, "'/list' is a StringList")
    assert world.writes() == []


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ecr", None, "ecr:DescribeImages"),
        ("ssm", "GetParameters", "ssm:GetParameters"),
        ("ssm", "PutParameter", "ssm:PutParameter"),
    ],
)
def test_a_missing_right_in_aws_is_named_with_who_lacks_it(
    cli: Cli, world: World, service: str, operation: str | None, action: str
) -> None:
    world.aws.inject(service, operation, denied(action, "arn:aws:some:::thing"))
    called = cli(*DEPLOY).refused(1, "arn:aws:iam::123456789012:user/ci", action)
    assert f"Allow {action} on arn:aws:some:::thing" in called.advice
    assert world.azure.recorder.find("POST") == []
    assert world.value() == "101"


def test_a_missing_right_to_watch_ecs_is_named_after_the_run(cli: Cli, world: World) -> None:
    world.aws.inject("ecs", "DescribeServices", denied("ecs:DescribeServices"), times=FOREVER)
    world.during_apply = lambda context: context.fail("not this time") if world.serves() != "101" else None
    called = cli("verify", "my-api", "development", "--tag", "101").refused(1, "ecs:DescribeServices")
    assert called.advice


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_bad_aws_credentials_are_called_that(cli: Cli, world: World, code: str) -> None:
    world.aws.inject("ssm", None, ErrorAnswer(code, "The security token included in the request is invalid."))
    cli("parameter", "get", "my-api", "development").refused(1, "credentials")


def test_no_aws_credentials_are_called_that(cli: Cli, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    cli(*DEPLOY).refused(1, "no usable AWS credentials")
    assert world.writes() == []


def test_a_throttled_parameter_is_written_once_aws_permits(cli: Cli, world: World) -> None:
    world.aws.inject("ssm", "PutParameter", ErrorAnswer("TooManyUpdates"), times=3)
    assert cli(*DEPLOY).code == 0
    assert world.serves() == "102"


@pytest.mark.parametrize("label", ["ecs-cd.floor", "verified"])
def test_of_a_hundred_versions_the_oldest_gives_way_unless_somebody_elses_label_keeps_it(
    cli: Cli, world: World, label: str
) -> None:
    world.aws.client("ssm").label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[label])
    for _ in range(99):
        world.aws.put_parameter(PARAMETER, "101")
    called = cli("parameter", "set", "my-api", "development", "--tag", "102")
    if label == "verified":
        assert "--labels verified" in called.refused(1, "100 versions", "labelled verified").advice
    assert world.value() == ("101" if label == "verified" else "102")


def test_an_unknown_pipeline_is_refused(cli: Cli, world: World) -> None:
    for reference in ("nowhere", "\\platform\\nowhere"):
        cli(*DEPLOY, "--pipeline", reference).refused(1, "no pipeline")
    assert world.writes() == []


def test_an_unknown_id_of_a_pipeline_is_refused_where_it_is_first_used(cli: Cli, world: World) -> None:
    """It costs no look-up of its own; a dry run, which queues nothing, does look."""
    cli(*DEPLOY, "--pipeline", "99", "--dry-run").refused(1, "no pipeline '99'")
    assert world.writes() == []
    cli(*DEPLOY, "--pipeline", "99").refused(1, "pipeline does not exist", "pipeline 99")


def test_an_ambiguous_pipeline_is_refused_with_the_candidates(cli: Cli, world: World) -> None:
    world.azure.define(world.pipeline(2, folder="\\other"))
    called = cli(*DEPLOY).refused(1, f"2 pipelines are called '{PIPELINE}'")
    assert "\\platform\\my-infrastructure (id 1)" in called.out
    assert "\\other\\my-infrastructure (id 2)" in called.out
    assert world.writes() == []
    assert cli(*DEPLOY, "--pipeline", "\\platform\\my-infrastructure").code == 0


def test_without_the_right_to_queue_the_message_says_which_and_for_whom(cli: Cli, world: World) -> None:
    world.azure.tokens.add(Token(PAT, PERSON, may_queue=frozenset()))
    called = cli(*DEPLOY).refused(1, PERSON.display_name, "Queue builds", PIPELINE)
    assert "vso.build_execute" in called.advice
    assert [exchange.status for exchange in world.azure.recorder.find("POST")] == [403]


def test_a_pat_that_may_only_read_is_told_the_scope_it_lacks(cli: Cli, world: World) -> None:
    world.azure.tokens.add(Token(PAT, PERSON, scopes=frozenset({READ})))
    called = cli("pipeline", "queue", "my-api", "development")
    assert called.code == 1
    assert EXECUTE in called.advice


@pytest.mark.parametrize("expired", [True, False])
def test_a_bad_pat_is_refused_before_anything_changes(cli: Cli, world: World, expired: bool) -> None:
    world.azure.tokens.revoke(PAT)
    if expired:
        world.azure.tokens.add(Token(PAT, PERSON, expired=True))
    called = cli(*DEPLOY).refused(1, "does not accept the PAT")
    assert "renewed" in called.advice
    assert world.writes() == []


def test_a_missing_branch_is_refused(cli: Cli, world: World) -> None:
    called = cli(*DEPLOY, "--branch", "nowhere").refused(1, "no branch", "nowhere")
    assert "branch" in called.advice


def test_a_disabled_pipeline_is_refused(cli: Cli, world: World) -> None:
    world.azure.set_queue_status(1, "disabled")
    called = cli(*DEPLOY).refused(1, "disabled")
    assert "Enable it" in called.advice


def test_a_wrong_template_parameter_is_refused(cli: Cli, world: World) -> None:
    cli(*DEPLOY, "--template-parameter", "colour=red").refused(1, "colour")


def test_an_unsettable_variable_is_refused(cli: Cli, world: World) -> None:
    called = cli(*DEPLOY, "--variable", "SECRET=red").refused(1, "SECRET")
    assert "override" in called.advice


def test_a_refused_run_leaves_the_tag_recorded_for_the_next_one(cli: Cli, world: World) -> None:
    cli(*DEPLOY, "--branch", "nowhere").refused(1)
    assert world.value() == "102"
    assert cli(*DEPLOY).code == 0
    assert world.serves() == "102"


def test_a_wrong_project_is_refused(cli: Cli, world: World) -> None:
    cli(*DEPLOY, "--project", "elsewhere").refused(1, "no project 'elsewhere'")
    assert world.writes() == []


def test_a_wrong_organization_is_refused(cli: Cli, world: World) -> None:
    cli(*DEPLOY, "--organization", f"{world.azure.origin}/elsewhere").refused(1, "does not answer as Azure DevOps")
    assert world.writes() == []


def test_a_failing_run_is_told_with_its_task_its_first_error_and_its_link(cli: Cli, world: World) -> None:
    def fail(context: StepContext) -> None:
        context.log("\x1b[31mError: \x1b[0mno role to assume ##vso[task.complete result=Succeeded]")
        context.fail("Terraform exited with code 1.")

    world.during_apply = fail
    called = cli(*DEPLOY).refused(1, "failed in task 'Terraform apply'")
    because, _, rest = called.out.partition("do next")
    assert because.splitlines()[1].split(maxsplit=1)[1].startswith("Error: no role to assume")
    assert f"{world.azure.url}/" in rest.partition("link")[2]
    assert "view=logs" in rest
    assert world.serves() == "101"


def test_a_run_that_somebody_cancels_is_told_with_their_name(cli: Cli, world: World) -> None:
    def cancel(context: StepContext) -> None:
        world.cancel(context.run_id)
        context.cancelled.wait()
        context.fail("cancelled")

    world.during_apply = cancel
    cli(*DEPLOY).refused(1, "was cancelled", PERSON.display_name)


def test_a_run_that_changes_nothing_is_an_error_with_a_hint(cli: Cli, world: World) -> None:
    world.azure.define(replace(world.pipeline(1), stages=world.pipeline(1).stages[:0]))
    called = cli(*DEPLOY).refused(1, "succeeded", "my-api:101")
    assert "ignore_changes" in called.advice


@pytest.mark.parametrize(
    ("rollout", "evidence"), [("crash-loop", "Essential container"), ("cannot-pull", "CannotPull")]
)
def test_a_rollout_that_ecs_takes_back_is_told_with_the_tasks_reasons(
    cli: Cli, world: World, rollout: str, evidence: str
) -> None:
    world.scheduler.behave(rollout, service="my-api", tag="102")
    called = cli(*DEPLOY).refused(1, "ECS", "my-api:101")
    assert evidence in called.out
    assert "event: " in called.out
    assert world.value() == "102"


def test_a_service_that_is_not_there_is_refused(cli: Cli, world: World) -> None:
    cli("verify", "my-api", "production", "--tag", "101").refused(1, "no service 'my-api'")


def test_a_container_that_is_not_there_is_refused_with_those_that_are(cli: Cli, world: World) -> None:
    called = cli("verify", "my-api", "development", "--tag", "101", "--container", "web").refused(2, "'web'")
    assert "datadog-agent" in called.sentence
