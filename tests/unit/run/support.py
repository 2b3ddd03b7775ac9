"""Runs, timelines and a scripted Azure DevOps for the tests of the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ecs_cd.model.events import Event
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Pipeline, Run, RunProgress, RunRequest, RunState, TimelineRecord
from ecs_cd.run.election import CANCELLED_TAG
from ecs_cd.run.sharing import next_state
from ecs_cd.run.states import Acting, Attempts, Basis, CarryingRun, Following, KnownRuns, Queued, State
from tests.support.fakes import FakePipelines

INFRASTRUCTURE = Pipeline(7, "infrastructure")
REQUEST = RunRequest(INFRASTRUCTURE, "refs/heads/main", {"environment": "dev"}, {"REASON": "release"})
INPUTS: dict[str, object] = {"template_parameters": REQUEST.template_parameters, "variables": REQUEST.variables}
OTHER_INPUTS: dict[str, object] = {"template_parameters": {"environment": "prod"}}

JOB = TimelineRecord("j", "s", "Job", "terraform", "pending")
STAGE = TimelineRecord("s", "", "Stage", "Apply", "pending")
CHECKPOINT = TimelineRecord("c", "s", "Checkpoint", "Checkpoint", "inProgress")
APPROVAL = TimelineRecord("a", "c", "Checkpoint.Approval", "Checkpoint.Approval", "inProgress")
WAITS_FOR_A_CHECK = (replace(STAGE, state="inProgress"), CHECKPOINT, APPROVAL, JOB)
AT_WORK = (replace(STAGE, state="inProgress"), replace(JOB, state="inProgress", worker="agent"))
WAITS_FOR_A_PERSON = (replace(STAGE, state="inProgress"), replace(JOB, state="inProgress"))
FAILED_TASK = TimelineRecord("t", "j", "Task", "terraform apply", "completed", "failed", 1, 1)

BY_US = {"tags": (CANCELLED_TAG,), "changed_by": "platform Build Service"}
BY_SERVICE = {"changed_by": AZURE_DEVOPS_ITSELF, "by_service": True}
BY_ANN = {"changed_by": "Ann Author"}


def run(number: int, state: RunState = RunState.WAITING, **more: object) -> Run:
    made = Run(number, f"20260101.{number}", f"https://dev/{number}", state, 7, "refs/heads/main")
    return replace(made, **{**INPUTS, **more})  # type: ignore[arg-type]  # fields by name


def in_state(number: int, state: RunState, *records: TimelineRecord, **more: object) -> RunProgress:
    return RunProgress(run(number, state, **more), records)


class ScriptedAzure(FakePipelines):
    """Lists these runs, each as it is now."""

    def __init__(self, *runs: Run | RunProgress) -> None:
        super().__init__(INFRASTRUCTURE)
        self.events: list[Event] = []
        self.show(*runs)

    def show(self, *runs: Run | RunProgress) -> None:
        self.listed = []
        for one in runs:
            progress = RunProgress(one) if isinstance(one, Run) else one
            self.play(progress)
            if not progress.run.state.ended and progress.run.state is not RunState.CANCELLING:
                self.listed.append(progress.run)

    def next_state(self, state: Acting) -> State:
        return next_state(self, REQUEST, state, self.events.append)


def following(number: int, *others: int, basis: Basis = Basis.ALL_STAGES, known: KnownRuns | None = None) -> Following:
    """Return a delivery that follows a run, and knows that the others carry the change as well."""
    carrying = (CarryingRun(one, basis) for one in sorted(others))
    known = known or KnownRuns(initial=frozenset({number, *others}))
    return Following(known, CarryingRun(number, basis), tuple(carrying))


def attempt(number: int, *, superseded: int = 0, agent_lost: bool = False) -> KnownRuns:
    return KnownRuns(attempts=Attempts(number, agent_lost=agent_lost, superseded=superseded))


def followed(state: State) -> int:
    """Return the run that is followed, or was just queued."""
    assert isinstance(state, Following | Queued), state
    return state.run.id if isinstance(state, Following) else state.run_id


def ids(runs: Iterable[CarryingRun]) -> list[int]:
    return [one.id for one in runs]
