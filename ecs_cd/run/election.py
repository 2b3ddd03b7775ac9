"""Which of the runs under way carries the change, and which one of them to follow (rules 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ecs_cd.model.run import Run, RunState
from ecs_cd.run import timeline
from ecs_cd.run.previews import Previews
from ecs_cd.run.states import Basis, CarryingRun, KnownRuns
from ecs_cd.run.timeline import Timelines

CANCELLED_TAG = "cancelled-by-ecs-cd"
"""The tag on a run that a delivery cancels because another one carries its change: no person did it."""


@dataclass(frozen=True)
class Election:
    """The result of a look at the runs under way: what is known now, which carry the change, and the elected one."""

    known: KnownRuns
    carrying: tuple[CarryingRun, ...]
    elected: Run | None


def elect_run(timelines: Timelines, runs: Sequence[Run], previews: Previews, *, own_id: int | None = None) -> Election:
    """Elect the oldest run that carries the change and was given the same inputs; the newest under `runLatest`.

    `own_id` is the run that the delivery itself has just queued, which carries the change whatever its state. A run's
    timeline is read only where its state does not tell whether a job of it has started, and no run was elected before.
    """
    initial, prefer_newest = previews.known.initial, previews.known.prefer_newest
    carrying = [CarryingRun(own_id, Basis.QUEUED)] if own_id is not None else []
    excluded = set(previews.known.excluded) & {run.id for run in runs}
    elected: Run | None = None
    for run in sorted(runs, key=lambda run: run.id, reverse=prefer_newest):
        if run.id in excluded or is_tagged_cancelled(run):
            continue
        if run.id == own_id:
            elected = elected or run
        elif run.state not in (RunState.WAITING, RunState.RUNNING) or not previews.have_same_inputs(run):
            continue
        elif run.state is RunState.WAITING:
            carrying.append(CarryingRun(run.id, Basis.SEEN_WAITING))
            elected = elected or run
        elif elected is None:
            records = previews.without_never_run(timelines(run.id))
            new = run.id not in initial and timeline.first_attempt_with_all_stages(records)
            if new or timeline.no_job_started(records):
                carrying.append(CarryingRun(run.id, Basis.ALL_STAGES))
                elected = run
            elif records:
                excluded.add(run.id)
    known = replace(previews.known, excluded=previews.known.excluded & {run.id for run in runs} | excluded)
    return Election(known, tuple(carrying), elected)


def is_tagged_cancelled(run: Run) -> bool:
    """Return whether the delivery that queued the run has cancelled it, or is about to."""
    return CANCELLED_TAG in (tag.casefold() for tag in run.tags)
