"""Step 5: what ECS's own record of a deployment says of a tag. Pure (rule 10).

The primary deployment of DescribeServices tells neither stages and traffic of blue/green, linear and canary
deployments, nor who ended one. The service deployment does, so it counts where there is one and it is this tag's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from ecs_cd.model.image_name import container_image, containers_of
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, Serving, TaskDefinition, Verdict
from ecs_cd.model.service_deployment import LifecycleHook, RolloutUntil, ServiceDeployment, ServiceRevision
from ecs_cd.rollout.wanted import Wanted, runs_wanted
from ecs_cd.sanitize import comma_list

_TAKEN_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
_CODE_DEPLOY = "CODE_DEPLOY"
_STRATEGIES = {"BLUE_GREEN": "blue/green", "LINEAR": "linear", "CANARY": "canary", _CODE_DEPLOY: "CodeDeploy"}
_TRIGGERED = "TRIGGERED"
_CAUSES = {
    "circuit breaker": "its circuit breaker ended it.",
    "alarm": "a CloudWatch alarm ended it.",
    "pause hook timed out": "nobody let it continue in time.",
    "pause hook": "somebody had it rolled back at a pause.",
    "hook": "a lifecycle hook ended it.",
    "lifecycle event": "a lifecycle hook ended it.",
}
"""What ECS's words name, the more particular first (real-services.md has them, with their sources)."""
_BY_REQUEST = ("stopservicedeployment", "continueservicedeployment", "stopped by", "request", "manual", "user")
"""What ECS's words may have where somebody asked for the end; its exact words for that are published nowhere."""


def judge_service_deployment(snapshot: ServiceSnapshot, wanted: Wanted) -> Verdict | None:
    """Return what the service deployment says of the wanted tag.

    None where it leaves the verdict to the list of deployments: where there is none, it is another image's, or it was
    successful (ECS may start tasks after that; only the list has their number).
    """
    record = snapshot.service_deployment
    ours = deployment_of_target(snapshot, wanted)
    if record is None or ours is None:
        return None
    image = container_image(ours.task_definition, snapshot.target)
    if record.goes_on or record.status == "STOP_REQUESTED":
        until_traffic = wanted.until is RolloutUntil.PRODUCTION_TRAFFIC
        done = until_traffic and record.has_production_traffic and not lacks_tasks(snapshot, ours)
        serving = Serving.BAKING if done and record.goes_on else Serving.ROLLING
        return Verdict(serving, describe_progress(record, ours), image, ours)
    if record.status == "STOPPED":
        return Verdict(Serving.FAILED, f"{_mover(record)} stopped the deployment: {who_ended(record)}", image, ours)
    if record.status == "ROLLBACK_FAILED":
        why = f"The deployment failed, and ECS could not roll it back: {who_ended(record)}"
        return Verdict(Serving.FAILED, why, image, ours)
    return _taken_back(snapshot, record, ours, wanted) if record.status in _TAKEN_BACK else None


def deployment_of_target(snapshot: ServiceSnapshot, wanted: Wanted) -> Deployment | None:
    """Return the deployment that the service deployment makes, if it is of the wanted image; else None."""
    found = target_deployment(snapshot)
    return found if found and runs_wanted(found, snapshot.target, wanted) else None


def target_deployment(snapshot: ServiceSnapshot) -> Deployment | None:
    """Return the deployment that the service deployment makes; None where it is not known.

    It may be missing in the list of DescribeServices, as after a rollback. Where the revision cannot be seen, a
    deployment under way is taken for that of the primary deployment.
    """
    record = snapshot.service_deployment
    if record is None:
        return None
    target = record.target
    if target is None:
        return snapshot.primary if record.goes_on else None
    listed = next((d for d in snapshot.deployments if is_of(d, target)), None)
    if target.images:
        return _of_revision(target, record, listed, snapshot)
    return listed or (snapshot.primary if record.goes_on else None)


def goes_on(snapshot: ServiceSnapshot, deployment: Deployment) -> bool:
    """Return whether ECS's record says that this deployment is under way, whatever the list says."""
    record, target = snapshot.service_deployment, target_deployment(snapshot)
    return record is not None and record.goes_on and target is not None and target.id == deployment.id


def lacks_tasks(snapshot: ServiceSnapshot, deployment: Deployment) -> bool:
    """Return whether fewer tasks run than the deployment, or ECS of the whole service, should have."""
    desired = max(deployment.desired, snapshot.desired) if snapshot.controller == "ECS" else deployment.desired
    return deployment.running < desired


def newer_has_traffic(snapshot: ServiceSnapshot, primary: Deployment, wanted: Wanted) -> bool:
    """Return whether the primary deployment, of a newer image, serves enough, though it is not over yet."""
    record = snapshot.service_deployment
    if record is None or record.target is None or not is_of(primary, record.target):
        return False
    has_traffic = record.goes_on and record.has_production_traffic and not lacks_tasks(snapshot, primary)
    return has_traffic and wanted.until is RolloutUntil.PRODUCTION_TRAFFIC


def is_of(deployment: Deployment, revision: ServiceRevision) -> bool:
    """Return whether a listed deployment (or task set) is that of a revision."""
    return bool(revision.number) and deployment.id.rpartition("/")[2] == revision.number


def _of_revision(
    target: ServiceRevision, record: ServiceDeployment, listed: Deployment | None, snapshot: ServiceSnapshot
) -> Deployment:
    """Return the deployment of a revision that could be seen: as it is listed, with the images of the revision."""
    definition = TaskDefinition(
        target.task_definition, tuple(Container(image.container, image.image) for image in target.images)
    )
    names = {container.name for container in containers_of(definition, snapshot.target)}
    found = [image.digest for image in target.images if image.container in names]
    digests = tuple(dict.fromkeys(found)) if all(found) else ()
    if listed:
        return replace(listed, digests=listed.digests or digests)
    return Deployment(
        id=f"ecs-svc/{target.number}",
        status="ACTIVE" if record.goes_on else "INACTIVE",
        task_definition=definition,
        rollout_reason=record.reason,
        desired=target.requested,
        running=target.running,
        pending=target.pending,
        created_at=record.created_at,
        updated_at=record.updated_at,
        digests=digests,
    )


def _taken_back(
    snapshot: ServiceSnapshot, record: ServiceDeployment, ours: Deployment, wanted: Wanted
) -> Verdict | None:
    """It is rolled back, or being rolled back. What it goes back to may have the same image, and that serves then."""
    primary = snapshot.primary
    image = _image_of(primary, snapshot)
    if primary and primary.id != ours.id and runs_wanted(primary, snapshot.target, wanted):
        if record.over:
            return None
        sentence = f"ECS is rolling the deployment back to an earlier one of the same image: {who_ended(record)}"
        return Verdict(Serving.ROLLING, sentence, image, primary)
    mover = _mover(record)
    back = f"{mover} put {image} back" if primary and primary.id != ours.id else f"{mover} takes the deployment back"
    return Verdict(Serving.REVERTED, f"{back}: {who_ended(record)}", image, ours)


def _image_of(primary: Deployment | None, snapshot: ServiceSnapshot) -> str:
    containers = containers_of(primary.task_definition, snapshot.target) if primary else ()
    return containers[0].image if containers else ""


def describe_progress(record: ServiceDeployment, ours: Deployment) -> str:
    """Return how far a deployment is, in a sentence or two: stage, traffic, tasks, bake time, and who is waited for."""
    tasks = f"{ours.running} of {ours.desired} tasks run, {ours.pending} are starting"
    parts = [_stage(record), _traffic(record), tasks, _failed(record, ours), _running_hooks(record)]
    sentence = f"{', '.join(filter(None, [*parts, _watched(record, ours)]))}."
    if record.status == "STOP_REQUESTED":
        return f"ECS is stopping the deployment: {who_ended(record)} {sentence}"
    return " ".join([sentence, *(describe_waiting(hook, record.stage) for hook in record.waiting)])


def _stage(record: ServiceDeployment) -> str:
    if not record.stage:
        return ""
    strategy = _STRATEGIES.get(record.strategy, "")
    stage = f"{strategy} stage {record.stage}".strip()
    ends = record.bake_ends_at
    return f"{stage} until about {moment(ends)}" if ends else stage


def _failed(record: ServiceDeployment, ours: Deployment) -> str:
    breaker = record.breaker
    failed = max(breaker.failures if breaker else 0, ours.failed_tasks)
    limit = f" (its circuit breaker ends it at {breaker.threshold})" if breaker and breaker.threshold else ""
    return f"{failed} failed{limit}" if failed else ""


def _running_hooks(record: ServiceDeployment) -> str:
    names = tuple(hook.name for hook in record.hooks if hook.status == "IN_PROGRESS")
    return f"lifecycle hook {comma_list(names)} runs" if names else ""


def _watched(record: ServiceDeployment, ours: Deployment) -> str:
    """Return which alarms are what is still waited for, once all tasks run."""
    alarms = record.alarms.names if record.alarms and record.alarms.status == "MONITORING" else ()
    waited_for = record.stage == "BAKE_TIME" or (not record.stage and 0 < ours.desired <= ours.running)
    return f"watched by alarm {comma_list(alarms)}" if alarms and waited_for else ""


def _traffic(record: ServiceDeployment) -> str:
    target = record.target
    if target is None or target.production_weight is None:
        return ""
    test = f" and {target.test_weight:g}% of test traffic" if target.test_weight else ""
    return f"{target.production_weight:g}% of production traffic{test}"


def describe_waiting(hook: LifecycleHook, stage: str) -> str:
    """Return at which stage a hook waits for somebody, since when, and what happens if nobody comes."""
    since = f" since {moment(hook.since)}" if hook.since else ""
    sentence = f"It waits at {stage or 'a hook'}{since} for somebody to let it continue"
    if hook.expires_at is None:
        return f"{sentence}."
    does = "goes on" if hook.timeout_action == "CONTINUE" else "is rolled back"
    return f"{sentence}; at {moment(hook.expires_at)} it {does} by itself."


def who_ended(record: ServiceDeployment) -> str:
    """Return who or what ended a deployment, with ECS's own words for it, in a sentence.

    Where neither breaker, nor alarms, nor a hook did, somebody asked for it (StopServiceDeployment, or
    ContinueServiceDeployment at a pause) or ECS's own words say what was wrong.
    """
    words = _words(record)
    quote = f" {_mover(record)} says: {words}" if words else ""
    return f"{_cause(record, words)}{quote}"


def was_asked_for(record: ServiceDeployment) -> bool:
    """Return whether somebody had the deployment ended, as far as ECS's record tells."""
    return _cause(record, _words(record)).startswith("somebody ")


def _mover(record: ServiceDeployment) -> str:
    return "CodeDeploy" if record.strategy == _CODE_DEPLOY else "ECS"


def _words(record: ServiceDeployment) -> str:
    told = dict.fromkeys(filter(None, (" ".join(one.split()) for one in (record.rollback_reason, record.reason))))
    return " ".join(one if one.endswith((".", "!")) else f"{one}." for one in told)


def _cause(record: ServiceDeployment, words: str) -> str:
    by_hooks = (cause for hook in record.hooks if (cause := _of_hook(hook, record.stage)))
    return _of_monitors(record) or next(by_hooks, "") or _of_words(record, words.lower())


def _of_monitors(record: ServiceDeployment) -> str:
    breaker, alarms = record.breaker, record.alarms
    if breaker and breaker.status == _TRIGGERED:
        counted = f" after {breaker.failures} failed tasks" if breaker.failures else ""
        return f"its circuit breaker ended it{counted}."
    if alarms and (alarms.status == _TRIGGERED or alarms.triggered):
        return f"the CloudWatch alarm {comma_list(alarms.triggered or alarms.names)} ended it."
    return ""


def _of_hook(hook: LifecycleHook, stage: str) -> str:
    at = f" at {stage}" if stage else ""
    if hook.status == "TIMED_OUT":
        who = "nobody let it continue in time" if hook.kind == "PAUSE" else f"the lifecycle hook {hook.name} timed out"
        return f"{who}{at}."
    if hook.status != "FAILED":
        return ""
    return (
        f"somebody had it rolled back{at}." if hook.kind == "PAUSE" else f"the lifecycle hook {hook.name} failed{at}."
    )


def _of_words(record: ServiceDeployment, words: str) -> str:
    """Return the cause that ECS's words name, in lower case."""
    for part, cause in _CAUSES.items():
        if part in words:
            return cause
    if record.status == "ROLLBACK_FAILED":  # the words are about the rollback
        return "its events say why it failed."
    if not words or any(word in words for word in _BY_REQUEST):
        return "somebody stopped it." if record.status.startswith("STOP") else "somebody had it rolled back."
    if record.strategy == _CODE_DEPLOY:
        return "it failed."
    return "it was no circuit breaker, no alarm and no hook."


def moment(at: datetime | None) -> str:
    """Return a moment as a person reads it, in UTC; ECS's times have a zone."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if at else ""
