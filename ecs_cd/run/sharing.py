"""Step 4: which run carries a change. The protocol of rules 6 to 9 as a state machine that knows no time.

    join     a run that carries the change is there: follow it
    queue    none is: queue one, look again, and of several queued at one moment keep the oldest
    follow   to its end; if it is cancelled, but not by a person, or meets a state lock, go on with another

A run carries the change if it was queued, or seen with no job of it started, after the write returned. One that was not
there yet at the first look after the write was queued after it. That is judged by the order in which this delivery saw
things, never by a clock. Each run seen so is remembered; no other is ever followed, whatever anybody says of it.
`docs/protocol.md` explains why, and which designs were refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from ecs_cd.errors import Throttled, TryLater
from ecs_cd.model.events import RunChosen, Watch
from ecs_cd.model.run import Run, RunOrigin, RunRequest
from ecs_cd.run import duplicates, election, followed, timeline
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.previews import Previews
from ecs_cd.run.states import (
    Acting,
    Following,
    Hesitating,
    KnownRuns,
    Looking,
    Queued,
    QueueFailed,
    ReadyToQueue,
    Start,
    State,
    WaitingForHolders,
)
from ecs_cd.run.timeline import Timelines

_Searching = Start | Looking | ReadyToQueue | WaitingForHolders
"""States without a run to follow."""


def do_nothing() -> None:
    """Wait for nothing before a run is queued."""


def next_state(
    pipelines: Pipelines,
    request: RunRequest,
    state: Acting,
    watch: Watch,
    *,
    before_queueing: Callable[[], None] = do_nothing,
) -> State:
    """Ask Azure DevOps what the state calls for, and return the next state; the same one if nothing came of it.

    `before_queueing` is called before a run is queued.

    Raises:
        RunFailed: the followed run failed, and not for a state lock or a lost agent.
        RunCancelled: a person cancelled it; the message names them.
        EcsCdError: as `Pipelines` says. After a `TryLater` the same call can be made again.
    """
    match state:
        case Start() | Looking() | ReadyToQueue() | WaitingForHolders():
            return _join_or_queue(pipelines, request, state, watch, before_queueing)
        case Queued():
            return duplicates.keep_oldest(pipelines, request, state, watch)
        case Following():
            return followed.look(pipelines, request, state, watch)


def _join_or_queue(
    pipelines: Pipelines, request: RunRequest, state: _Searching, watch: Watch, before_queueing: Callable[[], None]
) -> State:
    runs = pipelines.active(request.pipeline, request.branch)
    known = KnownRuns(frozenset(run.id for run in runs)) if isinstance(state, Start) else state.known
    timelines = cache(pipelines.records)
    found = election.elect_run(timelines, runs, Previews(pipelines, request, known))
    if found.elected:
        watch(RunChosen(found.elected, RunOrigin.JOINED, known.attempts.number))
        joined = replace(found.known, attempts=replace(known.attempts, superseded=0))
        return Following.one_of(joined, found.carrying, found.elected.id)
    others_first = _let_others_first(timelines, runs, state, found.known)
    if others_first:
        return others_first
    before_queueing()
    return _queue(pipelines, request, found.known, watch, hesitated=isinstance(state, ReadyToQueue))


def _let_others_first(
    timelines: Timelines, runs: Sequence[Run], state: _Searching, known: KnownRuns
) -> Hesitating | WaitingForHolders | None:
    """Return what to wait for before a run is queued; None if for nothing.

    Two runs at work at once show that no exclusive lock of Azure's keeps them apart: a third would only wait for
    Terraform's, or plan what the others are about to change. With one at work there is time to see whether somebody
    else queues the next, which is joined then; so there is after a state lock, which ends a run for all who shared it.
    """
    match state:
        case ReadyToQueue():
            return None
        case WaitingForHolders():
            left = timeline.with_job_in_progress(timelines, (run for run in runs if run.id in state.holders))
            return WaitingForHolders(known, left) if left else Hesitating(ReadyToQueue(known))
        case Start() | Looking():
            at_work = timeline.with_job_in_progress(timelines, runs)
            if len(at_work) > 1:
                return WaitingForHolders(known, at_work)
            return Hesitating(ReadyToQueue(known)) if at_work or known.attempts.number > 1 else None


def _queue(
    pipelines: Pipelines, request: RunRequest, known: KnownRuns, watch: Watch, *, hesitated: bool
) -> Queued | QueueFailed:
    attempts = known.attempts
    try:
        own = pipelines.queue(request)
    except TryLater as error:
        certain = isinstance(error, Throttled)  # then nothing was queued
        again = replace(known, attempts=replace(attempts, uncertain=attempts.uncertain + (0 if certain else 1)))
        return QueueFailed(error, ReadyToQueue(again) if hesitated else Looking(again))
    watch(RunChosen(own, RunOrigin.QUEUED, attempts.number))
    return Queued(replace(known, attempts=replace(attempts, uncertain=0)), own.id)
