"""The server itself: one organization of Azure DevOps on a port of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from types import TracebackType
from typing import Literal

from ecs_cd_sandbox.azure_devops.agent.agent_pool import AgentPool
from ecs_cd_sandbox.azure_devops.agent.job import JobAccess
from ecs_cd_sandbox.azure_devops.agent.job_execution import Execution
from ecs_cd_sandbox.azure_devops.engine.orchestrator import Orchestrator, QueueDelay
from ecs_cd_sandbox.azure_devops.engine.run_creation import create_run
from ecs_cd_sandbox.azure_devops.engine.triggers import Push
from ecs_cd_sandbox.azure_devops.http.app import create_app
from ecs_cd_sandbox.azure_devops.http.faults import Faults
from ecs_cd_sandbox.azure_devops.http.handlers import Service
from ecs_cd_sandbox.azure_devops.http.recorder import Recorder
from ecs_cd_sandbox.azure_devops.http.tokens import Token, Tokens
from ecs_cd_sandbox.azure_devops.http.wsgi_server import HttpServer
from ecs_cd_sandbox.azure_devops.model.definitions import Environment, PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from ecs_cd_sandbox.azure_devops.model.links import Links, Project
from ecs_cd_sandbox.azure_devops.model.run import QueueRequest, Run, RunResult, Source
from ecs_cd_sandbox.azure_devops.model.run_progress import JobRun
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.model.state import State

CLOSE_TIMEOUT = 15.0
"""Seconds each thread is given to end; the agent's own way to cancel a program takes ten."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(timezone.utc)


def no_delay(request: QueueRequest) -> float:  # noqa: ARG001 - the signature of a delay
    """Admit every run at once."""
    return 0.0


class AzureDevOps:
    """Azure DevOps Services for one organization and one project, reached through its official REST API only.

    `queue_delay` says how many seconds a request waits before its run is admitted. `agent_environment` is what the
    agents' programs inherit, by default this process's environment. `port` 0 takes a free one.
    """

    def __init__(
        self,
        *,
        organization: str = "sandbox",
        project: str = "platform",
        definitions: Iterable[PipelineDefinition] = (),
        agents: int = 2,
        tokens: Iterable[Token] = (),
        endpoints: Sequence[ServiceEndpoint] = (),
        environments: Iterable[Environment] = (),
        agent_environment: Mapping[str, str] | None = None,
        queue_delay: QueueDelay = no_delay,
        first_run_id: int = 1,
        clock: Clock = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Prepare everything; `start` opens the port."""
        self.project = Project(project, organization)
        self.tokens = Tokens(tokens)
        self._endpoints = tuple(endpoints)
        self._agent_environment = agent_environment
        self.recorder = Recorder()
        self.faults = Faults()
        self._state = State(definitions, clock, self.project, environments, first_run_id)
        self._orchestrator = Orchestrator(self._state, queue_delay)
        self._agents = AgentPool(self._state, agents, self._execute)
        service = Service(self._state, self._orchestrator, self.tokens, self.project, endpoints)
        self._app = create_app(service, self.recorder, self.faults)
        self._address = (host, port)
        self._http: HttpServer | None = None

    def start(self) -> None:
        """Open the port and let the agents begin. A server is started once."""
        self._http = HttpServer(*self._address, self._app)
        self._http.start()
        self._orchestrator.start()
        self._agents.start()

    def close(self) -> None:
        """Cancel what runs, close the port and end every thread. Closing again is fine."""
        if self._http is None:
            return
        self.faults.close()
        with self._state.lock:
            self._state.closing = True
            for run in self._state.runs.values():
                for job in run.jobs:
                    job.abort()
            self._state.changed()
        self._agents.join(CLOSE_TIMEOUT)
        self._orchestrator.join(CLOSE_TIMEOUT)
        self._http.close(CLOSE_TIMEOUT)
        self._http = None

    def __enter__(self) -> AzureDevOps:  # noqa: PYI034 - `Self` is not in Python 3.10
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @property
    def origin(self) -> str:
        """Scheme, host and port; raises `RuntimeError` while the server does not run."""
        if self._http is None:
            raise RuntimeError("the server is not running")
        return self._http.origin

    @property
    def url(self) -> str:
        """The organization's URL, what a client is configured with."""
        return Links(self.origin, self.project).organization

    def wait(self, build_id: int, status: str = "completed", timeout: float = 30.0) -> str | None:
        """Wait for a status of a run and return the run's result (None while it has none).

        Raises:
            TimeoutError: the run did not get there within `timeout` seconds.
        """
        self.wait_until(
            build_id, lambda run: run.status == status and (status != "completed" or run.phase == "done"), timeout
        )
        with self._state.lock:
            return self._state.runs[build_id].result

    def wait_until(self, build_id: int, predicate: Callable[[Run], bool], timeout: float = 30.0) -> None:
        """Wait until something holds of a run.

        Raises:
            TimeoutError: it did not come to hold within `timeout` seconds.
        """
        runs = self._state.runs
        self._state.wait_for(lambda: build_id in runs and predicate(runs[build_id]), timeout)

    @contextmanager
    def agents_offline(self) -> Iterator[None]:
        """Keep every agent from taking a run; those that run go on."""
        self._agents.online = False
        try:
            yield
        finally:
            self._agents.online = True

    def set_queue_status(self, definition_id: int, status: Literal["enabled", "paused", "disabled"]) -> None:
        """Enable, pause or disable a pipeline."""
        with self._state.lock:
            self.define(replace(self._state.definitions[definition_id], queue_status=status))

    def define(self, definition: PipelineDefinition) -> None:
        """Add a pipeline, or put it in the place of the one with its id; runs there are keep what they had."""
        with self._state.lock:
            self._state.definitions[definition.id] = definition
            self._state.changed()

    def pushed(
        self, repository: str, branch: str, changed: Sequence[str], by: Identity, *, message: str = ""
    ) -> list[int]:
        """Tell of a push to a branch (full name) of a repository, and return the ids of the runs it started.

        `changed` are the paths of the files that differ; `message` is the commit's, which may ask to start nothing.
        """
        runs = self._orchestrator.pushed(Push(repository, branch, tuple(changed), by, message))
        return [run.id for run in runs]

    def add_completed_build(
        self,
        definition: PipelineDefinition,
        branch: str,
        artifacts: Mapping[str, Mapping[str, bytes]],
        *,
        result: RunResult = "succeeded",
        tags: Sequence[str] = (),
    ) -> int:
        """Put in a CI build that is over, with its artifacts (files by their path), and return its id."""
        commit = definition.commit(branch)
        if commit is None:
            raise ValueError(f"{definition.name} has no branch {branch}")
        author = Identity("Sandbox Author", "author@example.com")
        request = QueueRequest(definition, Source(branch, commit), author, reason="individualCI", tags=tuple(tags))
        with self._state.lock:
            self._state.definitions.setdefault(definition.id, definition)
            run = create_run(self._state, request)
            for name, files in artifacts.items():
                run.publish(name, dict(files), source=run.plan_id)
            for record in list(run.timeline.records):
                run.timeline.finish_below(record, "failed" if result == "failed" else "succeeded")
            run.end(result)
            run.start_time = run.finish_time = run.queue_time
            self._state.changed()
            return run.id

    def _execute(self, run: Run, job: JobRun) -> None:
        Execution(self._state, run, job, self._job_access).run()

    @contextmanager
    def _job_access(self, run: Run, job_id: str) -> Iterator[JobAccess]:
        """Give a job its token, which ends with the job."""
        name = f"{self.project.name} Build Service ({self.project.organization})"
        token = self.tokens.issue_job_token(Identity(name))
        links = Links(self.origin, self.project)
        oidc = links.api(f"distributedtask/hubs/build/plans/{run.plan_id}/jobs/{job_id}/oidctoken")
        try:
            environment = os.environ if self._agent_environment is None else self._agent_environment
            yield JobAccess(token.secret, oidc, links, self._endpoints, dict(environment))
        finally:
            self.tokens.revoke(token.secret)
