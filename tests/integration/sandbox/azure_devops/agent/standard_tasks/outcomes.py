"""What runs of standard tasks come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecs_cd_sandbox.azure_devops import StepDefinition
from tests.support.node_tasks import job
from tests.support.sandbox_api import Api, Serve, log_lines

HEADER = 6
"""Lines that the agent writes above what a task prints."""


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
