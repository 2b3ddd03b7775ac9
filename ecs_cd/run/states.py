"""The states of a delivery that needs a run to carry its change (rules 6 to 9), and what it knows of runs in each.

    Start -> Looking -> Queued -> Following -> Done

    Looking     before it queues a run while others may do so too: Hesitating -> ReadyToQueue
                while several runs are at work, or one that may hold the state lock: WaitingForHolders
                a request to queue failed and may have been done all the same: QueueFailed
    Following   the run met a state lock: WaitingForLock, then Looking or WaitingForHolders
                the run was cancelled, and no other one carries the change: Looking

A state has only those fields that exist in it, and each is a value: the exploration in `tests/explore` relies on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ecs_cd.errors import TryLater
from ecs_cd.model.run import FinishedRun, Run, RunOrigin, RunRequest
from ecs_cd.model.state_lock import StateLock

_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Attempts:
    """What went wrong so far and is counted.

    `number`: which attempt this is, from 1; a state lock or a lost agent leads to another. `agent_lost`: an agent was
    lost before. `superseded`: how many runs in a row Azure DevOps itself has cancelled, with no other to go on with.
    `uncertain`: how many requests to queue a run have failed that may have been done all the same.
    """

    number: int = 1
    agent_lost: bool = False
    superseded: int = 0
    uncertain: int = 0

    def another(self, *, agent_lost: bool = False) -> Attempts:
        """Return the next attempt."""
        return replace(self, number=self.number + 1, agent_lost=self.agent_lost or agent_lost)


@dataclass(frozen=True)
class Inputs:
    """What a run was given, as pairs of name and value; letter case of names does not matter."""

    template_parameters: frozenset[tuple[str, str]]
    variables: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, given: Run | RunRequest) -> Inputs:
        """Return the inputs of a run as it is shown, or of a request."""
        return cls(_caseless(given.template_parameters), _caseless(given.variables))


def _caseless(values: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name.casefold(), value) for name, value in values.items())


@dataclass(frozen=True)
class KnownRuns:
    """What a delivery knows of runs, by their ids, whatever its state.

    `initial`: those that were listed at the first look after the write; any other was queued later. `excluded`: those
    seen with a job started or a stage skipped, and those given other inputs, which never carry the change.
    `prefer_newest`: Azure DevOps has cancelled a run for a newer one (`lockBehavior: runLatest`): of several the newest
    is elected, and none cancelled. `never_run`: the stages, in lower case, that no run of the branch executes; None
    before anybody asked. `shown_inputs`: how the service shows our inputs, where otherwise than they were given.
    `no_preview`: a preview was asked for in vain.
    """

    initial: frozenset[int] = _NONE
    excluded: frozenset[int] = _NONE
    prefer_newest: bool = False
    never_run: frozenset[str] | None = None
    shown_inputs: Inputs | None = None
    no_preview: bool = False
    attempts: Attempts = Attempts()


class Basis(Enum):
    """Why a run is certain to carry the change."""

    SEEN_WAITING = "seen after the write with no job started; it may still turn out to skip a stage"
    ALL_STAGES = "the same, or queued by others after the write; it skips no stage that other runs execute"
    QUEUED = "queued by this delivery after the write, with all stages"


@dataclass(frozen=True)
class CarryingRun:
    """A run that carries the change."""

    id: int
    basis: Basis

    @property
    def origin(self) -> RunOrigin:
        """Return how the delivery came by it."""
        return RunOrigin.QUEUED if self.basis is Basis.QUEUED else RunOrigin.JOINED


@dataclass(frozen=True)
class Start:
    """The change has been written, and nothing asked yet."""


@dataclass(frozen=True)
class Looking:
    """There is no run to follow: join one, or queue one unless others should go first."""

    known: KnownRuns


@dataclass(frozen=True)
class ReadyToQueue:
    """Others had the time to queue a run: join it, or queue one."""

    known: KnownRuns


@dataclass(frozen=True)
class WaitingForHolders:
    """Runs at work (`holders`, at least one) must end before another is queued; one of them may hold the state lock."""

    known: KnownRuns
    holders: frozenset[int]


@dataclass(frozen=True)
class Hesitating:
    """Others may be about to queue a run as well: after a pause of random length, look again."""

    then: ReadyToQueue


@dataclass(frozen=True)
class QueueFailed:
    """A request to queue a run failed, which may pass; after a pause, look whether there is a run all the same."""

    error: TryLater
    then: Looking | ReadyToQueue


@dataclass(frozen=True)
class Queued:
    """A run was queued, and is not yet compared with those that others queued at the same moment."""

    known: KnownRuns
    run_id: int


@dataclass(frozen=True)
class Following:
    """A run is followed to its end.

    `others` carry the change as well, oldest first. `cancelled_by`: who was seen cancelling the run; empty if nobody.
    """

    known: KnownRuns
    run: CarryingRun
    others: tuple[CarryingRun, ...] = ()
    cancelled_by: str = ""

    @classmethod
    def one_of(cls, known: KnownRuns, carrying: Iterable[CarryingRun], run_id: int) -> Following:
        """Return the state in which that one of the carrying runs is followed."""
        others = {run.id: run for run in carrying}
        run = others.pop(run_id)
        return cls(known, run, tuple(others[number] for number in sorted(others)))


@dataclass(frozen=True)
class WaitingForLock:
    """The followed run met a state lock: pause before the next attempt."""

    lock: StateLock
    then: Looking | WaitingForHolders


@dataclass(frozen=True)
class Done:
    """A run that carries the change has succeeded."""

    finished: FinishedRun


Acting = Start | Looking | ReadyToQueue | WaitingForHolders | Queued | Following
"""States that are left by asking Azure DevOps."""
Pausing = Hesitating | QueueFailed | WaitingForLock
"""States that are left by a pause; `then` is the state after it."""
State = Acting | Pausing | Done
