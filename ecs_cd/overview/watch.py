"""How everything stands: services in environments, looked at again and again over the same connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from ecs_cd import wiring
from ecs_cd.aws import Aws, quotas
from ecs_cd.errors import EcsCdError
from ecs_cd.model.delivery import Place
from ecs_cd.model.run import Pipeline, Run, RunState
from ecs_cd.overview.matrix import PlaceStatus, RunInProgress, place_statuses
from ecs_cd.run.pipelines import Pipelines, full_ref, locate_pipeline
from ecs_cd.settings import DeliverySettings, Settings
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import run_all, run_together

MOST_MARKED = 30
"""So many places have their marks read without being asked to: a request for each, instead of one for every ten."""

Branch = tuple[str, str]
"""A pipeline, as the settings call it, and its branch."""

Seen = Sequence[Run] | EcsCdError
"""The runs of one that are not over, or why they cannot be seen."""


@dataclass(frozen=True)
class _Here:
    """One environment: its services, and its side of AWS."""

    settings: Sequence[DeliverySettings]
    aws: Aws

    def look(self, *, marks: bool) -> tuple[PlaceStatus, ...] | EcsCdError:
        places = [_place(one) for one in self.settings]
        try:
            return place_statuses(places, self.aws.parameters, self.aws.services, marks=marks)
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
        answers, runs = run_together(lambda: run_all(looks, most=len(looks)), self._runs)
        failed = [answer for answer in answers if isinstance(answer, EcsCdError)]
        if failed and len(failed) == len(answers):
            raise failed[0]
        return tuple(
            self._with_runs(one, runs.get(_branch_of(settings), ()))
            for environment, answer in zip(self.here, answers, strict=True)
            for settings, one in zip(environment.settings, _told(environment, answer), strict=True)
        )

    def _runs(self) -> Mapping[Branch, Seen]:
        """Ask once for every pipeline and branch."""
        if self.pipelines is None:
            return {}
        settings = [one for environment in self.here for one in environment.settings]
        asked = sorted({_branch_of(one) for one in settings if one.pipeline and one.branch})
        names = sorted({name for name, _ in asked})
        located = dict(zip(names, run_all([partial(_locate, self.pipelines, name) for name in names]), strict=True))
        looks = [partial(_active, self.pipelines, located[name], branch) for name, branch in asked]
        return dict(zip(asked, run_all(looks), strict=True))

    def _with_runs(self, one: PlaceStatus, seen: Seen) -> PlaceStatus:
        """Return it with the run that goes on, else the oldest that waits; or why none can be seen."""
        if self.unseen or isinstance(seen, EcsCdError):
            return replace(one, runs_unseen=seen.message if isinstance(seen, EcsCdError) else self.unseen)
        if not seen:
            return one
        run = next((run for run in seen if run.state is not RunState.WAITING), seen[0])
        return replace(one, run=RunInProgress(run.id, run.name, run.url, run.state.value), runs=len(seen))


def _place(settings: DeliverySettings) -> Place:
    return Place(settings.service, settings.environment, settings.parameter, target=settings.target)


def _branch_of(settings: DeliverySettings) -> Branch:
    return str(settings.pipeline), settings.branch


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
            for service in dict.fromkeys(services or loaded.services or ("",))
        ]
        for environment in dict.fromkeys(environments or loaded.environments or ("",))
    ]
    rates = {grant: quotas.rates(clock) for grant in map(_grant, resolved)}
    with ExitStack() as stack:
        pipelines, unseen = _pipelines(loaded, clock, stack)
        here = [_Here(group, stack.enter_context(wiring.aws(group[0], rates[_grant(group)]))) for group in resolved]
        wanted = sum(map(len, resolved)) <= MOST_MARKED if marks is None else marks
        yield Overview(here, pipelines, wanted, unseen)


def _grant(group: Sequence[DeliverySettings]) -> tuple[str, ...]:
    """Return what tells one account and region from another as far as the settings say: AWS grants requests to each."""
    one = group[0]
    return one.region, one.role_arn.partition("/")[0] or one.profile


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
