"""Timeline records that a step makes below its own: the logging command `task.logdetail`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import get_args

from ecs_cd_sandbox.azure_devops.agent.logging_commands import LoggingCommand
from ecs_cd_sandbox.azure_devops.model.timeline import Record, RecordResult, RecordState, Timeline

_RESULTS: dict[str, RecordResult] = {result.lower(): result for result in get_args(RecordResult)}
_STATES: dict[str, RecordState] = {state.lower(): state for state in get_args(RecordState)}


def update_detail(timeline: Timeline, step: Record, command: LoggingCommand, mask: Callable[[str], str]) -> None:
    """Make or change the record that a `task.logdetail` of a step names.

    Raises:
        ValueError: what the command lacks.
    """
    properties = command.properties
    if not properties.get("id"):
        raise ValueError("Can't update timeline record, timeline record id is not provided.")
    identifier = str(uuid.UUID(properties["id"]))
    details = {record.id: record for record in timeline.records if record.detail_of == step.id}
    record = details.get(identifier)
    if record is None:
        record = _new(timeline, step, identifier, command, details)
    elif "parentid" in properties and str(uuid.UUID(properties["parentid"])) != record.parent_id:
        raise ValueError("Can't change parent timeline record of an existing timeline record.")
    _fill(record, command, timeline.now(), mask)
    timeline.touch(record)


def _new(
    timeline: Timeline, step: Record, identifier: str, command: LoggingCommand, details: dict[str, Record]
) -> Record:
    for name in ("name", "type"):
        if not command.properties.get(name):
            raise ValueError(f"{name.capitalize()} is required for this new timeline record.")
    if any(record.id == identifier for record in timeline.records):
        raise ValueError("The timeline record belongs to another step.")
    parent = str(uuid.UUID(command.properties["parentid"])) if "parentid" in command.properties else step.id
    if parent != step.id and parent not in details:
        raise ValueError("Parent timeline record has not been created for this new timeline record.")
    record = Record(command.properties["type"], "", identifier, parent, 1 + len(details), id=identifier)
    record.detail_of, record.state, record.start_time = step.id, "inProgress", timeline.now()
    timeline.records.append(record)
    return record


def _fill(record: Record, command: LoggingCommand, now: datetime, mask: Callable[[str], str]) -> None:
    properties = command.properties
    record.name = mask(properties.get("name", record.name))
    record.type = properties.get("type", record.type)
    record.current_operation = mask(command.data) or record.current_operation
    if properties.get("order", "").isdecimal():
        record.order = int(properties["order"])
    if properties.get("progress", "").isdecimal():
        record.percent_complete = min(int(properties["progress"]), 100)
    if "result" in properties:
        record.result = _RESULTS.get(properties["result"].lower(), "succeeded")
    if "starttime" in properties:
        record.start_time = _time(properties["starttime"], now)
    if "finishtime" in properties:
        record.finish_time = _time(properties["finishtime"], now)
    if "state" in properties:
        record.state = _STATES.get(properties["state"].lower(), "pending")
    if record.state == "completed":
        record.finish_time = record.finish_time or now
        record.percent_complete = 100 if record.percent_complete is None else record.percent_complete


def _time(text: str, default: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return default
    return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
