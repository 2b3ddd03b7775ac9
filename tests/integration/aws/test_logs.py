"""Container logs in CloudWatch Logs, as `ecs_cd.aws.logs` reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from ecs_cd.aws import Aws, AwsSettings
from ecs_cd.errors import AccessDenied, EcsCdError
from ecs_cd.model.stopped_task import LogLocation
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.aws.conftest import Answering, Connect, http

GROUP, TASK = "/ecs/api", "arn:aws:ecs:eu-west-1:123456789012:task/dev/1"
LOCATION = LogLocation("eu-west-1", GROUP, "ecs/api/1", container="api", task_arn=TASK)
RECORDS = LogLocation("eu-west-1", GROUP, "all", container="api", task_arn=TASK, records=True, shared=True)


def write(aws: Cloud, stream: str, messages: Sequence[str]) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    aws.forget_requests()


def test_the_last_lines_come_in_their_order_with_one_request(aws: Cloud, adapter: Aws) -> None:
    write(aws, LOCATION.stream, [f"line {number}" for number in range(2000)])
    assert adapter.logs.tail(LOCATION, 3) == ("line 1997", "line 1998", "line 1999")
    assert [request.operation for request in aws.requests] == ["GetLogEvents"]


def test_an_event_of_several_lines_counts_as_those(aws: Cloud, adapter: Aws) -> None:
    write(aws, LOCATION.stream, ["before", "Traceback:\r\n  File x\n\n\nKeyError\n"])
    assert adapter.logs.tail(LOCATION, 3) == ("Traceback:", "  File x", "KeyError")


def test_a_stream_or_group_that_is_not_there_has_no_lines(aws: Cloud, adapter: Aws) -> None:
    assert adapter.logs.tail(LOCATION, 3) == ()
    write(aws, "another", ["x"])
    assert adapter.logs.tail(LOCATION, 3) == ()


def test_of_a_stream_that_tasks_share_only_the_containers_lines_are_read(aws: Cloud, adapter: Aws) -> None:
    records: list[dict[str, object]] = [
        {"log": "ours", "ecs_task_arn": TASK, "container_name": "api"},
        {"log": "ours too", "ecs_task_arn": TASK, "container_name": "/ecs-dev-7-api-f00"},
        {"log": "of a sidecar", "ecs_task_arn": TASK, "container_name": "envoy"},
        {"log": "of another task", "ecs_task_arn": f"{TASK}2", "container_name": "api"},
        {"log": "of whom is not said"},
        {"log": 7},
    ]
    write(aws, RECORDS.stream, [*map(json.dumps, records), "no record", "[" * 20000])
    lines = adapter.logs.tail(RECORDS, 9)
    assert lines[:3] == ("ours", "ours too", "of whom is not said")
    assert lines[3:] == ('{"log": 7}', "no record", "[" * 20000)


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "ThrottlingException"])
def test_what_cloudwatch_refuses_is_one_of_our_errors(aws: Cloud, adapter: Aws, code: str) -> None:
    aws.inject("logs", "GetLogEvents", ErrorAnswer(code, "User: me is not authorized to perform: logs:GetLogEvents"))
    with pytest.raises(EcsCdError) as raised:
        adapter.logs.tail(LOCATION, 3)
    assert "read log stream 'ecs/api/1' of '/ecs/api' (eu-west-1)" in raised.value.message
    assert isinstance(raised.value, AccessDenied) == (code == "AccessDeniedException")


def test_an_empty_page_is_not_the_end_and_no_loop(connected: Connect, answering: Answering) -> None:
    url = answering(http("200 OK", '{"events": [], "nextBackwardToken": "b", "nextForwardToken": "f"}'))
    assert connected(AwsSettings(region="eu-west-1", endpoint_url=url)).logs.tail(LOCATION, 3) == ()
