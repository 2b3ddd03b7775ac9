"""What is recorded and what serves, of many services at once; and the history of one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ecs_cd import sessions
from ecs_cd.errors import EcsCdError
from ecs_cd.marks import Marks
from ecs_cd.model import ParameterVersion, ServiceSnapshot, ServiceTarget
from ecs_cd.overlap import together
from ecs_cd.parameter import Parameters
from ecs_cd.rollout import container_image, tag_of


class ManyParameters(Protocol):
    """A parameter store that reads many parameters in few requests."""

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        """Return those parameters that exist, by name."""


class ManyServices(Protocol):
    """ECS services read many at a time."""

    def snapshots(self, targets: Sequence[ServiceTarget]) -> Mapping[ServiceTarget, ServiceSnapshot]:
        """Return those services that exist, by target."""


@dataclass(frozen=True)
class Place:
    """One service in one environment: its parameter, and its container in ECS if one is named."""

    service: str
    environment: str
    parameter: str
    target: ServiceTarget | None


@dataclass(frozen=True)
class PlaceStatus:
    """A place as it stands.

    `recorded`: the tag in the parameter, null where there is no parameter. `serves`: the tag (or digest) of the primary
    deployment's container, null where there is no such service. `rollout`: ECS's rollout state in lower case.
    `drift`: what serves is not what is recorded. `problem`: why something could not be told.
    """

    service: str
    environment: str
    parameter: str
    recorded: str | None = None
    version: int = 0
    serves: str | None = None
    image: str = ""
    rollout: str = ""
    running: int = 0
    desired: int = 0
    drift: bool = False
    problem: str = ""


def status(places: Sequence[Place], parameters: ManyParameters, services: ManyServices) -> tuple[PlaceStatus, ...]:
    """Return how the places of one AWS account and region stand, in the order given."""
    targets = [place.target for place in places if place.target]
    recorded, serving = together(
        lambda: parameters.read_many([place.parameter for place in places]),
        lambda: services.snapshots(targets) if targets else {},
    )
    return tuple(
        _status(place, recorded.get(place.parameter), serving.get(place.target) if place.target else None)
        for place in places
    )


def _status(place: Place, found: ParameterVersion | None, snapshot: ServiceSnapshot | None) -> PlaceStatus:
    named = PlaceStatus(
        place.service,
        place.environment,
        place.parameter,
        recorded=found.value if found else None,
        version=found.version if found else 0,
        problem="" if found else "no such parameter",
    )
    if place.target is None:
        return named
    primary = snapshot.primary if snapshot else None
    if primary is None:
        return replace(named, problem=named.problem or "no such ECS service")
    try:
        image = container_image(primary.task_definition, place.target)
    except EcsCdError as error:
        return replace(named, problem=error.message)
    serves = tag_of(image) or image.rpartition("@")[2]
    return replace(
        named,
        serves=serves,
        image=image,
        rollout=primary.rollout_state.lower().replace("_", "-"),
        running=primary.running,
        desired=primary.desired,
        drift=named.recorded is not None and serves != named.recorded,
    )


@dataclass(frozen=True)
class HistoryEntry:
    """One version of a parameter: when (ISO 8601) it was written, by whom (ARN), and its labels.

    `who` and `run` (`build 55`) are read out of the ARN. `marks` say what the labels of ours mean: verified, verified
    before, held, left (a rollback left it), floor.
    """

    version: int
    tag: str
    modified_at: str
    modified_by: str
    labels: tuple[str, ...]
    who: str = ""
    run: str = ""
    marks: tuple[str, ...] = ()


def history(parameters: Parameters, name: str, *, most: int = 20) -> tuple[HistoryEntry, ...]:
    """Return the last versions of a parameter, newest first."""
    kept = parameters.history(name)
    marks = Marks.of(kept)
    newest_first = sorted(kept, key=lambda v: v.version, reverse=True)[:most]
    return tuple(_entry(version, marks) for version in newest_first)


def _entry(version: ParameterVersion, marks: Marks) -> HistoryEntry:
    author = sessions.author(version.modified_by)
    return HistoryEntry(
        version.version,
        version.value,
        version.modified_at.isoformat(timespec="seconds") if version.modified_at else "",
        version.modified_by,
        version.labels,
        author.who,
        author.run,
        _meaning(version.version, marks),
    )


def _meaning(version: int, marks: Marks) -> tuple[str, ...]:
    """Return what the marks on a version say; those that mean nothing any more are left out."""
    meant = (
        ("held", marks.held.version if marks.holds else 0),
        ("left", marks.gate.version if marks.turning or marks.gated else 0),
        ("verified", marks.verified.version),
        ("verified before", marks.verified_before.version),
        ("floor", marks.floor.version),
    )
    return tuple(word for word, number in meant if number == version)
