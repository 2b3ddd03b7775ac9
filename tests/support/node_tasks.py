"""Tiny tasks for the tests of the sandbox's agent: a folder with `task.json` and a script, and steps of them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import (
    JobDefinition,
    NodeMissingError,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
    TaskAction,
    find_node,
)
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from tests.support.sandbox_pipelines import pipeline

TASK_LIB = Path(__file__).parents[2] / "task" / "node_modules" / "azure-pipelines-task-lib"


@cache
def _node_is_there() -> bool:
    try:
        find_node(os.environ)
    except NodeMissingError:
        return False
    return True


needs_node = pytest.mark.skipif(not _node_is_there(), reason="there is no Node.js to run tasks with")
needs_task_lib = pytest.mark.skipif(not TASK_LIB.is_dir(), reason="azure-pipelines-task-lib is not installed")


def manifest(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
    return {
        "id": "0d9e3f0c-8a39-4e0e-9f3b-2c6a0a1b7d11",
        "name": "Tiny",
        "friendlyName": "Tiny",
        "description": "A task of a test",
        "author": "tests",
        "version": {"Major": 1, "Minor": 2, "Patch": 3},
        "inputs": [],
        "execution": {"Node20_1": {"target": "index.js"}},
        **more,
    }


def write_task(folder: Path, script: str, **more: Any) -> Path:  # noqa: ANN401 - passed on
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_text(json.dumps(manifest(**more)), encoding="utf-8")
    (folder / "index.js").write_text(script, encoding="utf-8")
    return folder


def task_step(folder: Path, script: str, *, given: Mapping[str, str] | None = None, **more: Any) -> StepDefinition:  # noqa: ANN401 - passed on
    """Return a step of a task with this script.

    `given` are its inputs, `action` and `step` hold more of either; the rest is `task.json`'s.
    """
    action, step = more.pop("action", {}), more.pop("step", {})
    task = read_task(write_task(folder, script, **more))
    return StepDefinition("tiny", TaskAction(task, given or {}, **action), task=task.reference, **step)


def job(*steps: StepDefinition, **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    """Return a pipeline of one job; `variables` and such are the job's."""
    return pipeline(stages=(StageDefinition("Deploy", (JobDefinition("job", steps, **more),)),))


def printing(*lines: str) -> str:
    """Return a script that prints lines."""
    return f"for (const line of {json.dumps(lines)}) console.log(line);"


def note(into: list[Any], look: Callable[[StepContext], Any]) -> StepDefinition:
    """Return a step that notes something of its job."""
    return StepDefinition("look", lambda context: into.append(look(context)), "always()")


def vsix(path: Path, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
