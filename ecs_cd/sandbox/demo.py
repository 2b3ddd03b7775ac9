"""`ecs-cd sandbox demo`: three builds of one service on their way to ECS, by the very commands a person would type.

Given the extension, the deliveries to development go through a release pipeline and its task.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from ecs_cd.sandbox.local import Sandbox
from ecs_cd.sandbox.pipelines import DELIVERY, ENVIRONMENTS, RELEASE, SERVICES, TASK

BROKEN_TAG = "103"
INTERRUPTED = 130

Run = Callable[[list[str]], int]


class DemoStoppedError(Exception):
    """A command did not end as the demo meant it to; `code` is how it ended."""

    def __init__(self, code: int) -> None:
        """Keep the exit code."""
        super().__init__(code)
        self.code = code


def play(run: Run, extension: Path | None = None) -> int:
    """Play the demo and return the exit code: 0 when two builds were deployed and the broken one was not.

    `run` runs one `ecs-cd` command line and returns its exit code; `extension` is the built `.vsix`.
    """
    _say("Starting a sandbox on this machine: AWS (moto), Azure DevOps, and real Terraform with the AWS provider.")
    _say(f"Services {' and '.join(SERVICES)} already run in {' and '.join(ENVIRONMENTS)}, all with tag 100.\n")
    try:
        with Sandbox(extension=extension) as sandbox:
            _reach(sandbox)
            sandbox.scheduler.behave("crash-loop", service="my-api", tag=BROKEN_TAG)
            _Demo(sandbox, run).play()
    except DemoStoppedError as stopped:
        return stopped.code
    except KeyboardInterrupt:
        _say("\nInterrupted; the sandbox is stopped and nothing is left behind.")
        return INTERRUPTED
    return 0


def _reach(sandbox: Sandbox) -> None:
    """Let this process reach the sandbox, and nothing that the person's own environment speaks of."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ECS_CD_", "SYSTEM_"))]:
        del os.environ[name]
    os.environ.update(sandbox.environment())


class _Demo:
    def __init__(self, sandbox: Sandbox, run: Run) -> None:
        self._sandbox = sandbox
        self._run = run
        self._report = Path.cwd() / "ecs-cd-demo-report.json"

    def play(self) -> None:
        self._act("As it is before:")
        self._command("status")
        self._act("1. A build of my-api pushes an image and publishes its tag file; the release delivers it.")
        if self._sandbox.has_release:
            _say(f"The release is a pipeline of its own; its agent runs the built extension's task {TASK}.")
        self._release(self._build(), "development")
        self._act("2. The next build goes the same way, and then on to production.")
        tag_file = self._build()
        self._release(tag_file, "development")
        self._deliver(tag_file, "production", "--report", str(self._report))
        self._act("3. The third build is broken: its container ends at once. Terraform will not notice; ECS will.")
        self._release(self._build(), "development", ends=1)
        self._act("As it is now: ECS serves what worked; the parameter shows the tag that waits for a better build.")
        self._command("status")
        self._command("history", "my-api", "development")
        _say(f"\nThe report of the delivery to production, for programs: {self._report}")
        _say("To try it by hand: ecs-cd sandbox up")

    def _build(self) -> Path:
        """Run the CI pipeline and download the artifact it publishes; return the tag file."""
        self._command("pipeline", "queue", "--pipeline", "my-api", "--branch", "main", "--wait", "--quiet")
        drop = self._sandbox.folder / "drop"
        with zipfile.ZipFile(io.BytesIO(self._newest_artifact())) as artifact:
            artifact.extractall(drop)
        tag_file = next(drop.rglob(".buildId"))
        _say(f"The build published {tag_file.name}: {tag_file.read_text(encoding='utf-8').strip()}")
        return tag_file

    def _newest_artifact(self) -> bytes:
        build = self._newest_run("my-api")
        return self._get(f"builds/{build}/artifacts?artifactName=drop&$format=zip&api-version=7.1")

    def _newest_run(self, pipeline: str) -> int:
        builds = self._get("builds?$top=50&queryOrder=queueTimeDescending&api-version=7.1")
        return next(
            int(build["id"]) for build in json.loads(builds)["value"] if build["definition"]["name"] == pipeline
        )

    def _get(self, route: str) -> bytes:
        azure_devops = self._sandbox.azure_devops
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{azure_devops.url}/{azure_devops.project.name}/_apis/build/{route}",
            headers={"Authorization": "Basic " + base64.b64encode(f":{self._sandbox.pat}".encode()).decode()},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request) as answer:
            content: bytes = answer.read()
            return content

    def _release(self, tag_file: Path, environment: str, *, ends: int = 0) -> None:
        """Deliver through the release pipeline and its task, or, without the extension, from the command line."""
        if not self._sandbox.has_release:
            self._deliver(tag_file, environment, ends=ends)
            return
        queue = ("pipeline", "queue", "--pipeline", RELEASE, "--branch", "main")
        self._command(*queue, "--variable", f"environment={environment}", "--wait", ends=ends)
        if ends:
            return  # that was told by the command already
        _say(f"\nWhat the task {TASK} told at its end, in the log of the step '{DELIVERY}':")
        for line in self._told_at_the_end(self._newest_run(RELEASE)):
            _say(f"  | {line}")

    def _told_at_the_end(self, run: int) -> list[str]:
        """Return the outcome from the log of the release's task: all from its verdict on."""
        records = json.loads(self._get(f"builds/{run}/timeline?api-version=7.1"))["records"]
        log = next(record["log"]["id"] for record in records if record["name"] == DELIVERY)
        lines = [
            line.partition(" ")[2]
            for line in json.loads(self._get(f"builds/{run}/logs/{log}?api-version=7.1"))["value"]
        ]
        verdict = next((place for place, line in enumerate(lines) if line.startswith(("OK  ", "FAILED  "))), 0)
        return lines[verdict:]

    def _deliver(self, tag_file: Path, environment: str, *more: str, ends: int = 0) -> None:
        self._command("deploy", "my-api", environment, "--tag-file", str(tag_file), *more, ends=ends)

    def _command(self, *words: str, ends: int = 0) -> None:
        """Show a command as a person would type it, run it, and see that it ends as it should."""
        shown = [word.replace(f"{self._sandbox.folder}{os.sep}", "") for word in words]
        _say(f"\n$ ecs-cd {' '.join(shown)}")
        code = self._run(list(words))
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code != ends:
            _say(f"This ended with exit code {code}, not with {ends} as the demo meant it to.")
            raise DemoStoppedError(code or 1)

    def _act(self, text: str) -> None:
        _say(f"\n{text}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
