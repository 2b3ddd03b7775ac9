"""Step 5: watch an ECS service until it serves the tag or is known not to; gather the evidence (rules 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

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
from ecs_cd.rollout.advice import advice_after_rollback
from ecs_cd.rollout.earlier import was_over, without_old_rollback
from ecs_cd.rollout.evidence import RolloutEvidence, gather
from ecs_cd.rollout.identity import NO_REGISTRY, Registry, another_image, judge_image
from ecs_cd.rollout.judge_service_deployment import deployment_of_target
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.wanted import Wanted, runs_wanted
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=1.0, factor=1.3, most=10.0)
SETTLE = 15.0
"""Seconds after a run's end in which DescribeServices may still answer as before (it is eventually consistent)."""

_GOOD_ENDS = (Serving.DEPLOYED, Serving.BAKING, Serving.SUPERSEDED, Serving.NOT_JUDGED)
NOT_OURS = (Serving.NOT_APPLIED, Serving.OTHER_IMAGE)
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
    watching = Watching(services, logs, target, wanted, deadline, watch, before, registry)
    doing = f"waiting for ECS service {target.service} to serve {wanted.tag}"
    try:
        rollout = wait_for(watching.look, deadline=deadline, backoff=BACKOFF, doing=doing)
    except DeadlineReached as error:
        evidence = watching.evidence()
        note(evidence)
        error.add((*watching.last_seen(), *evidence.details))
        raise
    if rollout.verdict.serving in _GOOD_ENDS:
        return rollout
    evidence = watching.evidence()
    note(evidence)
    raise (explain or failure_after_run)(watching.wanted, rollout, (*rollout.notes, *evidence.details))


@dataclass
class Watching:
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
    stages: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    over_at_first: str | None = None
    ended: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note until when an answer may be the one from before the run."""
        self.settled_at = self.deadline.clock.now() + SETTLE

    def look(self) -> Rollout | NotYet:
        """Return the end of the rollout; not yet, while there is more to come."""
        snapshot = self._with_memory(find_service(self.services, self.target))
        was_primary = self.ours is not None or self._was_rolled_back(snapshot)
        if not was_primary and self.before:
            snapshot = without_old_rollback(snapshot, self.before)
        judged = judge_image(snapshot, self.wanted, self.registry, was_primary=was_primary)
        self.wanted = judged.wanted
        rollout = Rollout(judged.verdict, snapshot, judged.notes)
        if rollout != self.last:
            self.last = rollout
            self.watch(snapshot, judged.verdict)
        if snapshot.primary and runs_wanted(snapshot.primary, self.target, self.wanted):
            self.ours = snapshot.primary
        return rollout if self._is_over(rollout) else NOT_YET

    def _with_memory(self, snapshot: ServiceSnapshot) -> ServiceSnapshot:
        """Return the snapshot without a record that had failed before the run, and with when its stage was first seen.

        ECS changes `updatedAt` whenever it pleases; the first one seen in a stage is the nearest to its beginning.
        """
        record = snapshot.service_deployment
        if record is None:
            return snapshot
        if self.over_at_first is None:
            self.over_at_first = record.arn if record.over else ""
        if record.over and record.status != "SUCCESSFUL" and was_over(record, self.before):
            return replace(snapshot, service_deployment=None)
        since = self.stages.setdefault((record.arn, record.stage), record.updated_at)
        return replace(snapshot, service_deployment=replace(record, stage_since=since))

    def last_seen(self) -> tuple[str, ...]:
        """Return what was seen last, for a wait that has no end."""
        return (f"last seen: {self.last.verdict.sentence}",) if self.last and self.last.verdict.sentence else ()

    def _was_rolled_back(self, snapshot: ServiceSnapshot) -> bool:
        """Return whether ECS rolled back since the run began: a long run can outlast the whole of it."""
        since = new_events(snapshot, self.before) if self.before else ()
        return any("rolling back" in event.message.lower() for event in since)

    def _is_over(self, rollout: Rollout) -> bool:
        """Return whether the wait is over: not while the answer may still be the one from before the run."""
        serving = rollout.verdict.serving
        if serving is Serving.ROLLING or self.needs_another_look(rollout):
            return False
        return not self._may_be_stale(rollout) or self.deadline.clock.now() >= self.settled_at

    def needs_another_look(self, rollout: Rollout) -> bool:
        """Return whether the record of a deployment may be newer than the service it was read after; once for each.

        ECS stops the former deployment when another begins, which the service names next; and where it rolls one back,
        the service has the reasons and the image that is put back next.
        """
        record, primary = rollout.snapshot.service_deployment, rollout.snapshot.primary
        if (
            record is None
            or record.arn in self.ended
            or rollout.verdict.serving
            not in (
                Serving.FAILED,
                Serving.REVERTED,
            )
        ):
            return False
        ours = rollout.verdict.deployment
        if record.status != "STOPPED" and not (ours and primary and ours.id == primary.id):
            return False
        self.ended.add(record.arn)
        return True

    def _may_be_stale(self, rollout: Rollout) -> bool:
        serving, record = rollout.verdict.serving, rollout.snapshot.service_deployment
        if serving in NOT_OURS:
            return True
        if record and deployment_of_target(rollout.snapshot, self.wanted):
            ended_badly = serving in (Serving.REVERTED, Serving.FAILED)
            return ended_badly and self.before is None and record.arn == self.over_at_first
        unseen = self.ours is None and not self._was_rolled_back(rollout.snapshot)
        return serving is Serving.REVERTED and unseen

    def evidence(self) -> RolloutEvidence:
        """Return stopped tasks, their logs and the service's events since the start (rule 11)."""
        if self.last is None:
            return RolloutEvidence()
        snapshot = self.last.snapshot
        since = self._events_since_the_start(self.last)[:_MOST_EVENTS]
        events = tuple(event.message for event in reversed(since))
        if self.last.verdict.serving in NOT_OURS:  # nothing of ours ever ran
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
        if reverted and not runs_wanted(blamed, self.target, self.wanted):
            # It came and went unseen: whatever is not of what was put back.
            return tuple(t for t in self.services.stopped_tasks(self.target, "") if t.task_definition_arn != arn)
        return self.services.stopped_tasks(self.target, arn)


Explain = Callable[[Wanted, Rollout, tuple[str, ...]], RolloutFailed]
"""Makes the error of a rollout that did not end well, with this evidence."""


def failure_without_run(wanted: Wanted, rollout: Rollout, details: tuple[str, ...]) -> RolloutFailed:
    """Return the error for somebody who asks what serves: another image is no fault of a run, nor of old events."""
    if rollout.verdict.serving is Serving.OTHER_IMAGE:
        return failure_after_run(wanted, rollout, rollout.notes)
    if rollout.verdict.serving is not Serving.NOT_APPLIED and not _came_unseen(wanted, rollout):
        return failure_after_run(wanted, rollout, details)
    name = quoted(rollout.snapshot.target.service)
    return NotServed(
        f"{name} does not serve {wanted.tag}. {rollout.verdict.sentence}",
        hint=Message(CommandRef("status"), " shows what is recorded and what serves."),
        details=rollout.notes,
    )


def _came_unseen(wanted: Wanted, rollout: Rollout) -> bool:
    """Return whether something was rolled back of which nothing shows that it was the wanted image."""
    verdict = rollout.verdict
    ours = verdict.deployment and runs_wanted(verdict.deployment, rollout.snapshot.target, wanted)
    return verdict.serving is Serving.REVERTED and not ours


def failure_after_run(wanted: Wanted, rollout: Rollout, details: tuple[str, ...]) -> RolloutFailed:
    """Return the error of a rollout that follows a run."""
    verdict = rollout.verdict
    name, tag = quoted(rollout.snapshot.target.service), wanted.tag
    if verdict.serving is Serving.REVERTED:
        return RolledBackByEcs(
            f"{tag} did not stay on {name}. {verdict.sentence}",
            hint=advice_after_rollback(rollout.snapshot.service_deployment),
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
    failed = RolloutFailed(
        f"The rollout of {tag} to {name} failed. {verdict.sentence}",
        hint="See why the tasks stopped, fix the image or the service, and deliver again.",
        details=details,
    )
    blamed = verdict.deployment
    failed.of_another = blamed is not None and not runs_wanted(blamed, rollout.snapshot.target, wanted)
    return failed


def new_events(snapshot: ServiceSnapshot, before: ServiceSnapshot | None) -> tuple[ServiceEvent, ...]:
    """Return the events that were not there before, newest first."""
    known = {event.id for event in before.events} if before else set()
    return tuple(event for event in snapshot.events if event.id not in known)
