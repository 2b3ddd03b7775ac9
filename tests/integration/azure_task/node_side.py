"""A built task with a library of the test's own in it, run by Node as an agent runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extension_builder.extension import TASK
from extension_builder.node import find_nodes

AWS = "5c1e6f1a-0000-4000-8000-0000000000a1"
AZURE = "5c1e6f1a-0000-4000-8000-0000000000a2"

LIBRARY = """
import json, os, pathlib, signal, sys, time

REQUEST = json.loads(os.environ["ECS_CD_TASK"])
HERE = pathlib.Path(__file__).parent
SEEN = {"request": REQUEST, "argv": sys.orig_argv, "isolated": sys.flags.isolated, "utf8": sys.flags.utf8_mode,
        "environment": {name: value for name, value in os.environ.items() if name != "ECS_CD_TASK"},
        "folder": os.getcwd()}
(HERE / "seen.json").write_text(json.dumps(SEEN))

def answer(result="Succeeded", message="Done.", **more):
    told = {"version": 1, "result": result, "message": message, "outputs": {}, "variables": {}, "summaryFile": "",
            "reportFile": ""}
    pathlib.Path(REQUEST["resultFile"]).write_text(json.dumps({**told, **more}), encoding="utf-8")
"""
"""What a library of a test begins with: it keeps what it was given, and can answer."""


def connection(identity: str, url: str, scheme: str, **parameters: str) -> dict[str, str]:
    """Return a service connection as the agent puts it into the environment of a task."""
    split = {f"ENDPOINT_AUTH_PARAMETER_{identity}_{key.upper()}": value for key, value in parameters.items()}
    whole = json.dumps({"parameters": parameters, "scheme": scheme})
    return {
        f"ENDPOINT_URL_{identity}": url,
        f"ENDPOINT_AUTH_{identity}": whole,
        f"ENDPOINT_AUTH_SCHEME_{identity}": scheme,
        **split,
    }


def inputs(**given: str) -> dict[str, str]:
    """Return inputs as the agent puts them into the environment of a task."""
    return {f"INPUT_{name.upper()}": value for name, value in given.items()}


def secrets(**given: str) -> dict[str, str]:
    """Return secret variables as the agent puts them there; `__` in a name stands for a dot."""
    dotted = {name.replace("__", "."): value for name, value in given.items()}
    values = {f"SECRET_{name.replace('.', '_').upper()}": value for name, value in dotted.items()}
    return {**values, "VSTS_SECRET_VARIABLES": json.dumps(list(dotted))}


@dataclass(frozen=True)
class Done:
    """A task that ended. `seen` is what the library was given, empty where it was not reached."""

    code: int
    out: str
    err: str
    seen: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """Return what was printed, without the debug messages, which the agent drops."""
        return [line for line in self.out.splitlines() if not line.startswith("##vso[task.debug]")]

    @property
    def results(self) -> list[str]:
        """Return the results that were set."""
        return [line for line in self.lines if line.startswith("##vso[task.complete")]


@dataclass
class Task:
    """The task's folder, and the agent's around it."""

    folder: Path
    agent: Path
    path: list[str] = field(default_factory=list)
    node: Path = field(default_factory=lambda: find_nodes()[0].path)

    @classmethod
    def unpack(cls, built: Path, place: Path) -> Task:
        """Lay out the task as an agent does that downloaded it."""
        task = cls(place / "task", place / "agent")
        for folder in (task.folder / "python", task.agent / "temp", task.agent / "work", place / "bin"):
            folder.mkdir(parents=True)
        shutil.copy(built, task.folder)
        shutil.copy(TASK / "EcsCdV1" / "task.json", task.folder)
        task.path = [str(place / "bin")]
        task.program("python3", f'exec "{sys.executable}" "$@"')
        task.library("answer()")
        return task

    def library(self, source: str) -> None:
        """Let this be what the library does."""
        (self.folder / "python" / "start.py").write_text(LIBRARY + textwrap.dedent(source), encoding="utf-8")

    def program(self, name: str, script: str) -> Path:
        """Put a program on the agent's PATH, or at an absolute place."""
        program = Path(self.path[0]) / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return program

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment an agent gives to a build's task, and `given`."""
        return {
            "PATH": os.pathsep.join(self.path),
            "AGENT_TEMPDIRECTORY": str(self.agent / "temp"),
            "AGENT_VERSION": "4.272.0",
            "SYSTEM_DEFAULTWORKINGDIRECTORY": str(self.agent / "work"),
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
            "BUILD_BUILDID": "101",
            "VSTS_PUBLIC_VARIABLES": json.dumps(["Build.BuildId", "System.CollectionUri"]),
            **connection("SYSTEMVSSCONNECTION", "https://dev.azure.com/acme/", "OAuth", AccessToken="job-token-1f3a"),
            **inputs(command="deploy"),
            **given,
        }

    def start(self, **given: str) -> subprocess.Popen[str]:
        """Start the task as an agent does."""
        return subprocess.Popen(
            [str(self.node), str(self.folder / "index.js")],
            cwd=self.agent / "work",
            env=self.environment(given),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def until(self, process: subprocess.Popen[str], word: str) -> str:
        """Wait until the task printed a line that ends with this word, and return the line."""
        assert process.stdout
        for line in process.stdout:
            if line.strip().endswith(word):
                return line
        raise AssertionError(f"The task ended without saying {word!r}.")

    def end(self, process: subprocess.Popen[str]) -> Done:
        """Wait for a task that was started."""
        out, err = process.communicate(timeout=60)
        seen = self.folder / "python" / "seen.json"
        return Done(process.returncode, out, err, json.loads(seen.read_text()) if seen.exists() else {})

    def run(self, **given: str) -> Done:
        """Run the task to its end."""
        return self.end(self.start(**given))
