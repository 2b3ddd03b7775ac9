"""Eight services in one environment of the sandbox, released at one moment.

The example has two services. The other six are added as a team adds them: to `services.tf` and its variables, by a push
that the infrastructure pipeline applies, and to `ecs-cd.yml`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ecs_cd_sandbox.azure_devops import JobDefinition, PipelineDefinition, StageDefinition, StepContext, StepDefinition
from ecs_cd_sandbox.example_infrastructure import STATE_BUCKET
from ecs_cd_sandbox.git_repositories import INFRASTRUCTURE_REPOSITORY, TEMPLATES_REPOSITORY
from ecs_cd_sandbox.sandbox import Sandbox
from tests.support.forked_commands import ForkedCommand

ENVIRONMENT, BRANCH = "development", "develop"
OURS = ("my-api", "my-worker")
ADDED = ("my-billing", "my-mail", "my-orders", "my-reports", "my-search", "my-web")
SERVICES = (*OURS, *ADDED)
AGENTS = 4

_LOCK_OBJECT = f"{ENVIRONMENT}.tfstate.tflock"
"""What Terraform's S3 backend puts beside the state while somebody holds the lock."""

_INFRASTRUCTURE = 1
"""The id of the infrastructure pipeline."""
_LOCK_LINE = "            lockBehavior: ${{ parameters.lockBehavior }}\n"
_PATIENCE = 170

Command = subprocess.Popen[str] | ForkedCommand
"""A delivery under way, in a process of its own."""


@dataclass(frozen=True)
class Released:
    """How the releases of one moment ended: each one's exit code, report and progress; and the runs there were."""

    codes: tuple[int, ...]
    reports: tuple[dict[str, Any], ...]
    told: tuple[str, ...]
    runs: tuple[dict[str, Any], ...]

    @property
    def applied(self) -> list[int]:
        """Return the runs that went through Terraform and ended well."""
        return [run["id"] for run in self.runs if run["result"] == "succeeded"]

    @property
    def failed(self) -> list[int]:
        return [run["id"] for run in self.runs if run["result"] == "failed"]


class EightServices:
    """The eight services of a sandbox with `AGENTS` agents.

    `new_interpreters`: each delivery starts Python anew, as it does on eight agents. Else it is forked from a process
    that has imported the library, which takes less of the machine.
    """

    def __init__(self, sandbox: Sandbox, *, new_interpreters: bool = False) -> None:
        self.sandbox = sandbox
        self._new_interpreters = new_interpreters
        self._tag = 1000
        self._template = (sandbox.repositories[TEMPLATES_REPOSITORY], "templates/infrastructure.yml")
        self._add_services()

    def behave(self, *, lock: str = "sequential", lock_timeout: str = "10m") -> None:
        """Set how runs wait: for Azure's lock (`sequential`, `runLatest`, or `none`), and Terraform for its own."""
        templates, path = self._template
        shipped = self._file(templates.name, path, "main")
        whole = shipped if _LOCK_LINE in shipped else self._with_lock(shipped)
        assert _LOCK_LINE in whole
        self._push(templates.name, {path: whole.replace(_LOCK_LINE, "") if lock == "none" else whole}, "main")
        pipeline = self._file(INFRASTRUCTURE_REPOSITORY, "azure-pipelines.yml", BRANCH)
        kept = [line for line in pipeline.splitlines() if not line.strip().startswith(("lockTimeout:", "lockBehavior"))]
        at = kept.index("      workingDirectory: terraform")
        kept.insert(at, f"      lockTimeout: {lock_timeout}")
        if lock != "none":
            kept.insert(at, f"      lockBehavior: {lock}")
        self._push(INFRASTRUCTURE_REPOSITORY, {"azure-pipelines.yml": "\n".join(kept) + "\n"}, BRANCH)

    @contextmanager
    def agents(self, number: int) -> Iterator[None]:
        """Leave so many agents of the pool to the infrastructure; the others have something else to do."""
        azure, done = self.sandbox.azure_devops, threading.Event()
        others = [self._occupy(done, place) for place in range(AGENTS - number)]
        try:
            for run_id in others:
                azure.wait(run_id, "inProgress")
                azure.wait_until(run_id, lambda run: run.phase == "running")
            yield
        finally:
            done.set()
            for run_id in others:
                azure.wait(run_id)

    def push_images(self) -> str:
        """Push a new tag of all eight, and return it."""
        self._tag += 1
        for service in SERVICES:
            self.sandbox.aws.push_image(service, str(self._tag))
        return str(self._tag)

    def release(self, *services: str) -> Released:
        """Deliver a new tag of all eight, or of these, each by a process of its own, all started at one moment."""
        tag, before = self.push_images(), self.runs()
        processes = [self.start(service, tag) for service in services or SERVICES]
        with self._ended(processes) as ends:
            known = {run["id"] for run in before}
            return Released(
                tuple(-1 if process.returncode is None else process.returncode for process in processes),
                tuple(json.loads(out) for out, _ in ends),
                tuple(err for _, err in ends),
                tuple(run for run in self.runs() if run["id"] not in known),
            )

    def start(self, service: str, tag: str) -> Command:
        """Start a delivery."""
        words = ["deploy", service, ENVIRONMENT, "--tag", tag, "--output", "json"]
        environment = {**_process_environment(), **self.sandbox.environment(), "NO_COLOR": "1"}
        if not self._new_interpreters:
            return ForkedCommand(words, folder=self.sandbox.folder, environment=environment)
        return subprocess.Popen(
            [sys.executable, "-m", "ecs_cd", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.sandbox.folder,
        )

    def queue(self) -> int:
        """Queue a run of the environment, as anybody may, and return its id."""
        branch = {"resources": {"repositories": {"self": {"refName": f"refs/heads/{BRANCH}"}}}}
        return int(self.ask("POST", f"pipelines/{_INFRASTRUCTURE}/runs", branch)["id"])

    def serves(self) -> dict[str, str]:
        """Return the tag of each service's own container in the task definition it has now."""
        ecs = self.sandbox.aws.client("ecs")
        found = ecs.describe_services(cluster=ENVIRONMENT, services=list(SERVICES))["services"]
        return {service["serviceName"]: self._image(service["taskDefinition"]).rpartition(":")[2] for service in found}

    def runs(self) -> list[dict[str, Any]]:
        """Return the environment's runs, oldest first, as Azure DevOps shows them."""
        query = f"definitions={_INFRASTRUCTURE}&branchName=refs/heads/{BRANCH}&queryOrder=queueTimeAscending"
        return list(self.ask("GET", f"build/builds?{query}")["value"])

    def ask(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask Azure DevOps as anybody may."""
        azure = self.sandbox.azure_devops
        request = urllib.request.Request(
            f"{azure.url}/{azure.project.name}/_apis/{what}{'&' if '?' in what else '?'}api-version=7.1",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(f":{self.sandbox.pat}".encode()).decode(),
                "Content-Type": "application/json",
            },
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    @contextmanager
    def laptop(self, seconds: float = 0.0, *, failing: int = 1) -> Iterator[None]:
        """Hold the state's lock from a laptop until it has failed so many runs, and for so many seconds at least."""
        began = time.monotonic()
        self._lock_state()
        failed = self._failed() + failing
        thread = threading.Thread(target=self._unlock_after_failed_runs, args=(began + seconds, failed))
        thread.start()
        yield
        thread.join()

    def _lock_state(self) -> None:
        """Write the object that Terraform writes, in its own form."""
        info = {
            "ID": "6c1f0a52-0d2e-4a53-9c8e-0f1d5f0f3c11",
            "Operation": "OperationTypeApply",
            "Info": "",
            "Who": "ann@laptop",
            "Version": "1.15.5",
            "Created": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}000Z",
            "Path": f"{STATE_BUCKET}/{ENVIRONMENT}.tfstate",
        }
        s3 = self.sandbox.aws.client("s3")
        s3.put_object(Bucket=STATE_BUCKET, Key=_LOCK_OBJECT, Body=json.dumps(info).encode(), IfNoneMatch="*")

    def _unlock_after_failed_runs(self, earliest: float, failed: int) -> None:
        try:
            self.sandbox.azure_devops._state.wait_for(lambda: self._failed() >= failed, _PATIENCE)
            time.sleep(max(0.0, earliest - time.monotonic()))
        finally:
            self.sandbox.aws.client("s3").delete_object(Bucket=STATE_BUCKET, Key=_LOCK_OBJECT)

    def _failed(self) -> int:
        return sum(run.result == "failed" for run in self.sandbox.azure_devops._state.runs.values())

    @contextmanager
    def _ended(self, processes: list[Command]) -> Iterator[list[tuple[str, str]]]:
        with ExitStack() as stack:
            for process in processes:
                stack.enter_context(process)
                stack.callback(process.kill)
            yield [process.communicate(timeout=_PATIENCE) for process in processes]

    def _occupy(self, done: threading.Event, place: int) -> int:
        def wait(_: StepContext) -> None:
            done.wait()

        job = JobDefinition("other", (StepDefinition("Something else", wait),))
        other = PipelineDefinition(50 + place, f"other-{place}", (StageDefinition("other", (job,)),))
        self.sandbox.azure_devops.define(other)
        return int(self.ask("POST", f"pipelines/{other.id}/runs", {})["id"])

    def _add_services(self) -> None:
        for service in ADDED:
            self.sandbox.aws.create_repository(service)
            self.sandbox.aws.push_image(service, "100")
        services = self._file(INFRASTRUCTURE_REPOSITORY, "terraform/services.tf", BRANCH)
        variables = self._file(INFRASTRUCTURE_REPOSITORY, f"terraform/environments/{ENVIRONMENT}.tfvars", BRANCH)
        added = "".join(
            f'    {name} = {{ container = "app", cpu = 256, memory = 512, ports = [], sidecars = [] }}\n'
            for name in ADDED
        )
        counts = "".join(f"  {name} = 1\n" for name in ADDED)
        self._push(
            INFRASTRUCTURE_REPOSITORY,
            {
                "terraform/services.tf": services.replace("  services = {\n", f"  services = {{\n{added}", 1),
                f"terraform/environments/{ENVIRONMENT}.tfvars": variables.replace(
                    "desired_count = {\n", f"desired_count = {{\n{counts}", 1
                ),
            },
            BRANCH,
        )
        settings = self.sandbox.settings.read_text(encoding="utf-8")
        ecs = "ecs: {cluster: '{environment}', container: app}"
        places = "".join(f"  {name}:\n    repository: {name}\n    {ecs}\n" for name in ADDED)
        self.sandbox.settings.write_text(settings.replace("services:\n", f"services:\n{places}", 1), encoding="utf-8")
        assert self.sandbox.azure_devops.wait(self.queue(), timeout=120) == "succeeded"

    def _file(self, repository: str, path: str, branch: str) -> str:
        found = self.sandbox.repositories[repository]
        commit = found.resolve(branch)
        assert commit
        content = found.file(commit, path)
        assert content is not None
        return content.decode()

    def _push(self, repository: str, files: Mapping[str, str], branch: str) -> None:
        self.sandbox.push(repository, dict(files), "Change the infrastructure [skip ci]", branch=branch)

    @staticmethod
    def _with_lock(template: str) -> str:
        jobs = template.index("            jobs:\n")
        return template[:jobs] + _LOCK_LINE + template[jobs:]

    def _image(self, arn: str) -> str:
        ecs = self.sandbox.aws.client("ecs")
        (own,) = (
            container["image"]
            for container in ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"]
            if container["name"] in ("api", "worker", "app")
        )
        return str(own)


def _process_environment() -> dict[str, str]:
    """Return what a process needs of this one's environment, and nothing that leads elsewhere."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
