"""How everything stands, of many services: what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.ecs.models import ecs_backends
from moto.ssm.models import ssm_backends

from ecs_cd.client import Client
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
    with Client(settings, environ={}, clock=clock) as client:
        found = client.status()
        assert len(found) == 1500
        assert {(one.recorded, one.serves, one.drift, one.problem) for one in found} == {
            (environment, environment, False, "") for environment in ENVIRONMENTS
        }
        counted = {"GetParameters": 150, "DescribeServices": 150}
        assert asked(aws) == counted | {"DescribeServiceRevisions": 75}
        assert sum(clock.slept) > 0  # it kept to the rate
        aws.forget_requests()
        assert client.status() == found
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


def test_who_is_named_twice_is_shown_once(aws: Aws, settings: Path, reached: None) -> None:
    aws.create_cluster("stage")
    named = (SERVICES[1], SERVICES[0], SERVICES[1])
    with Client(settings, environ={}, clock=FakeClock()) as client:
        assert [one.service for one in client.status(named, ["stage"] * 2)] == [SERVICES[1], SERVICES[0]]
