"""Step 4: which run carries a change. The protocol of rules 6 to 9 as one value and its next move; it knows no time.

    join     a run that carries the change is there: follow it
    queue    none is: queue one, look again, and of several queued at one moment keep the oldest
    follow   to its end; if it is cancelled for no person's sake, or meets a state lock, go on with another

A run carries the change if it was queued, or seen with no job of it started, after the write returned. One that was not
there yet at the first look after the write was queued after it. That is judged by the order in which this delivery saw
things, never by a clock. Each run seen so is remembered; no other is ever followed, whatever anybody says of it.
`docs/protocol.md` tells why, and what was tried and refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ecs_cd.errors import AccessDenied, EcsCdError, Throttled, TryLater
from ecs_cd.messages import sentences
from ecs_cd.model.events import RunChanged, RunChosen, RunGivenUp, RunLeft, Warned, Watch
from ecs_cd.model.run import (
    AZURE_DEVOPS_ITSELF,
    FinishedRun,
    Run,
    RunOrigin,
    RunProgress,
    RunRequest,
    RunState,
    TimelineRecord,
)
from ecs_cd.model.state_lock import StateLock
from ecs_cd.run.failure import Evidence, gather_evidence, run_failure
from ecs_cd.run.follow import cancelled_error, finished_run
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.state_lock import cancelled_by, lost_agent, read_state_lock, took_too_long

TAG = "cancelled-by-ecs-cd"
"""The tag on a run that a delivery cancelled because another run carries its change: no person did it."""

MOST_SUPERSEDED = 5
"""So many runs in a row may Azure DevOps cancel, and leave none to go on with, before that is a failure."""

_NONE: frozenset[int] = frozenset()
_Timelines = Callable[[int], tuple[TimelineRecord, ...]]
"""The timelines of runs by their ids, each asked for once in a move."""
_DEAD = (RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED)


@dataclass(frozen=True)
class Carriage:
    """What a delivery knows of runs, by their ids, since its write.

    `before`: those there were at its first look; None until then. Whichever is not among them was queued later.
    `seen`: seen waiting, or queued later, so each of them carries the change. Of these, `proven` are known to skip no
    stage, and `ours` are those it queued. `passed`: seen with a job started or a stage skipped; they never carry it.
    `own`: queued just now, and not yet held against those that others queued. `following`: the run it follows.
    `newest`: it has met `runLatest`, which cancels the older waiting run: it elects the newest and cancels nothing.
    `holders`: runs under way that may hold the state lock; until they are through, none is queued.
    `crowded`: others may be about to queue a run as well, until a moment was waited for; `hesitated`: that was done.
    `lock`: the lock just met, until waited for. `doubt`: why queueing one failed, likewise; `doubts`: how
    often it may have been done all the same.
    `canceller`: whom it saw cancelling the followed run.
    """

    request: RunRequest
    before: frozenset[int] | None = None
    seen: frozenset[int] = _NONE
    proven: frozenset[int] = _NONE
    ours: frozenset[int] = _NONE
    passed: frozenset[int] = _NONE
    own: int | None = None
    following: int | None = None
    newest: bool = False
    holders: frozenset[int] = _NONE
    crowded: bool = False
    hesitated: bool = False
    lock: StateLock | None = None
    doubt: TryLater | None = None
    doubts: int = 0
    canceller: str = ""
    tries: int = 1
    superseded: int = 0
    lost: bool = False
    finished: FinishedRun | None = None

    @property
    def asked(self) -> bool:
        """Return whether Azure DevOps has answered, so that what fails from now on may pass."""
        return self.before is not None

    def without(self, *gone: int) -> Carriage:
        """Return it with these runs forgotten."""
        left = self.seen - set(gone)
        return replace(self, seen=left, proven=self.proven & left, ours=self.ours & left)

    def with_own(self, run: Run) -> Carriage:
        """Return it with a run that it queued, to be followed unless another is elected."""
        mine = {run.id}
        return replace(
            self,
            hesitated=False,
            seen=self.seen | mine,
            proven=self.proven | mine,
            ours=self.ours | mine,
            own=run.id,
            following=run.id,
            doubts=0,
            canceller="",
        )


def turn(pipelines: Pipelines, known: Carriage, tell: Watch) -> Carriage:
    """Make the next move and return what is known after it; the same if there is nothing to do but wait.

    Raises:
        RunFailed: the followed run failed, and not for a lock or a lost agent.
        RunCancelled: a person cancelled it; the message names them.
        EcsCdError: as `Pipelines` says. After a `TryLater` the same move can be made again.
    """
    if known.following is None:
        return _join_or_queue(pipelines, known, tell)
    if known.own is not None:
        return _converge(pipelines, known, tell)
    return _look(pipelines, known, known.following, tell)


def _join_or_queue(pipelines: Pipelines, known: Carriage, tell: Watch) -> Carriage:
    request = known.request
    runs = pipelines.active(request.pipeline, request.branch)
    if known.before is None:
        known = replace(known, before=frozenset(run.id for run in runs))
    timelines = cache(pipelines.records)
    after, elected = _elect(timelines, runs, known, request)
    if elected:
        tell(RunChosen(elected, RunOrigin.JOINED, after.tries))
        return replace(after, following=elected.id, canceller="", superseded=0, holders=_NONE, hesitated=False)
    patient = _let_others_first(timelines, runs, after)
    return patient or _queue(pipelines, after, tell)


def _let_others_first(timelines: _Timelines, runs: Sequence[Run], known: Carriage) -> Carriage | None:
    """Return what is to be waited for before a run is queued; None if nothing is.

    Two runs at work at once show that no lock of Azure's keeps them apart: a third would only wait for Terraform's, or
    plan what the others are about to change. With one at work there is time to see whether somebody else queues the
    next, which is joined then; so there is where a lock has sent away all who shared a run.
    """
    if known.hesitated:
        return None
    at_work = _at_work(timelines, (run for run in runs if not known.holders or run.id in known.holders))
    if at_work and (known.holders or len(at_work) > 1):
        return replace(known, holders=at_work)
    if at_work or known.holders or known.tries > 1:
        return replace(known, holders=_NONE, crowded=True, hesitated=True)
    return None


def _queue(pipelines: Pipelines, known: Carriage, tell: Watch) -> Carriage:
    try:
        own = pipelines.queue(known.request)
    except TryLater as error:
        certain = isinstance(error, Throttled)  # then nothing was queued
        return replace(known, doubt=error, doubts=known.doubts + (0 if certain else 1))
    tell(RunChosen(own, RunOrigin.QUEUED, known.tries))
    return known.with_own(own)


def _converge(pipelines: Pipelines, known: Carriage, tell: Watch) -> Carriage:
    """Look who else queued a run at the same moment; all but the oldest of them are given up, each by its own."""
    request = known.request
    runs = pipelines.active(request.pipeline, request.branch)
    own = next((run for run in runs if run.id == known.own), None)
    after, elected = _elect(cache(pipelines.records), runs, known, own or request)
    after = replace(after, own=None)
    if own is None or elected is None:
        return after
    if known.newest:
        return replace(after, following=elected.id)
    if elected.id >= own.id:  # ours is the oldest, or waits no more: what became of it is still to be seen
        return after
    return replace(after, following=_stand_down(pipelines, own, elected, tell).id)


def _elect(
    timelines: _Timelines, runs: Sequence[Run], known: Carriage, like: Run | RunRequest
) -> tuple[Carriage, Run | None]:
    """Return what is known after a look at these runs, and which of them to follow: the oldest that carries the change.

    A run is asked for its timeline only where its state does not tell whether a job of it has started.
    """
    seen, proven = set(known.seen), set(known.proven)
    passed = set(known.passed) & {run.id for run in runs}
    elected: Run | None = None
    for run in sorted(runs, key=lambda run: run.id, reverse=known.newest):
        if run.id in passed or given_up(run) or not _alike(run, like):
            continue
        if run.state is RunState.WAITING:
            seen.add(run.id)
            elected = elected or run
        elif run.id in known.ours:  # it carries the change whatever has become of it
            elected = elected or run
        elif run.state is RunState.RUNNING and elected is None:
            records = timelines(run.id)
            if untouched(records) or (run.id not in (known.before or ()) and _whole(records)):
                seen.add(run.id)
                proven.add(run.id)
                elected = run
            elif records:
                passed.add(run.id)
    after = replace(known, seen=frozenset(seen), proven=frozenset(proven), passed=frozenset(passed))
    return after, elected


def _alike(run: Run, like: Run | RunRequest) -> bool:
    """Return whether a run was given the same template parameters and variables; their names have no letter case."""
    return all(
        _caseless(given) == _caseless(wanted)
        for given, wanted in (
            (run.template_parameters, like.template_parameters),
            (run.variables, like.variables),
        )
    )


def _caseless(values: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): value for name, value in values.items()}


def given_up(run: Run) -> bool:
    """Return whether the delivery that queued the run has given it up."""
    return TAG in (tag.casefold() for tag in run.tags)


def untouched(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a timeline shows that no job has started and no stage was left out; an empty one shows nothing."""
    return (
        bool(records)
        and all(record.state == "pending" for record in records if record.kind == "Job")
        and not any(record.state == "completed" for record in records if record.kind == "Stage")
    )


def _whole(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a timeline shows a run's first attempt, and no stage left out.

    A run that is started anew keeps its id, and of what it did before, what went well.
    """
    return bool(records) and all(record.attempt == 1 for record in records) and not _skips(records)


def _begun(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a job has started; one that was cancelled before it could has not."""
    return any(
        record.state == "inProgress" or (record.state == "completed" and record.result not in ("canceled", "skipped"))
        for record in records
        if record.kind == "Job"
    )


def _skips(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a stage was left out; not where a failure or a cancellation is why."""
    stopped = any(record.result in ("failed", "canceled", "abandoned") for record in records)
    return not stopped and any(record.kind == "Stage" and record.result == "skipped" for record in records)


def _stand_down(pipelines: Pipelines, own: Run, instead: Run, tell: Watch) -> Run:
    """Cancel our own run while no job of it has started, tagged first; return the run to follow.

    Without the right to do so both run: slower, and as correct.
    """
    try:
        pipelines.tag(own.id, TAG)
    except EcsCdError as error:
        _warn_of_right(error, tell)
        return instead
    try:
        state = pipelines.run(own.id).state
        if state in (RunState.CANCELLING, RunState.CANCELLED):
            return instead
        if state is not RunState.WAITING and _begun(pipelines.records(own.id)):
            pipelines.untag(own.id, TAG)
            return own
        pipelines.cancel(own.id)
    except TryLater:
        return instead  # it may have been cancelled: without the tag its followers would blame a person
    except EcsCdError as error:
        _warn_of_right(error, tell)
        _untag_if_alive(pipelines, own.id)
        return instead
    tell(RunGivenUp(own, instead))
    return instead


def _untag_if_alive(pipelines: Pipelines, run_id: int) -> None:
    try:
        if pipelines.run(run_id).state in (RunState.WAITING, RunState.RUNNING):
            pipelines.untag(run_id, TAG)
    except EcsCdError:  # the tag then only says more than is so
        return


def _warn_of_right(error: EcsCdError, tell: Watch) -> None:
    if isinstance(error, AccessDenied):
        tell(Warned(sentences("Runs queued at the same moment cannot be made one:", error.message, error.hint)))


def _look(pipelines: Pipelines, known: Carriage, run_id: int, tell: Watch) -> Carriage:
    """Look at the followed run, and decide what its end means."""
    progress = RunProgress(pipelines.run(run_id), pipelines.records(run_id))
    run = progress.run
    tell(RunChanged(progress))
    if run_id not in known.proven and progress.records:
        if _skips(progress.records):
            passing = replace(known.without(run_id), passed=known.passed | {run_id})
            return _go_on(pipelines, passing, RunLeft(run, "it leaves out a stage"), tell)
        known = replace(known, proven=known.proven | {run_id})
    if run.state is RunState.CANCELLING and not run.by_service and not given_up(run):
        known = replace(known, canceller=run.changed_by)
    if not run.state.ended:
        return known
    finished = finished_run(run)
    if finished:
        taken = RunOrigin.QUEUED if run_id in known.ours else RunOrigin.JOINED
        return replace(known, finished=replace(finished, taken=taken, tries=known.tries))
    if run.state is RunState.CANCELLED:
        return _after_cancel(pipelines, known, progress, tell)
    return _after_failure(pipelines, known, progress, tell)


def _after_cancel(pipelines: Pipelines, known: Carriage, progress: RunProgress, tell: Watch) -> Carriage:
    """Go on if no person cancelled it: a delivery did (the tag), or Azure DevOps itself (`runLatest`)."""
    run = progress.run
    errors = Evidence(progress, None).lines
    if took_too_long(errors) or lost_agent(errors):
        return _after_failure(pipelines, known, progress, tell)
    left = known.without(run.id)
    if given_up(run):
        return _go_on(pipelines, left, RunLeft(run, "the delivery that queued it gave it up"), tell)
    who = known.canceller or cancelled_by(errors) or (AZURE_DEVOPS_ITSELF if run.by_service else run.changed_by)
    if who != AZURE_DEVOPS_ITSELF or known.superseded >= MOST_SUPERSEDED:
        raise cancelled_error(run, who)
    after = _go_on(pipelines, left, RunLeft(run, "Azure DevOps cancelled it for a newer one"), tell, newest=True)
    return after if after.following else replace(after, superseded=known.superseded + 1)


def _after_failure(pipelines: Pipelines, known: Carriage, progress: RunProgress, tell: Watch) -> Carriage:
    """Try again after a state lock, and once after a lost agent."""
    run = progress.run
    evidence = gather_evidence(pipelines, progress)
    lock = read_state_lock(evidence.lines)
    again = replace(known.without(run.id), tries=known.tries + 1, hesitated=False)
    if lock:
        others = pipelines.active(known.request.pipeline, known.request.branch)
        holders = _at_work(pipelines.records, others)
        after = _go_on(pipelines, again, RunLeft(run, "it met a state lock"), tell)
        return after if after.following else replace(after, lock=lock, holders=holders)
    lost = lost_agent(evidence.lines)
    if lost and not known.lost:
        tell(Warned(f"Run {run.name} lost its agent, and is tried once more: {lost}"))
        return _go_on(pipelines, replace(again, lost=True), RunLeft(run, "its agent was lost"), tell)
    raise run_failure(evidence)


def _at_work(timelines: _Timelines, runs: Iterable[Run]) -> frozenset[int]:
    """Return those runs of which an agent carries out a job.

    Not one that waits for an approval or a manual validation, perhaps for days.
    """
    return frozenset(
        run.id
        for run in runs
        if run.state is RunState.RUNNING
        and any(r.kind == "Job" and r.state == "inProgress" and r.worker for r in timelines(run.id))
    )


def _go_on(pipelines: Pipelines, known: Carriage, left: RunLeft, tell: Watch, *, newest: bool = False) -> Carriage:
    """Follow another run that carries the change and is alive or has succeeded; if there is none, start over."""
    known = replace(known, newest=known.newest or newest, canceller="")
    for run_id in sorted(known.seen, reverse=known.newest):
        run = pipelines.run(run_id)
        if run.state not in _DEAD and (run_id in known.proven or not _skips(pipelines.records(run_id))):
            tell(replace(left, instead=run))
            return replace(known, following=run_id)
        known = known.without(run_id)
    tell(left)
    return replace(known, following=None)
