"""What every command does when all is well, for people and for programs."""

from __future__ import annotations

import errno
import json
import re
import tempfile
from pathlib import Path

import jsonschema
import pytest

from ecs_cd.report import json_file
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import DIGEST, PARAMETER, PIPELINE, SimulatedClouds


def test_deploy_brings_a_tag_to_ecs_and_says_what_was_proved(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "102")
    assert called.code == 0
    assert called.out.startswith("OK  my-api 102 is deployed to development.\n")
    assert DIGEST.search(called.out)
    assert f"{PARAMETER} changed from 101 to 102 (version 2)." in called.out
    assert "1 of 1 tasks serve it" in called.out
    assert "task 'Terraform apply' succeeded" in called.err
    assert (clouds.value(), clouds.serves()) == ("102", "102")
    assert clouds.serves("my-worker") == "101"


def test_the_report_is_the_same_on_stdout_and_in_the_file_and_as_its_schema_says(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    tag_file = clouds.publish("102")
    report_file = clouds.folder / "report.json"
    argv = ("--tag-file", str(tag_file), "--report", str(report_file), "--output", "json")
    called = cli("deploy", "my-api", "development", *argv)
    assert called.json == json.loads(report_file.read_text(encoding="utf-8"))
    assert (called.code, called.json["outcome"], called.json["tag"]) == (0, "deployed", "102")
    assert called.json["parameter"]["old"] == "101"
    assert called.json["run"]["state"] == "succeeded"
    assert called.json["rollout"]["serving"] == "deployed"
    jsonschema.validate(called.json, cli("schema", "report").json, jsonschema.Draft202012Validator)


def test_a_failure_is_told_in_json_and_in_words_on_stderr(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "999", "--output", "json", "--quiet")
    assert called.code == called.json["exit_code"] == 1
    assert called.json["failure"]["reason"] == "image-missing"
    assert called.err.startswith("error: my-api 999 to development: ")
    jsonschema.validate(called.json, cli("schema", "report").json, jsonschema.Draft202012Validator)


def test_the_tag_file_is_found_by_folder_and_by_glob(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.publish("103", "artifacts/drop/.buildId")
    for where in ("artifacts", "artifacts/**/.buildId"):
        assert cli("deploy", "my-api", "development", "--tag-file", where).code == 0
    assert clouds.serves() == "103"


def test_what_is_deployed_already_needs_no_run(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "101")
    assert (called.code, clouds.writes()) == (0, ["LabelParameterVersion"])
    clouds.forget()
    assert (cli("deploy", "my-api", "development", "--tag", "101").code, clouds.writes()) == (0, [])
    assert called.out.startswith("OK  my-api 101 in development: nothing was changed.")


def test_an_older_tag_is_superseded_which_is_success(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("parameter", "set", "my-api", "development", "--tag", "103").code == 0
    clouds.forget()
    called = cli("deploy", "my-api", "development", "--tag", "102")
    assert (called.code, clouds.writes(), clouds.value()) == (0, [], "103")
    assert called.out.startswith("OK  my-api 102 in development is superseded: a newer tag takes its place.\n")
    assert "holds 103, newer than 102" in called.out


def test_a_tag_recorded_by_an_attempt_that_died_is_taken_up(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.put_parameter(PARAMETER, "102")
    called = cli("deploy", "my-api", "development", "--tag", "102")
    assert (called.code, clouds.serves()) == (0, "102")
    assert "is deployed" in called.out


def test_a_deployment_without_an_ecs_service_says_that_nothing_was_proved(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "production", "--tag", "102", "--no-verify")
    assert called.code == 0
    assert "applied by run " in called.out
    assert "is deployed" not in called.out
    assert clouds.value("/my-api/production/docker-image-tag") == "102"


def test_quiet_says_only_the_result(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy", "my-api", "development", "--tag", "102", "--quiet")
    assert called.out.startswith("OK")
    assert called.err == ""


def test_the_settings_file_is_found_upwards_or_named(
    cli: Cli, clouds: SimulatedClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli("parameter", "get", "my-api", "development").out == "101\n"
    elsewhere = clouds.file.rename(tmp_path / "elsewhere.yml")
    assert cli("parameter", "get", "my-api", "development", "--settings", str(elsewhere)).out == "101\n"
    assert cli("parameter", "get", "my-api", "development").code == 2


def test_verify_proves_what_serves_and_changes_nothing(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("verify", "my-api", "development", "--tag", "101", "--output", "json")
    assert (called.code, called.json["outcome"], called.json["rollout"]["serving"]) == (0, "unchanged", "deployed")
    told = cli("verify", "my-api", "development", "--tag", "101").out
    assert told.startswith("OK  my-api 101 is served in development.\n")
    assert "1 of 1 tasks serve it" in told
    assert clouds.writes() == []


def test_verify_fails_for_what_does_not_serve(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("verify", "my-api", "development", "--tag", "102").refused(1, "my-api", "102")
    assert "my-api:101" in called.sentence
    assert clouds.writes() == []


def test_verify_is_a_gate_that_a_newer_tag_does_not_pass_unless_asked_to(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("verify", "my-api", "development", "--tag", "100", "--timeout", "60")
    assert called.code == 1
    assert "'my-api' does not serve 100. The service runs" in called.out
    assert not any(word in called.out for word in ("run succeeded", "ignore_changes", "event:"))
    assert cli("verify", "my-api", "development", "--tag", "100", "--or-newer").code == 0


def test_verify_takes_no_tag_file_that_happens_to_be_there(
    cli: Cli, clouds: SimulatedClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".buildId").write_text("101")
    called = cli("verify", "my-api", "development", "--settings", str(clouds.file))
    assert called.code == 2
    assert "verify needs to know which tag: give --tag or --tag-file." in called.err
    assert cli("verify", "my-api", "development", "--settings", str(clouds.file), "--tag-file", ".").code == 0


def test_status_shows_each_service_of_an_environment(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("status", "--environment", "development")
    assert [line.split() for line in called.out.splitlines()] == [
        ["SERVICE", "ENVIRONMENT", "RECORDED", "SERVES", "TASKS", "ROLLOUT", "MARKS"],
        ["my-api", "development", "101", "101", "1/1", "completed", "-"],
        ["my-worker", "development", "101", "101", "1/1", "completed", "-"],
    ]
    shown = cli("status", "my-worker", "--environment", "development", "--output", "json").json
    assert [(one["service"], one["serves"], one["drift"]) for one in shown] == [("my-worker", "101", False)]
    assert clouds.writes() == []


def test_status_tells_drift_and_what_is_not_there(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.put_parameter(PARAMETER, "102")
    lines = cli("status", "my-api", "--long").out.splitlines()
    assert "DRIFT" in lines[1]
    assert "no such ECS service" in lines[2]


def test_several_environments_are_a_matrix_with_marks_and_drift(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("deploy", "my-api", "development", "--tag", "102").code == 0
    assert cli("hold", "my-worker", "production").code == 0
    clouds.aws.put_parameter("/my-worker/development/docker-image-tag", "103")
    assert [re.split(r" {2,}", line) for line in cli("status").out.splitlines()] == [
        ["SERVICE", "development", "production"],
        ["my-api", "102, verified", "101, not verified, no such ECS service"],
        ["my-worker", "103, not verified, DRIFT: 101 serves", "101, held, no such ECS service"],
    ]


def test_a_run_that_goes_on_is_shown_with_one_request_for_each_pipeline_and_branch(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    clouds.during_apply = lambda _: clouds.released.wait(60)
    assert cli("pipeline", "queue", "my-api", "development").code == 0
    clouds.forget()
    called = cli("status", "--output", "json")
    runs = {one["environment"]: one["run"] and one["run"]["id"] for one in called.json}
    assert runs == {"development": 1, "production": None}
    asked = [exchange.path.rpartition("_apis/")[2].lower() for exchange in clouds.azure.recorder.exchanges]
    assert sorted(asked) == ["build/builds", "build/builds", "build/definitions"]
    assert "RUN" in cli("status", "--environment", "development").out


def test_without_a_token_status_leaves_the_runs_out_and_says_so(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_CD_AZURE_DEVOPS_PAT")
    called = cli("status")
    assert called.code == 0
    assert called.out.endswith("\nRuns are not shown: There is no token for Azure DevOps.\n")
    assert clouds.azure.recorder.exchanges == []


def test_an_environment_that_cannot_be_looked_at_does_not_hide_the_others(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.file.write_text(clouds.file.read_text().replace("branch: main,", "branch: main, profile: nowhere,"))
    called = cli("status", "my-api", "--long")
    assert called.code == 0
    assert called.out.splitlines()[1].split()[:4] == ["my-api", "development", "101", "101"]
    assert "nowhere" in called.out.splitlines()[2]
    assert cli("status", "--environment", "production").code == 2


def test_watching_and_json_are_refused_together(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("status", "--watch", "--output", "json")
    assert (called.code, clouds.aws.requests) == (2, ())


def test_history_shows_versions_newest_first(cli: Cli, clouds: SimulatedClouds) -> None:
    cli("parameter", "set", "my-api", "development", "--tag", "102")
    lines = [line.split()[:2] for line in cli("history", "my-api", "development").out.splitlines()]
    assert lines == [["VERSION", "TAG"], ["2", "102"], ["1", "101"]]
    shown = cli("history", "my-api", "development", "--most", "1", "--output", "json").json
    assert [(one["version"], one["tag"]) for one in shown] == [(2, "102")]


def test_a_tag_file_is_written_and_read_back(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("tag", "write", "102").out == ".buildId holds 102.\n"
    assert (clouds.folder / ".buildId").read_bytes() == b"102\n"
    assert cli("tag", "read").out == "102\n"
    assert cli("tag", "read", ".buildId", "--output", "json").json["tag"] == "102"


def test_a_tag_file_keeps_the_facts_of_the_build(cli: Cli, clouds: SimulatedClouds) -> None:
    facts = ("--service", "my-api", "--repository", "my-api", "--build-id", "102", "--commit", "0123abc")
    assert cli("tag", "write", "102", "build/.buildId", *facts).code == 0
    read = cli("tag", "read", "build", "--service", "my-api", "--output", "json").json
    assert (read["service"], read["repository"], read["build_id"], read["commit"]) == facts[1::2]


def test_the_parameter_is_read_and_set_alone(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("parameter", "get", "my-api", "development").out == "101\n"
    called = cli("parameter", "set", "my-api", "development", "--tag", "102", "--output", "json")
    assert (called.json["old"], called.json["new"], called.json["recorded"]) == ("101", "102", "written")
    assert clouds.writes() == ["PutParameter"]
    shown = cli("parameter", "get", "my-api", "development", "--output", "json").json
    assert shown == {"name": PARAMETER, "value": "102", "version": 2}


def test_a_parameter_is_created_only_if_asked_for(cli: Cli, clouds: SimulatedClouds) -> None:
    argv = ("parameter", "set", "my-api", "development", "--parameter", "/new", "--tag", "102")
    cli(*argv).refused(1, "no parameter '/new'")
    assert cli(*argv, "--create-parameter").out == "/new created with 102 (version 1).\n"
    assert clouds.value("/new") == "102"


def test_a_run_is_queued_and_followed_alone(cli: Cli, clouds: SimulatedClouds) -> None:
    queued = cli("pipeline", "queue", "my-api", "development", "--output", "json").json
    assert queued["branch"] == "refs/heads/develop"
    waited = cli("pipeline", "wait", str(queued["id"]))
    assert f"(id {queued['id']}) succeeded: {queued['url']}" in waited.out
    assert clouds.writes() == ["POST Pipelines/1/runs"]


def test_any_pipeline_can_be_queued_with_parameters_and_variables(cli: Cli, clouds: SimulatedClouds) -> None:
    argv = ("--pipeline", PIPELINE, "--branch", "main", "--template-parameter", "size=large", "--variable", "REASON=x")
    called = cli("pipeline", "queue", *argv, "--wait", "--output", "json")
    assert (called.code, called.json["state"]) == (0, "succeeded")
    [request] = [e.request_json for e in clouds.azure.recorder.find("POST")]
    assert request["templateParameters"] == {"size": "large"}
    assert request["variables"]["REASON"]["value"] == "x"


@pytest.mark.parametrize("what", ["settings", "report"])
def test_schemas_are_valid_json_schemas(cli: Cli, what: str) -> None:
    schema = cli("schema", what).json
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == cli("schema", what, "--output", "json").json


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("deploy", "my-api", "development", "--tag", "102"), "would be changed from 101 to 102"),
        (("deploy", "my-api", "development", "--tag", "101"), "Would look whether ECS serves 101"),
        (("parameter", "set", "my-api", "development", "--tag", "102"), "would be changed from 101 to 102"),
        (("parameter", "set", "my-api", "development", "--tag", "9", "--parameter", "/new", "--create-parameter",
          "--no-check-image"), "would be created with 9"),
        (("pipeline", "queue", "my-api", "development"), "Would queue \\platform\\my-infrastructure (id 1)"),
        (("tag", "write", "102"), "would hold 102"),
    ],
)  # fmt: skip
def test_a_dry_run_says_what_would_be_done_and_changes_nothing(
    cli: Cli, clouds: SimulatedClouds, argv: tuple[str, ...], says: str
) -> None:
    called = cli(*argv, "--dry-run")
    assert called.code == 0
    assert says in called.out
    assert clouds.writes() == []
    assert not (clouds.folder / ".buildId").exists()


REPORTED = [
    ("deploy", "my-api", "development", "--tag", "102"),
    ("deploy-many", "development", "my-api=102", "my-worker=102"),
]


@pytest.mark.parametrize("argv", REPORTED, ids=lambda argv: argv[0])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_report_whose_file_cannot_be_written_after_a_success_fails_and_is_printed_once(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], output: str
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json_file, "write_atomically", full)
    called = cli(*argv, "--report", "report.json", "--output", output)
    assert called.code == 1
    assert clouds.value() == "102"
    assert "error: Cannot write the report to 'report.json': No space left on device." in called.err
    if output == "json":
        assert called.json.get("outcome", "deployed") == "deployed"
        assert "error" not in called.json
    else:
        assert "deployed" in called.out


def test_a_failed_delivery_keeps_its_exit_code_where_its_report_cannot_be_written(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json_file, "write_atomically", full)
    clouds.scheduler.behave("stuck", service="my-api", tag="102")
    argv = ("deploy", "my-api", "development", "--tag", "102", "--timeout", "30s", "--report", "report.json")
    assert cli(*argv).code == 3


@pytest.mark.parametrize("argv", REPORTED, ids=lambda argv: argv[0])
def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_sent(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    cli(*argv, "--report", "report.json").refused(2, "cannot be written to 'report.json': Read-only file system.")
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []
