"""Whether a deployment was over when the service was looked at before the run, so that it is not the run's doing. Pure.

That look leaves out ECS's record of the deployment, which would take more requests. What it has tells enough: a record
made no later than the newest moment that it shows was there already, and a deployment that goes on is listed. Both
moments are ECS's own.
"""

from __future__ import annotations

from dataclasses import replace

from ecs_cd.model.service import ServiceSnapshot
from ecs_cd.model.service_deployment import ServiceDeployment
from ecs_cd.rollout.judge import is_rollback
from ecs_cd.rollout.judge_service_deployment import is_of


def was_over(record: ServiceDeployment, before: ServiceSnapshot | None) -> bool:
    """Return whether the deployment was over, or being taken back, when the service was as in `before`."""
    if before is None:
        return False
    if before.service_deployment:
        return before.service_deployment.arn == record.arn and before.service_deployment.over
    target = record.target
    listed = next((one for one in before.deployments if target and is_of(one, target)), None)
    return listed.rollout_state == "FAILED" if listed else _was_there(record, before)


def _was_there(record: ServiceDeployment, before: ServiceSnapshot) -> bool:
    moments = [moment for one in before.deployments for moment in (one.created_at, one.updated_at) if moment]
    moments += [event.at for event in before.events if event.at]
    return record.created_at is not None and bool(moments) and record.created_at <= max(moments)


def without_old_rollback(snapshot: ServiceSnapshot, before: ServiceSnapshot) -> ServiceSnapshot:
    """Return the service without the reason of a deployment that had been put back already, with that very reason."""
    known = {one.id: one.rollout_reason for one in before.deployments}
    deployments = tuple(
        replace(one, rollout_reason="") if is_rollback(one) and known.get(one.id) == one.rollout_reason else one
        for one in snapshot.deployments
    )
    return replace(snapshot, deployments=deployments)
