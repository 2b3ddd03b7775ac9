from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.agent.job import Job, JobAccess
from ecs_cd_sandbox.azure_devops.agent.task_inputs import InputsError, ResolvedInputs, resolve_inputs
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from ecs_cd_sandbox.azure_devops.agent.workspace import Workspace
from ecs_cd_sandbox.azure_devops.model.definitions import JobKind
from ecs_cd_sandbox.azure_devops.model.links import Links, Project
from ecs_cd_sandbox.azure_devops.model.variables import Variables
from tests.support.node_tasks import write_task

AWS = ServiceEndpoint("11111111-2222-3333-4444-555555555555", "aws dev", "AWS", "https://aws.example")
OTHER = ServiceEndpoint("11111111-2222-3333-4444-666666666666", "aws prod", "aws", "https://aws.example")
GIT = ServiceEndpoint("11111111-2222-3333-4444-777777777777", "git", "ExternalTfs", "https://git.example")

INPUTS: list[dict[str, Any]] = [
    {"name": "command", "label": "c", "type": "pickList", "options": {"deploy": "D", "verify": "V"}, "required": True},
    {"name": "tag file", "label": "t", "type": "filePath", "visibleRule": "command = deploy", "required": True},
    {
        "name": "branch",
        "label": "b",
        "type": "pickList",
        "options": {"main": "m"},
        "properties": {"EditableOptions": "True"},
    },
    {"name": "wait", "label": "w", "type": "boolean", "defaultValue": True},
    {"name": "awsCredentials", "label": "a", "type": "connectedService:AWS", "aliases": ["awsConnection"]},
]


def job(tmp_path: Path, variables: dict[str, str] | None = None, kind: JobKind = "build") -> Job:
    access = JobAccess("job-token", "", Links("http://host", Project("platform", "sandbox")), (AWS, OTHER, GIT))
    return Job(access, Workspace(tmp_path, kind), variables=Variables(variables), system=Variables())


def resolved(tmp_path: Path, warn: Any = pytest.fail, of: Job | None = None, **given: str) -> ResolvedInputs:  # noqa: ANN401 - any callable
    task = read_task(write_task(tmp_path / "task", "", inputs=INPUTS))
    inputs = {name.replace("_", " "): value for name, value in given.items()}
    return resolve_inputs(task, inputs, of or job(tmp_path), warn=warn)


def test_defaults_aliases_and_letter_case(tmp_path: Path) -> None:
    found = resolved(tmp_path, Command=" deploy ", awsconnection="AWS dev")
    assert found.values["command"] == "deploy"
    assert found.values["wait"] == "true"
    assert found.values["awsCredentials"] == AWS.id
    assert found.endpoints == (AWS,)
    assert set(found.values) == {each["name"] for each in INPUTS}


def test_macros_are_expanded_once_known_and_left_alone_if_not(tmp_path: Path) -> None:
    variables = {"a": "$(b)x", "b": "B", "round": "$(round)"}
    found = resolved(
        tmp_path, command="deploy", branch="$(A)-$(nope)-$(round)-$(System.AccessToken)", of=job(tmp_path, variables)
    )
    assert found.values["branch"] == "Bx-$(nope)-$(round)-job-token"


@pytest.mark.parametrize("kind", ["build", "deployment", "release"])
def test_paths_are_made_whole_from_the_jobs_folder_and_an_empty_one_is_that_folder(
    tmp_path: Path, kind: JobKind
) -> None:
    folder = tmp_path / {"release": "r1/a"}.get(kind, "1/s")
    for given, whole in (("x/../y", folder / "y"), ("", folder), (str(tmp_path / "z"), tmp_path / "z")):
        found = resolved(tmp_path, command="deploy", tag_file=given, of=job(tmp_path, kind=kind))
        assert found.values["tag file"] == str(whole)


def test_several_connections_in_one_input_are_all_given(tmp_path: Path) -> None:
    found = resolved(tmp_path, command="verify", awsCredentials=f"{AWS.id.upper()}, aws prod")
    assert found.values["awsCredentials"] == f"{AWS.id},{OTHER.id}"
    assert found.endpoints == (AWS, OTHER)


def test_unknown_inputs_are_warned_of_and_passed_on(tmp_path: Path) -> None:
    warnings: list[str] = []
    found = resolved(tmp_path, warnings.append, command="deploy", comand="x")
    assert warnings == ["Unexpected input(s) 'comand' of task Tiny."]
    assert found.values["comand"] == "x"


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({}, "Input required: command."),
        ({"command": "dance"}, "Input command must be one of deploy, verify, not 'dance'."),
        ({"command": "deploy", "wait": "perhaps"}, "Input wait must be true or false"),
        (
            {"command": "deploy", "awsCredentials": "nope"},
            "references service connection nope which could not be found",
        ),
        ({"command": "deploy", "awsCredentials": "git"}, "is not of type aws"),
    ],
)
def test_wrong_inputs_are_refused(tmp_path: Path, given: dict[str, str], mistake: str) -> None:
    with pytest.raises(InputsError) as refusal:
        resolved(tmp_path, pytest.fail, None, **given)
    assert mistake in str(refusal.value)
