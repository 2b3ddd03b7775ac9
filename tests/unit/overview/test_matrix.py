"""What `status` and `history` make of what is recorded and what serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ecs_cd.errors import AccessDenied, EcsCdError, RolloutFailed, Throttled
from ecs_cd.model.delivery import Place
from ecs_cd.model.labels import NO_MARKS, Mark, Marks
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.overview.history import parameter_history
from ecs_cd.overview.matrix import PlaceStatus, place_statuses
from tests.support.fakes import FakeParameters

TARGET = ServiceTarget("development", "my-api", "api")
PLACE = Place("my-api", "development", "/tag", target=TARGET)


@dataclass
class World:
    """Clouds that answer many questions at once; `asked` are the questions."""

    recorded: dict[str, ParameterVersion] = field(default_factory=dict)
    serving: dict[ServiceTarget, ServiceSnapshot] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)
    marks: Marks = NO_MARKS
    refused: dict[str, EcsCdError] = field(default_factory=dict)
    """What is said of a parameter or a cluster that is among those asked for."""

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        self._ask(list(names), names)
        return {name: version for name, version in self.recorded.items() if name in names}

    def read_marked(self, names: Sequence[str]) -> Mapping[str, tuple[ParameterVersion, Marks]]:
        return {name: (version, self.marks) for name, version in self.read_many(names).items()}

    def snapshots(self, targets: Sequence[ServiceTarget]) -> Mapping[ServiceTarget, ServiceSnapshot]:
        self._ask(list(targets), [target.cluster for target in targets])
        return {target: snapshot for target, snapshot in self.serving.items() if target in targets}

    def _ask(self, question: object, about: Sequence[str]) -> None:
        self.asked.append(question)
        for name in about:
            if name in self.refused:
                raise self.refused[name]

    def look(self, place: Place = PLACE) -> PlaceStatus:
        return place_statuses([place], self, self)[0]


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
    found = world.look()
    assert (found.serves, found.drift) == ("sha256:abc", False)  # which tag that is, it does not tell


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
    found = world.look(Place("my-api", "development", "/tag", target=ServiceTarget("development", "my-api", "web")))
    assert found.problem == "no such ECS service"
    other = ServiceTarget("development", "my-api", "web")
    world.serving = {other: serving("r.io/my-api:101")}
    assert "no container 'web'" in world.look(Place("my-api", "development", "/tag", target=other)).problem


def test_where_no_service_is_named_only_the_parameter_is_asked_for(world: World) -> None:
    found = world.look(Place("my-api", "development", "/tag", target=None))
    assert (found.recorded, found.serves, found.problem) == ("101", None, "")
    assert world.asked == [["/tag"]]


def test_many_places_are_asked_for_at_once_and_keep_their_order(world: World) -> None:
    places = [Place(str(number), "development", "/tag", target=TARGET) for number in range(30)]
    assert [one.service for one in place_statuses(places, world, world)] == [str(number) for number in range(30)]
    assert len(world.asked) == 2


def fleet(world: World, count: int = 25) -> list[Place]:
    """Places of which every fifth is in another cluster."""
    targets = [ServiceTarget("other" if n % 5 == 0 else "development", f"service-{n}", "api") for n in range(count)]
    places = [Place(target.service, "development", f"/{target.service}", target=target) for target in targets]
    world.recorded = {place.parameter: ParameterVersion(place.parameter, "101", 7) for place in places}
    world.serving = {target: replace(serving("r.io/x:101"), target=target) for target in targets}
    return places


def test_a_parameter_that_may_not_be_read_hides_no_other_and_nothing_that_serves(world: World) -> None:
    places = fleet(world)
    world.refused["/service-13"] = AccessDenied("No right to 13.")
    found = place_statuses(places, world, world)
    assert [one.problem for one in found if one.recorded is None] == ["No right to 13."]
    assert {one.serves for one in found} == {"101"}
    assert found[13].drift is False
    assert len(world.asked) == 1 + 3 + 10 + 1  # all, each ten, each of the ten it is in; and the services


def test_marks_that_may_not_be_read_are_the_problem_of_their_place(world: World) -> None:
    places = fleet(world, 12)
    world.refused["/service-3"] = AccessDenied("No right to 3.")
    found = place_statuses(places, world, world, marks=True)
    assert [one.service for one in found if one.verified is None] == ["service-3"]


def test_where_no_parameter_may_be_read_not_every_one_is_tried(world: World) -> None:
    places = fleet(world)
    world.refused = {place.parameter: AccessDenied("No.") for place in places}
    found = place_statuses(places, world, world)
    assert {(one.recorded, one.problem, one.serves) for one in found} == {(None, "No.", "101")}
    assert len(world.asked) == 1 + 3 + 1


def test_a_cluster_that_is_not_there_hides_no_other_and_nothing_that_is_recorded(world: World) -> None:
    places = fleet(world)
    world.refused["other"] = RolloutFailed("There is no such cluster.")
    found = place_statuses(places, world, world)
    assert {one.recorded for one in found} == {"101"}
    assert [one.problem for one in found[:6]] == [
        "There is no such cluster.",
        "",
        "",
        "",
        "",
        "There is no such cluster.",
    ]
    assert [one.serves for one in found[:2]] == [None, "101"]


def test_a_missing_parameter_is_told_before_what_is_wrong_with_its_cluster(world: World) -> None:
    places = fleet(world, 5)
    del world.recorded["/service-0"]
    world.refused["other"] = RolloutFailed("There is no such cluster.")
    assert place_statuses(places, world, world)[0].problem == "no such parameter"


def test_what_concerns_all_of_them_is_raised(world: World) -> None:
    places = fleet(world)
    world.refused["development"] = Throttled("Slowly.")
    with pytest.raises(Throttled):
        place_statuses(places, world, world)
    world.refused = {place.parameter: AccessDenied("No.") for place in places}
    world.refused |= dict.fromkeys(("development", "other"), AccessDenied("No."))
    with pytest.raises(AccessDenied):
        place_statuses(places, world, world)


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
    [found] = place_statuses([PLACE], world, world, marks=True)
    assert (found.verified, found.held) == (verified, held)
    assert (world.look().verified, world.look().held) == (None, None)


def test_history_is_the_newest_versions_first() -> None:
    parameters = FakeParameters()
    for value in ("1", "2", "3"):
        parameters.put(Parameter("/tag", value, 0))
    parameters.label("/tag", 2, "ecs-cd.floor")
    found = parameter_history(parameters, "/tag", most=2)
    assert [(entry.version, entry.tag, entry.labels) for entry in found] == [(3, "3", ()), (2, "2", ("ecs-cd.floor",))]
