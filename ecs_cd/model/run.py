"""The infrastructure pipeline and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

_MAX_DEPTH = 10
"""A timeline has five levels: stage, phase, job, task, and the run itself. Deeper ones are a circle of parents."""


class QueueStatus(str, Enum):
    """What becomes of a run that is queued. PAUSED: it does not start until somebody resumes the pipeline."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Pipeline:
    """An Azure pipeline (a build definition). `folder` starts with a backslash, which alone is the root.

    `name` and `project_id` (a GUID) are empty where only the id is known.
    """

    id: int
    name: str = ""
    folder: str = "\\"
    url: str = ""
    queue_status: QueueStatus = QueueStatus.ENABLED
    project_id: str = field(default="", compare=False)

    @property
    def path(self) -> str:
        """Return folder and name, as the web portal shows them; the id where no name is known."""
        return f"{self.folder.rstrip(chr(92))}\\{self.name}" if self.name else f"id {self.id}"


@dataclass(frozen=True)
class RunRequest:
    """A run to be queued. `branch` is a full ref, such as `refs/heads/develop`."""

    pipeline: Pipeline
    branch: str
    template_parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunPreview:
    """What a run would be that was not queued. `final_yaml`: its pipeline with templates and parameters expanded."""

    final_yaml: str


class RunState(str, Enum):
    """The state of a run. WAITING: no job of it has started. RUNNING includes a run that waits for an approval."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially-succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen to the run."""
        return self not in (RunState.WAITING, RunState.RUNNING, RunState.CANCELLING)


@dataclass(frozen=True)
class Run:
    """One run of a pipeline as last seen.

    `template_parameters` and `variables` are as the service shows them, which may have defaults filled in.
    `changed_by` is the display name of who changed it last, `by_service` whether that was Azure DevOps itself.
    """

    id: int
    name: str
    url: str
    state: RunState
    pipeline_id: int
    branch: str = ""
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    changed_by: str = ""
    by_service: bool = False
    tags: tuple[str, ...] = ()
    template_parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)


AZURE_DEVOPS_ITSELF = "Microsoft.VisualStudio.Services.TFS"
"""The name under which Azure DevOps acts by itself, for example when `lockBehavior: runLatest` cancels a run."""


class RunOrigin(str, Enum):
    """How a delivery came by the run it follows."""

    QUEUED = "queued"
    JOINED = "joined"


@dataclass(frozen=True)
class TimelineRecord:
    """One line of a run's timeline: a stage, a job or a task.

    `kind` is `Stage`, `Phase`, `Job`, `Task`, or a checkpoint's type; `state` is `pending`, `inProgress` or
    `completed`; `result` is empty until completed. `errors` are the messages of its error issues. `attempt` grows when
    somebody starts a stage anew; 0 where Azure DevOps does not say. `worker` is the agent that a job is carried out by;
    empty for one that needs none, such as a manual validation.
    """

    id: str
    parent_id: str
    kind: str
    name: str
    state: str
    result: str = ""
    order: int = 0
    log_id: int | None = None
    errors: tuple[str, ...] = ()
    attempt: int = 1
    worker: str = ""


@dataclass(frozen=True)
class RunProgress:
    """A run and its timeline at one moment."""

    run: Run
    records: tuple[TimelineRecord, ...] = ()

    def of_kind(self, kind: str) -> tuple[TimelineRecord, ...]:
        """Return the records of one kind in the order in which they run; `order` counts within a record's parent."""
        known = {record.id: record for record in self.records}

        def place(record: TimelineRecord) -> tuple[int, ...]:
            orders = [record.order]
            while (parent := known.get(record.parent_id)) and len(orders) < _MAX_DEPTH:
                record = parent
                orders.append(record.order)
            return tuple(reversed(orders))

        return tuple(sorted((r for r in self.records if r.kind == kind), key=place))


class ApprovalStatus(str, Enum):
    """What became of an approval; UNKNOWN where the service does not show it."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    TIMED_OUT = "timedOut"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Approval:
    """An approval that a stage waited for. `decided_by`, `decided_at` and `comment` are empty without a decision.

    `asked` are the display names of those who could have decided.
    """

    id: str
    status: ApprovalStatus
    decided_by: str = ""
    decided_at: datetime | None = None
    comment: str = ""
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended well, or None where there was none to wait for (a dry run, or nothing to apply).

    `attempts`: how many runs it took, of which all but the last met a state lock or lost their agent. `records`: its
    timeline at its end, where it was seen.
    """

    run: Run | None
    warning: str = ""
    origin: RunOrigin = RunOrigin.QUEUED
    attempts: int = 1
    records: tuple[TimelineRecord, ...] = ()
