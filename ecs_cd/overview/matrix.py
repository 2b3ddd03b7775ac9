"""What is recorded and what serves, of many services at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from ecs_cd.errors import AccessDenied, EcsCdError, ParameterRefused, RolloutFailed
from ecs_cd.model.delivery import Place
from ecs_cd.model.image_name import container_image, tag_of
from ecs_cd.model.labels import Marks
from ecs_cd.model.parameter import ParameterVersion
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget
from ecs_cd.parameter.store import ManyParameters
from ecs_cd.support.concurrency import batches, run_all, run_together


class MarkedParameters(ManyParameters, Protocol):
    """One that reads their marks, too."""

    def read_marked(self, names: Sequence[str]) -> Mapping[str, tuple[ParameterVersion, Marks]]:
        """Return those parameters that exist, and their marks, by name."""


class ManyServices(Protocol):
    """ECS services read many at a time."""

    def snapshots(self, targets: Sequence[ServiceTarget]) -> Mapping[ServiceTarget, ServiceSnapshot]:
        """Return those services that exist, by target."""


@dataclass(frozen=True)
class RunInProgress:
    """A run that is not over. `state` as in `model.RunState`."""

    id: int
    name: str
    url: str
    state: str


@dataclass(frozen=True)
class PlaceStatus:
    """A place as it stands.

    `recorded`: the tag in the parameter, null where there is no parameter. `serves`: the tag (or digest) of the primary
    deployment's container, null where there is no such service. `rollout`: ECS's rollout state in lower case.
    `drift`: what serves is not what is recorded; false where the image is named by its digest alone, for that does not
    tell. `verified`: the recorded version's rollout was verified; `held`: a hold is in force; both null where the marks
    were not read. `run`: the run of its pipeline that goes on, else the oldest that waits, of `runs` such; null where
    none was seen; `runs_unseen`: why nobody looked. `problem`: why something could not be told.
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
    verified: bool | None = None
    held: bool | None = None
    run: RunInProgress | None = None
    runs: int = 0
    runs_unseen: str = ""


def place_statuses(
    places: Sequence[Place], parameters: MarkedParameters, services: ManyServices, *, marks: bool = False
) -> tuple[PlaceStatus, ...]:
    """Return how the places of one AWS account and region stand, in the order given.

    `marks`: read the marks as well, which costs a request for every parameter instead of one for every ten. What
    concerns one parameter or cluster (no right to it, no such cluster) is the problem of its places alone.

    Raises:
        EcsCdError: it concerns all of them.
    """
    read = parameters.read_marked if marks else lambda names: _unmarked(parameters.read_many(names))
    targets = dict.fromkeys(place.target for place in places if place.target)
    recorded, serving = run_together(
        lambda: _recorded(read, list(dict.fromkeys(place.parameter for place in places))),
        lambda: _apart(services.snapshots, _by_cluster(targets)),
    )
    answers = [*recorded.values(), *serving.values()]
    if answers and len(answers) == len(errors := [answer for answer in answers if isinstance(answer, EcsCdError)]):
        raise errors[0]
    return tuple(
        _status(place, recorded.get(place.parameter), serving.get(place.target) if place.target else None)
        for place in places
    )


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Recorded = tuple[ParameterVersion, Marks | None]

_PARTICULAR = (AccessDenied, ParameterRefused, RolloutFailed)
"""What may be wrong with one of many that are asked for at once."""

_TOGETHER = 10
"""So many parameters are asked for in one request."""


def _apart(ask: Callable[[Sequence[K]], Mapping[K, V]], groups: Sequence[Sequence[K]]) -> dict[K, V | EcsCdError]:
    """Ask for all at once, or, where something is wrong with one, for each group: what is wrong is its answer then."""
    try:
        return dict(ask([key for group in groups for key in group])) if groups else {}
    except _PARTICULAR as error:
        if len(groups) == 1:
            return dict.fromkeys(groups[0], error)
    return _one_by_one(ask, groups)


def _one_by_one(ask: Callable[[Sequence[K]], Mapping[K, V]], groups: Sequence[Sequence[K]]) -> dict[K, V | EcsCdError]:
    found: dict[K, V | EcsCdError] = {}
    for answer in run_all([partial(_apart, ask, [group]) for group in groups]):
        found |= answer
    return found


def _recorded(
    read: Callable[[Sequence[str]], Mapping[str, Recorded]], names: Sequence[str]
) -> dict[str, Recorded | EcsCdError]:
    found = _apart(read, batches(names, _TOGETHER))
    refused = [name for name in names if isinstance(found.get(name), EcsCdError)]
    if len(refused) == len(names) > _TOGETHER:  # nobody of so many may be read: no need to ask for each
        return found
    return found | _one_by_one(read, [[name] for name in refused])


def _unmarked(found: Mapping[str, ParameterVersion]) -> Mapping[str, Recorded]:
    return {name: (version, None) for name, version in found.items()}


def _by_cluster(targets: Iterable[ServiceTarget]) -> list[list[ServiceTarget]]:
    clusters: dict[str, list[ServiceTarget]] = {}
    for target in targets:
        clusters.setdefault(target.cluster, []).append(target)
    return list(clusters.values())


def _status(
    place: Place, recorded: Recorded | EcsCdError | None, serving: ServiceSnapshot | EcsCdError | None
) -> PlaceStatus:
    named = PlaceStatus(place.service, place.environment, place.parameter)
    if isinstance(recorded, EcsCdError):
        named = replace(named, problem=recorded.message)
    elif recorded is None:
        named = replace(named, problem="no such parameter")
    else:
        version, marks = recorded
        named = _marked(replace(named, recorded=version.value, version=version.version), marks)
    if place.target is None:
        return named
    try:
        return _serving(named, place.target, serving)
    except EcsCdError as error:
        return replace(named, problem=named.problem or error.message)


def _marked(found: PlaceStatus, marks: Marks | None) -> PlaceStatus:
    if marks is None:
        return found
    verified = marks.verified.version == found.version or (
        # The same tag written again, as by a rollback to it, was verified all the same.
        marks.verified.version > 0 and marks.verified.value == found.recorded
    )
    return replace(found, verified=verified, held=marks.holds or marks.rolling_back)


def _serving(named: PlaceStatus, target: ServiceTarget, serving: ServiceSnapshot | EcsCdError | None) -> PlaceStatus:
    """Add what serves.

    Raises:
        EcsCdError: that cannot be told.
    """
    if isinstance(serving, EcsCdError):
        raise serving
    primary = serving.primary if serving else None
    if primary is None:
        return replace(named, problem=named.problem or "no such ECS service")
    image = container_image(primary.task_definition, target)
    tag = tag_of(image)
    return replace(
        named,
        serves=tag or image.rpartition("@")[2],
        image=image,
        rollout=primary.rollout_state.lower().replace("_", "-"),
        running=primary.running,
        desired=primary.desired,
        drift=named.recorded is not None and tag not in ("", named.recorded),
    )
