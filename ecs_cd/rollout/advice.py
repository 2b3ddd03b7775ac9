"""What to do about a deployment that ECS, an alarm, a hook or a person ended. Pure."""

from __future__ import annotations

from ecs_cd.model.service_deployment import ServiceDeployment
from ecs_cd.rollout.judge_service_deployment import was_asked_for
from ecs_cd.sanitize import comma_list

_SEE_TASKS = "See why the tasks stopped, fix the image, and deliver a new build."


def advice_after_rollback(record: ServiceDeployment | None) -> str:
    """Return what to do once a deployment was rolled back; `record` is ECS's record of it, where there is one."""
    if record is None or record.status == "SUCCESSFUL":
        return _SEE_TASKS
    alarms, failed = record.alarms, [hook for hook in record.hooks if hook.status in ("FAILED", "TIMED_OUT")]
    if alarms and alarms.triggered:
        return f"See what raised the alarm {comma_list(alarms.triggered)}, fix that, and deliver a new build."
    if any(hook.kind == "PAUSE" for hook in failed) or was_asked_for(record):
        return "Find out who or what decided so, and deliver again, or a new build."
    if failed:
        return f"See what the lifecycle hook {failed[0].name} reported, fix that, and deliver a new build."
    return _SEE_TASKS
