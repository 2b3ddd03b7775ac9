"""The agent pool: threads that take ready runs, oldest first, and carry each out from its first stage to its last.

One agent keeps a run for all its jobs, which then go one after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ecs_cd.sandbox.azure_devops.run import Run
from ecs_cd.sandbox.azure_devops.state import State

Execute = Callable[[Run, str], None]


class AgentPool:
    """Some agents. While the pool is offline no run starts; those that run go on."""

    def __init__(self, state: State, size: int, execute: Execute) -> None:
        """Prepare `size` agents; `execute` carries out a run on the agent of the given name."""
        self._state = state
        self._execute = execute
        self._online = True
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
        """Whether the agents take runs."""
        return self._online

    @online.setter
    def online(self, value: bool) -> None:
        with self._state.lock:
            self._online = value
            self._state.changed()

    def _serve(self, name: str) -> None:
        while True:
            with self._state.lock:
                self._state.lock.wait_for(lambda: self._state.closing or self._next() is not None)
                run = self._next()
                if self._state.closing or run is None:
                    return
                run.phase = "running"
            self._execute(run, name)

    def _next(self) -> Run | None:
        if not self._online:
            return None
        ready = (run for run in self._state.runs.values() if run.phase == "ready" and run.status != "cancelling")
        return min(ready, key=lambda run: run.id, default=None)
