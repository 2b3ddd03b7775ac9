"""What a delivery that failed, or was held, says in the agent's log, in the report and in the summary: each sentence
once, with one thing to do next, which is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_cd.model.labels import HELD
from tests.integration.azure_task.library_side import DIRECT, Task
from tests.support.called_commands import Cli, Hurry
from tests.support.sentences import said_twice, sentences
from tests.support.simulated_clouds import AWS_SECRET, PARAMETER, SimulatedClouds

LINES = (
    f"signing with {AWS_SECRET}",
    "starting on port 8080",
    "##vso[task.complete]\x1b[31mred\x1b[0m \ud800 \x00",
    "KeyError: 'DATABASE_URL'",
)


def rollout_fails(clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("crash-loop", service="my-api", tag="102", container="api", log=LINES)


def image_is_missing(clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("cannot-pull", service="my-api", tag="102")


def run_fails(clouds: SimulatedClouds) -> None:
    clouds.during_apply = lambda context: context.fail("Error: no such module")


def run_changes_nothing(clouds: SimulatedClouds) -> None:
    pipeline = clouds.pipeline(1)
    clouds.azure.define(type(pipeline)(1, pipeline.name, (), folder=pipeline.folder, branches=pipeline.branches))


def deadline_passes(clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("stuck", service="my-api", tag="102")


SECOND_ATTEMPT = ("recording 102 in ", "joining or queueing ", "waiting for ECS service ")
"""How phases begin that a second attempt goes through as well: a run that changed nothing is tried once more."""

FAILURES = [rollout_fails, image_is_missing, run_fails, run_changes_nothing, deadline_passes]


@pytest.mark.parametrize("fails", FAILURES)
def test_a_failure_says_each_sentence_once_and_one_next_step_everywhere(
    task: Task, clouds: SimulatedClouds, fails: Callable[[SimulatedClouds], None]
) -> None:
    fails(clouds)
    ran = task("deploy", {**DIRECT, "tag": "102", "timeout": "60s"}).ended("Failed")
    hint = ran.report["failure"]["hint"]
    assert [sentence for sentence in said_twice(ran.out) if not sentence.startswith(SECOND_ATTEMPT)] == []
    assert said_twice(ran.summary) == []
    assert said_twice("\n".join([ran.report["summary"], hint, *ran.report["evidence"]])) == []
    assert ran.out.count("\n##vso[task.logissue type=error;]") == 1
    assert ran.out.count(hint.replace("%", "%AZP25")) == 1
    assert ran.summary.count("**Do next:**") == 1
    assert set(sentences(hint)) <= set(sentences(ran.summary))


@pytest.mark.parametrize("fails", FAILURES)
def test_so_does_the_report_of_the_command_line(
    clouds: SimulatedClouds,
    fails: Callable[[SimulatedClouds], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in clouds.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(clouds.folder)
    Hurry().install(monkeypatch)
    fails(clouds)
    argv = ("deploy", "my-api", "development", "--tag", "102", "--timeout", "60s", "--report", "report.json")
    called = Cli(capsys)(*argv)
    assert called.code in (1, 3)
    assert said_twice(called.out) == []
    assert called.out.count("  do next   ") == 1
    kept = (clouds.folder / "report.json").read_text(encoding="utf-8")
    assert AWS_SECRET not in kept + called.out


def test_a_hold_says_each_sentence_once(task: Task, clouds: SimulatedClouds) -> None:
    clouds.aws.client("ssm").label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[HELD])
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("SucceededWithIssues", "because of a hold")
    assert ran.outputs["outcome"] == "held"
    assert (said_twice(ran.out), said_twice(ran.summary)) == ([], [])
    assert ran.out.count("unhold") == ran.summary.count("unhold") == 1


def test_the_applications_own_words_are_everywhere_and_do_no_harm(task: Task, clouds: SimulatedClouds) -> None:
    rollout_fails(clouds)
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Failed")
    shown = ("api | starting on port 8080", "api | # #vso[task.complete]red ", "api | KeyError: 'DATABASE_URL'")
    for line in shown:
        assert line in ran.out and f"    {line}" in ran.summary
    assert "\x1b" not in ran.told and "##vso[task.complete" not in ran.told
    cause, sidecar = ran.report["stopped"]
    assert (cause["container"], cause["exit_code"], cause["cause"]) == ("api", 1, True)
    assert cause["log_lines"][-1] == "KeyError: 'DATABASE_URL'"
    assert (sidecar["container"], sidecar["cause"], sidecar["log_lines"]) == ("datadog-agent", False, [])
    logs, service = ran.report["links"]
    assert "log-group/$252Fecs$252Fdevelopment/log-events/ecs$252Fapi$252F" in logs["url"]
    for link in (logs, service):
        assert link["url"] in ran.out and f"]({link['url']})" in ran.summary


def test_a_secret_in_a_log_is_masked(task: Task, clouds: SimulatedClouds) -> None:
    secret = task.environ["AWS_SECRET_ACCESS_KEY"]
    lines = (f"cannot sign with {secret}, giving up", f"{'word ' * 55}{secret} and more")
    clouds.scheduler.behave("crash-loop", service="my-api", tag="102", log=lines)
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Failed")
    assert "api | cannot sign with ***, giving up" in ran.out
    assert secret[:20] not in ran.told


def test_a_right_that_is_missing_is_named_once(task: Task, clouds: SimulatedClouds) -> None:
    clouds.deny("logs", "GetLogEvents")
    clouds.scheduler.behave("crash-loop", service="my-api", tag="102")
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Failed", "did not stay")
    assert ran.out.count("Allow logs:GetLogEvents to see here what api wrote.") == 1
    assert ran.summary.count("Allow logs:GetLogEvents") == 1
