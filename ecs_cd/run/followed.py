"""A look at the followed run, and what its end means: success, failure, or going on with another (rules 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecs_cd.model.events import RunChanged, RunLeft, Warned, Watch
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, RunProgress, RunRequest, RunState
from ecs_cd.run import timeline
from ecs_cd.run.approvals import stopped_by_check
from ecs_cd.run.election import is_tagged_cancelled
from ecs_cd.run.failure import Evidence, gather_evidence, run_failure
from ecs_cd.run.follow import cancelled_error, finished_run
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.previews import Previews
from ecs_cd.run.state_lock import cancelled_by, lost_agent, read_state_lock, took_too_long
from ecs_cd.run.states import (
    Basis,
    CarryingRun,
    Done,
    Following,
    KnownRuns,
    Looking,
    State,
    WaitingForHolders,
    WaitingForLock,
)

MAX_SUPERSEDED = 5
"""So many runs in a row may Azure DevOps cancel, and leave none to go on with, before that is a failure."""

_DEAD = (RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED)


def look(pipelines: Pipelines, request: RunRequest, state: Following, watch: Watch) -> State:
    """Look at the followed run, and decide what its end means.

    Raises:
        RunFailed: it failed, and not for a state lock or, for the first time, for a lost agent.
        RunCancelled: a person cancelled it.
    """
    run_id = state.run.id
    progress = RunProgress(pipelines.run(run_id), pipelines.records(run_id))
    run = progress.run
    watch(RunChanged(progress))
    if state.run.basis is Basis.SEEN_WAITING and progress.records:
        previews = Previews(pipelines, request, state.known)
        skips = timeline.skips_stage(previews.without_never_run(progress.records)) and not _was_denied(progress)
        state = replace(state, known=previews.known)
        if skips:
            known = replace(state.known, excluded=state.known.excluded | {run_id})
            return go_on(Previews(pipelines, request, known), state.others, RunLeft(run, "it skips a stage"), watch)
        state = replace(state, run=CarryingRun(run_id, Basis.ALL_STAGES))
    if run.state is RunState.CANCELLING and not run.by_service and not is_tagged_cancelled(run):
        state = replace(state, cancelled_by=run.changed_by)
    if not run.state.ended:
        return state
    finished = finished_run(run)
    if finished:
        done = replace(
            finished, origin=state.run.origin, attempts=state.known.attempts.number, records=progress.records
        )
        return Done(done)
    if run.state is RunState.CANCELLED:
        return _after_cancellation(pipelines, request, state, progress, watch)
    return _after_failure(pipelines, request, state, progress, watch)


def _was_denied(progress: RunProgress) -> bool:
    """Return whether a stage did not begin because of an approval or another check: the next run would ask again."""
    return any(stopped_by_check(progress.records, stage) for stage in progress.of_kind("Stage"))


def _after_cancellation(
    pipelines: Pipelines, request: RunRequest, state: Following, progress: RunProgress, watch: Watch
) -> State:
    """Go on if no person cancelled it: a delivery did (the tag), or Azure DevOps itself (`runLatest`)."""
    run, known = progress.run, state.known
    errors = Evidence(progress, None).lines
    if took_too_long(errors) or lost_agent(errors):
        return _after_failure(pipelines, request, state, progress, watch)
    if is_tagged_cancelled(run):
        left = RunLeft(run, "the delivery that queued it cancelled it for another")
        return go_on(Previews(pipelines, request, known), state.others, left, watch)
    who = state.cancelled_by or cancelled_by(errors) or (AZURE_DEVOPS_ITSELF if run.by_service else run.changed_by)
    if who == AZURE_DEVOPS_ITSELF and not _newer_exists(pipelines, request, state):
        raise cancelled_error(run, "")
    if who != AZURE_DEVOPS_ITSELF or known.attempts.superseded >= MAX_SUPERSEDED:
        raise cancelled_error(run, who)
    left = RunLeft(run, "Azure DevOps cancelled it for a newer one")
    after = go_on(Previews(pipelines, request, replace(known, prefer_newest=True)), state.others, left, watch)
    return after if isinstance(after, Following) else Looking(superseded_once_more(after.known))


def _newer_exists(pipelines: Pipelines, request: RunRequest, state: Following) -> bool:
    """Return whether there is a newer run of the pipeline, for which alone `runLatest` cancels one.

    Of any branch: the lock of an environment is one for all of them.
    """
    if any(other.id > state.run.id for other in state.others):
        return True
    newest = pipelines.newest(request.pipeline)
    return newest is not None and newest.id > state.run.id


def superseded_once_more(known: KnownRuns) -> KnownRuns:
    """Return what is known of the runs once one more that was followed has been superseded."""
    return replace(known, attempts=replace(known.attempts, superseded=known.attempts.superseded + 1))


def _after_failure(
    pipelines: Pipelines, request: RunRequest, state: Following, progress: RunProgress, watch: Watch
) -> State:
    """Try again after a state lock, and once after a lost agent."""
    run, known = progress.run, state.known
    evidence = gather_evidence(pipelines, progress)
    lock = read_state_lock(evidence.lines)
    if lock:
        active = pipelines.active(request.pipeline, request.branch)
        holders = timeline.with_job_in_progress(pipelines.records, active)
        again = replace(known, attempts=known.attempts.another())
        after = go_on(Previews(pipelines, request, again), state.others, RunLeft(run, "it met a state lock"), watch)
        if isinstance(after, Following):
            return after
        return WaitingForLock(lock, WaitingForHolders(after.known, holders) if holders else after)
    lost = lost_agent(evidence.lines)
    if lost and not known.attempts.agent_lost:
        watch(Warned(f"Run {run.name} lost its agent, and is tried once more: {lost}"))
        again = replace(known, attempts=known.attempts.another(agent_lost=True))
        return go_on(Previews(pipelines, request, again), state.others, RunLeft(run, "its agent was lost"), watch)
    raise run_failure(evidence)


def go_on(previews: Previews, others: Sequence[CarryingRun], left: RunLeft, watch: Watch) -> Following | Looking:
    """Follow another run that carries the change and is alive or has succeeded; if there is none, start over."""
    pipelines = previews.pipelines
    ahead = sorted(others, key=lambda other: other.id, reverse=previews.known.prefer_newest)
    for place, other in enumerate(ahead):
        run = pipelines.run(other.id)
        if run.state in _DEAD:
            continue
        if other.basis is Basis.SEEN_WAITING:
            records = previews.without_never_run(pipelines.records(other.id))
            if timeline.skips_stage(records):
                continue
        watch(replace(left, instead=run))
        return Following.one_of(previews.known, ahead[place:], other.id)
    watch(left)
    return Looking(previews.known)
