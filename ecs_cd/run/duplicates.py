"""Of several runs queued at one moment one is kept; each other is cancelled by the delivery that queued it (rule 7)."""

from __future__ import annotations

from functools import cache

from ecs_cd.errors import AccessDenied, EcsCdError, TryLater
from ecs_cd.messages import sentences
from ecs_cd.model.events import RunGivenUp, Warned, Watch
from ecs_cd.model.run import Run, RunRequest, RunState
from ecs_cd.run import election, timeline
from ecs_cd.run.election import CANCELLED_TAG
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.previews import Previews
from ecs_cd.run.states import Following, Queued


def keep_oldest(pipelines: Pipelines, request: RunRequest, state: Queued, watch: Watch) -> Following:
    """Look who else queued a run at the same moment, and cancel ours if an older one waits.

    Once `runLatest` was met, nothing is cancelled: Azure DevOps itself does so, and the newest stays.
    """
    runs = pipelines.active(request.pipeline, request.branch)
    own = next((run for run in runs if run.id == state.run_id), None)
    previews = Previews(pipelines, request, state.known)
    if own:
        previews.note_own_inputs(own)
    found = election.elect_run(cache(pipelines.records), runs, previews, own_id=state.run_id)
    chosen = state.run_id
    if own and found.elected:
        if state.known.prefer_newest:
            chosen = found.elected.id
        elif found.elected.id < own.id:
            chosen = cancel_own(pipelines, own, found.elected, watch).id
        # else ours is the oldest, or waits no more: what became of it is still to be seen
    return Following.one_of(found.known, found.carrying, chosen)


def cancel_own(pipelines: Pipelines, own: Run, instead: Run, watch: Watch) -> Run:
    """Cancel our own run while no job of it has started, tagged first; return the run to follow.

    Without the right to do so both run, which is slower, but still correct.
    """
    try:
        pipelines.tag(own.id, CANCELLED_TAG)
    except EcsCdError as error:
        _warn_of_missing_right(error, watch)
        return instead
    try:
        state = pipelines.run(own.id).state
        if state in (RunState.CANCELLING, RunState.CANCELLED):
            return instead
        if state is not RunState.WAITING and timeline.job_started(pipelines.records(own.id)):
            pipelines.untag(own.id, CANCELLED_TAG)
            return own
        pipelines.cancel(own.id)
    except TryLater:
        return instead  # it may have been cancelled: without the tag its followers would blame a person
    except EcsCdError as error:
        _warn_of_missing_right(error, watch)
        _untag_if_not_ended(pipelines, own.id)
        return instead
    watch(RunGivenUp(own, instead))
    return instead


def _untag_if_not_ended(pipelines: Pipelines, run_id: int) -> None:
    try:
        if pipelines.run(run_id).state in (RunState.WAITING, RunState.RUNNING):
            pipelines.untag(run_id, CANCELLED_TAG)
    except EcsCdError:  # a tag that stays is no harm: the run is only not joined by others
        return


def _warn_of_missing_right(error: EcsCdError, watch: Watch) -> None:
    if isinstance(error, AccessDenied):
        watch(Warned(sentences("Runs queued at the same moment cannot be made one:", error.message, error.hint)))
