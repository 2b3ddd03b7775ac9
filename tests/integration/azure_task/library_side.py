"""The library's side of the task, called as the Node side calls it: in this process, or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecs_cd.azure_task.main import run
from ecs_cd.support.clock import Clock
from tests.support.simulated_clouds import SimulatedClouds

JOB_TOKEN = "job-token-0123456789abcdefghijklmnopqrstuvwxyz"
DIRECT = {
    "service": "my-api",
    "environment": "development",
    "parameter": "/{service}/{environment}/docker-image-tag",
    "pipeline": "my-infrastructure",
    "branch": "develop",
    "cluster": "development",
    "container": "api",
    "regionName": "eu-west-1",
}
"""What says all of a delivery without a settings file."""


@dataclass(frozen=True)
class Ran:
    """How a call ended: what it printed, and the files it left."""

    code: int
    out: str
    answer: dict[str, Any] = field(default_factory=dict)
    summary: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """Return everything that was said anywhere."""
        return "\n".join([self.out, json.dumps(self.answer), self.summary, json.dumps(self.report)])

    @property
    def outputs(self) -> dict[str, str]:
        """Return the output variables."""
        return dict(self.answer["outputs"])

    def ended(self, result: str, *words: str) -> Ran:
        """Assert the result, and that its message has these words."""
        assert self.answer.get("result") == result, self.told
        for word in words:
            assert word in self.answer["message"], self.told
        return self


def request(result: Path, inputs: Mapping[str, str], **more: object) -> dict[str, Any]:
    """Return a request as `index.js` makes it."""
    return {
        "version": 1,
        "inputs": dict(inputs),
        "aws": None,
        "azureDevOps": None,
        "accessToken": JOB_TOKEN,
        "awsVariables": {
            "accessKeyId": "",
            "secretAccessKey": "",
            "sessionToken": "",
            "region": "$(AWS.Region)",
            "maxDuration": "",
        },
        "proxy": None,
        "caFile": "",
        "skipCertificateValidation": False,
        "resultFile": str(result),
        **more,
    }


def aws_connection(**parameters: str) -> dict[str, Any]:
    """Return an AWS service connection as `index.js` hands it on."""
    names = ("username", "password", "sessionToken", "assumeRoleArn", "roleSessionName", "externalId", "useOIDC")
    unknown = set(parameters) - set(names)
    assert not unknown
    return {
        "connection": "11111111-2222-3333-4444-555555555555",
        "parameters": {name: parameters.get(name, "") for name in names},
    }


class Task:
    """Calls the task beside simulated clouds. `environ` is the agent's environment; `clock` whom it waits with."""

    def __init__(self, clouds: SimulatedClouds, folder: Path, clock: Clock | None = None) -> None:
        self.clouds = clouds
        self.clock = clock
        self.work = folder / "work"
        self.temp = folder / "temp"
        self.result = self.temp / "result.json"
        for name in ("s", "a"):
            (self.work / name).mkdir(parents=True)
        self.temp.mkdir()
        self.environ = {
            **clouds.environment(),
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": clouds.azure.url + "/",
            "SYSTEM_TEAMPROJECT": "platform",
            "SYSTEM_HOSTTYPE": "build",
            "SYSTEM_DEFAULTWORKINGDIRECTORY": str(self.work / "s"),
            "PIPELINE_WORKSPACE": str(self.work),
            "BUILD_ARTIFACTSTAGINGDIRECTORY": str(self.work / "a"),
            "BUILD_BUILDID": "55",
        }
        del self.environ["ECS_CD_AZURE_DEVOPS_PAT"]

    def publish(self, tag: str, where: str = "drop/.buildId") -> Path:
        """Put a tag file below `Pipeline.Workspace`."""
        path = self.work / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{tag}\n", encoding="utf-8")
        return path

    def __call__(self, command: str, inputs: Mapping[str, str] | None = None, /, **more: object) -> Ran:
        """Carry a command out in this process, whose environment must be the agent's."""
        asked = request(self.result, {"command": command, **(inputs or {})}, **more)
        out = io.StringIO()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update({**self.environ, "ECS_CD_TASK": json.dumps(asked)})
        try:
            code = run(os.environ, out, self.clock)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return self.left(code, out.getvalue())

    def process(
        self, command: str, inputs: Mapping[str, str] | None = None, /, *, program: str = "", **more: object
    ) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        asked = request(self.result, {"command": command, **(inputs or {})}, **more)
        return subprocess.Popen(
            [sys.executable, "-X", "utf8", "-u", *(["-c", program] if program else ["-m", "ecs_cd.azure_task"])],
            env={**self.environ, "ECS_CD_TASK": json.dumps(asked)},
            cwd=self.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def left(self, code: int, out: str) -> Ran:
        """Return what a call left."""
        if not self.result.is_file():
            return Ran(code, out)
        answer = json.loads(self.result.read_text(encoding="utf-8"))
        summary = Path(answer["summaryFile"]).read_text(encoding="utf-8") if answer["summaryFile"] else ""
        report = json.loads(Path(answer["reportFile"]).read_text(encoding="utf-8")) if answer["reportFile"] else {}
        return Ran(code, out, answer, summary, report)
