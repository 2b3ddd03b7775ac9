from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.aws.ecs_logs import KILLED_WORDS, LAST_WORDS
from tests.integration.sandbox.aws.fleet import REGISTRY, Fleet

AWSLOGS = {"awslogs-group": "/ecs/my-api", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}
FIRELENS = {"Name": "cloudwatch_logs", "region": "eu-west-1", "log_group_name": "/ecs/my-api"}


def run(fleet: Fleet, driver: str, options: dict[str, str]) -> str:
    """Start a task of two containers that log so, let it crash, and return its id."""
    configuration = {"logDriver": driver, "options": options}
    containers: list[dict[str, Any]] = [
        {"name": "api", "image": f"{REGISTRY}/my-api:102", "memory": 128, "logConfiguration": configuration},
        {"name": "proxy", "image": "r.io/proxy:1", "memory": 64, "logConfiguration": configuration},
    ]
    definition = fleet.ecs.register_task_definition(family="my-api", containerDefinitions=containers)["taskDefinition"]
    fleet.ecs.create_service(
        cluster="development", serviceName="my-api", taskDefinition=definition["taskDefinitionArn"], desiredCount=1
    )
    fleet.tick(3)
    return str(fleet.tasks("STOPPED")[0]["taskArn"].rpartition("/")[2])


def written(fleet: Fleet, stream: str) -> list[str]:
    found = fleet.aws.client("logs").get_log_events(logGroupName="/ecs/my-api", logStreamName=stream)["events"]
    assert [one["timestamp"] for one in found] == sorted(one["timestamp"] for one in found)
    return [one["message"] for one in found]


def streams(fleet: Fleet) -> list[str]:
    found = fleet.aws.client("logs").describe_log_streams(logGroupName="/ecs/my-api")["logStreams"]
    return [one["logStreamName"] for one in found]


def test_a_container_that_exits_writes_its_last_words(fleet: Fleet) -> None:
    fleet.aws.client("logs").create_log_group(logGroupName="/ecs/my-api")
    fleet.scheduler.behave("crash-loop")
    task = run(fleet, "awslogs", AWSLOGS)
    assert written(fleet, f"ecs/api/{task}") == list(LAST_WORDS)
    assert written(fleet, f"ecs/proxy/{task}") == list(KILLED_WORDS)


def test_the_lines_the_container_and_its_exit_code_can_be_chosen(fleet: Fleet) -> None:
    lines = ["\x1b[31mpassword=hunter2\x1b[0m", "##vso[task.complete result=Succeeded]", "a\nb\r", "x" * 1000]
    fleet.scheduler.behave("crash-loop", container="proxy", exit_code=137, log=lines)
    task = run(fleet, "awslogs", {**AWSLOGS, "awslogs-create-group": "true"})
    assert written(fleet, f"ecs/proxy/{task}") == lines
    assert written(fleet, f"ecs/api/{task}") == list(KILLED_WORDS)
    codes = {one["name"]: one["exitCode"] for one in fleet.tasks("STOPPED")[0]["containers"]}
    assert codes == {"proxy": 137, "api": 143}


@pytest.mark.parametrize(
    ("options", "stream"),
    [
        ({"log_stream_prefix": "app/"}, "app/api-firelens-{}"),
        ({"log_stream_name": "everything"}, "everything"),
    ],
)
def test_firelens_sends_them_where_its_output_says(fleet: Fleet, options: dict[str, str], stream: str) -> None:
    fleet.scheduler.behave("crash-loop")
    task = run(fleet, "awsfirelens", {**FIRELENS, "auto_create_group": "true", **options})
    assert LAST_WORDS[-1] in written(fleet, stream.format(task))


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("awslogs", {**AWSLOGS, "awslogs-group": "/ecs/another"}),
        ("awslogs", {key: value for key, value in AWSLOGS.items() if key != "awslogs-stream-prefix"}),
        ("awsfirelens", {**FIRELENS, "Name": "s3"}),
        ("awsfirelens", {}),
        ("splunk", {"splunk-url": "https://splunk.example"}),
    ],
)
def test_nothing_is_written_where_the_task_definition_does_not_say_where(
    fleet: Fleet, driver: str, options: dict[str, str]
) -> None:
    fleet.aws.client("logs").create_log_group(logGroupName="/ecs/my-api")
    fleet.scheduler.behave("crash-loop")
    run(fleet, driver, options)
    assert streams(fleet) == []


def test_a_container_that_runs_writes_nothing(fleet: Fleet) -> None:
    fleet.aws.client("logs").create_log_group(logGroupName="/ecs/my-api")
    fleet.create()
    assert streams(fleet) == []
