"""Where a container logs to, as its task definition tells.

`awslogs`: the stream is `prefix/container/task-id`; without a prefix, which only tasks on EC2 may lack, it is the id of
the Docker container (ECS API reference, LogConfiguration). `awsfirelens`: Fluent Bit's plugins for CloudWatch Logs,
`cloudwatch_logs` and the older `cloudwatch`, name the stream themselves or by a prefix and the tag, which is
`container-firelens-task-id` (`fluentTagDockerFormat` in the agent of ECS). The older one fills in templates, of which
the task's id, the cluster and the tag are known here. Sources: docs/real-services.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_cd.aws.console_links import log_stream_url
from ecs_cd.model.stopped_task import LogLocation

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef, ContainerTypeDef, TaskTypeDef

_TEMPLATE = re.compile(r"\$\(([^)]*)\)")
_UNKNOWN = re.compile(r"\$|#\(")
"""What is left of a template; the older plugin once wrote `#(...)`."""


def log_location(
    definition: ContainerDefinitionOutputTypeDef, task: TaskTypeDef, container: ContainerTypeDef
) -> LogLocation | None:
    """Return where a container of a task logs to; None where that is not CloudWatch Logs, or cannot be known."""
    configuration = definition.get("logConfiguration")
    if not configuration:
        return None
    options = {key.lower(): value for key, value in configuration.get("options", {}).items()}
    if configuration["logDriver"] == "awslogs":
        return _of_awslogs(options, task, container)
    return _of_firelens(options, task, container) if configuration["logDriver"] == "awsfirelens" else None


def _of_awslogs(options: Mapping[str, str], task: TaskTypeDef, container: ContainerTypeDef) -> LogLocation | None:
    prefix = options.get("awslogs-stream-prefix", "")
    stream = f"{prefix}/{container['name']}/{_task_id(task)}" if prefix else container.get("runtimeId", "")
    region = options.get("awslogs-region", "")
    return _location(region, options.get("awslogs-group", ""), stream, task, container)


def _of_firelens(options: Mapping[str, str], task: TaskTypeDef, container: ContainerTypeDef) -> LogLocation | None:
    plugin = options.get("name", "")
    if plugin not in ("cloudwatch", "cloudwatch_logs") or "log_group_template" in options:
        return None
    if "log_stream_template" in options:
        return None
    tag = f"{container['name']}-firelens-{_task_id(task)}"
    named = options.get("log_stream_name", "")
    stream = named or f"{options.get('log_stream_prefix', '')}{tag}"
    group = options.get("log_group_name", "")
    if plugin == "cloudwatch":
        known = {"ecs_task_id": _task_id(task), "ecs_cluster": _cluster(task), "tag": tag}
        group, stream = _filled_in(group, known), _filled_in(stream, known)
    shared = _task_id(task) not in stream
    region = options.get("region", "")
    return _location(region, group, stream, task, container, records=not options.get("log_key"), shared=shared)


def _location(
    region: str,
    group: str,
    stream: str,
    task: TaskTypeDef,
    container: ContainerTypeDef,
    *,
    records: bool = False,
    shared: bool = False,
) -> LogLocation | None:
    if not group or not stream or _UNKNOWN.search(group + stream):
        return None
    where = region or task["taskArn"].split(":")[3]
    return LogLocation(
        region=where,
        group=group,
        stream=stream,
        url=log_stream_url(task["taskArn"], where, group, stream),
        since=task.get("createdAt"),
        container=container["name"],
        task_arn=task["taskArn"],
        records=records,
        shared=shared,
    )


def _filled_in(text: str, known: Mapping[str, str]) -> str:
    """Return the text with the templates that are known filled in; what is not known keeps its `$`."""
    return _TEMPLATE.sub(lambda found: known.get(found[1], found[0]), text)


def _task_id(task: TaskTypeDef) -> str:
    return task["taskArn"].rpartition("/")[2]


def _cluster(task: TaskTypeDef) -> str:
    return task["clusterArn"].rpartition("/")[2]
