"""The service's side of a run: admits queued runs, guards the exclusive lock, and ends what was cancelled in time.

Whatever is asked of it (queue, cancel, retry) is noted at once and acted upon by its own thread, as the official
service answers before it has acted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ecs_cd.sandbox.azure_devops.identities import SERVICE, Identity
from ecs_cd.sandbox.azure_devops.run import Cancellation, QueueRequest, Run
from ecs_cd.sandbox.azure_devops.state import State

QueueDelay = Callable[[QueueRequest], float]


class Orchestrator:
    """Moves runs from queued to ready for an agent, oldest first."""

    def __init__(self, state: State, queue_delay: QueueDelay) -> None:
        """Prepare; `start` begins the work."""
        self._state = state
        self._queue_delay = queue_delay
        self._thread = threading.Thread(target=self._serve, name="orchestrator", daemon=True)

    def start(self) -> None:
        """Begin to admit runs."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, after the state was told to close."""
        self._thread.join(timeout)

    def queue(self, request: QueueRequest) -> Run:
        """Take a request that was found valid."""
        with self._state.lock:
            run = self._state.new_run(request, self._queue_delay(request))
            self._state.changed()
            return run

    def cancel(self, run: Run, by: Identity) -> None:
        """Begin to cancel a run that is not over. The lock must be held."""
        run.status = "cancelling"
        run.change(by, self._state.clock())
        run.cancelled.set()
        self._state.changed()

    def cancel_stage(self, run: Run, stage: str, by: Identity) -> None:
        """Begin to cancel one stage that is not over. The lock must be held."""
        record = run.timeline.stage(stage)
        run.stages_to_cancel.add(stage.lower())
        run.change(by, self._state.clock())
        if record and record.state == "inProgress":
            run.cancelled.set()
        self._state.changed()

    def retry_stage(self, run: Run, stage: str, by: Identity, *, all_jobs: bool) -> None:
        """Have a stage of a completed run done again. Until that begins, the run shows its old state."""
        run.retries[stage.lower()] = all_jobs
        run.phase = "queued"
        run.change(by, self._state.clock())
        run.cancelled = Cancellation()
        run.stages_to_cancel.clear()
        self._state.changed()

    def _serve(self) -> None:
        with self._state.lock:
            while not self._state.closing:
                if self._advance():
                    self._state.changed()
                else:
                    self._state.lock.wait(self._next_admission())

    def _next_admission(self) -> float | None:
        """Seconds until the next delayed run may be admitted, or None."""
        now = self._state.clock()
        later = [
            (run.not_before - now).total_seconds()
            for run in self._state.runs.values()
            if run.phase == "queued" and run.not_before > now
        ]
        return min(later) if later else None

    def _advance(self) -> bool:
        """Do all that can be done now; say whether anything was.

        Each run is taken as far as it gets before the next is looked at: of runs queued at one moment the first has
        the lock, and does not count as waiting, before the second asks for it.
        """
        progress = False
        for run in list(self._state.runs.values()):
            for step in (self._end_cancelled, self._admit, self._supersede, self._grant):
                progress |= run.phase != "done" and step(run)
        return progress

    def _end_cancelled(self, run: Run) -> bool:
        """End a cancelled run that no agent has."""
        if run.status != "cancelling" or run.phase == "running":
            return False
        for record in run.timeline.records:
            if record.type == "Stage":
                run.timeline.finish_below(record, "canceled")
        now = self._state.clock()
        run.status, run.result, run.phase, run.finish_time, run.changed = "completed", "canceled", "done", now, now
        return True

    def _admit(self, run: Run) -> bool:
        """Let a queued run in: to the lock if its pipeline has one, else straight to the agents."""
        definition = self._state.definitions[run.definition.id]
        if run.phase != "queued" or definition.queue_status == "paused" or run.not_before > self._state.clock():
            return False
        if definition.lock_behavior == "none":
            run.phase = "ready"
            return True
        run.phase = "waiting"
        run.status = "inProgress"
        run.start_time = run.start_time or self._state.clock()
        stage = next((r for r in run.timeline.records if r.type == "Stage" and r.state == "pending"), None)
        if stage:
            checkpoint = run.timeline.add(
                "Checkpoint", "Checkpoint", parent=stage, identifier=f"{stage.identifier}.Checkpoint"
            )
            run.timeline.start(checkpoint)
        return True

    def _supersede(self, run: Run) -> bool:
        """Under `runLatest`, cancel a run that waits while a newer one of its branch waits too."""
        if run.phase != "waiting" or run.status == "cancelling":
            return False
        if self._state.definitions[run.definition.id].lock_behavior != "runLatest":
            return False
        rivals = (other for other in self._waiting(run) if other.request.source.branch == run.request.source.branch)
        if not any(other.id > run.id for other in rivals):
            return False
        self.cancel(run, SERVICE)
        return True

    def _grant(self, run: Run) -> bool:
        """Give the lock to the oldest waiting run, if nobody holds it."""
        if run.phase != "waiting" or run.status == "cancelling":
            return False
        held = any(
            other.phase in {"ready", "running"} and other.definition.id == run.definition.id
            for other in self._state.runs.values()
        )
        if held or any(other.id < run.id for other in self._waiting(run)):
            return False
        for record in run.timeline.records:
            if record.type == "Checkpoint":
                run.timeline.finish(record, "succeeded")
        run.phase = "ready"
        return True

    def _waiting(self, run: Run) -> list[Run]:
        """The other runs of the same pipeline that wait for its lock."""
        return [
            other
            for other in self._state.runs.values()
            if other is not run
            and other.phase == "waiting"
            and other.status != "cancelling"
            and other.definition.id == run.definition.id
        ]
