"""Container logs in Amazon CloudWatch Logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.model.stopped_task import LogLocation
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import GetLogEventsRequestTypeDef, OutputLogEventTypeDef

_MOST_PAGES = 3
"""GetLogEvents may answer with an empty page though there are events on the next (its API reference)."""
_CLOCKS_DIFFER = 300
"""Seconds by which the clock of a container may be behind that of ECS."""
_OF_OTHERS = 10
"""Of a stream that several tasks share, so many times as many events are read."""


class CloudWatchLogs:
    """The logs of one account. `logs` returns a client of a region."""

    def __init__(self, logs: Callable[[str], ServiceClient[CloudWatchLogsClient]]) -> None:
        self._logs = logs

    def tail(self, location: LogLocation, lines: int) -> tuple[str, ...]:
        """Return the last lines that the container wrote, at most so many; none where there is no such stream.

        One GetLogEvents, and up to two more while no event was found.

        Raises:
            AccessDenied: `logs:GetLogEvents` is not allowed.
        """
        doing = f"read log stream {quoted(location.stream)} of {quoted(location.group)}"
        with self._logs(location.region).calling(doing) as logs:
            try:
                events = _latest(logs, location, lines * _OF_OTHERS if location.shared else lines)
            except logs.exceptions.ResourceNotFoundException:
                return ()
            found = [line for event in events for line in _message(event, location).splitlines() if line.strip()]
            return tuple(found[-lines:])


def _latest(logs: CloudWatchLogsClient, location: LogLocation, limit: int) -> Sequence[OutputLogEventTypeDef]:
    request: GetLogEventsRequestTypeDef = {
        "logGroupName": location.group,
        "logStreamName": location.stream,
        "limit": limit,
        "startFromHead": False,
    }
    if location.since:
        request["startTime"] = int((location.since.timestamp() - _CLOCKS_DIFFER) * 1000)
    for _ in range(_MOST_PAGES):
        answer = logs.get_log_events(**request)
        if answer["events"] or answer["nextBackwardToken"] == request.get("nextToken"):
            return sorted(answer["events"], key=lambda event: event.get("timestamp", 0))
        request["nextToken"] = answer["nextBackwardToken"]
    return ()


def _message(event: OutputLogEventTypeDef, location: LogLocation) -> str:
    """Return what the container wrote; nothing of another container or task."""
    message = event.get("message", "")
    if not location.records:
        return message
    try:
        record = json.loads(message)
    except (ValueError, RecursionError):  # a line may be anything
        return message
    if not isinstance(record, dict) or not isinstance(record.get("log"), str):
        return message
    of_another = record.get("ecs_task_arn", location.task_arn) != location.task_arn
    # On EC2 it is the name that the agent gave the Docker container, which has the container's in it.
    of_another |= location.container not in str(record.get("container_name", location.container))
    return "" if of_another and location.shared else str(record["log"])
