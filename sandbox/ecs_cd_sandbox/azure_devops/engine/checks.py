"""What a stage must pass before it starts: the approvals of the environments it deploys to, then exclusive locks.

While a stage waits, its record is pending and has a `Checkpoint` in progress, with a `Checkpoint.Approval` for each
approval. Whoever rejects it fails the stage; without an answer in time the stage is skipped, and the run can succeed
(microsoft/azure-pipelines-tasks, issue 14584). Source: reference of the timeline, and
https://learn.microsoft.com/azure/devops/pipelines/process/approvals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.definitions import LockBehavior
from ecs_cd_sandbox.azure_devops.model.environments import Approval
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_progress import StageRun
from ecs_cd_sandbox.azure_devops.model.state import State
from ecs_cd_sandbox.azure_devops.model.timeline import Record, RecordResult

Verdict = Literal["waiting", "passed", "failed", "canceled", "skipped"]
Lock = tuple[str, str]
"""What a lock is on: an environment by name, or a stage of a pipeline."""


class Checks:
    """The checks of all runs. `supersede` cancels a run in the service's name."""

    def __init__(self, state: State, supersede: Callable[[Run], None]) -> None:
        """Bind the checks to the state."""
        self._state = state
        self._supersede = supersede

    def verdict(self, run: Run, stage: StageRun) -> Verdict:
        """Go on with the checks of a stage, as far as they go now."""
        if stage.stopping:
            return self._end(run, stage, "canceled")
        if stage.checkpoint is None:
            self._begin(run, stage)
        for approval in self._approvals(stage):
            if approval.status == "pending" and self._state.clock() >= approval.deadline:
                approval.answer("timedOut", None, self._state.clock())
                self.answer(approval)
        answers = {approval.status for approval in self._approvals(stage)}
        if "rejected" in answers:
            return self._end(run, stage, "failed")
        if "timedOut" in answers:
            return self._end(run, stage, "skipped")
        if "pending" in answers:
            return "waiting"
        return self._end(run, stage, "succeeded") if self._lock(run, stage) else "waiting"

    def answer(self, approval: Approval) -> None:
        """Show the answer to an approval on its record."""
        results: dict[str, RecordResult] = {"approved": "succeeded", "rejected": "failed", "timedOut": "skipped"}
        run = self._state.runs[approval.run_id]
        record = next((one for one in run.timeline.records if one.id == approval.id), None)
        if record:
            run.timeline.finish(record, results.get(approval.status, "canceled"))
        self._state.changed()

    def _begin(self, run: Run, stage: StageRun) -> None:
        guarded = [environment for environment in stage.environments if environment.definition.approvers]
        stage.checkpoint = ""
        if not guarded and not _locks(run, stage):
            return
        checkpoint = self._checkpoint(run, stage)
        for environment in guarded:
            record = run.timeline.add(
                "Checkpoint.Approval",
                "Checkpoint.Approval",
                parent=checkpoint,
                identifier=f"{checkpoint.identifier}.{environment.id}",
            )
            run.timeline.start(record)
            now = self._state.clock()
            self._state.approvals[record.id] = Approval(record.id, run.id, environment, now, now)
            stage.approvals.append(record.id)

    def _checkpoint(self, run: Run, stage: StageRun) -> Record:
        parent = run.timeline.stage(stage.definition.name)
        if parent is None:  # pragma: no cover - every stage has its record
            raise RuntimeError(f"the stage {stage.definition.name} has no record")
        checkpoint = run.timeline.add(
            "Checkpoint", "Checkpoint", parent=parent, identifier=f"{parent.identifier}.Checkpoint"
        )
        stage.checkpoint = checkpoint.id
        run.timeline.start(checkpoint)
        run.wait()
        return checkpoint

    def _approvals(self, stage: StageRun) -> list[Approval]:
        return [self._state.approvals[identifier] for identifier in stage.approvals]

    def _end(self, run: Run, stage: StageRun, result: RecordResult) -> Verdict:
        for approval in self._approvals(stage):
            if approval.status == "pending":
                approval.answer("canceled", None, self._state.clock())
                self.answer(approval)
        for record in run.timeline.records:
            if record.id == stage.checkpoint:
                run.timeline.finish(record, result)
        verdicts: dict[RecordResult, Verdict] = {"succeeded": "passed", "canceled": "canceled", "skipped": "skipped"}
        return verdicts.get(result, "failed")

    def _lock(self, run: Run, stage: StageRun) -> bool:
        """Take all the locks of a stage, or none; the oldest run that waits for one comes first."""
        stage.wants_locks = True
        wanted = _locks(run, stage)
        if not wanted:
            return True
        others = [rival for rival in self._rivals(run) if wanted.keys() & _locks(*rival).keys()]
        for other, theirs in others:
            if _waits(other, theirs) and other.id < run.id and _supersedes(run, stage, other, theirs):
                self._supersede(other)
        blocking = (
            theirs.state == "running" or (_waits(other, theirs) and other.id < run.id) for other, theirs in others
        )
        return not any(blocking)

    def _rivals(self, run: Run) -> Iterator[tuple[Run, StageRun]]:
        """Yield every stage of another run that holds locks or waits for them, and those of this run that hold some."""
        for other in self._state.runs.values():
            for stage in other.stages.values() if other.phase != "done" else ():
                record = other.timeline.stage(stage.definition.name)
                alive = record is not None and record.state != "completed"
                if stage.wants_locks and alive and (other is not run or stage.state == "running"):
                    yield other, stage


def _waits(run: Run, stage: StageRun) -> bool:
    return stage.state == "checking" and run.status != "cancelling" and not stage.stopping


def _locks(run: Run, stage: StageRun) -> dict[Lock, LockBehavior]:
    """Return the locks a stage needs, and how it waits for each."""
    own = stage.definition.lock
    found: dict[Lock, LockBehavior] = {}
    for environment in stage.environments:
        if environment.definition.exclusive_lock:
            behavior = own if own != "none" else run.definition.environment_lock
            found["environment", environment.name.lower()] = "runLatest" if behavior == "none" else behavior
    if own != "none":
        found[f"stage of {run.definition.id}", stage.definition.name.lower()] = own
    return found


def _supersedes(run: Run, stage: StageRun, other: Run, theirs: StageRun) -> bool:
    """Say whether a stage that waits makes an older one of the same pipeline, waiting too, pointless."""
    if run.definition.id != other.definition.id:
        return False
    same_branch = run.request.source.branch == other.request.source.branch
    shared = _locks(run, stage).keys() & _locks(other, theirs).keys()
    latest = {lock for lock in shared if _locks(other, theirs)[lock] == "runLatest"}
    return any(same_branch or lock[0] == "environment" for lock in latest)
