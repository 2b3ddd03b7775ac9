"""What a delivery asks of the clouds: how many requests, which, and whether they are as Microsoft documents them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from ecs_cd_sandbox.azure_devops.http.recorder import Exchange
from tests.integration.sandbox.contract.schema import check_exchange
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PAT, SimulatedClouds

MOST_TO_A_QUEUED_RUN = 11
"""Without those of ECS. Three of them, the pipeline's look-up, its preview and the right to queue, go out beside those
for image and parameter, so that what they refuse is refused before the parameter changes. The second `GetParameters`
reads the version back while the runs are listed. None of the four takes time of its own."""
QUEUE_RIGHT = "permissions/33344d9c-fc72-4d6f-aba5-fa317101a7e9/128"
DEPLOY = ("deploy", "my-api", "development", "--tag", "102")


def asked(clouds: SimulatedClouds) -> Counter[str]:
    """Return the requests so far, by name."""
    aws = [f"{request.service} {request.operation}" for request in clouds.aws.requests]
    return Counter([*aws, *map(name, clouds.azure.recorder.exchanges)])


def name(exchange: Exchange) -> str:
    """Return what was asked of Azure DevOps."""
    return f"{exchange.method} {exchange.path.partition('_apis/')[2].lower()}"


def up_to_following(cli: Cli, clouds: SimulatedClouds, *argv: str) -> Counter[str]:
    """Deliver while no agent is there, and return what was asked up to the first look at the run that is followed."""
    with clouds.azure.agents_offline():
        assert cli(*DEPLOY, *argv, "--timeout", "60s").code == 3
    exchanges = clouds.azure.recorder.exchanges
    first = next(at for at, e in enumerate(exchanges) if re.search("builds/[0-9]+$", e.path, re.IGNORECASE))
    del exchanges[first:]
    aws = [f"{request.service} {request.operation}" for request in clouds.aws.requests if request.service != "ecs"]
    return Counter([*aws, *map(name, exchanges)])


def test_the_guarded_path_to_a_queued_run_takes_eleven_requests(cli: Cli, clouds: SimulatedClouds) -> None:
    before = up_to_following(cli, clouds, "--pipeline", "1")
    assert before == {
        "ecr DescribeImages": 1,
        "ssm GetParameters": 2,
        "ssm DescribeParameters": 1,
        "ssm PutParameter": 1,
        "GET build/definitions/1": 1,
        "POST pipelines/1/preview": 1,
        f"GET {QUEUE_RIGHT}": 1,
        "GET build/builds": 2,
        "POST pipelines/1/runs": 1,
    }
    assert sum(before.values()) <= MOST_TO_A_QUEUED_RUN


def test_the_service_is_looked_at_before_the_write_and_not_again_before_the_run_is_over(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    up_to_following(cli, clouds, "--pipeline", "1")
    ecs = [request.operation for request in clouds.aws.requests if request.service == "ecs"]
    assert ecs == ["DescribeServices", "DescribeTaskDefinition"]


def test_a_run_that_starts_at_once_takes_no_request_more(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli(*DEPLOY, "--pipeline", "1").code == 0
    paths = [name(exchange) for exchange in clouds.azure.recorder.exchanges]
    assert paths[paths.index("GET build/builds") : paths.index("GET build/builds/1")] == [
        "GET build/builds",
        "POST pipelines/1/runs",
        "GET build/builds",
    ]


def test_a_pipeline_given_by_its_name_takes_as_many(cli: Cli, clouds: SimulatedClouds) -> None:
    before = up_to_following(cli, clouds)
    assert before["GET build/definitions"] == 1
    assert sum(before.values()) == MOST_TO_A_QUEUED_RUN


def test_joining_takes_fewer_than_queueing(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.azure.define(replace(clouds.pipeline(1), parameters={}))
    with clouds.azure.agents_offline():
        assert cli("pipeline", "queue", "my-api", "development").code == 0
        clouds.forget()
        before = up_to_following(cli, clouds, "--pipeline", "1")
    assert [asked for asked in before if "builds" in asked or "runs" in asked] == ["GET build/builds"]
    assert sum(before.values()) == MOST_TO_A_QUEUED_RUN - 2


def test_nothing_is_asked_only_to_discover_the_api(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli(*DEPLOY).code == 0
    assert cli("pipeline", "queue", "--pipeline", "1", "--branch", "main", "--wait").code == 0
    assert clouds.azure.recorder.find("OPTIONS") == []
    assert clouds.azure.recorder.find(path="ResourceAreas|ConnectionData|_apis/?$|_apis/projects") == []


def test_every_exchange_with_azure_devops_is_as_microsoft_documents_it(cli: Cli, clouds: SimulatedClouds) -> None:
    def fail(context: object) -> None:
        raise RuntimeError("no")

    assert cli(*DEPLOY).code == 0
    assert cli("pipeline", "queue", "--pipeline", "1", "--branch", "main", "--wait").code == 0
    assert cli("deploy", "my-api", "development", "--tag", "103", "--branch", "nowhere").code == 1
    clouds.during_apply = fail
    assert cli("deploy", "my-api", "development", "--tag", "103").code == 1
    exchanges = clouds.azure.recorder.exchanges
    assert {exchange.method for exchange in exchanges} == {"GET", "POST"}
    assert [problem for exchange in exchanges for problem in check_exchange(exchange)] == []


def test_no_address_and_no_body_has_the_token(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli(*DEPLOY).code == 0
    for exchange in clouds.azure.recorder.exchanges:
        assert PAT not in f"{exchange.path}{exchange.query}{exchange.request_json}"


def test_an_unchanged_delivery_queues_nothing_and_follows_nothing(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("deploy", "my-api", "development", "--tag", "101").code == 0
    assert sorted(name for name in asked(clouds) if "GET" in name or "POST" in name) == [
        "GET build/definitions",
        f"GET {QUEUE_RIGHT}",
        "POST pipelines/1/preview",
    ]


def test_status_asks_parameter_store_once_for_all_services_of_an_environment(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("status", "--environment", "development", "--no-marks").code == 0
    found = asked(clouds)
    assert found["ssm GetParameters"] == 1
    assert found["ecs DescribeServices"] == 1
    assert [exchange.method for exchange in clouds.azure.recorder.exchanges] == ["GET", "GET"]


def test_marks_cost_a_request_for_each_parameter(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("status", "--environment", "development").code == 0
    assert asked(clouds)["ssm GetParameters"] == 2
