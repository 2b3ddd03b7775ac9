"""How everything stands, of many services: what it costs, and what it does not hide."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from moto.ecs.models import ecs_backends
from moto.ssm.models import ssm_backends

from ecs_cd import library
from ecs_cd.sandbox.aws import Aws
from tests.fakes import FakeClock

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
    """500 services in three environments; each environment runs them all by one task definition."""
    ecs = aws.client("ecs")
    for environment in ENVIRONMENTS:
        aws.create_cluster(environment)
        container = {"name": "app", "image": f"r.io/app:{environment}", "memory": 64}
        ecs.register_task_definition(family=environment, containerDefinitions=[container])

    parameters = ssm_backends[aws.account_id]["eu-west-1"]
    clusters = ecs_backends[aws.account_id]["eu-west-1"]
    for environment in ENVIRONMENTS:  # in moto itself: by HTTP it would take half a minute
        for service in SERVICES:
            name = f"/{service}/{environment}/tag"
            parameters.put_parameter(name, "", environment, "String", "", "", False, [], "text", None, None)
            clusters.create_service(environment, service, 0, task_definition_str=environment)


def test_500_services_in_3_environments_cost_a_request_for_every_ten(
    aws: Aws, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    seed(aws)
    aws.forget_requests()
    clock = FakeClock()
    with library.overview(settings=settings, environ={}, clock=clock) as seen:
        found = seen.look()
        asked = Counter(f"{request.service} {request.operation}" for request in aws.requests)
        assert len(found) == 1500
        assert {(one.recorded, one.serves, one.drift, one.problem) for one in found} == {
            (environment, environment, False, "") for environment in ENVIRONMENTS
        }
        assert asked == {"ssm GetParameters": 150, "ecs DescribeServices": 150, "ecs DescribeTaskDefinition": 3}
        assert sum(clock.slept) > 0  # it kept to the rate
        aws.forget_requests()
        assert seen.look() == found
        again = Counter(request.operation for request in aws.requests)
        assert again == {"GetParameters": 150, "DescribeServices": 150}
    aws.forget_requests()
