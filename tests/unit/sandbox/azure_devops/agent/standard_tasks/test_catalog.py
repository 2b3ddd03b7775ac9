from __future__ import annotations

from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.input_check import mistakes_of
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.task_definitions import standard_tasks
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK, UnknownTask
from tests.support.node_tasks import write_task
from tests.support.standard_task_steps import CATALOG, refusal


def test_for_a_task_that_is_not_installed_those_that_are_are_named() -> None:
    with pytest.raises(UnknownTask, match=r"^The sandbox has the tasks AWSShellScript@1, Bash@3, .*Python.*@0\.$"):
        CATALOG.make("ManualValidation@1", {}, env={}, where="/a.yml (Line: 3, Col: 5)")


@pytest.mark.parametrize("task", ["Bash@9", "Bash", "Bash@", "@3", ""])
def test_a_version_that_is_not_installed_is_reported(task: str) -> None:
    assert refusal(task, {}).startswith("The sandbox has the tasks ")


@pytest.mark.parametrize("task", ["bash@3", "6C731C3C-3c68-459a-a5c9-bde6e6595b5b@3"])
def test_a_task_is_found_by_name_and_id_in_any_letter_case(task: str) -> None:
    action, reference = CATALOG.make(task, {"targetType": "inline"}, env={}, where="here")
    assert (reference.name, reference.version) == ("Bash", "3.278.0")
    assert callable(action)


def test_every_standard_task_can_be_made() -> None:
    needed = {
        "CopyFiles": {"TargetFolder": "x"},
        "Bash": {"filePath": "x"},
        "PowerShell": {"filePath": "x"},
        "DownloadBuildArtifacts": {"artifactName": "x"},
        "ECRPushImage": {"repositoryName": "x"},
        "AWSShellScript": {"filePath": "x"},
        "Checkout": {"repository": "self"},
    }
    for task in standard_tasks():
        CATALOG.make(f"{task.reference.name}@{task.major}", needed.get(task.reference.name, {}), env={}, where="here")
    assert CATALOG.make(CHECKOUT_TASK, needed["Checkout"], env={}, where="here")[1].name == "Checkout"


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("Docker@2", {"dockerfil": "x"}, "The task Docker@2 has no input 'dockerfil'; is Dockerfile meant?"),
        ("CmdLine@2", {"scrypt": "x", "script": "y"}, "The task CmdLine@2 has no input 'scrypt'; is script meant?"),
        ("CmdLine@2", {"zzz": "x"}, "has no input 'zzz': it has script, workingDirectory, failOnStderr."),
        ("Bash@3", {}, "The task Bash@3 needs the input filePath."),
        ("Bash@3", {"targetType": "inlin"}, "Input targetType must be one of filePath, inline, not 'inlin'."),
        ("CmdLine@2", {"failOnStderr": "yes"}, "Input failOnStderr must be true or false, not 'yes'."),
        ("PublishBuildArtifacts@1", {"MaxArtifactSize": "big"}, "Input MaxArtifactSize must be a number, not 'big'."),
        (
            "PublishPipelineArtifact@1",
            {"path": "a", "targetPath": "b"},
            "The inputs path and targetPath of PublishPipelineArtifact@1 are the same: give one of them.",
        ),
    ],
)
def test_inputs_that_cannot_be_right_are_refused_before_the_run(task: str, given: dict[str, str], message: str) -> None:
    assert message in refusal(task, given)


@pytest.mark.parametrize(
    ("task", "given"),
    [
        ("Bash@3", {"targetType": "$(kind)"}),
        ("Bash@3", {"TARGETTYPE": "Inline", "script": "true"}),
        ("CmdLine@2", {"script": "true", "failOnStderr": "$[variables.strict]"}),
        ("PublishPipelineArtifact@1", {"targetPath": "x", "publishLocation": "pipeline"}),
        ("Docker@2", {"command": "images"}),
    ],
)
def test_what_only_the_run_can_know_is_left_to_it(task: str, given: dict[str, str]) -> None:
    CATALOG.make(task, given, env={}, where="here")


def test_a_task_of_an_extension_comes_before_a_standard_one(tmp_path: Path) -> None:
    task = read_task(write_task(tmp_path, "", name="Bash", version={"Major": 3, "Minor": 0, "Patch": 0}))
    newer = read_task(write_task(tmp_path / "newer", "", name="Bash", version={"Major": 3, "Minor": 10, "Patch": 0}))
    older = read_task(write_task(tmp_path / "older", "", name="Bash", version={"Major": 3, "Minor": 9, "Patch": 0}))
    catalog = TaskCatalog(tasks=(task, newer, older))
    assert catalog.make("Bash@3", {}, env={}, where="here")[1] == newer.reference


def test_rules_of_visibility_are_read() -> None:
    task = next(task for task in standard_tasks() if task.reference.name == "DownloadPipelineArtifact")
    given = {"source": "specific", "project": "p", "pipeline": "q", "runVersion": "specific"}
    assert mistakes_of(task, given) == ["The task DownloadPipelineArtifact@2 needs the input runId."]
    assert mistakes_of(task, {**given, "runVersion": "latest"}) == []
