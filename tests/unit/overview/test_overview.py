"""How everything stands: what is shown of environments and runs, and what does not hide the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ecs_cd.errors import AccessDenied, BadCredentials, EcsCdError, ServiceUnavailable, Throttled
from ecs_cd.model.delivery import Place
from ecs_cd.model.labels import NO_MARKS, Marks
from ecs_cd.model.parameter import ParameterVersion
from ecs_cd.model.run import Pipeline, Run, RunState
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget
from ecs_cd.overview.matrix import PlaceStatus, RunInProgress
from ecs_cd.overview.overview import Environment, overview

DEVELOPMENT = Place("api", "development", "/api", pipeline="infra", branch="refs/heads/develop")
PRODUCTION = replace(DEVELOPMENT, environment="production", branch="refs/heads/main")
OTHER = replace(DEVELOPMENT, service="other", pipeline="denied")


@dataclass
class Store:
    """A Parameter Store that holds 101 everywhere, or refuses; and the ECS that nobody asks for."""

    error: EcsCdError | None = None
    marks_read: list[str] = field(default_factory=list)

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        if self.error:
            raise self.error
        return {name: ParameterVersion(name, "101", 7) for name in names}

    def read_marked(self, names: Sequence[str]) -> Mapping[str, tuple[ParameterVersion, Marks]]:
        self.marks_read += names
        return {name: (version, NO_MARKS) for name, version in self.read_many(names).items()}

    def snapshots(self, targets: Sequence[ServiceTarget]) -> dict[ServiceTarget, ServiceSnapshot]:
        assert not targets
        return {}


def look(
    *here: tuple[Store, Sequence[Place]], pipelines: object = None, unseen: str = "", marks: bool | None = False
) -> tuple[PlaceStatus, ...]:
    environments = [Environment(places, store, store) for store, places in here]
    return overview(environments, pipelines, marks=marks, unseen=unseen)  # type: ignore[arg-type]  # as much of pipelines as is used


class Runs:
    """Pipelines `infra`, whose runs are those given, by branch, and `denied`; `asked` are the looks for runs."""

    def __init__(self, **runs: Sequence[tuple[int, RunState]]) -> None:
        self.runs = runs
        self.asked: list[str] = []

    def find(self, name: str) -> tuple[Pipeline, ...]:
        if name == "denied":
            raise AccessDenied("Pipeline 'denied' may not be seen.")
        return (Pipeline(7, name, "\\"),)

    def active(self, found: Pipeline, branch: str) -> tuple[Run, ...]:
        self.asked.append(branch)
        if branch == "refs/heads/broken":
            raise ServiceUnavailable("Azure DevOps is down.")
        listed = self.runs.get(branch.rpartition("/")[2], ())
        return tuple(Run(number, f"#{number}", "", state, found.id, branch) for number, state in listed)


def test_an_environment_that_cannot_be_seen_hides_no_other() -> None:
    seen = look((Store(Throttled("Slowly.")), [DEVELOPMENT, OTHER]), (Store(), [PRODUCTION]))
    assert [(one.environment, one.recorded, one.problem) for one in seen] == [
        ("development", None, "Slowly."),
        ("development", None, "Slowly."),
        ("production", "101", ""),
    ]


def test_where_no_environment_can_be_seen_that_is_the_answer() -> None:
    with pytest.raises(Throttled):
        look((Store(Throttled("Slowly.")), [DEVELOPMENT]), (Store(BadCredentials("Who?")), [PRODUCTION]))


def test_the_run_that_goes_on_is_shown_else_the_oldest_that_waits_by_branch() -> None:
    runs = Runs(
        develop=[(5, RunState.WAITING), (6, RunState.RUNNING), (7, RunState.WAITING)],
        main=[(8, RunState.WAITING), (9, RunState.WAITING)],
    )
    development, again, production = look(
        (Store(), [DEVELOPMENT, replace(DEVELOPMENT, service="worker")]), (Store(), [PRODUCTION]), pipelines=runs
    )
    assert (development.run, development.runs) == (RunInProgress(6, "#6", "", "running"), 3)
    assert again.run == development.run
    assert (production.run, production.runs) == (RunInProgress(8, "#8", "", "waiting"), 2)
    assert sorted(runs.asked) == ["refs/heads/develop", "refs/heads/main"]


def test_a_pipeline_that_cannot_be_seen_hides_no_other_run_and_is_told() -> None:
    broken = replace(DEVELOPMENT, service="broken", branch="refs/heads/broken")
    runs = Runs(develop=[(5, RunState.RUNNING)])
    seen = look((Store(), [DEVELOPMENT, OTHER, broken]), pipelines=runs)
    assert [bool(one.run) for one in seen] == [True, False, False]
    assert [one.runs_unseen for one in seen] == ["", "Pipeline 'denied' may not be seen.", "Azure DevOps is down."]
    assert {one.recorded for one in seen} == {"101"}


def test_without_azure_devops_it_is_told_why_no_run_is_shown() -> None:
    [one] = look((Store(), [DEVELOPMENT]), unseen="There is no token.")
    assert (one.run, one.runs_unseen) == (None, "There is no token.")


@pytest.mark.parametrize(
    ("places", "marks", "read"), [(30, None, True), (31, None, False), (31, True, True), (1, False, False)]
)
def test_marks_are_read_for_a_few_places_or_where_asked_for(places: int, marks: bool | None, read: bool) -> None:
    store = Store()
    look((store, [replace(DEVELOPMENT, parameter=f"/{number}") for number in range(places)]), marks=marks)
    assert len(store.marks_read) == (places if read else 0)
