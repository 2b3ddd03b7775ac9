"""The timeline of a run: a tree of records (stage, phase, job, task), each with state, result and issues."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.definitions import TaskReference
from ecs_cd_sandbox.azure_devops.model.variables import Variables

RecordState = Literal["pending", "inProgress", "completed"]
RecordResult = Literal["succeeded", "succeededWithIssues", "failed", "canceled", "skipped", "abandoned"]
RecordType = Literal["Stage", "Checkpoint", "Checkpoint.Approval", "Phase", "Job", "Task"]

_BY_BADNESS: tuple[RecordResult, ...] = (
    "succeeded",
    "succeededWithIssues",
    "failed",
    "canceled",
    "skipped",
    "abandoned",
)

KEPT_ISSUES = 10
"""Issues of one kind that a record keeps; more are only counted."""


@dataclass(frozen=True)
class Issue:
    """An error or a warning of a record; `log_line` is the 1-based line of its log, `data` its other properties."""

    type: Literal["error", "warning"]
    message: str
    log_line: int | None = None
    category: str = "General"
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """An earlier attempt of a record."""

    attempt: int
    timeline_id: str
    record_id: str


@dataclass
class Record:
    """One record. `identifier` stays the same across attempts, the id does not.

    `type` is a `RecordType`, or any type that a program gave a record it made itself. `outputs` are output variables.
    """

    type: str
    name: str
    identifier: str
    parent_id: str | None
    order: int
    ref_name: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: RecordState = "pending"
    result: RecordResult | None = None
    start_time: datetime | None = None
    finish_time: datetime | None = None
    change_id: int = 0
    attempt: int = 1
    previous_attempts: list[Attempt] = field(default_factory=list)
    worker: str | None = None
    log_id: int | None = None
    task: TaskReference | None = None
    issues: list[Issue] = field(default_factory=list)
    error_count: int = 0
    warning_count: int = 0
    percent_complete: int | None = None
    current_operation: str | None = None
    outputs: Variables = field(default_factory=Variables)
    detail_of: str | None = None
    """The id of the step's record, for a record that a program made."""


def merge_results(known: RecordResult | None, coming: RecordResult) -> RecordResult:
    """Return the worse of two results; one beyond `failed` stays, as the agent has it."""
    if known is None:
        return coming
    if _BY_BADNESS.index(known) > _BY_BADNESS.index("failed"):
        return known
    return max(known, coming, key=_BY_BADNESS.index)


class Timeline:
    """The records of one run. The engine's lock guards it; every change raises `change_id`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Start empty."""
        self._clock = clock
        self.id = str(uuid.uuid4())
        self.change_id = 0
        self.changed = clock()
        self.records: list[Record] = []

    def add(
        self,
        record_type: RecordType,
        name: str,
        *,
        parent: Record | None,
        identifier: str,
        display_name: str = "",
        task: TaskReference | None = None,
        ref_name: str | None = None,
    ) -> Record:
        """Append a pending record under its parent, as its last child; all but tasks have their name as `ref_name`."""
        parent_id = parent.id if parent else None
        order = 1 + sum(1 for other in self.records if other.parent_id == parent_id and other.type == record_type)
        ref_name = name if record_type in {"Stage", "Phase", "Job"} else ref_name
        attempt = parent.attempt if parent else 1
        record = Record(
            record_type, display_name or name, identifier, parent_id, order, ref_name, attempt=attempt, task=task
        )
        self.records.append(record)
        self.touch(record)
        return record

    def touch(self, record: Record) -> None:
        """Note that a record changed."""
        self.change_id += 1
        self.changed = self._clock()
        record.change_id = self.change_id

    def start(self, record: Record, worker: str | None = None) -> None:
        """Put a record in progress."""
        record.state, record.start_time, record.worker = "inProgress", self._clock(), worker
        self.touch(record)

    def finish(self, record: Record, result: RecordResult) -> None:
        """Complete a record, started or not; one that is completed already keeps its result."""
        if record.state == "completed":
            return
        record.state, record.result, record.finish_time = "completed", result, self._clock()
        self.touch(record)

    def finish_below(self, record: Record, result: RecordResult) -> None:
        """Complete a record and everything under it that is not completed yet."""
        for child in self.children(record):
            self.finish_below(child, result)
        self.finish(record, result)

    def add_issue(self, record: Record, issue: Issue) -> None:
        """Count an issue, and keep it while there is room."""
        if sum(1 for known in record.issues if known.type == issue.type) < KEPT_ISSUES:
            record.issues.append(issue)
        if issue.type == "error":
            record.error_count += 1
        else:
            record.warning_count += 1
        self.touch(record)

    def now(self) -> datetime:
        """Return the time, by the clock the timeline goes by."""
        return self._clock()

    def parent(self, record: Record) -> Record | None:
        """Return the record right above one, or None."""
        return next((other for other in self.records if other.id == record.parent_id), None)

    def children(self, record: Record) -> list[Record]:
        """Return the records right below one, in order."""
        return [child for child in self.records if child.parent_id == record.id]

    def stage(self, ref_name: str) -> Record | None:
        """Return the newest attempt of a stage, or None; letter case does not matter."""
        for record in self.records:
            if record.type == "Stage" and record.identifier.lower() == ref_name.lower():
                return record
        return None

    def remove_tree(self, record: Record) -> list[Record]:
        """Take a record and all below it out of the timeline, to make room for a new attempt, and return them."""
        tree = [record, *(below for child in self.children(record) for below in self.remove_tree(child))]
        self.records.remove(record)
        return tree
