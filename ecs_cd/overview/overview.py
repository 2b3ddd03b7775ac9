"""How everything stands: services in environments, and the runs that go on for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ecs_cd.errors import EcsCdError
from ecs_cd.model.delivery import Place
from ecs_cd.model.run import Pipeline, Run, RunState
from ecs_cd.overview.matrix import ManyServices, MarkedParameters, PlaceStatus, RunInProgress, place_statuses
from ecs_cd.run.pipelines import Pipelines, full_ref, locate_pipeline
from ecs_cd.support.concurrency import run_all, run_together

MOST_MARKED = 30
"""So many places have their marks read without being asked to: a request for each, instead of one for every ten."""

Branch = tuple[str, str]
"""A pipeline, as the settings call it, and its branch."""

Seen = Sequence[Run] | EcsCdError
"""The runs of one that are not over, or why they cannot be seen."""


@dataclass(frozen=True)
class Environment:
    """The places of one environment, and its side of AWS."""

    places: Sequence[Place]
    parameters: MarkedParameters
    services: ManyServices

    def look(self, *, marks: bool) -> tuple[PlaceStatus, ...] | EcsCdError:
        """Return how its places stand, or why none could be looked at."""
        try:
            return place_statuses(self.places, self.parameters, self.services, marks=marks)
        except EcsCdError as error:  # the other environments can be told of
            return error


def overview(
    environments: Sequence[Environment], pipelines: Pipelines | None, *, marks: bool | None = None, unseen: str = ""
) -> tuple[PlaceStatus, ...]:
    """Return how each place stands, environment by environment.

    `marks`: read which tags are verified or held; None: if there are at most `MOST_MARKED` places. `unseen` says why
    runs are not looked at; empty where they are.

    Raises:
        EcsCdError: every environment failed. Where only some did, it is the problem of their places.
    """
    if marks is None:
        marks = sum(len(environment.places) for environment in environments) <= MOST_MARKED
    looks = [partial(environment.look, marks=marks) for environment in environments]
    answers, runs = run_together(
        lambda: run_all(looks, most=len(looks)), lambda: _runs(environments, pipelines) if pipelines else {}
    )
    failed = [answer for answer in answers if isinstance(answer, EcsCdError)]
    if failed and len(failed) == len(answers):
        raise failed[0]
    return tuple(
        _with_runs(one, unseen or runs.get((place.pipeline, place.branch), ()))
        for environment, answer in zip(environments, answers, strict=True)
        for place, one in zip(environment.places, _statuses(environment, answer), strict=True)
    )


def _runs(environments: Sequence[Environment], pipelines: Pipelines) -> Mapping[Branch, Seen]:
    """Ask once for every pipeline and branch."""
    places = [place for environment in environments for place in environment.places]
    asked = sorted({(place.pipeline, place.branch) for place in places if place.pipeline and place.branch})
    names = sorted({name for name, _ in asked})
    located = dict(zip(names, run_all([partial(_locate, pipelines, name) for name in names]), strict=True))
    looks = [partial(_active, pipelines, located[name], branch) for name, branch in asked]
    return dict(zip(asked, run_all(looks), strict=True))


def _with_runs(one: PlaceStatus, seen: Seen | str) -> PlaceStatus:
    """Return it with the run that goes on, else the oldest that waits; or why none can be seen."""
    if isinstance(seen, str | EcsCdError):
        return replace(one, runs_unseen=seen if isinstance(seen, str) else seen.message)
    if not seen:
        return one
    run = next((run for run in seen if run.state is not RunState.WAITING), seen[0])
    return replace(one, run=RunInProgress(run.id, run.name, run.url, run.state.value), runs=len(seen))


def _locate(pipelines: Pipelines, name: str) -> Pipeline | EcsCdError:
    try:
        return locate_pipeline(pipelines, name)
    except EcsCdError as error:  # what AWS says can be told all the same
        return error


def _active(pipelines: Pipelines, found: Pipeline | EcsCdError, branch: str) -> Seen:
    if isinstance(found, EcsCdError):
        return found
    try:
        return pipelines.active(found, full_ref(branch))
    except EcsCdError as error:  # likewise
        return error


def _statuses(environment: Environment, answer: tuple[PlaceStatus, ...] | EcsCdError) -> tuple[PlaceStatus, ...]:
    if not isinstance(answer, EcsCdError):
        return answer
    return tuple(
        PlaceStatus(one.service, one.environment, one.parameter, problem=answer.message) for one in environment.places
    )
