"""Steps of standard tasks for the tests, and what their runs come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import StepContext, StepDefinition
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.model.step_factory import StepRefused
from tests.sandbox.azure_devops.conftest import Serve
from tests.sandbox.azure_devops.support import Api
from tests.sandbox.azure_devops.tasks import job, log_lines

CATALOG = TaskCatalog()
HEADER = 6


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


@dataclass(frozen=True)
class Outcome:
    """A run that is over."""

    api: Api
    run: int
    result: str | None

    def log(self, number: int = 1) -> list[str]:
        """Return a step's log below the header."""
        return log_lines(self.api, self.run, number)[HEADER:]

    def header(self, number: int = 1) -> list[str]:
        return log_lines(self.api, self.run, number)[:HEADER]

    def issues(self, number: int = 1) -> list[str]:
        """Return what a step said that is wrong."""
        return [issue["message"] for issue in self.api.records(self.run, "Task")[number - 1]["issues"]]


def carry_out(serve: Serve, *steps: StepDefinition, server: Mapping[str, Any] | None = None, **more: Any) -> Outcome:  # noqa: ANN401 - passed on
    """Run a job of steps; `more` is the job's, `server` the server's."""
    api = serve(job(*steps, **more), **(server or {}))
    run = api.run()
    return Outcome(api, run, api.server.wait(run))


def refusal(task: str, given: Mapping[str, str], catalog: TaskCatalog = CATALOG) -> str:
    """Return why a step is not made."""
    with pytest.raises(StepRefused) as caught:
        catalog.make(task, given, env={}, where="/azure-pipelines.yml (Line: 3, Col: 5)")
    return str(caught.value)
