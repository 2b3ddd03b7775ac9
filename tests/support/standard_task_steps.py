"""Steps of the sandbox's standard tasks, and why one is not made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import StepContext, StepDefinition
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.model.step_factory import StepRefused

CATALOG = TaskCatalog()


def step(
    task: str,
    given: Mapping[str, str] | None = None,
    *,
    catalog: TaskCatalog = CATALOG,
    env: Mapping[str, str] | None = None,
    **more: Any,  # noqa: ANN401 - passed on
) -> StepDefinition:
    """Return a step of a task; `more` is the step's."""
    action, reference = catalog.make(task, given or {}, env=env or {}, where="/azure-pipelines.yml (Line: 3, Col: 5)")
    return StepDefinition(reference.name, action, task=reference, **more)


def script(content: str, **more: Any) -> StepDefinition:  # noqa: ANN401 - passed on
    return step("Bash@3", {"targetType": "inline", "script": content, **more.pop("given", {})}, **more)


def files(content: Mapping[str, str]) -> StepDefinition:
    """Return a step that puts files below the job's folder `Pipeline.Workspace`."""

    def write(context: StepContext) -> None:
        for path, text in content.items():
            place = context.job.workspace.pipeline / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")

    return StepDefinition("write files", write)


def refusal(task: str, given: Mapping[str, str], catalog: TaskCatalog = CATALOG) -> str:
    """Return why a step is not made."""
    with pytest.raises(StepRefused) as caught:
        catalog.make(task, given, env={}, where="/azure-pipelines.yml (Line: 3, Col: 5)")
    return str(caught.value)
