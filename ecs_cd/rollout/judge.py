"""Step 5: what one snapshot of an ECS service says of a tag. Pure (rule 10).

Terraform reports success when ECS's circuit breaker has put the old task definition back, and when it changed nothing
at all. So the verdict is drawn from ECS alone: from its record of the deployment where there is one, else from what the
primary deployment runs, and whether its rollout completed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecs_cd.model.image_name import ImageMatch, container_image, known_digests, match_image, pinned_digest, tag_of
from ecs_cd.model.service import Deployment, ServiceSnapshot, Serving, Verdict
from ecs_cd.rollout.judge_service_deployment import (
    deployment_of_target,
    goes_on,
    judge_service_deployment,
    lacks_tasks,
    newer_has_traffic,
    target_deployment,
)
from ecs_cd.rollout.wanted import Wanted, runs_wanted
from ecs_cd.sanitize import comma_list


def judge(snapshot: ServiceSnapshot, wanted: Wanted, *, was_primary: bool = False, tags: Sequence[str] = ()) -> Verdict:
    """Return what this snapshot says of the wanted tag.

    `was_primary`: the tag is known to have been in the primary deployment, so that its absence means it was taken back
    rather than never applied. `tags`: those that the image of the primary deployment has in the registry, where they
    are known; else it has the one that its reference names.

    Raises:
        SettingsError: it is not clear which container is meant.
    """
    primary, target = snapshot.primary, target_deployment(snapshot)
    if primary and target and target.id == primary.id:
        # The record may show its digest where the list does not.
        primary = replace(primary, digests=primary.digests or target.digests)
    if snapshot.status != "ACTIVE":
        return Verdict(Serving.FAILED, f"The service is {snapshot.status}.")
    recorded = judge_service_deployment(snapshot, wanted)
    if recorded or primary is None:
        return recorded or _without_primary(snapshot)
    image = container_image(primary.task_definition, snapshot.target)
    match = match_image(image, primary.digests, wanted.tag, wanted.digests)
    if match is ImageMatch.SAME:
        successful = _was_successful(snapshot, primary, wanted)
        return _of_ours(snapshot, primary, image, successful=successful)
    newer = _newest(tags or ([tag_of(image)] if match is ImageMatch.OTHER else []), wanted)
    if newer:
        shown = image if newer == tag_of(image) else f"{image} ({newer} in ECR)"
        return _of_newer(snapshot, primary, shown, wanted)
    if match is ImageMatch.RETAGGED:
        return Verdict(Serving.OTHER_IMAGE, _retagged(primary, image, wanted), image, primary)
    return _of_another(snapshot, primary, image, wanted, was_primary=was_primary)


def _newest(tags: Sequence[str], wanted: Wanted) -> str:
    """Return the newest of the tags that are newer than the wanted one; empty where none is."""
    return wanted.order.newest([tag for tag in tags if wanted.order.newer(tag, str(wanted.tag))]) or ""


def _retagged(primary: Deployment, image: str, wanted: Wanted) -> str:
    """Name both digests, and say why they differ."""
    running = comma_list(known_digests(image, primary.digests))
    expected = f"the build gave {wanted.built}" if wanted.built else f"in ECR {wanted.tag} is {wanted.digests[0]}"
    why = "" if pinned_digest(image) else ", and ECS keeps the digest that it resolved until a new deployment"
    return f"{image} runs with digest {running}; {expected}. The tag was pushed again{why}."


def _without_primary(snapshot: ServiceSnapshot) -> Verdict:
    if snapshot.controller == "ECS":
        return Verdict(Serving.NOT_APPLIED, "The service has no primary deployment yet.")
    return Verdict(
        Serving.NOT_JUDGED,
        f"Its tasks are moved by {snapshot.controller}, and no task set of it is primary: nothing can be judged here.",
    )


def _was_successful(snapshot: ServiceSnapshot, primary: Deployment, wanted: Wanted) -> bool:
    """Return whether ECS's record of this very deployment says that it was successful."""
    record, ours = snapshot.service_deployment, deployment_of_target(snapshot, wanted)
    return record is not None and record.status == "SUCCESSFUL" and ours is not None and ours.id == primary.id


def _of_ours(snapshot: ServiceSnapshot, primary: Deployment, image: str, *, successful: bool) -> Verdict:
    """The primary deployment has the tag: is its rollout over? `successful`: ECS's record of it says so."""
    if primary.rollout_state == "FAILED":
        return Verdict(Serving.FAILED, primary.rollout_reason or "ECS says the rollout failed.", image, primary)
    done = primary.rollout_state == "COMPLETED" if primary.rollout_state else successful or _settled(snapshot, primary)
    if not done:
        return Verdict(Serving.ROLLING, _progress(primary), image, primary)
    if lacks_tasks(snapshot, primary):
        return Verdict(Serving.ROLLING, _too_few(snapshot, primary), image, primary)
    if snapshot.desired == 0:
        return Verdict(
            Serving.DEPLOYED, "The rollout completed; the desired count is 0, so nothing runs.", image, primary
        )
    return Verdict(Serving.DEPLOYED, f"{primary.running} of {primary.desired} tasks serve it.", image, primary)


def _too_few(snapshot: ServiceSnapshot, primary: Deployment) -> str:
    """ECS completed the deployment, and not all tasks run: it was to end early, or lost some since, or is scaled."""
    record = snapshot.service_deployment
    percent = record.early_success_percent if record else None
    early = f" at {percent}% of its tasks, as its early success criteria allow" if percent is not None else ""
    watched = " Neither circuit breaker nor alarms end it from here on." if percent is not None else ""
    return f"ECS counts the deployment as complete{early}; {_progress(primary)}{watched}"


def _settled(snapshot: ServiceSnapshot, primary: Deployment) -> bool:
    """Judge by counts where ECS gives no rollout state: task sets, and services older than it."""
    if snapshot.controller != "ECS":
        return primary.steady
    return len(snapshot.deployments) == 1 and primary.running == primary.desired and primary.pending == 0


def _progress(primary: Deployment) -> str:
    failed = f", {primary.failed_tasks} failed" if primary.failed_tasks else ""
    return f"{primary.running} of {primary.desired} tasks run, {primary.pending} are starting{failed}."


def _of_another(
    snapshot: ServiceSnapshot, primary: Deployment, image: str, wanted: Wanted, *, was_primary: bool
) -> Verdict:
    """The primary deployment has another image, no newer one: put back, or never changed?"""
    tag = str(wanted.tag)
    ours = next((d for d in snapshot.deployments if d is not primary and runs_wanted(d, snapshot.target, wanted)), None)
    if was_primary or _taken_back(snapshot, primary, ours):
        why = (ours.rollout_reason if ours else "") or _rolling_back(primary) or "its events say why."
        return Verdict(Serving.REVERTED, f"{snapshot.controller} put {image} back: {why}", image, ours or primary)
    if ours is not None and snapshot.controller != "ECS":
        return Verdict(Serving.ROLLING, f"{snapshot.controller} has not yet moved traffic to {tag}.", image, ours)
    return Verdict(Serving.NOT_APPLIED, f"The service runs {image}.", image, primary)


def _taken_back(snapshot: ServiceSnapshot, primary: Deployment, ours: Deployment | None) -> bool:
    """Return whether the circuit breaker undid our deployment, listed still or gone already, and not another's."""
    says_so = bool(_rolling_back(primary))
    if ours is not None:
        return says_so or ours.rollout_state == "FAILED"
    return says_so and not any(d.rollout_state == "FAILED" for d in snapshot.deployments)


def is_rollback(deployment: Deployment) -> bool:
    """Return whether the circuit breaker made a deployment, as its reason says."""
    return "rolling back" in deployment.rollout_reason.lower()


def _rolling_back(primary: Deployment) -> str:
    """Return the reason of a deployment that the circuit breaker made; empty for any other."""
    return primary.rollout_reason if is_rollback(primary) else ""


def _of_newer(snapshot: ServiceSnapshot, primary: Deployment, image: str, wanted: Wanted) -> Verdict:
    done = primary.rollout_state == "COMPLETED" if primary.rollout_state else _settled(snapshot, primary)
    settled = done and not goes_on(snapshot, primary) and not lacks_tasks(snapshot, primary)
    if settled or newer_has_traffic(snapshot, primary, wanted):
        return Verdict(Serving.SUPERSEDED, f"A newer image serves: {image}.", image, primary)
    if primary.rollout_state == "FAILED":
        return Verdict(Serving.FAILED, f"A newer image, {image}, failed: {primary.rollout_reason}", image, primary)
    return Verdict(Serving.ROLLING, f"A newer image is rolling out: {image}. {_progress(primary)}", image, primary)
