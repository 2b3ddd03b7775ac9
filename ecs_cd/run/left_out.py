"""Whether a run that ended well left out what applies the change (rule 10).

Where ECS judges, this explains why it does not serve the tag. Where no service is named, it is the only evidence there
is, and a run counts only if something that can be an apply was carried out in it:

- A skipped stage counts, unless an apply has run and the stage has none, or no run of the branch executes the stage
  and something else that can be an apply was carried out.
- Skipped jobs and steps count only where no apply is known to have run: one that applies by its name or its script,
  and any other whose condition is not certain to be false, such as `failed()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecs_cd.model.run import FinishedRun, RunRequest, TimelineRecord
from ecs_cd.run.approvals import explain_denial, stopped_by_check
from ecs_cd.run.expanded import ExpandedPipeline, says_apply
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.previews import expand
from ecs_cd.sanitize import quoted, single_line

_AGENTS_OWN = re.compile(
    r"(?:Initialize job|Finalize Job|Checkout |Pre-job: |Post-job: |Initialize containers|Stop Containers|Prepare job)",
    re.IGNORECASE,
)
"""How the names of those steps begin that the agent adds to a job."""


def _went_well(record: TimelineRecord) -> bool:
    """Return whether a step was carried out and did not fail; one that may fail succeeds "with issues" then."""
    return record.result == "succeeded" or (record.result == "succeededWithIssues" and not record.errors)


def _may_fail_and_did(record: TimelineRecord) -> bool:
    return record.result == "succeededWithIssues" and bool(record.errors)


@dataclass(frozen=True)
class LeftOut:
    """What a run left out, as a sentence, and what to do about it.

    `certain`: it is known to be what applies, or may well be. `decided`: a person or a check decided so, and another
    run would have to ask again.
    """

    sentence: str
    hint: str
    certain: bool = True
    decided: bool = False


def find_left_out(pipelines: Pipelines, request: RunRequest, finished: FinishedRun) -> LeftOut | None:
    """Return what a run that ended well left out, if that may be why the change was not applied.

    At most two requests: a preview, and the approvals of a stage.
    """
    records = finished.records
    if finished.run is None:
        return None
    reading = _Reading(finished.run.name, records, None)
    failed = reading.failed_apply()
    if failed or not (any(record.result == "skipped" for record in records) or reading.went_on()):
        return failed
    if reading.applied() and not reading.skipped_stages():
        return None
    reading = _Reading(finished.run.name, records, expand(pipelines, request))
    failed = reading.failed_apply()
    if failed:
        return failed
    stage = next(reading.stages_that_count(), None)
    if stage is None:
        return None if reading.applied() else reading.left_out_step()
    return _left_out_stage(pipelines, reading, stage)


def _left_out_stage(pipelines: Pipelines, reading: _Reading, stage: TimelineRecord) -> LeftOut:
    what = f"Run {reading.run} succeeded, but skipped its stage {quoted(stage.name)}"
    denied = explain_denial(pipelines, reading.records, stage)
    if denied:
        return LeftOut(f"{what}: {denied.reason}.", denied.hint, decided=True)
    return LeftOut(
        f"{what}.",
        "Look at the stage's condition, and whether it was deselected when the run was queued; "
        "then run the same command again.",
    )


@dataclass(frozen=True)
class _Reading:
    """The timeline of a run, and the pipeline as it was expanded, where that is known."""

    run: str
    records: Sequence[TimelineRecord]
    expanded: ExpandedPipeline | None

    def applied(self) -> bool:
        """Return whether a step that applies is known to have gone well."""
        return any(_went_well(record) and self._applies(record) for record in self.records if record.kind == "Task")

    def _carried_out(self) -> bool:
        """Return whether a stage, job or step that applies was carried out."""
        return any(_went_well(record) and self._applies(record) for record in self.records)

    def _ran_something(self) -> bool:
        """Return whether a step of the pipeline's own was carried out, which can be the one that applies."""
        tasks = (record for record in self.records if record.kind == "Task" and not _AGENTS_OWN.match(record.name))
        return any(map(_went_well, tasks))

    def failed_apply(self) -> LeftOut | None:
        """Return the step that applies and failed, where the run was allowed to go on and none went well."""
        tasks = [record for record in self.records if record.kind == "Task" and self._applies(record)]
        failed = next(filter(_may_fail_and_did, tasks), None)
        if failed is None or any(map(_went_well, tasks)):
            return None
        return LeftOut(
            f"Run {self.run} went on although its step {quoted(failed.name)} failed: {single_line(failed.errors[0])}",
            "Fix the cause, then run the same command again.",
        )

    def went_on(self) -> bool:
        """Return whether the run went on although one of its steps failed."""
        return any(record.kind == "Task" and _may_fail_and_did(record) for record in self.records)

    def _applies(self, record: TimelineRecord) -> bool:
        known = self.expanded.applies(record.kind, record.name) if self.expanded else False
        return known or says_apply(record.name)

    def _is_never_run(self, record: TimelineRecord) -> bool:
        return self.expanded is not None and self.expanded.is_never_run(record.kind, record.name)

    def skipped_stages(self) -> list[TimelineRecord]:
        """Return the stages that were skipped."""
        return [record for record in self.records if record.kind == "Stage" and record.result == "skipped"]

    def stages_that_count(self) -> Iterator[TimelineRecord]:
        """Yield the skipped stages that may have been needed; those that apply first."""
        applied, carried_out = self.applied(), self._carried_out()
        for stage in sorted(self.skipped_stages(), key=lambda one: (not self._applies(one), one.order)):
            applies = self._applies(stage)
            elsewhere = carried_out if applies else carried_out or self._ran_something()
            never_run = self._is_never_run(stage) and elsewhere
            needed = not never_run and (applies or not applied)
            if needed or stopped_by_check(self.records, stage):
                yield stage

    def left_out_step(self) -> LeftOut | None:
        """Return the skipped job or step that may be the one that applies."""
        below = [record for record in self._skipped_below_stages() if not self._is_never_run(record)]
        applying = next((record for record in below if self._applies(record)), None)
        found = applying or next((r for r in below if r.kind != "Task" or self.expanded is not None), None)
        if found is None:
            return None
        kind = "step" if found.kind == "Task" else "job"
        return LeftOut(
            f"Run {self.run} succeeded, but skipped its {kind} {quoted(found.name)}, and no step of it is known to "
            "have applied anything.",
            f"Look at the condition of that {kind}. If another step applies, have its name say so: "
            "`displayName: Terraform apply`.",
            certain=applying is not None,
        )

    def _skipped_below_stages(self) -> list[TimelineRecord]:
        """Return skipped jobs and steps, of each branch of the timeline the topmost, without those of the agent."""
        skipped = {record.id for record in self.records if record.result == "skipped"}
        return [
            record
            for record in self.records
            if record.id in skipped
            and record.kind in ("Phase", "Job", "Task")
            and record.parent_id not in skipped
            and not (record.kind == "Task" and _AGENTS_OWN.match(record.name))
        ]
