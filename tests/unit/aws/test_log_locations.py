"""Where a container logs to, by what its task definition says."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_cd.aws.log_locations import log_location

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/dev/0123abcd"
TAG = "api-firelens-0123abcd"
CREATED = datetime(2026, 1, 1, tzinfo=timezone.utc)


def located(driver: str, options: dict[str, str], **container: str) -> tuple[str, str, str] | None:
    """Return region, group and stream."""
    definition: Any = {"name": "api", "logConfiguration": {"logDriver": driver, "options": options}}
    task: Any = {"taskArn": TASK, "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/dev", "createdAt": CREATED}
    found = log_location(definition, task, {"name": "api", **container})  # type: ignore[typeddict-item]  # a few keys do
    if found is None:
        return None
    assert (found.container, found.task_arn, found.since) == ("api", TASK, CREATED)
    assert f"region={found.region}#" in found.url
    return found.region, found.group, found.stream


def firelens(**options: str) -> tuple[str, str, str] | None:
    return located("awsfirelens", {"Name": "cloudwatch_logs", "log_group_name": "/ecs/api", **options})


def test_a_stream_of_awslogs_is_named_by_prefix_container_and_task() -> None:
    options = {"awslogs-group": "/ecs/api", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
    assert located("awslogs", options) == ("us-east-1", "/ecs/api", "ecs/api/0123abcd")


def test_without_a_prefix_it_is_named_by_the_docker_container() -> None:
    options = {"awslogs-group": "/ecs/api", "awslogs-region": "eu-west-1"}
    assert located("awslogs", options, runtimeId="f" * 64) == ("eu-west-1", "/ecs/api", "f" * 64)
    assert located("awslogs", options) is None, "it never ran"


def test_a_stream_of_firelens_is_named_by_prefix_and_tag() -> None:
    assert firelens(log_stream_prefix="app-", region="us-east-1") == ("us-east-1", "/ecs/api", f"app-{TAG}")
    assert firelens() == ("eu-west-1", "/ecs/api", TAG)


def test_a_stream_of_firelens_may_be_named_outright() -> None:
    assert firelens(log_stream_name="all") == ("eu-west-1", "/ecs/api", "all")


def test_the_older_plugin_fills_in_templates() -> None:
    found = firelens(Name="cloudwatch", log_group_name="/ecs/$(ecs_cluster)", log_stream_name="x/$(ecs_task_id)")
    assert found == ("eu-west-1", "/ecs/dev", "x/0123abcd")
    assert firelens(Name="cloudwatch", log_stream_name="$(tag)") == ("eu-west-1", "/ecs/api", TAG)


@pytest.mark.parametrize(
    "options",
    [
        {"Name": "cloudwatch", "log_stream_name": "$(kubernetes['pod'])"},
        {"Name": "cloudwatch", "log_stream_name": "#(tag)"},
        {"log_stream_name": "$(ecs_task_id)"},
        {"log_stream_template": "$ecs_task_arn", "log_stream_name": "fallback"},
        {"log_group_template": "$ecs_cluster", "log_stream_name": "fallback"},
        {"Name": "datadog"},
        {"Name": ""},
        {"log_group_name": ""},
    ],
)
def test_what_the_task_definition_does_not_say_is_not_guessed(options: dict[str, str]) -> None:
    assert firelens(**options) is None


@pytest.mark.parametrize("driver", ["splunk", "json-file", "awslogs", "awsfirelens"])
def test_another_driver_or_no_options_are_no_location(driver: str) -> None:
    assert located(driver, {}) is None


@pytest.mark.parametrize(
    ("options", "shared", "records"),
    [
        ({"log_stream_name": "all"}, True, True),
        ({"log_stream_prefix": "a-"}, False, True),
        ({"log_stream_prefix": "a-", "log_key": "log"}, False, False),
    ],
)
def test_a_stream_that_tasks_share_and_records_are_known_as_such(
    options: dict[str, str], *, shared: bool, records: bool
) -> None:
    all_options = {"name": "cloudwatch_logs", "log_group_name": "g", **options}
    definition: Any = {"name": "api", "logConfiguration": {"logDriver": "awsfirelens", "options": all_options}}
    found = log_location(definition, {"taskArn": TASK}, {"name": "api"})
    assert found and (found.shared, found.records) == (shared, records)
