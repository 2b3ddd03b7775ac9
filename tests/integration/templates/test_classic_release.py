"""The release definition to import: Microsoft's definition of one, the tasks' own inputs, and a delivery with it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.azure_devops import (
    DownloadAction,
    JobDefinition,
    PipelineDefinition,
    PipelineResource,
    StageDefinition,
    StepDefinition,
    Task,
    find_task,
    unpack,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.input_check import mistakes_of
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.task_definitions import standard_tasks
from tests.integration.sandbox.contract import schema
from tests.integration.templates.service_pipelines import FIRST, ServicePipelines, log
from tests.integration.templates.template_expansion import HEAD, ROOT, ecs_cd_task
from tests.support.built_extension import built_extension

FILE = ROOT / "templates" / "examples" / "classic-release" / "my-api.json"
SERVICES_OWN = {"Build.BuildId", "rev:r"}
"""What the service puts into the name of a release."""

_VARIABLE = re.compile(r"\$\(([^)]+)\)")


@cache
def definition() -> Any:  # noqa: ANN401 - any JSON
    return json.loads(FILE.read_text(encoding="utf-8"))


def workflow(environment: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    for phase in environment["deployPhases"]:
        yield from phase["workflowTasks"]


def problems(document: object) -> list[str]:
    """Return how something differs from what is sent to create a release definition."""
    definitions = schema._definitions("release", request=True)
    subtypes = {"DeployPhase": "AgentBasedDeployPhase", "ReleaseTriggerBase": "ArtifactSourceTrigger"}
    known = {**definitions, **{base: definitions[subtype] for base, subtype in subtypes.items()}}
    validator = jsonschema.Draft7Validator({"$ref": "#/definitions/ReleaseDefinition", "definitions": known})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(schema._without_nulls(document))]


def tasks() -> dict[str, Task]:
    return {task.reference.id: task for task in (*standard_tasks(), ecs_cd_task())}


def test_it_is_as_microsofts_definition_has_it() -> None:
    assert problems(definition()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"relases": []},
        {"environments": [{"name": "x", "rank": "first"}]},
        {"environments": [{"deployPhases": [{"phaseType": "nonsense"}]}]},
        {"triggers": [{"triggerType": "artifactSource", "alias": "x"}]},
    ],
    ids=str,
)
def test_what_is_wrong_would_be_seen(change: dict[str, object]) -> None:
    assert problems({**definition(), **change})


def test_its_tasks_exist_in_the_version_named_and_have_the_inputs_given() -> None:
    for environment in definition()["environments"]:
        for step in workflow(environment):
            task = tasks()[step["taskId"]]
            assert step["version"] == f"{task.major}.*"
            assert mistakes_of(task, {name: value for name, value in step["inputs"].items() if value}) == []


def test_every_variable_it_uses_is_defined_and_every_defined_one_used() -> None:
    whole = definition()
    shared = set(whole["variables"])
    used: set[str] = set()
    for environment in whole["environments"]:
        needed = set(_VARIABLE.findall(json.dumps([step["inputs"] for step in workflow(environment)])))
        assert needed <= shared | set(environment["variables"])
        assert set(environment["variables"]) <= needed
        used |= needed
    assert shared <= used
    assert set(_VARIABLE.findall(whole["releaseNameFormat"])) <= SERVICES_OWN


def test_the_environments_follow_each_other_and_the_artifact_starts_the_first() -> None:
    whole = definition()
    [artifact] = whole["artifacts"]
    assert [each["artifactAlias"] for each in whole["triggers"]] == [artifact["alias"]]
    first, *later = whole["environments"]
    assert [(each["conditionType"], each["name"]) for each in first["conditions"]] == [("event", "ReleaseStarted")]
    for former, environment in zip(whole["environments"], later, strict=False):
        [condition] = environment["conditions"]
        assert (condition["conditionType"], condition["name"], condition["value"]) == (
            "environmentState",
            former["name"],
            "4",  # EnvironmentStatus.succeeded
        )
    assert [each["rank"] for each in whole["environments"]] == list(range(1, len(later) + 2))


def as_the_service_runs_it(environment: Any, catalog: TaskCatalog) -> PipelineDefinition:  # noqa: ANN401 - any JSON
    """Return one stage of the definition, with what a person chooses after the import."""
    whole = definition()
    [alias] = [artifact["alias"] for artifact in whole["artifacts"]]
    steps = [StepDefinition("Download artifact", DownloadAction(alias, "drop"))]
    for step in workflow(environment):
        given = {**step["inputs"], **({"awsCredentials": "aws-development"} if step["refName"] == "delivery" else {})}
        task = f"{step['taskId']}@{step['version'].partition('.')[0]}"
        action, reference = catalog.make(task, given, env={}, where=FILE.name)
        steps.append(StepDefinition(step["name"], action, task=reference, ref_name=step["refName"]))
    variables = {name: each["value"] for name, each in {**whole["variables"], **environment["variables"]}.items()}
    job = JobDefinition("deliver", tuple(steps), kind="release", environment=environment["name"], variables=variables)
    build = PipelineResource(alias, whole["artifacts"][0]["definitionReference"]["definition"]["name"])
    return PipelineDefinition(9, whole["name"], (StageDefinition(environment["name"], (job,)),), resources=(build,))


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its signals are POSIX")
def test_it_delivers_what_a_build_published_for_it(aws: Aws, tmp_path: Path) -> None:
    task = find_task(unpack(built_extension(), tmp_path / "extension"), "EcsCd@1")
    development = definition()["environments"][0]
    given = {"projectName": "my-api", "artifactKind": "build", "awsCredentials": "aws-development"}
    given["regionName"] = "eu-west-1"
    text = f"{HEAD}jobs:\n- template: templates/build.yml@ecs-cd\n  parameters: {json.dumps(given)}\n"
    with ServicePipelines(aws, task) as pipelines:
        build = pipelines.build(text)
        pipelines.azure.define(as_the_service_runs_it(development, TaskCatalog(tasks=(task,))))
        release = pipelines.run(9)
        assert release.result == "succeeded", log(release)
        assert (pipelines.serves("development"), pipelines.serves("production")) == (str(build.id), FIRST)
