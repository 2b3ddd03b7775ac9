"""Every command, as the Node side asks for it, against both clouds on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_cd.azure_task import commands, inputs
from ecs_cd.azure_task.main import NO_REQUEST, NO_RESULT, run
from ecs_cd.azure_task.result_file import OUTPUTS
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import StepContext
from tests.integration.azure_task.library_side import DIRECT, Task
from tests.support.simulated_clouds import DIGEST, PARAMETER, PAT, SimulatedClouds


def test_deploy_delivers_and_sets_every_output(task: Task, clouds: SimulatedClouds) -> None:
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Succeeded", "my-api 102 is deployed to development")
    assert (clouds.value(), clouds.serves()) == ("102", "102")
    assert ran.code == 0
    outputs = ran.outputs
    assert DIGEST.fullmatch(outputs.pop("imageDigest"))
    assert outputs.pop("runUrl").startswith("http")
    assert outputs == {
        "outcome": "deployed",
        "imageTag": "102",
        "previousImageTag": "101",
        "parameterName": PARAMETER,
        "parameterVersion": "2",
        "runId": "1",
    }
    assert ran.report["outcome"] == "deployed"
    assert "##vso[task.setprogress" in ran.out
    for fact in ("my-api", "development", "102", "Evidence", "[Open in Azure DevOps](http"):
        assert fact in ran.summary
    assert not list(task.temp.glob(".*"))


def test_deploy_reads_settings_file_and_tag_file(task: Task, clouds: SimulatedClouds) -> None:
    task.publish("102")
    config = task.work / "s" / "ecs-cd.yml"
    config.write_text(clouds.file.read_text())
    ran = task("deploy", {"configFile": "ecs-cd.yml", "service": "my-api", "environment": "development"})
    assert ran.ended("Succeeded").outputs["imageTag"] == "102"


def test_an_input_wins_over_the_settings_file(task: Task, clouds: SimulatedClouds) -> None:
    (task.work / "s" / "ecs-cd.yml").write_text(clouds.file.read_text())
    given = {"service": "my-api", "environment": "development", "parameter": "/elsewhere", "tag": "102"}
    ran = task("set-parameter", {**given, "createParameter": "true", "checkImage": "false"})
    assert ran.ended("Succeeded").outputs["parameterName"] == "/elsewhere"
    assert clouds.value("/elsewhere") == "102"


def test_an_older_tag_is_superseded_and_succeeds(task: Task, clouds: SimulatedClouds) -> None:
    clouds.aws.put_parameter(PARAMETER, "103")
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Succeeded")
    assert ran.outputs["outcome"] == "superseded"
    assert clouds.value() == "103"


def test_a_success_with_a_warning_is_one_with_issues(task: Task, clouds: SimulatedClouds) -> None:
    clouds.aws.inject("ssm", "LabelParameterVersion", ErrorAnswer("AccessDeniedException", "no", 400))
    ran = task("deploy", {**DIRECT, "tag": "101"}).ended("SucceededWithIssues")
    assert "##vso[task.logissue type=warning;]" in ran.out
    assert "Warnings" in ran.summary


def test_a_dry_run_changes_nothing(task: Task, clouds: SimulatedClouds) -> None:
    task("deploy", {**DIRECT, "tag": "102", "dryRun": "true"}).ended("Succeeded")
    task("set-parameter", {**DIRECT, "tag": "102", "dryRun": "true"}).ended("SucceededWithIssues")
    task("queue-pipeline", {**DIRECT, "dryRun": "true"})
    assert clouds.writes() == []


def test_a_failed_delivery_fails_with_the_evidence(task: Task, clouds: SimulatedClouds) -> None:
    def fail(context: StepContext) -> None:
        context.fail("Error: <b>no</b> such [module](http://evil.example) ##vso[task.complete]")

    clouds.during_apply = fail
    ran = task("deploy", {**DIRECT, "tag": "102"}).ended("Failed", "Terraform apply")
    assert ran.code == 0
    assert ran.outputs["outcome"] == "failed"
    assert ran.outputs["runId"] == "1"
    assert ran.outputs["parameterVersion"] == "2"
    assert "##vso[task.logissue type=error;]" in ran.out
    assert "##vso[task.complete" not in ran.told
    assert "**Because**" in ran.summary
    assert "\n    " in ran.summary


def test_a_rollout_that_ecs_takes_back_fails(task: Task, clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("crash-loop", service="my-api", tag="102")
    task("deploy", {**DIRECT, "tag": "102"}).ended("Failed")


def test_a_deadline_that_passes_names_the_input(task: Task, clouds: SimulatedClouds) -> None:
    clouds.scheduler.behave("stuck", service="my-api", tag="102")
    ran = task("deploy", {**DIRECT, "tag": "102", "timeout": "60s"}).ended("Failed", "1 min")
    assert ran.outputs["outcome"] == "timed-out"
    assert "input &#39;timeout&#39;" in ran.summary
    assert "--timeout" not in ran.told


def test_verify_only_looks(task: Task, clouds: SimulatedClouds) -> None:
    ran = task("verify", {name: DIRECT[name] for name in ("service", "environment", "cluster")} | {"tag": "101"})
    outputs = ran.ended("Succeeded").outputs
    assert DIGEST.fullmatch(outputs.pop("imageDigest"))
    assert outputs == {"outcome": "unchanged", "imageTag": "101"}
    assert clouds.writes() == []


def test_read_tag_gives_a_variable(task: Task, clouds: SimulatedClouds) -> None:
    task.publish("102")
    ran = task("read-tag", {"tagVariable": "tag"}).ended("Succeeded")
    assert ran.answer["variables"] == {"tag": "102"}
    assert ran.outputs == {"outcome": "read", "imageTag": "102", "imageDigest": ""}
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


def test_set_parameter_records_and_queues_nothing(task: Task, clouds: SimulatedClouds) -> None:
    given = {name: DIRECT[name] for name in ("service", "environment", "parameter", "regionName")}
    ran = task("set-parameter", {**given, "tag": "102"}).ended("Succeeded", "changed from 101 to 102")
    assert (ran.outputs["outcome"], ran.outputs["previousImageTag"]) == ("written", "101")
    assert clouds.azure.recorder.exchanges == []
    assert task("set-parameter", {**given, "tag": "102"}).outputs["outcome"] == "unchanged"
    ran = task("set-parameter", {**given, "tag": "101"}).ended("Succeeded")
    assert (ran.outputs["outcome"], clouds.value()) == ("superseded", "102")


def test_queue_pipeline_queues_and_may_wait(task: Task, clouds: SimulatedClouds) -> None:
    given = {name: DIRECT[name] for name in ("pipeline", "branch")}
    queued = task("queue-pipeline", {**given, "templateParameters": "size=large\n", "variables": "REASON=x=y"})
    assert queued.ended("Succeeded").outputs["outcome"] == "queued"
    clouds.azure.wait(1)
    waited = task("queue-pipeline", {**given, "wait": "true"}).ended("Succeeded")
    assert waited.outputs["outcome"] == "succeeded"
    assert waited.outputs["runId"] == "2"
    [first, _] = clouds.azure.recorder.find("POST")
    assert "large" in str(first.request_json)
    assert "x=y" in str(first.request_json)


def test_deploy_without_a_service_delivers_all_images_of_the_tag_file(task: Task, clouds: SimulatedClouds) -> None:
    (task.work / "s" / "ecs-cd.yml").write_text(clouds.file.read_text())
    task.publish('{"version": 1, "images": {"my-api": {"tag": "102"}, "my-worker": {"tag": "103"}}}')
    ran = task("deploy", {"environment": "development"}).ended("Succeeded", "2 services to development: 2 deployed")
    assert (clouds.serves("my-api"), clouds.serves("my-worker")) == ("102", "103")
    assert (ran.outputs["outcome"], ran.outputs["imageTag"]) == ("deployed", "")
    assert [one["service"] for one in ran.report["deliveries"]] == ["my-api", "my-worker"]
    clouds.scheduler.behave("crash-loop", service="my-worker", tag="102")
    task.publish('{"version": 1, "images": {"my-api": {"tag": "103"}, "my-worker": {"tag": "999"}}}')
    ran = task("deploy", {"environment": "development"}).ended("Failed", "2 of 2 services are not delivered")
    assert "**my&#45;worker**" in ran.summary or "**my-worker**" in ran.summary
    assert ran.outputs["outcome"] == "failed"
    one = task("deploy", {"environment": "development", "service": "my-api"}).ended("Succeeded")
    assert one.outputs["imageTag"] == "103"


def test_promote_delivers_what_the_other_environment_serves(task: Task, clouds: SimulatedClouds) -> None:
    config = task.work / "s" / "ecs-cd.yml"
    config.write_text(clouds.file.read_text().replace("branch: main,", "branch: main, promote_from: development,"))
    clouds.aws.put_parameter("/my-api/production/docker-image-tag", "100")
    given = {"service": "my-api", "environment": "production", "verify": "false"}
    ran = task("promote", given).ended("Succeeded", "my-api 101 in production: applied by run ")
    assert (ran.outputs["imageTag"], ran.outputs["previousImageTag"]) == ("101", "100")
    assert ran.report["origin"]["environment"] == "development"
    assert clouds.value("/my-api/production/docker-image-tag") == "101"
    ran = task("promote", {**given, "promoteAfter": "48h"}).ended("Failed", "of 48 h")
    assert "input 'timeout'" in ran.report["failure"]["hint"]


def test_every_command_is_carried_out_and_has_outputs() -> None:
    assert set(commands.COMMANDS) == set(inputs.COMMANDS) == set(OUTPUTS)


def test_a_mistake_of_our_own_is_a_sentence(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError(f"##vso[task.complete]{PAT}")

    monkeypatch.setattr(commands, "COMMANDS", {"deploy": broken})
    task.environ["ECS_CD_AZURE_DEVOPS_PAT"] = PAT
    ran = task("deploy", DIRECT).ended("Failed", "BUG: RuntimeError")
    assert "Traceback" not in ran.told
    assert "##vso[task.complete" not in ran.told
    assert PAT not in ran.told


def test_without_a_request_there_is_an_exit_code(task: Task, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({}) == NO_REQUEST
    assert "ECS_CD_TASK" in capsys.readouterr().out


def test_a_result_that_is_there_is_replaced_whole(task: Task) -> None:
    task.result.write_text("old")
    task("read-tag", {"tagVariable": "tag"}).ended("Failed", "no tag file")
    assert Path(task.result).read_text().endswith("}\n")


def test_a_result_that_cannot_be_written_is_an_exit_code(task: Task) -> None:
    task.result.mkdir()
    ran = task("read-tag", {"tagVariable": "tag"})
    assert ran.code == NO_RESULT
    assert "Cannot write the result" in ran.out


def test_swapped_names_are_told_as_the_inputs_that_were_probably_meant(task: Task, clouds: SimulatedClouds) -> None:
    inputs = {"service": "development", "environment": "my-api", "configFile": str(clouds.file), "tag": "102"}
    for command in ("deploy", "set-parameter", "queue-pipeline"):
        given = inputs if command != "queue-pipeline" else {**inputs, "tag": ""}
        task(command, given).ended("Failed", "Did you mean service: my-api, environment: development?")
