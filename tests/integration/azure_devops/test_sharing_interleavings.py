"""Deliveries that share runs of the sandbox's Azure DevOps, through the real adapter, in any order of their requests.

Every act is done twice: there, over HTTP, with an agent that runs what this test lets it; and here in memory, on the
state that `tests.explore` walks through exhaustively. Both must come to the same: what is proved of the one holds for
the other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_cd.azure_devops import AzureDevOpsSettings, connect
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Pipeline, RunRequest
from ecs_cd.run.states import Acting, Following, Queued, Start, State, WaitingForHolders
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from ecs_cd_sandbox.azure_devops.model.definitions import (
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepDefinition,
)
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from ecs_cd_sandbox.azure_devops.model.run import Run as ServerRun
from tests.explore.delivery import CARRIED, Request, SteppedDelivery
from tests.explore.system import PERSON, Faults, SystemState, check, start
from tests.integration.azure_devops.conftest import JOB_TOKEN, MAIN, PAT
from tests.integration.sandbox.contract.schema import check_exchange
from tests.support.azure_in_memory import BUILD_SERVICE, LOCK_ERROR, LockBehavior, MemoryAzureDevOps, RunEnd
from tests.support.fakes import FakeClock

numbers = count(100)


@dataclass
class JobControl:
    """What the test lets a run do: it begins, and ends as told once `open` is set."""

    open: threading.Event = field(default_factory=threading.Event)
    how: RunEnd = RunEnd.SUCCESS


class Organization:
    """A server with one agent, its connections, and what each run read when its job started."""

    def __init__(self) -> None:
        tokens = [Token(JOB_TOKEN, Identity(BUILD_SERVICE), kind="job"), Token(PAT, Identity(PERSON))]
        self.server = Server(agents=1, tokens=tokens)
        self.controls: dict[int, JobControl] = {}
        self.written: set[str] = set()
        self.reads: dict[int, frozenset[str]] = {}

    def __enter__(self) -> Organization:  # noqa: PYI034 - `Self` is not in Python 3.10
        self.server.start()
        self._go_offline()
        clock = FakeClock()
        self.azure = connect(AzureDevOpsSettings(self.server.url, "platform", token=JOB_TOKEN), clock)
        self.person = connect(AzureDevOpsSettings(self.server.url, "platform", pat=PAT), clock)
        return self

    def __exit__(self, *_exception: object) -> None:
        for control in self.controls.values():
            control.open.set()
        self.azure.close()
        self.person.close()
        self._offline.close()
        self.server.close()

    def _go_offline(self) -> None:
        self._offline = ExitStack()
        self._offline.enter_context(self.server.agents_offline())

    def pipeline(self, lock: LockBehavior) -> int:
        """Define a pipeline of its own for one example."""
        number = next(numbers)
        job = JobDefinition("terraform", (StepDefinition("terraform apply", self._apply),))
        self.server.define(
            PipelineDefinition(
                number,
                f"infrastructure-{number}",
                (StageDefinition("Apply", (job,)),),
                branches={MAIN: "a" * 40},
                lock_behavior=lock.value,
            )
        )
        return number

    def _apply(self, context: StepContext) -> None:
        control = self.controls[context.run_id]
        self.reads[context.run_id] = frozenset(self.written)
        context.log("Refreshing")
        context.cancelled.subscribe(control.open.set)  # a cancelled run ends, as it does in memory
        control.open.wait(60)
        if control.how is not RunEnd.SUCCESS:
            for line in LOCK_ERROR if control.how is RunEnd.LOCKED else ("Error: no such subnet",):
                context.log(line)
            context.fail("Bash exited with code '1'.")

    def begin(self, run_id: int) -> None:
        """Let the agent take a run, which must be the oldest that is ready."""
        self.controls[run_id] = JobControl()
        self._offline.close()
        self.server.wait_until(run_id, lambda run: _job_state(run) == "inProgress")
        self._go_offline()

    def end(self, run_id: int, how: RunEnd) -> None:
        self.controls[run_id].how = how
        self.controls[run_id].open.set()
        self.server.wait(run_id)


def _job_state(run: ServerRun) -> str:
    return next((record.state for record in run.timeline.records if record.type == "Job"), "")


def _none_has_ended(_run_id: int) -> bool:
    """Return that no answer is settled, so that both make one request at a time."""
    return False


def known(state: State, ids: Sequence[int]) -> list[object]:
    """Return what a delivery knows in a state, with these numbers for the runs."""
    found: list[object] = [type(state)]
    if isinstance(state, Acting) and not isinstance(state, Start):
        found += [{ids[number] for number in state.known.excluded}, state.known.prefer_newest, state.known.attempts]
    if isinstance(state, Following):
        found += [(ids[run.id], run.basis) for run in (state.run, *state.others)]
    if isinstance(state, Queued):
        found.append(ids[state.run_id])
    if isinstance(state, WaitingForHolders):
        found.append({ids[number] for number in state.holders})
    return found


class Twins:
    """The same deliveries over the server and in memory; `ids` are the server's numbers of the runs in memory."""

    def __init__(self, there: Organization, lock: LockBehavior, deliveries: int, faults: Faults | None = None) -> None:
        self.there = there
        self.here = start(deliveries, lock, faults or Faults())
        there.written.clear()
        request = RunRequest(Pipeline(there.pipeline(lock)), MAIN)
        self.deliveries = [replace(delivery, request=request) for delivery in self.here.deliveries]
        self._before: set[int] = set(there.server._state.runs)

    @property
    def ids(self) -> list[int]:
        return [0, *sorted(set(self.there.server._state.runs) - self._before)]

    def ask(self, place: int) -> None:
        """Let a delivery make its next request."""
        delivery, twin = self.here.deliveries[place], self.deliveries[place]
        if delivery.ended:
            return
        if not delivery.wrote:
            written = self.here.azure.write(delivery.version)
            self.here = self.here.with_delivery(place, replace(delivery, wrote=True), written)
            self.deliveries[place] = replace(twin, wrote=True)
            self.there.written.add(twin.version)
            return
        memory = MemoryAzureDevOps(self.here.azure)
        after = delivery.stepped(lambda request: request.send(memory), _none_has_ended)
        self.here = self.here.with_delivery(place, after, memory.state)
        self.deliveries[place] = twin.stepped(self._send, _none_has_ended)
        self.settle()
        self.same(place)

    def _send(self, request: Request) -> object:
        return request.send(self.there.azure)

    def settle(self) -> None:
        """Let Azure DevOps do by itself what it does; the server does so in its own time, and is waited for."""
        if self.here.azure.lock is LockBehavior.RUN_LATEST:
            alive = [run for run in self.here.azure.runs if not run.state.ended]
            for run in alive[1:-1]:  # the first has the lock, and waits only for an agent
                self.here = replace(self.here, azure=self.here.azure.cancel(run.id, AZURE_DEVOPS_ITSELF))
        for run in self.here.azure.runs:
            if run.state.ended:
                self.there.server.wait(self.ids[run.id])
            elif run.waits and self.here.azure.lock is not LockBehavior.NONE:
                self.there.server.wait(self.ids[run.id], "inProgress")

    def same(self, place: int) -> None:
        """Check that a delivery knows the same after the same requests."""
        delivery, twin, ids = self.here.deliveries[place], self.deliveries[place], self.ids
        assert twin.outcome == delivery.outcome
        assert len(twin.answers) == len(delivery.answers)
        assert known(twin.state, list(range(max(ids) + 1))) == known(delivery.state, ids)

    def begin(self) -> None:
        """Let the agent take the oldest run that may have it, if it is free."""
        azure = self.here.azure
        alive = [run for run in azure.runs if not run.state.ended]
        if alive and alive[0].waits and alive[0].id in azure.startable():
            self.here = replace(self.here, azure=azure.start(alive[0].id))
            self.there.begin(self.ids[alive[0].id])

    def end(self, how: RunEnd) -> None:
        """Let the run that is at work end."""
        for run in self.here.azure.runs:
            if run.reads is not None and not run.state.ended:
                self.here = replace(self.here, azure=self.here.azure.end(run.id, how))
                self.there.end(self.ids[run.id], how)
                self.settle()

    def cancel(self) -> None:
        """Let a person cancel the oldest run that waits."""
        waiting = [run for run in self.here.azure.runs if run.waits]
        if waiting:
            self.here = replace(self.here, azure=self.here.azure.cancel(waiting[0].id, PERSON))
            self.there.person.cancel(self.ids[waiting[0].id])
            self.settle()

    def finish(self) -> SystemState:
        """Let everything come to its end."""
        for _ in range(200):
            if all(delivery.ended for delivery in self.here.deliveries):
                return self.here
            for place in range(len(self.deliveries)):
                self.ask(place)
            self.begin()
            self.end(RunEnd.SUCCESS)
        raise AssertionError("a delivery never ends")


@dataclass(frozen=True)
class Turn:
    """One act: a delivery asks, the agent takes a run, or ends it, or a person cancels one."""

    act: str
    place: int = 0


acts = st.one_of(
    st.builds(Turn, st.just("ask"), st.integers(0, 3)),
    st.builds(Turn, st.just("ask"), st.integers(0, 3)),
    st.builds(Turn, st.just("ask"), st.integers(0, 3)),
    st.builds(Turn, st.sampled_from(["begin", "end", "lock"])),
)


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        with Organization() as running:
            yield running
            assert [problem for e in running.server.recorder.exchanges[-2000:] for problem in check_exchange(e)] == []


def play(twins: Twins, turns: Sequence[Turn], deliveries: int, *, at_once: int) -> SystemState:
    """Let so many deliveries write, look and queue at one moment; then these turns; then everything to its end."""
    together = [Turn("ask", place) for _ in range(3) for place in range(min(at_once, deliveries))]
    for turn in (*together, *turns):
        if turn.act == "ask" and turn.place < deliveries:
            twins.ask(turn.place)
        elif turn.act == "begin":
            twins.begin()
        elif turn.act in ("end", "lock"):
            twins.end(RunEnd.SUCCESS if turn.act == "end" else RunEnd.LOCKED)
        elif turn.act == "cancel":
            twins.cancel()
        assert check(twins.here) == ""
    return twins.finish()


def carried(twins: Twins) -> list[SteppedDelivery]:
    """Return the deliveries that succeeded, each with a run that read its version."""
    succeeded = [delivery for delivery in twins.deliveries if delivery.outcome == CARRIED]
    for delivery in succeeded:
        assert delivery.carried_by is not None
        assert delivery.version in twins.there.reads[delivery.carried_by]
    return succeeded


def test_a_run_that_starts_just_before_its_delivery_cancels_it_ends_on_the_server_too(
    organization: Organization,
) -> None:
    asked: list[int | str] = [
        1,
        2,
        2,
        3,
        1,
        1,
        3,
        1,
        0,
        2,
        3,
        2,
        "begin",
        2,
        3,
        1,
        2,
        0,
        3,
        0,
        2,
        "lock",
        "lock",
        3,
        0,
        3,
    ]
    turns = [Turn("ask", act) if isinstance(act, int) else Turn(act) for act in asked]
    twins = Twins(organization, LockBehavior.SEQUENTIAL, 4)
    play(twins, [*turns, Turn("end"), Turn("lock"), Turn("begin")], 4, at_once=4)
    assert len(carried(twins)) == 4


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    lock=st.sampled_from(LockBehavior),
    deliveries=st.integers(2, 4),
    at_once=st.integers(0, 4),
    turns=st.lists(acts, max_size=40),
)
def test_any_number_of_deliveries_are_carried_whatever_the_order(
    organization: Organization, lock: LockBehavior, deliveries: int, at_once: int, turns: list[Turn]
) -> None:
    twins = Twins(organization, lock, deliveries)
    play(twins, turns, deliveries, at_once=at_once)
    assert len(carried(twins)) == deliveries


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    lock=st.sampled_from(LockBehavior),
    at_once=st.integers(0, 3),
    turns=st.lists(st.one_of(acts, st.just(Turn("cancel"))), max_size=40),
)
def test_a_person_who_cancels_is_named_and_nobody_else_is(
    organization: Organization, lock: LockBehavior, at_once: int, turns: list[Turn]
) -> None:
    twins = Twins(organization, lock, 3, Faults(cancels=1))
    play(twins, turns, 3, at_once=at_once)
    carried(twins)
    assert {delivery.outcome for delivery in twins.deliveries} <= {CARRIED, "run-cancelled"}
    if Turn("cancel") not in turns:
        assert len(carried(twins)) == 3
