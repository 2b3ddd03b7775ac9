"""The values that the steps of a delivery hand to each other. All are frozen; none knows an SDK.

Each step returns a type of its own that the next one asks for: only `image.check` makes a `CheckedImage`, only
`parameter.record` makes a `ParameterChange`, and so on, so that a wrong order does not type-check.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from ecs_cd.errors import InvalidTag
from ecs_cd.marks import NO_MARKS, Marks
from ecs_cd.text import quoted

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DEEPEST = 10


@dataclass(frozen=True)
class ImageTag:
    """A Docker image tag (distribution spec: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`); making one checks it.

    Raises:
        InvalidTag: the text is anything else.
    """

    value: str

    def __post_init__(self) -> None:
        """Refuse what is not a tag before anyone can use it."""
        if not _TAG.fullmatch(self.value):
            raise InvalidTag(
                f"{quoted(self.value)} is not a Docker image tag.",
                hint="A tag has 1 to 128 letters, digits, '_', '.', '-' and does not begin with '.' or '-'.",
            )

    def __str__(self) -> str:
        """Return the tag itself."""
        return self.value


@dataclass(frozen=True)
class TagEntry:
    """One image in a tag file.

    `service` is empty in the plain form, which names no service. `digest` is `sha256:` and 64 hex digits.
    """

    tag: ImageTag
    service: str = ""
    repository: str = ""
    digest: str = ""
    build_id: str = ""
    build_url: str = ""
    commit: str = ""


@dataclass(frozen=True)
class TagFile:
    """A tag file as read: the path it was read from, and its images in the order of the file."""

    path: str
    entries: tuple[TagEntry, ...]


@dataclass(frozen=True)
class ImageRef:
    """Where an image should be: repository and tag, in the caller's own registry unless said otherwise.

    `registry_id` is the AWS account of the registry, `region` its region; empty means the delivery's own.
    `digest`, when the build told it, must match what ECR has.
    """

    repository: str
    tag: ImageTag
    registry_id: str = ""
    region: str = ""
    digest: str = ""


@dataclass(frozen=True)
class FoundImage:
    """What ECR knows of an image."""

    digest: str
    pushed_at: datetime | None


@dataclass(frozen=True)
class CheckedImage:
    """A tag that may be recorded: its image exists, or the caller chose not to look (`digest` is empty then)."""

    tag: ImageTag
    digest: str = ""
    pushed_at: datetime | None = None


@dataclass(frozen=True)
class ParameterVersion:
    """One version of a parameter. `modified_by` is the ARN of who wrote it."""

    name: str
    value: str
    version: int
    labels: tuple[str, ...] = ()
    modified_at: datetime | None = None
    modified_by: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter as it stands, with all that a write must leave as it is (rule 5).

    `policies` is the JSON text of its policies; empty strings mean the service named none. `marks`: our labels, read at
    the same moment as the value.
    """

    name: str
    value: str
    version: int
    type: str = "String"
    data_type: str = "text"
    tier: str = "Standard"
    key_id: str = ""
    description: str = ""
    allowed_pattern: str = ""
    policies: str = ""
    marks: Marks = NO_MARKS


class Recorded(str, Enum):
    """What became of the wish to record a tag."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    HELD = "held"


@dataclass(frozen=True)
class ParameterChange:
    """What `parameter.record` did: the value found, the value left, and the version that holds it.

    `wanted` is the tag the delivery is for; after SUPERSEDED `new` is the newer one, after HELD what stays instead.
    `restored` says that `new` had been lost to another writer and was put back. `dry_run`: WRITTEN means "would have
    been written". `marks`: as they were seen last.
    """

    name: str
    wanted: ImageTag
    old: str | None
    new: str
    version: int
    recorded: Recorded
    restored: bool = False
    dry_run: bool = False
    marks: Marks = field(default=NO_MARKS, compare=False)


@dataclass(frozen=True)
class Pipeline:
    """An Azure pipeline (a build definition). `folder` starts with a backslash, which alone is the root.

    `name` is empty where only the id is known.
    """

    id: int
    name: str = ""
    folder: str = "\\"
    url: str = ""

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


class RunState(str, Enum):
    """Where a run is. WAITING: no job of it has started. RUNNING is said of one that waits for an approval, too."""

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


class Taken(str, Enum):
    """How a delivery came by the run it follows."""

    QUEUED = "queued"
    JOINED = "joined"


@dataclass(frozen=True)
class Record:
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
    records: tuple[Record, ...] = ()

    def of_kind(self, kind: str) -> tuple[Record, ...]:
        """Return the records of one kind in the order in which they run; `order` counts within a record's parent."""
        known = {record.id: record for record in self.records}

        def place(record: Record) -> tuple[int, ...]:
            orders = [record.order]
            # A run, a stage, a phase, a job, a task: whatever goes deeper is no timeline.
            while (parent := known.get(record.parent_id)) and len(orders) < _DEEPEST:
                record = parent
                orders.append(record.order)
            return tuple(reversed(orders))

        return tuple(sorted((r for r in self.records if r.kind == kind), key=place))


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended well, or None where there was none to wait for (a dry run, or nothing to apply).

    `tries`: how many runs it took, of which all but the last met a state lock or lost their agent.
    """

    run: Run | None
    warning: str = ""
    taken: Taken = Taken.QUEUED
    tries: int = 1


@dataclass(frozen=True)
class ServiceTarget:
    """One container of one ECS service. `container` may be empty where only one can be meant.

    `repository` (an ECR name) helps to tell the application's container from its sidecars.
    """

    cluster: str
    service: str
    container: str = ""
    repository: str = ""


@dataclass(frozen=True)
class Container:
    """A container of a task definition and the image it names."""

    name: str
    image: str


@dataclass(frozen=True)
class TaskDefinition:
    """A revision of a task definition, which never changes."""

    arn: str
    containers: tuple[Container, ...]

    @property
    def name(self) -> str:
        """Return `family:revision`."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Deployment:
    """A deployment of an ECS service, or, where another controller moves the tasks, one of its task sets.

    `status`: PRIMARY, ACTIVE, INACTIVE (task sets: PRIMARY, ACTIVE, DRAINING). `rollout_state`: IN_PROGRESS, COMPLETED,
    FAILED, or empty where ECS does not say. `steady` is a task set's stability. `updated_at`: when it changed last (a
    task set: when it became stable).
    """

    id: str
    status: str
    task_definition: TaskDefinition
    rollout_state: str = ""
    rollout_reason: str = ""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed_tasks: int = 0
    steady: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ServiceEvent:
    """A line of an ECS service's event list."""

    id: str
    at: datetime | None
    message: str


@dataclass(frozen=True)
class ServiceSnapshot:
    """An ECS service as it was at one moment. `controller` is ECS, CODE_DEPLOY or EXTERNAL; events newest first."""

    target: ServiceTarget
    status: str
    desired: int
    running: int
    controller: str = "ECS"
    deployments: tuple[Deployment, ...] = ()
    events: tuple[ServiceEvent, ...] = ()

    @property
    def primary(self) -> Deployment | None:
        """Return the deployment (or task set) that serves or is meant to."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)


@dataclass(frozen=True)
class StoppedTask:
    """Why a task stopped. `containers` are lines such as `api: exit code 1 (OutOfMemoryError)`."""

    task_definition_arn: str
    reason: str
    stopped_at: datetime | None = None
    containers: tuple[str, ...] = ()


class Serving(str, Enum):
    """A verdict's kind: what ECS makes of the tag."""

    DEPLOYED = "deployed"
    ROLLING = "rolling"
    SUPERSEDED = "superseded"
    REVERTED = "reverted"
    FAILED = "failed"
    NOT_APPLIED = "not-applied"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True)
class Verdict:
    """What one snapshot says of one tag, in a sentence a person reads."""

    serving: Serving
    sentence: str
    image: str = ""
    deployment: Deployment | None = None


@dataclass(frozen=True)
class Rollout:
    """The proved end of a rollout: the verdict, and the image that serves."""

    verdict: Verdict
    snapshot: ServiceSnapshot


def is_digest(text: str) -> bool:
    """Return whether the text is an image digest as ECR writes it."""
    return bool(_DIGEST.fullmatch(text))
