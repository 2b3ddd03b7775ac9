"""What `status` and `history` make of what is recorded and what serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from ecs_cd.marks import NO_MARKS, Mark, Marks
from ecs_cd.model import (
    Container,
    Deployment,
    Parameter,
    ParameterVersion,
    ServiceSnapshot,
    ServiceTarget,
    TaskDefinition,
)
from ecs_cd.standing import Place, PlaceStatus, history, status
from tests.fakes import FakeParameters

TARGET = ServiceTarget("development", "my-api", "api")
PLACE = Place("my-api", "development", "/tag", TARGET)


@dataclass
class World:
    """Clouds that answer many questions at once; `asked` are the questions."""

    recorded: dict[str, ParameterVersion] = field(default_factory=dict)
    serving: dict[ServiceTarget, ServiceSnapshot] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)
    marks: Marks = NO_MARKS

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        self.asked.append(list(names))
        return self.recorded

    def read_marked(self, names: Sequence[str]) -> Mapping[str, tuple[ParameterVersion, Marks]]:
        self.asked.append(list(names))
        return {name: (version, self.marks) for name, version in self.recorded.items()}

    def snapshots(self, targets: Sequence[ServiceTarget]) -> Mapping[ServiceTarget, ServiceSnapshot]:
        self.asked.append(list(targets))
        return self.serving

    def look(self, place: Place = PLACE) -> PlaceStatus:
        return status([place], self, self)[0]


def serving(image: str, *, primary: bool = True) -> ServiceSnapshot:
    definition = TaskDefinition("arn:task-definition/my-api:4", (Container("api", image),))
    deployment = Deployment("1", "PRIMARY" if primary else "ACTIVE", definition, "IN_PROGRESS", desired=2, running=1)
    return ServiceSnapshot(TARGET, "ACTIVE", 2, 1, deployments=(deployment,))


@pytest.fixture
def world() -> World:
    return World({"/tag": ParameterVersion("/tag", "101", 7)}, {TARGET: serving("r.io/my-api:101")})


def test_what_is_recorded_stands_beside_what_serves(world: World) -> None:
    found = world.look()
    assert (found.recorded, found.version, found.serves) == ("101", 7, "101")
    assert (found.rollout, found.running, found.desired) == ("in-progress", 1, 2)
    assert (found.drift, found.problem) == (False, "")


def test_another_tag_that_serves_is_drift(world: World) -> None:
    world.serving[TARGET] = serving("r.io/my-api:100")
    assert world.look().drift


def test_an_image_named_by_digest_is_shown_by_it(world: World) -> None:
    world.serving[TARGET] = serving("r.io/my-api@sha256:abc")
    assert world.look().serves == "sha256:abc"


def test_a_missing_parameter_is_a_problem_and_no_drift(world: World) -> None:
    world.recorded.clear()
    found = world.look()
    assert (found.recorded, found.serves, found.drift, found.problem) == (None, "101", False, "no such parameter")


@pytest.mark.parametrize("snapshot", [None, serving("r.io/my-api:101", primary=False)])
def test_a_missing_service_is_a_problem(world: World, snapshot: ServiceSnapshot | None) -> None:
    world.serving = {TARGET: snapshot} if snapshot else {}
    found = world.look()
    assert (found.recorded, found.serves, found.problem) == ("101", None, "no such ECS service")


def test_an_unclear_container_is_a_problem(world: World) -> None:
    found = world.look(Place("my-api", "development", "/tag", ServiceTarget("development", "my-api", "web")))
    assert found.problem == "no such ECS service"
    other = ServiceTarget("development", "my-api", "web")
    world.serving = {other: serving("r.io/my-api:101")}
    assert "no container 'web'" in world.look(Place("my-api", "development", "/tag", other)).problem


def test_where_no_service_is_named_only_the_parameter_is_asked_for(world: World) -> None:
    found = world.look(Place("my-api", "development", "/tag", None))
    assert (found.recorded, found.serves, found.problem) == ("101", None, "")
    assert world.asked == [["/tag"]]


def test_many_places_are_asked_for_at_once_and_keep_their_order(world: World) -> None:
    places = [Place(str(number), "development", "/tag", TARGET) for number in range(30)]
    assert [one.service for one in status(places, world, world)] == [str(number) for number in range(30)]
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    ("marks", "verified", "held"),
    [
        (Marks(), False, False),
        (Marks(verified=Mark(7, "101")), True, False),
        (Marks(verified=Mark(5, "101")), True, False),
        (Marks(verified=Mark(6, "100")), False, False),
        (Marks(held=Mark(7, "101"), gate=Mark(6, "102")), False, True),
        (Marks(held=Mark(7, "101"), floor=Mark(7, "101")), False, False),
        (Marks(gate=Mark(7, "101")), False, True),
    ],
)
def test_the_marks_tell_what_is_verified_and_held(world: World, marks: Marks, verified: bool, held: bool) -> None:
    world.marks = marks
    [found] = status([PLACE], world, world, marks=True)
    assert (found.verified, found.held) == (verified, held)
    assert (world.look().verified, world.look().held) == (None, None)


def test_history_is_the_newest_versions_first() -> None:
    parameters = FakeParameters()
    for value in ("1", "2", "3"):
        parameters.put(Parameter("/tag", value, 0))
    parameters.label("/tag", 2, "ecs-cd.floor")
    found = history(parameters, "/tag", most=2)
    assert [(entry.version, entry.tag, entry.labels) for entry in found] == [(3, "3", ()), (2, "2", ("ecs-cd.floor",))]
