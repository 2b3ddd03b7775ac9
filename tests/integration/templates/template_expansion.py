"""Pipelines that use the shipped templates from another repository, expanded as the service does it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ecs_cd_sandbox.azure_devops import Expansion, Identity, PipelineDefinition, Task
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.git_repositories import templates_repository

ROOT = Path(__file__).parents[3]
ADA = Identity("Ada Operator", "ada@example.com")
PROJECT = Project("platform", "sandbox")
FILE = "azure-pipelines.yml"
HEAD = """\
trigger: none
resources:
  repositories:
    - repository: ecs-cd
      type: git
      name: platform/ecs-cd
"""
"""What a pipeline of these tests begins with: where the templates are."""

RELEASE_HEAD = f"""{HEAD}\
  pipelines:
    - pipeline: build
      source: my-api
      trigger: {{branches: [main]}}
"""
"""What a release begins with: the build it is of, too."""


@cache
def ecs_cd_task() -> Task:
    """Return the product's task with its own `task.json`. Its program is empty, as nothing here runs it."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "task" / "EcsCdV1" / "task.json", folder)
        Path(folder, "index.js").touch()
        return read_task(Path(folder))


def templates(changed: Mapping[str, tuple[str, str]] | None = None) -> GitRepository:
    """Return the repository of the templates; `changed` replaces one text by another in a file of it."""
    repository = templates_repository(ADA)
    for path, (old, new) in (changed or {}).items():
        [commit] = repository.branches().values()
        text = (repository.file(commit, path) or b"").decode()
        assert old in text, f"{path} has no {old!r}"
        repository.push("main", {path: text.replace(old, new)}, ADA, "Change")
    return repository


def expand(
    text: str, *, branch: str = "main", shipped: GitRepository | None = None, name: str = "my-api"
) -> PipelineDefinition:
    """Return a pipeline as a run of it on a branch would have it.

    Raises:
        ValidationFailed: it cannot be run.
    """
    repository = GitRepository(name)
    commit = repository.push(branch, {FILE: text}, ADA, "Begin")
    file = YamlFile(
        repository, FILE, TaskCatalog(tasks=(ecs_cd_task(),)), PROJECT, repositories=[shipped or templates()]
    )
    return file.expand(PipelineDefinition(12, name), Expansion(commit.branch, commit.id))
