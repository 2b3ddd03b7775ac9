"""What a delivery asks of the clouds: how many requests, which, and whether they are as Microsoft documents them."""

from __future__ import annotations

import threading
from collections import Counter

from tests.cli.world import PAT, Called, Cli, World
from tests.contract.schema import check_exchange

MOST_TO_A_QUEUED_RUN = 7
DEPLOY = ("deploy", "my-api", "development", "--tag", "102")


def asked(world: World) -> Counter[str]:
    """Return the requests so far, by name."""
    aws = [f"{request.service} {request.operation}" for request in world.aws.requests]
    azure = [f"{e.method} {e.path.partition('_apis/')[2].lower()}" for e in world.azure.recorder.exchanges]
    return Counter(aws + azure)


def test_the_guarded_path_to_a_queued_run_takes_six_requests(cli: Cli, world: World) -> None:
    queued = world.azure.faults.hold("POST", "pipelines/1/runs")
    seen: list[Counter[str]] = []

    def look() -> None:
        queued.arrived.wait()
        seen.append(asked(world))
        queued.release.set()

    looking = threading.Thread(target=look)
    looking.start()
    called: Called = cli(*DEPLOY)
    looking.join()
    assert called.code == 0
    [before] = seen
    assert before == {
        "ecr DescribeImages": 1,
        "ssm GetParameters": 1,
        "ssm DescribeParameters": 1,
        "GET build/definitions": 1,
        "ssm PutParameter": 1,
    }
    assert sum(before.values()) + 1 <= MOST_TO_A_QUEUED_RUN  # the run's own POST is answered last
    assert asked(world)["POST pipelines/1/runs"] == 1


def test_nothing_is_asked_only_to_discover_the_api(cli: Cli, world: World) -> None:
    assert cli(*DEPLOY).code == 0
    assert cli("pipeline", "queue", "--pipeline", "1", "--branch", "main", "--wait").code == 0
    assert world.azure.recorder.find("OPTIONS") == []
    assert world.azure.recorder.find(path="ResourceAreas|ConnectionData|_apis/?$|_apis/projects") == []


def test_every_exchange_with_azure_devops_is_as_microsoft_documents_it(cli: Cli, world: World) -> None:
    def fail(context: object) -> None:
        raise RuntimeError("no")

    assert cli(*DEPLOY).code == 0
    assert cli("pipeline", "queue", "--pipeline", "1", "--branch", "main", "--wait").code == 0
    assert cli("deploy", "my-api", "development", "--tag", "103", "--branch", "nowhere").code == 1
    world.during_apply = fail
    assert cli("deploy", "my-api", "development", "--tag", "103").code == 1
    exchanges = world.azure.recorder.exchanges
    assert {exchange.method for exchange in exchanges} == {"GET", "POST"}
    assert [problem for exchange in exchanges for problem in check_exchange(exchange)] == []


def test_no_address_and_no_body_has_the_token(cli: Cli, world: World) -> None:
    assert cli(*DEPLOY).code == 0
    for exchange in world.azure.recorder.exchanges:
        assert PAT not in f"{exchange.path}{exchange.query}{exchange.request_json}"


def test_an_unchanged_delivery_queues_nothing_and_follows_nothing(cli: Cli, world: World) -> None:
    assert cli("deploy", "my-api", "development", "--tag", "101").code == 0
    assert [name for name in asked(world) if "GET" in name or "POST" in name] == ["GET build/definitions"]


def test_status_asks_parameter_store_once_for_all_services_of_an_environment(cli: Cli, world: World) -> None:
    assert cli("status", "--environment", "development").code == 0
    found = asked(world)
    assert found["ssm GetParameters"] == 1
    assert found["ecs DescribeServices"] == 1
    assert world.azure.recorder.exchanges == []
