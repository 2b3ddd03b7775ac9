"""What containers of a failing task write to CloudWatch Logs, where their task definition sends it there.

AWS names a stream of the driver `awslogs` `prefix/container/task-id`; FireLens appends its tag, `container-firelens-
task-id`, to the prefix that the output plugin is given.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from moto.ecs.models import TaskDefinition

    from ecs_cd_sandbox.aws.ecs_tasks import ServiceTask, TaskContainer

LAST_WORDS = (
    "Starting the application.",
    "ERROR: the sandbox was told to let this container fail.",
    "The application exits with code 1.",
)
"""What the container that ends a task writes unless other lines are chosen."""

KILLED_WORDS = ("Received SIGTERM, shutting down.",)
"""What the containers write that ECS kills then."""

_FIRELENS_OUTPUTS = ("cloudwatch", "cloudwatch_logs")


def write_last_words(task: ServiceTask, definition: TaskDefinition, lines: Sequence[str] = ()) -> None:
    """Write for each container of a task that has just crashed; `lines` are those of the one that exited by itself."""
    described: list[dict[str, Any]] = definition.container_definitions
    configurations = {one["name"]: one.get("logConfiguration") or {} for one in described}
    _, _, _, region, account, *_ = task.task_arn.split(":")
    for container in task.containers:
        words = KILLED_WORDS if container.killed else lines or LAST_WORDS
        destination = log_destination(configurations[container.name], container, task.id)
        if destination is not None:
            group, stream, elsewhere, create = destination
            _put(logs_backends[account][elsewhere or region], group, stream, words, create=create)


def log_destination(
    configuration: dict[str, Any], container: TaskContainer, task_id: str
) -> tuple[str, str, str, bool] | None:
    """Return group, stream, region ("": the task's) and whether the group is made; None where it is not told."""
    options: dict[str, str] = configuration.get("options") or {}
    driver = configuration.get("logDriver")
    if driver == "awslogs" and options.get("awslogs-group") and options.get("awslogs-stream-prefix"):
        stream = f"{options['awslogs-stream-prefix']}/{container.name}/{task_id}"
        created = options.get("awslogs-create-group") == "true"
        return options["awslogs-group"], stream, options.get("awslogs-region", ""), created
    if driver == "awsfirelens" and options.get("Name") in _FIRELENS_OUTPUTS and options.get("log_group_name"):
        tag = f"{container.name}-firelens-{task_id}"
        stream = options.get("log_stream_name") or f"{options.get('log_stream_prefix', '')}{tag}"
        return options["log_group_name"], stream, options.get("region", ""), options.get("auto_create_group") == "true"
    return None


def _put(backend: Any, group: str, stream: str, lines: Sequence[str], *, create: bool) -> None:  # noqa: ANN401 - moto's
    if group not in backend.groups:
        if not create:
            return
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    now = int(time.time() * 1000)  # moto's clock: the events are compared with the time of the request
    events = [{"timestamp": now - len(lines) + number, "message": line} for number, line in enumerate(lines)]
    backend.put_log_events(group, stream, events)
