"""One run: everything the service knows about it. The engine's lock guards every field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.definitions import JobDefinition, PipelineDefinition, StageDefinition
from ecs_cd_sandbox.azure_devops.model.identities import SERVICE, Identity
from ecs_cd_sandbox.azure_devops.model.results import SUCCEEDED
from ecs_cd_sandbox.azure_devops.model.run_progress import JobRun, StageRun
from ecs_cd_sandbox.azure_devops.model.timeline import Attempt, Record, Timeline
from ecs_cd_sandbox.azure_devops.model.variables import Variables

RunStatus = Literal["notStarted", "inProgress", "cancelling", "completed"]
RunResult = Literal["succeeded", "partiallySucceeded", "failed", "canceled"]
Phase = Literal["queued", "waiting", "ready", "running", "done"]
"""Where a run is inside the engine: before admission, before the lock of its pipeline, before its first job has
started, from then on, over."""


@dataclass
class Log:
    """The log of one task; each line begins with its UTC time, as the agent writes it."""

    id: int
    created: datetime
    changed: datetime
    lines: list[str] = field(default_factory=list)

    def append(self, line: str, now: datetime) -> int:
        """Add a line and return its 1-based number."""
        self.lines.append(f"{now:%Y-%m-%dT%H:%M:%S.%f}0Z {line}")
        self.changed = now
        return len(self.lines)


@dataclass(frozen=True)
class Attachment:
    """A file a task attached to its timeline record."""

    type: str
    name: str
    record_id: str
    content: bytes


PIPELINE_ARTIFACT = "PipelineArtifact"
CONTAINER = "Container"
"""The kinds of artifact whose files are on the server: of the newer tasks, and of `PublishBuildArtifacts`."""


@dataclass(frozen=True)
class Artifact:
    """A published artifact: its files by their path inside it.

    A `PipelineArtifact` and a `Container` have their files on the server; one that is only associated with the run has
    none. `kind` says what it is, `data` where.
    """

    id: int
    name: str
    source: str
    files: dict[str, bytes]
    kind: str = PIPELINE_ARTIFACT
    data: str = ""


@dataclass(frozen=True)
class Source:
    """Where a run takes its file from: the full name of a branch, and a commit."""

    branch: str
    commit: str


@dataclass(frozen=True)
class QueueRequest:
    """What somebody asked to run. All of it is validated already."""

    definition: PipelineDefinition
    source: Source
    requested_by: Identity
    reason: str = "manual"
    parameters: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    stages_to_skip: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()
    resources: Mapping[str, int] = field(default_factory=dict)
    """The runs of other pipelines to use, by alias."""
    triggering_alias: str = ""
    """Which of them started the run, if one did."""
    trigger_info: Mapping[str, str] = field(default_factory=dict)
    """What the service tells of a run that was started by itself."""


@dataclass
class Run:
    """A run, its progress and what it left behind."""

    id: int
    number: str
    revision: int
    request: QueueRequest
    queue_time: datetime
    changed: datetime
    changed_by: Identity
    not_before: datetime
    timeline: Timeline
    status: RunStatus = "notStarted"
    result: RunResult | None = None
    phase: Phase = "queued"
    start_time: datetime | None = None
    finish_time: datetime | None = None
    plan_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    tags: list[str] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    resources: dict[str, int] = field(default_factory=dict)
    """The runs of other pipelines that this one uses, by alias."""
    variables: Variables = field(default_factory=Variables)
    """Those of the whole pipeline, and those given when it was queued."""
    problems: tuple[str, ...] = ()
    """Why it failed before it began."""
    triggered: set[tuple[int, str]] = field(default_factory=set)
    """The pipelines it has started, each with the alias it goes by there."""
    seen_by_triggers: tuple[Phase, int] = ("queued", 0)
    """How far it was when the triggers of others were looked at last."""
    keep_forever: bool = False
    stages: dict[str, StageRun] = field(default_factory=dict)
    """How far each stage is, by its name in lower case."""
    retries: dict[str, bool] = field(default_factory=dict)
    """Stages asked to be retried, and whether all their jobs are (or only those that did not succeed)."""

    @property
    def definition(self) -> PipelineDefinition:
        """The pipeline this is a run of."""
        return self.request.definition

    def change(self, by: Identity, now: datetime) -> None:
        """Note who changed the run last."""
        self.changed_by, self.changed = by, now

    @property
    def jobs(self) -> list[JobRun]:
        """What was handed to the agents, stage by stage."""
        return [job for stage in self.stages.values() for job in stage.jobs.values()]

    def begin(self) -> None:
        """Note that its first job has started."""
        self.wait()
        self.phase = "running"

    def wait(self) -> None:
        """Note that it is under way, with or without a job: what waits for a lock or an approval is in progress."""
        if self.status == "notStarted":
            self.status = "inProgress"
        self.start_time = self.start_time or self.timeline.now()

    def end(self, result: RunResult) -> None:
        """Note that it is over."""
        self.result, self.status, self.phase = result, "completed", "done"
        if result != "canceled":  # in public captures of finished builds; who cancelled one stays
            self.changed_by = SERVICE
        self.finish_time = self.changed = self.timeline.now()

    def plan_stage(self, stage: StageDefinition) -> Record:
        """Add the pending records of a stage and its jobs; tasks join when their job starts."""
        self.stages[stage.name.lower()] = StageRun(stage)
        record = self.timeline.add(
            "Stage", stage.name, parent=None, identifier=stage.name, display_name=stage.display_name
        )
        for job in stage.jobs:
            self._plan_job(record, job)
        return record

    def plan_retry(self, stage: StageDefinition, *, all_jobs: bool) -> Record:
        """Replace a stage's record by one of the next attempt, keeping the jobs that succeeded unless told not to."""
        old = self.timeline.stage(stage.name)
        if old is None:
            return self.plan_stage(stage)
        self.stages[stage.name.lower()] = StageRun(stage)
        position = self.timeline.records.index(old)
        kept = {} if all_jobs else self._keep_done(old)
        self.timeline.remove_tree(old)
        tail = self.timeline.records[position:]
        del self.timeline.records[position:]
        new = self.timeline.add(
            "Stage", stage.name, parent=None, identifier=stage.name, display_name=stage.display_name
        )
        new.order = old.order
        new.attempt = old.attempt + 1
        new.previous_attempts = [*old.previous_attempts, Attempt(old.attempt, self.timeline.id, old.id)]
        for job in stage.jobs:
            if job.name in kept:
                kept[job.name][0].parent_id = new.id
                self.timeline.records += kept[job.name]
            else:
                self._plan_job(new, job)
        self.timeline.records.extend(tail)
        return new

    def _keep_done(self, stage: Record) -> dict[str, list[Record]]:
        """Take the jobs that ended well out of the timeline, each with all below it, by name."""
        done = [
            record for record in self.timeline.children(stage) if record.type == "Phase" and record.result in SUCCEEDED
        ]
        return {record.ref_name or record.name: self.timeline.remove_tree(record) for record in done}

    def _plan_job(self, stage: Record, job: JobDefinition) -> None:
        identifier = f"{stage.identifier}.{job.name}"
        phase = self.timeline.add("Phase", job.name, parent=stage, identifier=identifier, display_name=job.display_name)
        title = job.display_name or job.name
        if not job.hooks:
            self.timeline.add(
                "Job", "__default", parent=phase, identifier=f"{identifier}.__default", display_name=title
            )
        for hook in job.hooks:
            name = title if len(job.hooks) == 1 else f"{title} {hook.name}"
            self.timeline.add("Job", hook.name, parent=phase, identifier=f"{identifier}.{hook.name}", display_name=name)

    def new_log(self, now: datetime) -> Log:
        """Start the next log."""
        log = Log(len(self.logs) + 1, now, now)
        self.logs.append(log)
        return log

    def publish(self, name: str, files: dict[str, bytes], source: str) -> Artifact:
        """Add an artifact, or replace the one of that name."""
        return self._put(Artifact(self._next_artifact(), name, source, dict(files)))

    def extend(self, name: str, files: dict[str, bytes], source: str) -> Artifact:
        """Add files to the container of a name, or add a container."""
        known = (artifact.files for artifact in self.artifacts if artifact.name.lower() == name.lower())
        place = f"#/{self.id}/{name}"
        return self._put(Artifact(self._next_artifact(), name, source, {**next(known, {}), **files}, CONTAINER, place))

    def associate(self, name: str, kind: str, data: str, source: str) -> Artifact:
        """Add an artifact that lies elsewhere."""
        return self._put(Artifact(self._next_artifact(), name, source, {}, kind, data))

    def _next_artifact(self) -> int:
        return 1 + max((artifact.id for artifact in self.artifacts), default=0)

    def _put(self, artifact: Artifact) -> Artifact:
        self.artifacts = [known for known in self.artifacts if known.name.lower() != artifact.name.lower()]
        self.artifacts.append(artifact)
        return artifact
