"""Rules 4 and 12 through the adapter: Parameter Store answers as the store in memory does, whatever the order.

What the store in memory proves of all orders, in tests/unit/parameter, holds of Parameter Store for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_cd.aws import AwsSettings, connect
from ecs_cd.model.parameter import Parameter
from ecs_cd.parameter.store import Parameters
from ecs_cd_sandbox.aws import Aws as SandboxAws
from tests.support.fakes import FakeParameters
from tests.support.parameter_interleavings import Release, Rollback, Turn, Writer, play

TURNS = st.lists(st.builds(Turn, st.integers(0, 3), st.integers(0, 5).map(lambda one: one == 0)), max_size=60)
FOUR_TAGS = st.lists(st.integers(1, 9).map(str), min_size=2, max_size=4)
FIRST_VALUES = st.sampled_from([(), ("latest",), ("1",), ("4",), ("4", "8")])
ACTORS = st.lists(st.sampled_from(["5", "10", "11"]), min_size=1, max_size=2).flatmap(
    lambda tags: st.sampled_from([[*tags, "back"], [*tags, "back", "release"], [*tags, "hold"]])
)
names = count(1)


@pytest.fixture(scope="module")
def parameter_store(aws_server: SandboxAws) -> Iterator[Parameters]:
    """The adapter and a server; tests use names of their own in it, because filling it anew takes longer."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in aws_server.environment().items():
            environment.setenv(name, value)
        with closing(connect(AwsSettings(region=aws_server.region, endpoint_url=aws_server.url))) as aws:
            yield aws.parameters


def filled(parameter_store: Parameters, name: str, values: Sequence[str]) -> FakeParameters:
    """Write these versions to both stores, and return the one in memory."""
    memory = FakeParameters()
    for number, value in enumerate(values):
        memory.put(Parameter(name, value, 0))
        if number:
            assert parameter_store.write(Parameter(name, "", 0), value)
        else:
            assert parameter_store.create(name, value)
    return memory


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=FIRST_VALUES, tags=FOUR_TAGS, turns=TURNS)
def test_writers_end_on_the_newest_tag(
    parameter_store: Parameters, first: tuple[str, ...], tags: list[str], turns: list[Turn]
) -> None:
    name = f"/api/{next(names)}/tag"
    memory = filled(parameter_store, name, first)
    allowed = [turn for turn in turns if turn.actor < len(tags)]
    here = play(memory, [Writer(name, tag) for tag in tags], allowed)
    there = play(parameter_store, [Writer(name, tag) for tag in tags], allowed)
    assert [version.value for version in parameter_store.history(name)] == memory.values(name)
    assert [writer.result for writer in there] == [writer.result for writer in here]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds=ACTORS, turns=TURNS)
def test_what_is_held_stays_on_top(parameter_store: Parameters, kinds: list[str], turns: list[Turn]) -> None:
    name = f"/api/{next(names)}/held"
    memory = filled(parameter_store, name, ("4", "9"))
    special = {"back": Rollback(name, value="4"), "hold": Rollback(name), "release": Release(name)}
    actors = [special.get(kind) or Writer(name, tag=kind) for kind in kinds]
    allowed = [turn for turn in turns if turn.actor < len(actors)]
    here, there = play(memory, actors, allowed), play(parameter_store, actors, allowed)
    stored = [(v.value, set(v.labels)) for v in parameter_store.history(name)]
    assert stored == [(v.value, set(v.labels)) for v in memory.history(name)]
    assert [actor.result for actor in there] == [actor.result for actor in here]
    marks = memory.standing(name).marks
    assert "release" in kinds or (marks.holds and memory.standing(name).value == marks.held.value)
