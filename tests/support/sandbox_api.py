"""What the tests of the sandbox's Azure DevOps share: steps under a test's control, short pipelines, a plain client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import requests

from ecs_cd_sandbox.azure_devops import (
    AzureDevOps,
    Identity,
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
    Token,
)

ANN = Identity("Ann Example", "ann@example.com")
BOB = Identity("Bob Example", "bob@example.com")
ANN_TOKEN = Token("ann-pat", ANN)
BOB_TOKEN = Token("bob-pat", BOB)
MAIN, DEVELOP = "refs/heads/main", "refs/heads/develop"
BRANCHES = {MAIN: "a" * 40, DEVELOP: "b" * 40}
PATIENCE = 20.0


class Gate:
    """A step that ends when it is told to or cancelled, and says when it has started."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self._changed = threading.Condition()
        self._allowed = 0

    def __call__(self, context: StepContext) -> None:
        with self._changed:
            self.started.append(context.run_id)
            self._changed.notify_all()
        unsubscribe = context.cancelled.subscribe(self._wake)
        with self._changed:
            self._changed.wait_for(lambda: self._allowed > 0 or context.cancelled.is_set(), PATIENCE)
            self._allowed -= 1
        unsubscribe()
        if context.cancelled.is_set():
            context.fail("told to stop")

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_started(self, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.started) >= count, PATIENCE)

    def open(self, times: int = 1) -> None:
        with self._changed:
            self._allowed += times
            self._changed.notify_all()


def nothing(context: StepContext) -> None:
    context.log(f"run {context.run_id}")


def stage(name: str, *actions: Callable[[StepContext], None], **more: Any) -> StageDefinition:  # noqa: ANN401 - passed on
    steps = tuple(StepDefinition(f"step {number}", action) for number, action in enumerate(actions, start=1))
    return StageDefinition(name, (JobDefinition("job", steps),), **more)


def pipeline(*actions: Callable[[StepContext], None], **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    defaults: dict[str, Any] = {"id": 12, "name": "deploy", "branches": BRANCHES}
    return PipelineDefinition(**{"stages": (stage("Apply", *(actions or (nothing,))),), **defaults, **more})


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
