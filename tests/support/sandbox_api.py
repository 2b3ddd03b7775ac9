"""A plain client of the sandbox's Azure DevOps, and what it reads of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from ecs_cd_sandbox.azure_devops import AzureDevOps, Token
from tests.support.sandbox_pipelines import ANN, BOB, MAIN, PATIENCE

ANN_TOKEN = Token("ann-pat", ANN)
BOB_TOKEN = Token("bob-pat", BOB)


class Api:
    """A plain HTTP client of one organization and project, that follows no redirect."""

    def __init__(self, server: AzureDevOps, secret: str = ANN_TOKEN.secret) -> None:
        self.server = server
        self.secret = secret

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:  # noqa: ANN401 - passed on
        headers = {"X-TFS-FedAuthRedirect": "Suppress", **more.pop("headers", {})}
        params = {"api-version": "7.1", **more.pop("params", {})}
        return requests.request(
            method,
            f"{self.server.url}/{more.pop('project', 'platform')}/_apis/{path}",
            params=params,
            headers=headers,
            auth=("", self.secret),
            allow_redirects=False,
            timeout=PATIENCE,
            **more,
        )

    def json(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        response = self(method, path, **more)
        assert response.ok, response.text
        return response.json()

    def run(self, pipeline_id: int = 12, branch: str = MAIN, **body: Any) -> int:  # noqa: ANN401 - any JSON
        resources = {"repositories": {"self": {"refName": branch}}}
        run = self.json("POST", f"pipelines/{pipeline_id}/runs", json={"resources": resources, **body})
        return int(run["id"])

    def build(self, build_id: int) -> Any:  # noqa: ANN401 - any JSON
        return self.json("GET", f"build/builds/{build_id}")

    def cancel(self, build_id: int) -> Any:  # noqa: ANN401 - any JSON
        return self.json("PATCH", f"build/builds/{build_id}", json={"status": "cancelling"})

    def records(self, build_id: int, kind: str) -> list[Any]:
        timeline = self.json("GET", f"build/builds/{build_id}/timeline")
        return [record for record in timeline["records"] if record["type"] == kind]

    def ids(self, **params: object) -> list[int]:
        return [build["id"] for build in self.json("GET", "build/builds", params=params)["value"]]


Serve = Callable[..., Api]
"""Start a server with some pipelines, and return Ann's client of it."""


def log_lines(api: Api, run: int, log: int = 1) -> list[str]:
    return [line.partition("Z ")[2] for line in api.json("GET", f"build/builds/{run}/logs/{log}")["value"]]


def task_output(api: Api, run: int, log: int = 1) -> list[str]:
    """Return what a task's log has below the header."""
    return log_lines(api, run, log)[6:]
