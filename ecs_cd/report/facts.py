"""What a report is made of: how it ended, the facts found on the way, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ecs_cd.errors import EcsCdError


class Outcome(str, Enum):
    """How a delivery ended."""

    DEPLOYED = "deployed"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled-back"
    HELD = "held"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    INTERRUPTED = "interrupted"

    @property
    def succeeded(self) -> bool:
        """Return whether this is success; a delivery that yields to a hold did what it should."""
        return self not in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED)


@dataclass(frozen=True)
class ImageFact:
    """What ECR said of the image. `pushed_at` is ISO 8601."""

    digest: str
    pushed_at: datetime | None


@dataclass(frozen=True)
class ParameterFact:
    """What became of the parameter. `old` is null where it was created; `recorded` as in `model.Recorded`."""

    name: str
    old: str | None
    new: str
    version: int
    recorded: str
    restored: bool


@dataclass(frozen=True)
class RunFact:
    """The run that carried the tag. `state` as in `model.RunState`, `origin` is queued|joined.

    `attempts`: how many runs it took, of which all but the last met a state lock or lost their agent.
    """

    id: int
    name: str
    url: str
    pipeline_id: int
    branch: str
    state: str
    origin: str = "queued"
    attempts: int = 1


@dataclass(frozen=True)
class RolloutFact:
    """What ECS serves. `serving` as in `model.Serving`; counts are tasks of the primary deployment."""

    cluster: str
    service: str
    serving: str
    sentence: str
    image: str
    task_definition: str
    running: int
    desired: int


@dataclass(frozen=True)
class StoppedContainerFact:
    """A container of a task that stopped in a failed rollout.

    `task` is its ARN. `exit_code` is null where it never ran. `cause`: it made the task stop, or may have; else it was
    stopped with another. `log_lines` are the last that it wrote, sanitized and without credentials. The `log_...` are
    empty where its log is not known to be in CloudWatch Logs.
    """

    task: str
    container: str
    exit_code: int | None
    reason: str
    essential: bool
    cause: bool
    log_region: str
    log_group: str
    log_stream: str
    log_lines: tuple[str, ...]


@dataclass(frozen=True)
class LinkFact:
    """A page of the AWS console. `shows` is logs (of the container `of`) or service (the ECS service `of`)."""

    shows: str
    of: str
    url: str


@dataclass(frozen=True)
class HoldFact:
    """The hold on the parameter. `state` is held, or under-way: a rollback that has not ended, or died.

    `tag` is the one on top, `version` its version, `previous_tag` the one that it replaced.
    """

    state: str
    tag: str
    version: int
    previous_tag: str


@dataclass(frozen=True)
class OriginFact:
    """What a promotion copied: what `environment` serves. `digest` is empty where it is not known.

    `serving_since` (ISO 8601): when its rollout completed, by AWS's clock; null where ECS has no word of it.
    """

    environment: str
    cluster: str
    service: str
    tag: str
    image: str
    digest: str
    serving_since: datetime | None


@dataclass(frozen=True)
class Failure:
    """Why a delivery did not succeed, as the error tree says it (`reason` is a stable word)."""

    reason: str
    message: str
    hint: str
    details: tuple[str, ...]
    link: str
    retryable: bool

    @classmethod
    def of(cls, error: EcsCdError) -> Failure:
        """Return the failure an error describes."""
        return cls(error.reason, error.message, error.hint, error.details, error.link, error.retryable)


@dataclass(frozen=True)
class PhaseFact:
    """How long a phase took, in seconds."""

    phase: str
    seconds: float
