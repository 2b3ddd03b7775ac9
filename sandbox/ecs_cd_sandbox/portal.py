"""What a person does in the web portal of Azure DevOps, for the demo: look at runs, read logs, approve."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ecs_cd_sandbox.sandbox import Sandbox

T = TypeVar("T")
_TIMEOUT = 120.0
_REPORT = "ecs-cd.report"


class Portal:
    """A project of the sandbox's Azure DevOps, by its official API."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Look at this sandbox, as the person whose token it has."""
        self._sandbox = sandbox
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def runs_of(self, pipeline: str) -> list[int]:
        """Return the ids of a pipeline's runs, newest first."""
        builds = self._json("build/builds?$top=50&queryOrder=queueTimeDescending")["value"]
        return [int(build["id"]) for build in builds if build["definition"]["name"] == pipeline]

    def run_after(self, pipeline: str, run: int) -> int:
        """Wait for a run of a pipeline that was queued after another run, and return its id."""
        return self._wait(lambda: next((number for number in self.runs_of(pipeline) if number > run), None))

    def approval_or_end(self, run: int) -> str | None:
        """Wait until a run asks for an approval or is over; return the approval's id, None where it is over."""

        def look() -> tuple[str | None] | None:
            records = self._records(run)
            asked = (each for each in records if each["type"] == "Checkpoint.Approval")
            waiting = next((str(each["id"]) for each in asked if each["state"] == "inProgress"), None)
            over = self._json(f"build/builds/{run}")["status"] == "completed"
            return (waiting,) if waiting or over else None

        return self._wait(look)[0]

    def approve(self, approval: str, comment: str) -> None:
        """Approve."""
        body = [{"approvalId": approval, "status": "approved", "comment": comment}]
        self._ask("pipelines/approvals", method="PATCH", body=json.dumps(body).encode())

    def log(self, run: int, task: str) -> list[str]:
        """Return the log of a task, without the times."""
        log = next(record["log"]["id"] for record in self._records(run) if record["name"] == task)
        return [line.partition(" ")[2] for line in self._json(f"build/builds/{run}/logs/{log}")["value"]]

    def download(self, run: int, artifact: str, folder: Path) -> None:
        """Download and unpack an artifact of a run."""
        content = self._ask(f"build/builds/{run}/artifacts?artifactName={artifact}&$format=zip")
        with zipfile.ZipFile(io.BytesIO(content)) as files:
            files.extractall(folder)

    def report(self, run: int, environment: str) -> str:
        """Return the report of a delivery to an environment, which the task attached to the run (JSON text)."""
        attached = self._json(f"build/builds/{run}/attachments/{_REPORT}")["value"]
        reports = [self._fetch(each["_links"]["self"]["href"]).decode() for each in attached]
        return next(report for report in reports if json.loads(report)["environment"] == environment)

    def _records(self, run: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._json(f"build/builds/{run}/timeline")["records"]
        return found

    def _wait(self, look: Callable[[], T | None]) -> T:
        """Look until there is something to see.

        Raises:
            TimeoutError: there is nothing for two minutes.
        """
        end = time.monotonic() + _TIMEOUT
        while time.monotonic() < end:
            found = look()
            if found is not None:
                return found
            time.sleep(0.2)
        raise TimeoutError("the sandbox's Azure DevOps did not come to what was waited for")

    def _json(self, route: str) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self._ask(route))

    def _ask(self, route: str, *, method: str = "GET", body: bytes | None = None) -> bytes:
        azure_devops = self._sandbox.azure_devops
        separator = "&" if "?" in route else "?"
        url = f"{azure_devops.url}/{azure_devops.project.name}/_apis/{route}{separator}api-version=7.1"
        return self._fetch(url, method=method, body=body)

    def _fetch(self, url: str, *, method: str = "GET", body: bytes | None = None) -> bytes:
        token = base64.b64encode(f":{self._sandbox.pat}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - the sandbox's own address
        with self._direct.open(request) as answer:
            content: bytes = answer.read()
            return content
