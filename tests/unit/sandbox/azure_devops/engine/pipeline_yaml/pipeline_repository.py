"""A repository with files, and a step maker that knows some tasks and remembers what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent

import pytest

from ecs_cd_sandbox.azure_devops import Identity, TaskReference
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import VariableGroup, YamlFile
from ecs_cd_sandbox.azure_devops.model.definitions import (
    Action,
    Expansion,
    PipelineDefinition,
    StepDefinition,
    ValidationFailed,
)
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK, StepRefused, UnknownTask

ADA = Identity("Ada Lovelace")
MAIN = "refs/heads/main"
FILE = "/azure-pipelines.yml"
DEFINITION = PipelineDefinition(12, "deploy")
_TASKS = {
    "CmdLine@2": {"script", "workingDirectory", "failOnStderr"},
    "Bash@3": {"targetType", "filePath", "script", "workingDirectory", "failOnStderr"},
    "PowerShell@2": {
        "targetType",
        "script",
        "pwsh",
        "errorActionPreference",
        "failOnStderr",
        "ignoreLASTEXITCODE",
        "workingDirectory",
    },
    "DownloadPipelineArtifact@2": {
        "source",
        "project",
        "pipeline",
        "runVersion",
        "runId",
        "artifact",
        "patterns",
        "path",
    },
    "PublishPipelineArtifact@1": {"targetPath", "artifact", "properties"},
}


@dataclass(frozen=True)
class Made:
    """An action that knows what it was made of."""

    task: str
    inputs: dict[str, str]
    env: dict[str, str]
    where: str

    def __call__(self, context: StepContext) -> None:
        raise NotImplementedError


@dataclass
class Maker:
    """Makes `Made` actions."""

    def make(
        self, task: str, inputs: Mapping[str, str], *, env: Mapping[str, str], where: str
    ) -> tuple[Action, TaskReference]:
        name = task.partition("@")[0]
        if task != CHECKOUT_TASK:
            if task not in _TASKS:
                raise UnknownTask("There are some tasks.")
            unknown = sorted(set(inputs) - _TASKS[task])
            if unknown:
                raise StepRefused(f"The task {task} has no input '{unknown[0]}'.")
        reference = TaskReference("id", "Checkout" if task == CHECKOUT_TASK else name, "1.0.0")
        return Made(task, dict(inputs), dict(env), where), reference


@dataclass
class Bench:
    """The pipeline's repository, others by name, and groups."""

    groups: dict[str, VariableGroup] = field(default_factory=dict)
    repository: GitRepository = field(default_factory=lambda: GitRepository("infrastructure"))
    others: list[GitRepository] = field(default_factory=list)

    def file(self, path: str = FILE) -> YamlFile:
        return YamlFile(
            self.repository,
            path,
            Maker(),
            Project("platform", "sandbox"),
            repositories=self.others,
            variable_groups=self.groups,
        )

    def push(self, files: Mapping[str, str], *, branch: str = MAIN) -> str:
        texts = {path: dedent(text) for path, text in files.items()}
        return self.repository.push(branch, texts, ADA, "change").id

    def other(self, name: str, files: Mapping[str, str]) -> GitRepository:
        repository = GitRepository(name)
        repository.push(MAIN, {path: dedent(text) for path, text in files.items()}, ADA, "change")
        self.others.append(repository)
        return repository

    def expand(
        self,
        text: str,
        files: Mapping[str, str] | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        definition: PipelineDefinition = DEFINITION,
        reason: str = "manual",
    ) -> PipelineDefinition:
        commit = self.push({FILE: text, **(files or {})})
        return self.file().expand(definition, Expansion(MAIN, commit, parameters or {}, variables or {}, reason))

    def problems(
        self, text: str, files: Mapping[str, str] | None = None, *, parameters: Mapping[str, str] | None = None
    ) -> list[str]:
        with pytest.raises(ValidationFailed) as raised:
            self.expand(text, files, parameters=parameters)
        return list(raised.value.messages)


def expand(text: str, files: Mapping[str, str] | None = None, **parameters: str) -> PipelineDefinition:
    return Bench().expand(text, files, parameters=parameters)


def problems(text: str, files: Mapping[str, str] | None = None, **parameters: str) -> list[str]:
    return Bench().problems(text, files, parameters=parameters)


def final(text: str, files: Mapping[str, str] | None = None, **parameters: str) -> str:
    return expand(text, files, **parameters).yaml


def made(step: StepDefinition) -> Made:
    assert isinstance(step.action, Made)
    return step.action
