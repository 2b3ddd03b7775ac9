"""How everything stands: services in environments, looked at again and again over the same connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from ecs_cd import pipeline, standing, wiring
from ecs_cd.aws import Aws
from ecs_cd.errors import EcsCdError
from ecs_cd.model import Pipeline, Run, RunState
from ecs_cd.overlap import each, together
from ecs_cd.pipeline import Pipelines
from ecs_cd.rate import Rate
from ecs_cd.settings import DeliverySettings, Settings
from ecs_cd.standing import PlaceStatus, RunInProgress
from ecs_cd.waiting import Clock

MOST_MARKED = 30
"""So many places have their marks read without being asked to: a request for each, instead of one for every ten."""

_SSM = (30.0, 20)
_ECS = (18.0, 60)
"""Requests per second and at once, below what AWS grants an account (SSM GetParameters 40; ECS reads 20, burst 100)."""

Branch = tuple[str, str]


@dataclass(frozen=True)
class _Here:
    """One environment: its services, and its side of AWS."""

    settings: Sequence[DeliverySettings]
    aws: Aws

    def look(self, *, marks: bool) -> tuple[PlaceStatus, ...] | EcsCdError:
        places = [wiring.place(one) for one in self.settings]
        try:
            return standing.status(places, self.aws.parameters, self.aws.services, marks=marks)
        except EcsCdError as error:  # the other environments can be told of
            return error


@dataclass(frozen=True)
class Overview:
    """Services in environments. `unseen` says why runs are not looked at; empty where they are."""

    here: Sequence[_Here]
    pipelines: Pipelines | None
    marks: bool
    unseen: str

    def look(self) -> tuple[PlaceStatus, ...]:
        """Return how each stands, environment by environment.

        Raises:
            EcsCdError: no environment could be looked at. Where others could, it is the problem of its places.
        """
        looks = [partial(environment.look, marks=self.marks) for environment in self.here]
        answers, runs = together(lambda: each(looks, most=len(looks)), self._runs)
        failed = [answer for answer in answers if isinstance(answer, EcsCdError)]
        if failed and len(failed) == len(answers):
            raise failed[0]
        return tuple(
            _with_run(replace(one, runs_unseen=self.unseen), runs.get((str(settings.pipeline), settings.branch), ()))
            for environment, answer in zip(self.here, answers, strict=True)
            for settings, one in zip(environment.settings, _told(environment, answer), strict=True)
        )

    def _runs(self) -> Mapping[Branch, tuple[Run, ...]]:
        """Ask once for every pipeline and branch; one that cannot be seen has no runs to show."""
        asked = {
            (str(one.pipeline), one.branch)
            for environment in self.here
            for one in environment.settings
            if one.pipeline and one.branch
        }
        if self.pipelines is None:
            return {}
        names = sorted({name for name, _ in asked})
        located = dict(zip(names, each([partial(self._locate, name) for name in names]), strict=True))
        known = [(branch, found) for branch in sorted(asked) if (found := located[branch[0]])]
        answers = each([partial(self._active, found, branch) for (_, branch), found in known])
        return {branch: runs for (branch, _), runs in zip(known, answers, strict=True)}

    def _locate(self, name: str) -> Pipeline | None:
        try:
            return pipeline.locate(self.pipelines, name) if self.pipelines else None
        except EcsCdError:
            return None

    def _active(self, found: Pipeline, branch: str) -> tuple[Run, ...]:
        try:
            return self.pipelines.active(found, pipeline.full_ref(branch)) if self.pipelines else ()
        except EcsCdError:
            return ()


@contextmanager
def opened(
    loaded: Settings,
    services: Sequence[str],
    environments: Sequence[str],
    *,
    marks: bool | None,
    clock: Clock,
    **overrides: object,
) -> Iterator[Overview]:
    """Give the overview of these services in these environments (all, where none is named); closed at the end.

    `marks`: read them; None: if there are at most `MOST_MARKED` places.

    Raises:
        SettingsError: a name or a setting is wrong.
    """
    resolved = [
        [
            loaded.resolve(service, environment, steps=["parameter"], **overrides)
            for service in services or loaded.services or ("",)
        ]
        for environment in environments or loaded.environments or ("",)
    ]
    rates = {"ssm": Rate(*_SSM, clock), "ecs": Rate(*_ECS, clock)}
    with ExitStack() as stack:
        pipelines, unseen = _pipelines(loaded, clock, stack)
        here = [_Here(group, stack.enter_context(wiring.aws(group[0], rates))) for group in resolved]
        wanted = sum(map(len, resolved)) <= MOST_MARKED if marks is None else marks
        yield Overview(here, pipelines, wanted, unseen)


def _pipelines(loaded: Settings, clock: Clock, stack: ExitStack) -> tuple[Pipelines | None, str]:
    """Return the project's pipelines, or why they are not looked at."""
    try:
        project = loaded.resolve_project()
        return stack.enter_context(wiring.azure_devops(project, clock)), ""
    except EcsCdError as error:
        return None, error.message


def _told(environment: _Here, answer: tuple[PlaceStatus, ...] | EcsCdError) -> tuple[PlaceStatus, ...]:
    if not isinstance(answer, EcsCdError):
        return answer
    return tuple(
        PlaceStatus(one.service, one.environment, one.parameter, problem=answer.message) for one in environment.settings
    )


def _with_run(one: PlaceStatus, runs: Sequence[Run]) -> PlaceStatus:
    """Return it with the run that goes on, else the oldest that waits."""
    if not runs:
        return one
    run = next((run for run in runs if run.state is not RunState.WAITING), runs[0])
    return replace(one, run=RunInProgress(run.id, run.name, run.url, run.state.value), runs=len(runs))
