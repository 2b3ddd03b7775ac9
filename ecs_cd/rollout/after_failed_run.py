"""Step 5: what ECS shows of a tag whose run failed: it may serve all the same, or be the reason (rule 10).

With `wait_for_steady_state`, Terraform's apply fails because ECS rejects the image. Then ECS is what failed: its
evidence counts, and so does whether the service was taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecs_cd.errors import RolloutFailed
from ecs_cd.model.service import Rollout, ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.rollout.earlier import was_over
from ecs_cd.rollout.evidence import RolloutEvidence
from ecs_cd.rollout.follow import NOT_OURS, Watching, failure_after_run, ignore_evidence
from ecs_cd.rollout.identity import NO_REGISTRY, Registry, judge_image
from ecs_cd.rollout.judge_service_deployment import deployment_of_target
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.wanted import Wanted, runs_wanted
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_at_most

BACKOFF = Backoff(first=1.0, factor=2.0, most=4.0)
WAIT = 7.0
"""Seconds after a failed run in which ECS may not yet show what the run did to it."""
_SERVES = (Serving.DEPLOYED, Serving.BAKING, Serving.ROLLING, Serving.SUPERSEDED)


@dataclass(frozen=True)
class FirstLook:
    """The service before the run: `snapshot` is None where there was none (`looked`) or it could not be seen."""

    looked: bool = False
    snapshot: ServiceSnapshot | None = None


def look_after_failed_run(
    services: Services,
    logs: Logs,
    target: ServiceTarget,
    wanted: Wanted,
    first: FirstLook,
    *,
    deadline: Deadline,
    registry: Registry = NO_REGISTRY,
    note: Callable[[RolloutEvidence], None] = ignore_evidence,
) -> Verdict | RolloutFailed | None:
    """Return the verdict if the tag serves or is rolling out, and the failure if ECS rejected it since the run began.

    None if neither can be said: then the run's own failure is all that is known. `note` is given the evidence of a
    failure, whose details are the same in words.

    Raises:
        SettingsError: it is not clear which container is meant.
    """
    watching = Watching(
        services, logs, target, wanted, deadline, lambda _snapshot, _verdict: None, first.snapshot, registry
    )

    def look() -> Verdict | RolloutFailed | NotYet | None:
        snapshot = services.snapshot(target)
        judged = judge_image(snapshot, wanted, registry) if snapshot else None
        if snapshot is None or judged is None or judged.verdict.serving in NOT_OURS:
            return NOT_YET
        verdict = judged.verdict
        if verdict.serving in _SERVES:
            return verdict
        if not _rejected_since(first, snapshot, verdict, judged.wanted):
            return None
        watching.last = Rollout(verdict, snapshot)
        if watching.needs_another_look(watching.last):
            return NOT_YET
        evidence = watching.evidence()
        note(evidence)
        return failure_after_run(judged.wanted, watching.last, evidence.details)

    seconds = min(WAIT, deadline.remaining())
    found = wait_at_most(look, seconds=seconds, clock=deadline.clock, backoff=BACKOFF)
    return None if found is NOT_YET else found


def _rejected_since(first: FirstLook, snapshot: ServiceSnapshot, verdict: Verdict, wanted: Wanted) -> bool:
    """Return whether ECS rejected this very image, and in a deployment that had not ended when the run began."""
    if verdict.serving not in (Serving.FAILED, Serving.REVERTED) or not first.looked:
        return False
    before, record = first.snapshot, snapshot.service_deployment
    if record and deployment_of_target(snapshot, wanted):
        return not was_over(record, before)
    ours = verdict.deployment
    if ours is None or not runs_wanted(ours, snapshot.target, wanted):
        return False
    states = {one.id: one.rollout_state for one in before.deployments} if before else {}
    return states.get(ours.id) != "FAILED"
