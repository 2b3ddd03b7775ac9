"""The deliveries, Azure DevOps and the faults still to come, as one value; and the rules it must keep at any time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ecs_cd.model.run import RunState
from ecs_cd.run.states import Basis, Following
from tests.explore.delivery import SteppedDelivery
from tests.support.azure_in_memory import AzureState, LockBehavior, MemoryAzureDevOps, MemoryRun

PERSON = "Ann Author"

_BAD = (RunState.CANCELLED, RunState.CANCELLING, RunState.FAILED)


class Faults(NamedTuple):
    """How often something may still go wrong, or come from outside.

    `deaths`: deliveries killed and started again; `locks`: runs that meet a state lock; `failures`: runs that fail
    otherwise; `cancels`: runs that a person cancels; `extra_runs`: runs that a person queues; `partial_runs`: such that
    skip a stage; `restarts`: runs that failed and are started again by a person.
    """

    deaths: int = 0
    locks: int = 0
    failures: int = 0
    cancels: int = 0
    extra_runs: int = 0
    partial_runs: int = 0
    restarts: int = 0

    def without_one(self, name: str) -> Faults:
        return self._replace(**{name: getattr(self, name) - 1})

    def __str__(self) -> str:
        named = ((count, name.replace("_", " ")) for name, count in self._asdict().items() if count)
        return ", ".join(f"{count} {name if count > 1 else name.removesuffix('s')}" for count, name in named)


@dataclass(frozen=True)
class Setup:
    """What does not change: the faults there are in all, and the rights of the deliveries."""

    faults: Faults
    may_tag: bool = True
    may_cancel: bool = True

    def pipelines(self, azure: AzureState) -> MemoryAzureDevOps:
        return MemoryAzureDevOps(azure, may_tag=self.may_tag, may_cancel=self.may_cancel)


@dataclass(frozen=True)
class SystemState:
    """The whole system at one time."""

    azure: AzureState
    deliveries: tuple[SteppedDelivery, ...]
    faults: Faults
    setup: Setup

    def with_delivery(self, place: int, delivery: SteppedDelivery, azure: AzureState) -> SystemState:
        deliveries = (*self.deliveries[:place], delivery, *self.deliveries[place + 1 :])
        return replace(self, deliveries=deliveries, azure=azure)


def start(
    deliveries: int,
    lock: LockBehavior,
    faults: Faults = Faults(),  # noqa: B008 - immutable
    *,
    may_tag: bool = True,
    may_cancel: bool = True,
    per_branch: bool = False,
) -> SystemState:
    """Return the system before any of the deliveries has written."""
    all_of_them = tuple(SteppedDelivery(str(number)) for number in range(deliveries))
    return SystemState(AzureState(lock, per_branch=per_branch), all_of_them, faults, Setup(faults, may_tag, may_cancel))


def check(system: SystemState) -> str:
    """Return the rule that is broken; empty if none is."""
    for delivery in system.deliveries:
        broken = check_delivery(delivery, system.azure, system.setup)
        if broken:
            return broken
    return check_waiting(system.deliveries, system.azure, system.faults, system.setup)


def check_delivery(delivery: SteppedDelivery, azure: AzureState, setup: Setup) -> str:
    """Return the rule that is broken for one delivery: it follows, and succeeds with, runs that read its version."""
    name, version, carried_by = f"D{delivery.version}", delivery.version, delivery.carried_by
    if carried_by is not None and version not in (azure.run(carried_by).reads or ()):
        return f"{name} succeeded with run {carried_by}, which does not carry its version"
    if delivery.outcome == "run-cancelled" and not setup.faults.cancels:
        return f"{name} blames a person for cancelling a run, and there was none"
    run = azure.run(delivery.follows) if delivery.follows is not None else None
    if run is None or run.reads is None or run.state in _BAD or version in run.reads:
        return ""
    if run.skips_stage and not known_complete(delivery, run):
        return ""  # it is about to see that
    return f"{name} follows run {run.id}, which started without its version"


def known_complete(delivery: SteppedDelivery, run: MemoryRun) -> bool:
    """Return whether the delivery knows of the run it follows that it skips no stage."""
    state = delivery.state
    return not (isinstance(state, Following) and state.run.id == run.id and state.run.basis is Basis.SEEN_WAITING)


def check_waiting(deliveries: tuple[SteppedDelivery, ...], azure: AzureState, faults: Faults, setup: Setup) -> str:
    """Return which runs wait though one is enough: where nobody is about to act, died, lacks a right or queued another.

    Under `runLatest` Azure DevOps sees to it.
    """
    waiting = [run for run in azure.runs if run.waits]
    if len(waiting) < 2 or azure.lock is LockBehavior.RUN_LATEST or not (setup.may_tag and setup.may_cancel):
        return ""
    undisturbed = all(
        getattr(faults, name) == getattr(setup.faults, name)
        for name in ("deaths", "extra_runs", "partial_runs", "restarts")
    )
    if not undisturbed or not all(delivery.wrote and delivery.at_rest for delivery in deliveries):
        return ""
    return f"runs {', '.join(str(run.id) for run in waiting)} wait, and nobody is about to cancel one"
