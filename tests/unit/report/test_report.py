"""The report as a value: its JSON, its schema, its text, its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ecs_cd.errors import RunFailed, WrongInput
from ecs_cd.report.facts import (
    DeploymentFact,
    Failure,
    HoldFact,
    ImageFact,
    LinkFact,
    OriginFact,
    Outcome,
    ParameterFact,
    PhaseFact,
    RolloutFact,
    RunFact,
    StoppedContainerFact,
)
from ecs_cd.report.report import VERSION, Report, report_schema

FULL = Report(
    version=VERSION,
    outcome=Outcome.DEPLOYED,
    exit_code=0,
    service="my-api",
    environment="development",
    tag="102",
    dry_run=False,
    summary="my-api 102 is deployed to development.",
    evidence=("ECR has it.", "ECS runs it."),
    image=ImageFact("sha256:abc", datetime(2026, 1, 1, tzinfo=timezone.utc)),
    parameter=ParameterFact("/tag", "101", "102", 3, "written", restored=False),
    run=RunFact(42, "20260101.1", "https://dev/42", 7, "refs/heads/main", "succeeded"),
    rollout=RolloutFact(
        "dev",
        "my-api",
        "deployed",
        "1 of 1 tasks serve it.",
        "my-api:102",
        "my-api:2",
        1,
        1,
        DeploymentFact(
            "NCWGC2ZR",
            "IN_PROGRESS",
            "",
            "BLUE_GREEN",
            "BAKE_TIME",
            100.0,
            datetime(2026, 1, 1, tzinfo=timezone.utc),
            "MONITORING",
            ("errors",),
            (),
            ("hook-1",),
            None,
        ),
    ),
    failure=None,
    warnings=("Somebody was here.",),
    phases=(PhaseFact("check", 0.1),),
    started_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    seconds=12.3,
    deadline_seconds=1800,
    hold=HoldFact("held", "101", 3, "102"),
    origin=OriginFact("stage", "stage", "my-api", "102", "my-api:102", "sha256:abc", None),
    stopped=(StoppedContainerFact("arn", "api", 1, "", True, True, "eu-west-1", "/ecs/api", "ecs/api/1", ("No.",)),),
    links=(LinkFact("logs", "api", "https://eu-west-1.console/logs"), LinkFact("service", "api", "https://console/s")),
)
EMPTY = replace(
    FULL, evidence=(), image=None, parameter=None, run=None, rollout=None, warnings=(), phases=(), hold=None
)
FAILED = replace(
    FULL,
    outcome=Outcome.FAILED,
    exit_code=1,
    failure=Failure.of(RunFailed("No.", hint="Do.", details=("line",), link="https://dev/42?task")),
)


@pytest.mark.parametrize("report", [FULL, EMPTY, FAILED], ids=["full", "empty", "failed"])
def test_every_report_satisfies_the_published_schema(report: Report) -> None:
    schema = report_schema()
    assert schema["title"] == "ecs-cd report"
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report.to_dict(), schema, format_checker=jsonschema.FormatChecker())


def _keys(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, list) and path.split(".", maxsplit=1)[0] in ("stopped", "links"):
        for one in value:
            yield from _keys(one, path)
    if isinstance(value, dict):
        for key, below in value.items():
            yield f"{path}{key}"
            yield from _keys(below, f"{path}{key}.")


def test_no_key_that_programs_read_ever_goes() -> None:
    """A key may be added; one that is renamed or removed needs a new major `version`."""
    assert VERSION == "2.1"
    assert set(_keys(FULL.to_dict())) | set(_keys({"failure": FAILED.to_dict()["failure"]})) == {
        *("version", "outcome", "exit_code", "service", "environment", "tag", "dry_run", "summary", "evidence"),
        *("image", "image.digest", "image.pushed_at"),
        *("parameter", "parameter.name", "parameter.old", "parameter.new", "parameter.version"),
        *("parameter.recorded", "parameter.restored"),
        *("run", "run.id", "run.name", "run.url", "run.pipeline_id", "run.branch", "run.state"),
        *("run.origin", "run.attempts"),
        *("rollout", "rollout.cluster", "rollout.service", "rollout.serving", "rollout.sentence", "rollout.image"),
        *("rollout.task_definition", "rollout.running", "rollout.desired"),
        *("rollout.deployment", "rollout.deployment.id", "rollout.deployment.status", "rollout.deployment.reason"),
        *("rollout.deployment.strategy", "rollout.deployment.stage", "rollout.deployment.production_traffic"),
        *("rollout.deployment.bake_ends_at", "rollout.deployment.circuit_breaker", "rollout.deployment.alarms"),
        *("rollout.deployment.triggered_alarms", "rollout.deployment.waits_for"),
        *("rollout.deployment.early_success_percent",),
        *("failure", "failure.reason", "failure.message", "failure.hint", "failure.details", "failure.link"),
        *("hold", "hold.state", "hold.tag", "hold.version", "hold.previous_tag"),
        *("failure.retryable", "warnings", "phases", "started_at", "seconds", "deadline_seconds"),
        *("origin", "origin.environment", "origin.cluster", "origin.service", "origin.tag", "origin.image"),
        *("origin.digest", "origin.serving_since"),
        *("stopped", "stopped.task", "stopped.container", "stopped.exit_code", "stopped.reason", "stopped.essential"),
        *("stopped.cause", "stopped.log_region", "stopped.log_group", "stopped.log_stream", "stopped.log_lines"),
        *("links", "links.shows", "links.of", "links.url"),
    }


def test_the_file_holds_the_json_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")
    FULL.write(path)
    assert json.loads(path.read_text(encoding="utf-8")) == FULL.to_dict()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_lone_surrogate_in_what_ecs_says_does_not_keep_the_file_from_being_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    replace(FULL, summary="stopped: \ud800").write(path)
    assert json.loads(path.read_text(encoding="utf-8"))["summary"] == "stopped: \ud800"


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(WrongInput, match=r"Cannot write the report to '.*report\.json'"):
        FULL.write(tmp_path / "report.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_failure_is_told_before_what_was_proved() -> None:
    text = FAILED.to_text()
    assert text.startswith("error: ")
    assert text.index("because") < text.index("do next") < text.index("evidence")
    assert "https://dev/42?task" in text
    assert text.index("https://eu-west-1.console/logs") < text.index("https://console/s")
