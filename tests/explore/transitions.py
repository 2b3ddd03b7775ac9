"""What can happen next in a system, and which systems are the same from here on.

Each part of a system is kept once, as a node that remembers what can become of it: what a delivery does next depends on
itself and on Azure DevOps alone, whatever the other deliveries are at. So the protocol runs once for each such pair.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Run, RunState
from ecs_cd.run.states import Following, Queued, Start, WaitingForHolders
from tests.explore.delivery import Request, SteppedDelivery
from tests.explore.system import (
    PERSON,
    Faults,
    Setup,
    SystemState,
    check_delivery,
    check_waiting,
    known_complete,
)
from tests.support.azure_in_memory import AzureState, LockBehavior, RunEnd

_READS_BITS = 16
_DELIVERY_BITS = 24 + _READS_BITS
"""How many bits of a fingerprint tell of one delivery: its number, and which of so many runs carry its version."""


class AzureNode:
    """A state of Azure DevOps; `unended` are the runs that have not ended, one bit for each id."""

    __slots__ = ("answers", "checked", "events", "forms", "kept", "steps", "unended", "value", "waiting")

    def __init__(self, value: AzureState) -> None:
        self.value = value
        self.unended = _bits(run.id for run in value.runs if not run.state.ended)
        self.kept = _bits(run.id for run in value.runs)
        self.waiting = sum(run.waits for run in value.runs)
        self.events: list[tuple[str, AzureNode, str]] | None = None
        self.answers: dict[Request, tuple[AzureNode, object]] = {}
        self.steps: dict[DeliveryNode, tuple[str, AzureNode, DeliveryNode] | None] = {}
        self.checked: dict[DeliveryNode, str] = {}
        self.forms: dict[int, tuple[int, ...]] = {}


class DeliveryNode:
    """A state of a delivery; `mentioned` are the runs it has to do with, one bit for each id."""

    __slots__ = ("dies", "forms", "may_die", "mentioned", "restarted", "value")

    def __init__(self, value: SteppedDelivery) -> None:
        self.value = value
        self.mentioned = _bits(value.mentioned)
        self.may_die = value.wrote and not value.ended
        self.dies = f"D{value.version} dies"
        self.restarted: DeliveryNode | None = None
        self.forms: dict[int, int] = {}


class Node(NamedTuple):
    """A system, as the nodes of its parts."""

    azure: AzureNode
    deliveries: tuple[DeliveryNode, ...]
    faults: Faults


class Transitions:
    """What can happen in the systems of one setup."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._azures: dict[AzureState, AzureNode] = {}
        self._deliveries: dict[SteppedDelivery, DeliveryNode] = {}
        self._answers: dict[object, object] = {}
        self._answered: dict[tuple[int, int], SteppedDelivery] = {}
        self._numbers: dict[Hashable, int] = {}

    def node(self, system: SystemState) -> Node:
        deliveries = tuple(self._delivery(delivery) for delivery in system.deliveries)
        return Node(self._azure(system.azure), deliveries, system.faults)

    def system(self, node: Node) -> SystemState:
        deliveries = tuple(delivery.value for delivery in node.deliveries)
        return SystemState(node.azure.value, deliveries, node.faults, self._setup)

    def _azure(self, value: AzureState) -> AzureNode:
        found = self._azures.get(value)
        if found is None:
            found = self._azures[value] = AzureNode(value)
        return found

    def _delivery(self, value: SteppedDelivery) -> DeliveryNode:
        found = self._deliveries.get(value)
        if found is None:
            fresh = replace(value)  # without the request that it kept, perhaps of another protocol
            found = self._deliveries[fresh] = DeliveryNode(fresh)
        return found

    def following(self, node: Node) -> list[tuple[str, Node]]:
        """Return what can happen next, each with its name."""
        azure, deliveries, faults = node
        found: list[tuple[str, Node]] = []
        for place, delivery in enumerate(deliveries):
            before, behind = deliveries[:place], deliveries[place + 1 :]
            step = azure.steps[delivery] if delivery in azure.steps else self._step(azure, delivery)
            if step is not None:
                name, then, after = step
                found.append((name, Node(then, (*before, after, *behind), faults)))
            if faults.deaths and delivery.may_die:
                left = faults.without_one("deaths")
                found.append((delivery.dies, Node(azure, (*before, self._restarted(delivery), *behind), left)))
        for name, then, fault in self._events(azure):
            if not fault:
                found.append((name, Node(then, deliveries, faults)))
            elif getattr(faults, fault):
                found.append((name, Node(then, deliveries, faults.without_one(fault))))
        return found

    def _events(self, azure: AzureNode) -> list[tuple[str, AzureNode, str]]:
        """Return what can happen in Azure DevOps, of faults only those that there are in this setup."""
        if azure.events is None:
            azure.events = [
                (name, self._azure(then), fault)
                for name, then, fault in events(azure.value)
                if not fault or getattr(self._setup.faults, fault)
            ]
        return azure.events

    def _step(self, azure: AzureNode, delivery: DeliveryNode) -> tuple[str, AzureNode, DeliveryNode] | None:
        """Return what a delivery does next, and keep it; None if it has ended or would see nothing new."""
        name, value = f"D{delivery.value.version}", delivery.value
        step: tuple[str, AzureNode, DeliveryNode] | None = None
        if not value.wrote:
            wrote = self._azure(azure.value.write(value.version))
            step = f"{name} writes", wrote, self._delivery(replace(value, wrote=True))
        elif not value.ended and (not value.at_rest or _sees_something(azure.value, value)):
            step = f"{name} asks", *self._ask(azure, value)
        azure.steps[delivery] = step
        return step

    def _ask(self, azure: AzureNode, delivery: SteppedDelivery) -> tuple[AzureNode, DeliveryNode]:
        """Let a delivery make its next request."""

        def send(request: Request) -> object:
            nonlocal azure
            azure, answer = self._answer(azure, request)
            return answer

        def ended(run_id: int) -> bool:
            return azure.value.run(run_id).state.ended

        after = delivery.stepped(send, ended, answered=self._after)
        return azure, self._delivery(after)

    def _answer(self, azure: AzureNode, request: Request) -> tuple[AzureNode, object]:
        """Return what becomes of Azure DevOps, and its answer, of which there is only one object for each value."""
        key = Request(request.method, ()) if request.method in ("queue", "active", "preview", "newest") else request
        found = azure.answers.get(key)
        if found is None:
            pipelines = self._setup.pipelines(azure.value)
            answer = request.send(pipelines)
            found = azure.answers[key] = (self._azure(pipelines.state), self._answers.setdefault(answer, answer))
        return found

    def _after(self, delivery: SteppedDelivery, answer: object) -> SteppedDelivery:
        """Return a delivery after this answer; of both there is only one object for each value."""
        key = id(delivery), id(answer)
        found = self._answered.get(key)
        if found is None:
            found = self._answered[key] = self._delivery(delivery.answered(answer)).value
        return found

    def _restarted(self, delivery: DeliveryNode) -> DeliveryNode:
        if delivery.restarted is None:
            delivery.restarted = self._delivery(delivery.value.restarted())
        return delivery.restarted

    def check(self, node: Node) -> str:
        """Return the rule that is broken; empty if none is."""
        azure = node.azure
        for delivery in node.deliveries:
            broken = azure.checked.get(delivery)
            if broken is None:
                broken = azure.checked[delivery] = check_delivery(delivery.value, azure.value, self._setup)
            if broken:
                return broken
        if azure.waiting < 2:
            return ""
        return check_waiting(tuple(d.value for d in node.deliveries), azure.value, node.faults, self._setup)

    def fingerprint(self, node: Node) -> int:
        """Return what tells systems apart, as a number: all that can make a difference from here on, and no more.

        Runs that have ended and that nobody remembers make none, and the rest are numbered anew: so a delivery that
        queues and cancels for ever goes round in a circle, instead of on to ever higher numbers. Nor does it matter
        which delivery is which: they are put in the order of what each knows, and of which runs carry its version.
        """
        azure, deliveries, faults = node
        runs = azure.kept if faults.restarts else azure.unended
        for delivery in deliveries:
            runs |= delivery.mentioned
        form = azure.forms.get(runs)
        if form is None:
            form = azure.forms[runs] = self._azure_form(azure.value, runs, deliveries)
        codes = []
        for place, delivery in enumerate(deliveries, 1):
            number = delivery.forms.get(runs)
            if number is None:
                number = delivery.forms[runs] = self._number(_delivery_form(delivery.value, runs))
            codes.append(number << _READS_BITS | form[place])
        codes.sort()
        code = self._number(faults) << _DELIVERY_BITS | form[0]
        for one in codes:
            code = code << _DELIVERY_BITS | one
        return code

    def _number(self, form: Hashable) -> int:
        return self._numbers.setdefault(form, len(self._numbers))

    def _azure_form(self, azure: AzureState, runs: int, deliveries: tuple[DeliveryNode, ...]) -> tuple[int, ...]:
        """Return a number for the runs, and for each delivery which of them carry its version, one bit for each."""
        kept = [run for run in azure.runs if runs >> run.id & 1]
        assert len(kept) <= _READS_BITS
        number = self._number(
            tuple(
                (r.state, r.reads is None, r.tags, r.changed_by, r.met_lock, r.inputs, r.skips_stage, r.attempt)
                for r in kept
            )
        )
        versions = [delivery.value.version for delivery in deliveries]
        carrying = [_bits(i for i, run in enumerate(kept) if version in (run.reads or ())) for version in versions]
        return (number, *carrying)


def following(system: SystemState) -> Iterator[tuple[str, SystemState]]:
    """Yield what can happen next, each with its name."""
    transitions = Transitions(system.setup)
    for name, node in transitions.following(transitions.node(system)):
        yield name, transitions.system(node)


def events(azure: AzureState) -> Iterator[tuple[str, AzureState, str]]:
    """Yield what Azure DevOps, its agents and people can do: the name, what becomes of it, and the fault that it is."""
    for run_id in azure.startable():
        yield f"run {run_id} starts", azure.start(run_id), ""
    for run_id in azure.supersedable():
        yield f"runLatest cancels run {run_id}", azure.cancel(run_id, AZURE_DEVOPS_ITSELF), ""
    for run in azure.runs:
        if run.state is RunState.RUNNING:
            for how, fault in ((RunEnd.SUCCESS, ""), (RunEnd.LOCKED, "locks"), (RunEnd.FAILURE, "failures")):
                yield f"run {run.id} ends: {how.value}", azure.end(run.id, how), fault
    yield from _events_of_people(azure)


def _events_of_people(azure: AzureState) -> Iterator[tuple[str, AzureState, str]]:
    for run in azure.runs:
        if not run.state.ended:
            yield f"{PERSON} cancels run {run.id}", azure.cancel(run.id, PERSON), "cancels"
    yield f"{PERSON} queues a run", azure.queue(changed_by=PERSON), "extra_runs"
    partial = azure.queue(changed_by=PERSON, skips_stage=True)
    yield f"{PERSON} queues a run without its first stage", partial, "partial_runs"
    for run in azure.runs:
        if run.state is RunState.FAILED and azure.lock is LockBehavior.NONE:
            yield f"{PERSON} starts run {run.id} again", azure.restart(run.id), "restarts"


def _sees_something(azure: AzureState, delivery: SteppedDelivery) -> bool:
    """Return whether looking at the followed run tells anything: its end, or which stages it has."""
    run = azure.run(delivery.follows) if delivery.follows is not None else None
    return run is not None and (run.state.ended or (run.skips_stage and not known_complete(delivery, run)))


def _delivery_form(delivery: SteppedDelivery, runs: int) -> Hashable:
    """Return all that a delivery knows, with these runs numbered anew."""
    numbers = [run_id for run_id in range(runs.bit_length()) if runs >> run_id & 1]
    new = {old: number for number, old in enumerate(numbers, 1)}
    state = delivery.state
    form: list[Hashable] = [delivery.wrote, delivery.outcome, new.get(delivery.carried_by or 0), type(state).__name__]
    if not isinstance(state, Start):
        known = state.known
        form.append(tuple(sorted(new[run_id] for run_id in known.initial if run_id in new)))
        form.append(tuple(sorted(new[run_id] for run_id in known.excluded)))
        form += [known.prefer_newest, known.attempts.agent_lost, known.attempts.superseded]
        form.append(known.never_run)
        form.append(known.attempts.number > 1)  # the number itself is only shown
    if isinstance(state, Following):
        carrying = ((new[run.id], run.basis) for run in (state.run, *state.others))
        form += [tuple(carrying), state.cancelled_by]
    elif isinstance(state, Queued):
        form.append(new[state.run_id])
    elif isinstance(state, WaitingForHolders):
        form.append(tuple(sorted(new[run_id] for run_id in state.holders)))
    form.append(tuple(_answer_form(answer, new) for answer in delivery.answers))
    return tuple(form)


def _answer_form(answer: object, new: dict[int, int]) -> Hashable:
    if isinstance(answer, Run):
        return new[answer.id], answer.state, answer.tags, answer.changed_by
    if isinstance(answer, tuple):
        return tuple(_answer_form(one, new) for one in answer)
    return answer


def _bits(places: Iterator[int] | frozenset[int]) -> int:
    return sum(1 << place for place in places)
