"""Step 5: watch an ECS service until it serves the tag or is known not to; gather the evidence (rules 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecs_cd.errors import DeadlineReached, EcsCdError, NotApplied, NotServed, RolledBackByEcs, RolloutFailed
from ecs_cd.messages import CommandRef, Message
from ecs_cd.model.image_name import containers_of
from ecs_cd.model.service import (
    Deployment,
    Rollout,
    ServiceEvent,
    ServiceSnapshot,
    ServiceTarget,
    Serving,
    Verdict,
)
from ecs_cd.model.stopped_task import StoppedTask
from ecs_cd.rollout.evidence import RolloutEvidence, gather
from ecs_cd.rollout.identity import NO_REGISTRY, Registry, another_image, judge_image
from ecs_cd.rollout.judge import Wanted, runs_wanted
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_at_most, wait_for

BACKOFF = Backoff(first=1.0, factor=1.3, most=10.0)
APPLIED_BACKOFF = Backoff(first=1.0, factor=2.0, most=4.0)
APPLIED_WAIT = 7.0
"""Seconds after a failed run in which ECS may not yet show what the run did to it."""

SETTLE = 15.0
"""Seconds after a run's end in which DescribeServices may still answer as before (it is eventually consistent)."""

_NOT_OURS = (Serving.NOT_APPLIED, Serving.OTHER_IMAGE)
"""What an answer from before the run would say, too."""

_MOST_EVENTS = 8


def find_service(services: Services, target: ServiceTarget) -> ServiceSnapshot:
    """Return the service as it is now.

    Raises:
        RolloutFailed: the cluster has no such service.
    """
    snapshot = services.snapshot(target)
    if snapshot is None:
        raise RolloutFailed(
            f"ECS cluster {quoted(target.cluster)} has no service {quoted(target.service)}.",
            hint="Check the names, account and region; the service is Terraform's to create.",
        )
    return snapshot


def ignore_evidence(evidence: RolloutEvidence) -> None:
    """Keep none of it."""


def follow_rollout(
    services: Services,
    logs: Logs,
    target: ServiceTarget,
    wanted: Wanted,
    *,
    deadline: Deadline,
    watch: Callable[[ServiceSnapshot, Verdict], None],
    before: ServiceSnapshot | None = None,
    registry: Registry = NO_REGISTRY,
    explain: Explain | None = None,
    note: Callable[[RolloutEvidence], None] = ignore_evidence,
) -> Rollout:
    """Watch the service until the tag serves, or is known not to; to be called when the run is over.

    `before`: the service as it was before the run; events it already had are not evidence. `registry`: as `judge_image`
    has it. `explain` makes the error of a rollout that did not end well; by default that of one that follows a run.
    `note` is given the evidence before the error is raised, whose details are the same in words.

    Raises:
        RolledBackByEcs, NotApplied, RolloutFailed: with events, stopped tasks and what these logged last (rule 11).
        DeadlineReached: the rollout is still going on.
    """
    watching = _Watching(services, logs, target, wanted, deadline, watch, before, registry)
    doing = f"waiting for ECS service {target.service} to serve {wanted.tag}"
    try:
        rollout = wait_for(watching.look, deadline=deadline, backoff=BACKOFF, doing=doing)
    except DeadlineReached as error:
        evidence = watching.evidence()
        note(evidence)
        error.add(evidence.details)
        raise
    if rollout.verdict.serving in (Serving.DEPLOYED, Serving.SUPERSEDED, Serving.NOT_JUDGED):
        return rollout
    evidence = watching.evidence()
    note(evidence)
    raise (explain or failure_after_run)(wanted, rollout, (*rollout.notes, *evidence.details))


def already_applied(
    services: Services,
    target: ServiceTarget,
    wanted: Wanted,
    *,
    deadline: Deadline,
    registry: Registry = NO_REGISTRY,
) -> Verdict | None:
    """Return the verdict if the tag serves or is rolling out, though its run failed; None if it does neither.

    Raises:
        SettingsError: it is not clear which container is meant.
    """

    def look() -> Verdict | NotYet | None:
        snapshot = services.snapshot(target)
        verdict = judge_image(snapshot, wanted, registry).verdict if snapshot else None
        if verdict is None or verdict.serving in _NOT_OURS:
            return NOT_YET
        return verdict if verdict.serving in (Serving.DEPLOYED, Serving.ROLLING, Serving.SUPERSEDED) else None

    seconds = min(APPLIED_WAIT, deadline.remaining())
    found = wait_at_most(look, seconds=seconds, clock=deadline.clock, backoff=APPLIED_BACKOFF)
    return None if found is NOT_YET else found


@dataclass
class _Watching:
    """What the wait knows, and what it remembers between two looks: `ours` is the tag's deployment, once seen."""

    services: Services
    logs: Logs
    target: ServiceTarget
    wanted: Wanted
    deadline: Deadline
    watch: Callable[[ServiceSnapshot, Verdict], None]
    before: ServiceSnapshot | None
    registry: Registry
    ours: Deployment | None = None
    last: Rollout | None = None

    def __post_init__(self) -> None:
        """Note until when an answer may be the one from before the run."""
        self.settled_at = self.deadline.clock.now() + SETTLE

    def look(self) -> Rollout | NotYet:
        """Return the end of the rollout; not yet, while there is more to come."""
        snapshot = find_service(self.services, self.target)
        was_primary = self.ours is not None or self._was_rolled_back(snapshot)
        judged = judge_image(snapshot, self.wanted, self.registry, was_primary=was_primary)
        self.wanted = judged.wanted
        rollout = Rollout(judged.verdict, snapshot, judged.notes)
        if rollout != self.last:
            self.last = rollout
            self.watch(snapshot, judged.verdict)
        if snapshot.primary and runs_wanted(snapshot.primary, self.target, self.wanted):
            self.ours = snapshot.primary
        return rollout if self._is_over(rollout) else NOT_YET

    def _was_rolled_back(self, snapshot: ServiceSnapshot) -> bool:
        """Return whether ECS rolled back since the run began: a long run can outlast the whole of it."""
        since = new_events(snapshot, self.before) if self.before else ()
        return any("rolling back" in event.message.lower() for event in since)

    def _is_over(self, rollout: Rollout) -> bool:
        """Return whether the wait is over: not while the answer may still be the one from before the run."""
        serving = rollout.verdict.serving
        if serving is Serving.ROLLING:
            return False
        unseen = self.ours is None and not self._was_rolled_back(rollout.snapshot)
        may_be_stale = serving in _NOT_OURS or (serving is Serving.REVERTED and unseen)
        return not may_be_stale or self.deadline.clock.now() >= self.settled_at

    def evidence(self) -> RolloutEvidence:
        """Return stopped tasks, their logs and the service's events since the start (rule 11)."""
        if self.last is None:
            return RolloutEvidence()
        snapshot = self.last.snapshot
        since = self._events_since_the_start(self.last)[:_MOST_EVENTS]
        events = tuple(event.message for event in reversed(since))
        if self.last.verdict.serving in _NOT_OURS:  # nothing of ours ever ran
            return RolloutEvidence(events=events, service_url=snapshot.url)
        try:
            stopped = self._stopped(self.last)
        except EcsCdError as error:  # the failure must be reported without this evidence, too
            unread = (f"stopped tasks could not be read: {error.message}",)
            return RolloutEvidence(events=events, unread=unread, service_url=snapshot.url)
        application = self._application(self.last)
        clock = self.deadline.clock
        return gather(stopped, self.logs, clock, application=application, events=events, service_url=snapshot.url)

    def _application(self, last: Rollout) -> str:
        """Return the name of the container that the tag is for; empty where it is not known."""
        deployment = self.ours or last.verdict.deployment
        containers = containers_of(deployment.task_definition, self.target) if deployment else ()
        return containers[0].name if containers else self.target.container

    def _events_since_the_start(self, last: Rollout) -> tuple[ServiceEvent, ...]:
        """Return the new events, newest first; without an earlier look, those since the blamed deployment began."""
        events = new_events(last.snapshot, self.before)
        began = last.verdict.deployment.created_at if last.verdict.deployment and not self.before else None
        return tuple(event for event in events if began is None or event.at is None or event.at >= began)

    def _stopped(self, last: Rollout) -> tuple[StoppedTask, ...]:
        """Return the stopped tasks that explain the verdict."""
        reverted = last.verdict.serving is Serving.REVERTED
        blamed = self.ours if self.ours and reverted else last.verdict.deployment
        if blamed is None:
            return ()
        arn = blamed.task_definition.arn
        if (
            reverted and blamed is last.snapshot.primary
        ):  # it came and went unseen: whatever is not of what was put back
            return tuple(t for t in self.services.stopped_tasks(self.target, "") if t.task_definition_arn != arn)
        return self.services.stopped_tasks(self.target, arn)


Explain = Callable[[Wanted, Rollout, tuple[str, ...]], RolloutFailed]
"""Makes the error of a rollout that did not end well, with this evidence."""


def failure_without_run(wanted: Wanted, rollout: Rollout, details: tuple[str, ...]) -> RolloutFailed:
    """Return the error for somebody who asks what serves: another image is no fault of a run, nor of old events."""
    if rollout.verdict.serving is Serving.OTHER_IMAGE:
        return failure_after_run(wanted, rollout, rollout.notes)
    if rollout.verdict.serving is not Serving.NOT_APPLIED:
        return failure_after_run(wanted, rollout, details)
    name = quoted(rollout.snapshot.target.service)
    return NotServed(
        f"{name} does not serve {wanted.tag}. {rollout.verdict.sentence}",
        hint=Message(CommandRef("status"), " shows what is recorded and what serves."),
        details=rollout.notes,
    )


def failure_after_run(wanted: Wanted, rollout: Rollout, details: tuple[str, ...]) -> RolloutFailed:
    """Return the error of a rollout that follows a run."""
    verdict = rollout.verdict
    name, tag = quoted(rollout.snapshot.target.service), wanted.tag
    if verdict.serving is Serving.REVERTED:
        return RolledBackByEcs(
            f"{tag} did not stay on {name}. {verdict.sentence}",
            hint="See why the tasks stopped, fix the image, and deliver a new build.",
            details=details,
        )
    if verdict.serving is Serving.NOT_APPLIED:
        return NotApplied(
            f"The run succeeded, but it did not bring {tag} to {name}. {verdict.sentence}",
            hint="Does Terraform read this very parameter, put it into this container's image, and not ignore the "
            "change (`ignore_changes` on `task_definition` or `container_definitions`)?",
            details=details,
        )
    if verdict.serving is Serving.OTHER_IMAGE:
        return another_image(rollout.snapshot.target, wanted, verdict, details)
    return RolloutFailed(
        f"The rollout of {tag} to {name} failed. {verdict.sentence}",
        hint="See why the tasks stopped, fix the image or the service, and deliver again.",
        details=details,
    )


def new_events(snapshot: ServiceSnapshot, before: ServiceSnapshot | None) -> tuple[ServiceEvent, ...]:
    """Return the events that were not there before, newest first."""
    known = {event.id for event in before.events} if before else set()
    return tuple(event for event in snapshot.events if event.id not in known)
