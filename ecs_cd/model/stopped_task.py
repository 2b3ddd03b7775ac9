"""Why a task stopped: its containers, and where each of them logged to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LogLocation:
    """The log stream of CloudWatch Logs to which one container of one task wrote. `url` shows it in the AWS console.

    `since`: nothing of the task was logged before. `records`: its events are FireLens's records, JSON around each
    line. `shared`: other tasks write to the same stream.
    """

    region: str
    group: str
    stream: str
    url: str = ""
    since: datetime | None = None
    container: str = ""
    task_arn: str = ""
    records: bool = False
    shared: bool = False


@dataclass(frozen=True)
class StoppedContainer:
    """A container of a stopped task. `exit_code` is None where it never ran, or ECS does not say.

    `reason` is ECS's, such as `OutOfMemoryError: ...`. `essential`: its end stops the task. `unhealthy`: its health
    check failed. `log` is None where its log is not in CloudWatch Logs, or not known to be.
    """

    name: str
    exit_code: int | None = None
    reason: str = ""
    essential: bool = True
    unhealthy: bool = False
    log: LogLocation | None = None


@dataclass(frozen=True)
class StoppedTask:
    """Why a task stopped: `reason` in ECS's words, `stop_code` as its API has them (EssentialContainerExited, ...)."""

    task_definition_arn: str
    reason: str
    stopped_at: datetime | None = None
    containers: tuple[StoppedContainer, ...] = ()
    arn: str = ""
    stop_code: str = ""
