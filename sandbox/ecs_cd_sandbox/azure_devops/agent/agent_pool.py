"""The agent pool: threads that take jobs that are ready, those of the oldest run first, and carry each out."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_progress import JobRun
from ecs_cd_sandbox.azure_devops.model.state import State

Execute = Callable[[Run, JobRun], None]


class AgentPool:
    """Some agents. While the pool is offline no job starts; those that run go on."""

    def __init__(self, state: State, size: int, execute: Execute) -> None:
        """Prepare `size` agents; `execute` carries out a job of a run that has begun on one of them."""
        self._state = state
        self._execute = execute
        self._threads = [
            threading.Thread(target=self._serve, args=(f"sandbox-agent-{number}",), name=f"agent-{number}", daemon=True)
            for number in range(1, size + 1)
        ]

    def start(self) -> None:
        """Let the agents begin."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end of the threads, after the state was told to close."""
        for thread in self._threads:
            thread.join(timeout)

    @property
    def online(self) -> bool:
        """Whether the agents take jobs."""
        return self._state.agents_online

    @online.setter
    def online(self, value: bool) -> None:
        with self._state.lock:
            self._state.agents_online = value
            self._state.changed()

    def _serve(self, name: str) -> None:
        while True:
            with self._state.lock:
                self._state.lock.wait_for(lambda: self._state.closing or self._next() is not None)
                found = self._next()
                if self._state.closing or found is None:
                    return
                run, job = found
                run.begin()
                job.begin(name)
                self._state.changed()
            self._execute(run, job)

    def _next(self) -> tuple[Run, JobRun] | None:
        if not self._state.agents_online:
            return None
        runs = (run for run in self._state.runs.values() if run.phase in {"ready", "running"})
        ready = ((run, job) for run in sorted(runs, key=lambda run: run.id) for job in run.jobs if job.state == "ready")
        return next(ready, None)
