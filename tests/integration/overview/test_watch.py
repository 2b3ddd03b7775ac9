"""How everything stands, of many services: what it costs, and what it does not hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from moto.ecs.models import ecs_backends
from moto.ssm.models import ssm_backends

from ecs_cd import client
from ecs_cd.errors import AccessDenied, BadCredentials, EcsCdError, ServiceUnavailable, Throttled
from ecs_cd.model.parameter import ParameterVersion
from ecs_cd.model.run import Pipeline, Run, RunState
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget
from ecs_cd.overview.matrix import RunInProgress
from ecs_cd.overview.watch import Overview, _grant, _Here
from ecs_cd.settings import DeliverySettings
from ecs_cd_sandbox.aws import Aws
from tests.support.fakes import FakeClock

ENVIRONMENTS = ("development", "stage", "production")
SERVICES = tuple(f"service-{number:03}" for number in range(500))


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "ecs-cd.yml"
    file.write_text(
        "defaults: {parameter: '/{service}/{environment}/tag', ecs: {cluster: '{environment}'}}\n"
        f"services: {{{', '.join(f'{name}: {{}}' for name in SERVICES)}}}\n"
        f"environments: {{{', '.join(f'{name}: {{region: eu-west-1}}' for name in ENVIRONMENTS)}}}\n"
    )
    return file


def seed(aws: Aws) -> None:
    """500 services in three environments, each with a task definition of its own."""
    for environment in ENVIRONMENTS:
        aws.create_cluster(environment)
    parameters = ssm_backends[aws.account_id]["eu-west-1"]
    clusters = ecs_backends[aws.account_id]["eu-west-1"]
    for environment in ENVIRONMENTS:  # in moto itself: by HTTP it would take half a minute
        for service in SERVICES:
            name = f"/{service}/{environment}/tag"
            parameters.put_parameter(name, "", environment, "String", "", "", False, [], "text", None, None)
            family = f"{service}-{environment}"
            container = {"name": "app", "image": f"r.io/{service}:{environment}", "memory": 64}
            clusters.register_task_definition(family, container_definitions=[container])
            clusters.create_service(environment, service, 0, task_definition_str=family)


def test_500_services_in_3_environments_cost_a_request_for_every_ten(aws: Aws, settings: Path, reached: None) -> None:
    seed(aws)
    aws.forget_requests()
    clock = FakeClock()
    with client.overview(settings=settings, environ={}, clock=clock) as seen:
        found = seen.look()
        assert len(found) == 1500
        assert {(one.recorded, one.serves, one.drift, one.problem) for one in found} == {
            (environment, environment, False, "") for environment in ENVIRONMENTS
        }
        counted = {"GetParameters": 150, "DescribeServices": 150}
        assert asked(aws) == counted | {"DescribeServiceRevisions": 75}
        assert sum(clock.slept) > 0  # it kept to the rate
        aws.forget_requests()
        assert seen.look() == found
        assert asked(aws) == counted


def asked(aws: Aws) -> Counter[str]:
    return Counter(request.operation for request in aws.requests)


@pytest.fixture
def reached(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The cloud of this machine is the one that is asked."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    yield
    aws.forget_requests()


def test_an_account_and_region_has_rates_of_its_own() -> None:
    grants = {
        name: _grant([DeliverySettings("a", name, region=region, role_arn=role, profile=profile)])
        for name, region, role, profile in (
            ("one", "eu-west-1", "arn:aws:iam::111122223333:role/one", ""),
            ("same", "eu-west-1", "arn:aws:iam::111122223333:role/two", ""),
            ("account", "eu-west-1", "arn:aws:iam::444455556666:role/one", ""),
            ("region", "eu-west-2", "arn:aws:iam::111122223333:role/one", ""),
            ("profile", "eu-west-1", "", "other"),
            ("plain", "eu-west-1", "", ""),
        )
    }
    assert grants["one"] == grants["same"]
    assert len(set(grants.values())) == 5


DEVELOPMENT = DeliverySettings("api", "development", parameter="/api", pipeline="infra", branch="refs/heads/develop")
PRODUCTION = replace(DEVELOPMENT, environment="production", branch="refs/heads/main")
OTHER = replace(DEVELOPMENT, service="other", pipeline="denied")


@dataclass
class Store:
    """A Parameter Store that holds 101 everywhere, or refuses; and the ECS that nobody asks for."""

    error: EcsCdError | None = None

    def read_many(self, names: Sequence[str]) -> dict[str, ParameterVersion]:
        if self.error:
            raise self.error
        return {name: ParameterVersion(name, "101", 7) for name in names}

    def snapshots(self, targets: Sequence[ServiceTarget]) -> dict[ServiceTarget, ServiceSnapshot]:
        assert not targets
        return {}


def over(*here: tuple[Store, Sequence[DeliverySettings]], pipelines: object = None, unseen: str = "") -> Overview:
    """An overview of settings in environments whose ECS nobody asks for."""
    environments = [_Here(settings, SimpleNamespace(parameters=store, services=store)) for store, settings in here]  # type: ignore[arg-type]  # as much of them as is used
    return Overview(environments, pipelines, marks=False, unseen=unseen)  # type: ignore[arg-type]  # likewise


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
    seen = over((Store(Throttled("Slowly.")), [DEVELOPMENT, OTHER]), (Store(), [PRODUCTION])).look()
    assert [(one.environment, one.recorded, one.problem) for one in seen] == [
        ("development", None, "Slowly."),
        ("development", None, "Slowly."),
        ("production", "101", ""),
    ]


def test_where_no_environment_can_be_seen_that_is_the_answer() -> None:
    with pytest.raises(Throttled):
        over((Store(Throttled("Slowly.")), [DEVELOPMENT]), (Store(BadCredentials("Who?")), [PRODUCTION])).look()


def test_the_run_that_goes_on_is_shown_else_the_oldest_that_waits_by_branch() -> None:
    runs = Runs(
        develop=[(5, RunState.WAITING), (6, RunState.RUNNING), (7, RunState.WAITING)],
        main=[(8, RunState.WAITING), (9, RunState.WAITING)],
    )
    development, again, production = over(
        (Store(), [DEVELOPMENT, replace(DEVELOPMENT, service="worker")]), (Store(), [PRODUCTION]), pipelines=runs
    ).look()
    assert (development.run, development.runs) == (RunInProgress(6, "#6", "", "running"), 3)
    assert again.run == development.run
    assert (production.run, production.runs) == (RunInProgress(8, "#8", "", "waiting"), 2)
    assert sorted(runs.asked) == ["refs/heads/develop", "refs/heads/main"]


def test_a_pipeline_that_cannot_be_seen_hides_no_other_run_and_is_told() -> None:
    broken = replace(DEVELOPMENT, service="broken", branch="refs/heads/broken")
    runs = Runs(develop=[(5, RunState.RUNNING)])
    seen = over((Store(), [DEVELOPMENT, OTHER, broken]), pipelines=runs).look()
    assert [bool(one.run) for one in seen] == [True, False, False]
    assert [one.runs_unseen for one in seen] == ["", "Pipeline 'denied' may not be seen.", "Azure DevOps is down."]
    assert {one.recorded for one in seen} == {"101"}


def test_without_azure_devops_it_is_told_why_no_run_is_shown() -> None:
    [one] = over((Store(), [DEVELOPMENT]), unseen="There is no token.").look()
    assert (one.run, one.runs_unseen) == (None, "There is no token.")


@pytest.mark.parametrize(
    ("places", "said", "read"), [(30, None, True), (31, None, False), (31, True, True), (1, False, False)]
)
def test_marks_are_read_for_a_few_places_or_where_asked_for(
    settings: Path, places: int, said: bool | None, read: bool
) -> None:
    with client.overview(
        SERVICES[:places], ["stage"], marks=said, settings=settings, environ={}, clock=FakeClock()
    ) as seen:
        assert seen.marks is read


def test_who_is_named_twice_is_shown_once(settings: Path) -> None:
    named = (SERVICES[1], SERVICES[0], SERVICES[1])
    with client.overview(named, ["stage"] * 2, settings=settings, environ={}, clock=FakeClock()) as seen:
        assert [one.service for here in seen.here for one in here.settings] == [SERVICES[1], SERVICES[0]]
