"""The service's side of all runs: admits queued ones, guards the lock of a pipeline, ends what was cancelled in time.

Whatever is asked of it (queue, cancel, retry, approve) is noted at once and acted upon by its own thread, as the
official service answers before it has acted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ecs_cd_sandbox.azure_devops.engine.checks import Checks
from ecs_cd_sandbox.azure_devops.engine.dependency_graph import all_stages_before
from ecs_cd_sandbox.azure_devops.engine.run_creation import create_run
from ecs_cd_sandbox.azure_devops.engine.stage_conductor import StageConductor
from ecs_cd_sandbox.azure_devops.engine.triggers import Push, RunStarter
from ecs_cd_sandbox.azure_devops.model.environments import Approval, ApprovalStatus
from ecs_cd_sandbox.azure_devops.model.identities import SERVICE, Identity
from ecs_cd_sandbox.azure_devops.model.run import QueueRequest, Run
from ecs_cd_sandbox.azure_devops.model.state import State

QueueDelay = Callable[[QueueRequest], float]


class Orchestrator:
    """Moves runs from queued to completed; agents carry out the jobs it makes ready."""

    def __init__(self, state: State, queue_delay: QueueDelay) -> None:
        """Prepare; `start` begins the work."""
        self._state = state
        self._queue_delay = queue_delay
        self._checks = Checks(state, lambda run: self.cancel(run, SERVICE))
        self._conductor = StageConductor(state, self._checks)
        self._starter = RunStarter(state, self.queue)
        self._thread = threading.Thread(target=self._serve, name="orchestrator", daemon=True)

    def start(self) -> None:
        """Begin to admit runs."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, after the state was told to close."""
        self._thread.join(timeout)

    def queue(self, request: QueueRequest) -> Run:
        """Take a request that was found valid.

        Raises:
            RunRefused: no run can be made of it.
        """
        with self._state.lock:
            run = create_run(self._state, request, self._queue_delay(request))
            self._state.changed()
            return run

    def pushed(self, push: Push) -> list[Run]:
        """Queue a run of every pipeline that a push concerns."""
        with self._state.lock:
            return self._starter.pushed(push)

    def cancel(self, run: Run, by: Identity) -> None:
        """Begin to cancel a run that is not over. The lock must be held."""
        run.status = "cancelling"
        run.change(by, self._state.clock())
        for stage in run.stages.values():
            if stage.state != "waiting":
                stage.stop()
        self._state.changed()

    def cancel_stage(self, run: Run, stage: str, by: Identity) -> None:
        """Begin to cancel one stage that is not over. The lock must be held."""
        run.stages[stage.lower()].stop()
        run.change(by, self._state.clock())
        self._state.changed()

    def retry_stage(self, run: Run, stage: str, by: Identity, *, all_jobs: bool) -> None:
        """Have a stage of a completed run done again. Until that begins, the run shows its old state."""
        run.retries[stage.lower()] = all_jobs
        run.phase = "queued"
        run.change(by, self._state.clock())
        self._state.changed()

    def answer(self, approval: Approval, status: ApprovalStatus, by: Identity, comment: str) -> None:
        """Note the answer to an approval that is pending. The lock must be held."""
        approval.answer(status, by, self._state.clock(), comment)
        self._checks.answer(approval)

    def _serve(self) -> None:
        with self._state.lock:
            while not self._state.closing:
                self._state.news = False
                if self._advance():
                    self._state.changed()
                else:
                    self._state.lock.wait_for(lambda: self._state.news, self._next_moment())

    def _next_moment(self) -> float | None:
        """Seconds until a delayed run may be admitted, or a job or step has had its time; None if neither comes."""
        now = self._state.clock()
        moments = [
            (run.not_before - now).total_seconds()
            for run in self._state.runs.values()
            if run.phase == "queued" and run.not_before > now
        ]
        active = [run for run in self._state.runs.values() if run.phase == "running"]
        deadlines = [job.next_deadline() for run in active for job in run.jobs]
        moments += [max(0.0, deadline - time.monotonic()) for deadline in deadlines if deadline is not None]
        pending = [approval for approval in self._state.approvals.values() if approval.status == "pending"]
        moments += [max(0.0, (approval.deadline - now).total_seconds()) for approval in pending]
        return min(moments) if moments else None

    def _advance(self) -> bool:
        """Do all that can be done now; say whether anything was.

        Each run is taken as far as it gets before the next is looked at: of runs queued at one moment the first has
        the lock, and does not count as waiting, before the second asks for it.
        """
        progress = False
        for run in list(self._state.runs.values()):
            for step in (
                self._keep_time,
                self._end_cancelled,
                self._admit,
                self._supersede,
                self._grant,
                self._conduct,
            ):
                progress |= run.phase != "done" and step(run)
        return progress

    def _keep_time(self, run: Run) -> bool:
        acted = [job.keep_time() for job in run.jobs]
        return any(acted)

    def _end_cancelled(self, run: Run) -> bool:
        """End a cancelled run of which no job has started."""
        if run.status != "cancelling" or run.phase == "running":
            return False
        for stage in run.stages.values():
            record = run.timeline.stage(stage.definition.name)
            if record and record.state != "completed":
                if stage.state == "checking":
                    self._checks.verdict(run, stage)
                run.timeline.finish_below(record, "canceled")
        run.end("canceled")
        return True

    def _conduct(self, run: Run) -> bool:
        if run.phase not in {"ready", "running"} or not self._conductor.advance(run):
            return False
        self._starter.followed(run)
        return True

    def _admit(self, run: Run) -> bool:
        """Let a queued run in: to the lock if its pipeline has one, else straight on."""
        paused = self._state.definitions[run.definition.id].queue_status == "paused"
        if run.phase != "queued" or paused or run.not_before > self._state.clock():
            return False
        if run.retries and not self._state.agents_online:
            return False
        self._plan_retries(run)
        if run.definition.lock_behavior == "none":
            run.phase = "ready"
            return True
        run.phase = "waiting"
        run.wait()
        stage = next((r for r in run.timeline.records if r.type == "Stage" and r.state == "pending"), None)
        if stage:
            checkpoint = run.timeline.add(
                "Checkpoint", "Checkpoint", parent=stage, identifier=f"{stage.identifier}.Checkpoint"
            )
            run.timeline.start(checkpoint)
        return True

    def _plan_retries(self, run: Run) -> None:
        """Make new attempts of the stages asked for, and of those after them that did not go well."""
        for stage in run.definition.stages if run.retries else ():
            record = run.timeline.stage(stage.name)
            follows = any(before.name.lower() in run.retries for before in all_stages_before(run.definition, stage))
            failed = record is not None and record.result in {"skipped", "failed", "canceled"}
            asked = stage.name.lower() in run.retries
            if (asked or (follows and failed)) and stage.name.lower() not in run.request.stages_to_skip:
                run.plan_retry(stage, all_jobs=run.retries.get(stage.name.lower(), True))
        if run.retries:
            run.retries.clear()
            run.status, run.result, run.finish_time = "inProgress", None, None

    def _supersede(self, run: Run) -> bool:
        """Under `runLatest`, cancel a run that waits while a newer one of its branch waits too."""
        if run.phase != "waiting" or run.status == "cancelling" or run.definition.lock_behavior != "runLatest":
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
