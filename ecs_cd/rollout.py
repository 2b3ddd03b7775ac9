"""Step 5: ECS serves the tag. A pure verdict for each snapshot, and the wait that ends with one (rule 10).

Terraform reports success when ECS's circuit breaker has put the old task definition back, and when it changed nothing
at all. So the verdict is drawn from ECS alone: what the primary deployment runs, and whether its rollout completed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ecs_cd.errors import DeadlineReached, EcsCdError, NotApplied, RolledBackByEcs, RolloutFailed, SettingsError
from ecs_cd.model import (
    CheckedImage,
    Deployment,
    FinishedRun,
    Rollout,
    ServiceEvent,
    ServiceSnapshot,
    ServiceTarget,
    Serving,
    StoppedTask,
    TaskDefinition,
    Verdict,
)
from ecs_cd.order import Order
from ecs_cd.text import listed, quoted
from ecs_cd.waiting import Deadline, Pace, wait_for

PACE = Pace(first=1.0, factor=1.3, most=10.0)
TAKING_UP = Pace(first=1.0, factor=2.0, most=4.0)
MOST_TAKING_UP = 7.0
"""Seconds after a failed run in which ECS may not yet show what the run did to it."""

SETTLE = 15.0
"""Seconds after a run's end in which DescribeServices may still answer as before (it is eventually consistent)."""

_MOST_EVENTS = 8
_MOST_TASKS = 5


class Services(Protocol):
    """The ECS services of one account and region."""

    def snapshot(self, target: ServiceTarget) -> ServiceSnapshot | None:
        """Return the service as it is now; None when the cluster has no such service."""

    def stopped_tasks(self, target: ServiceTarget, task_definition: str) -> tuple[StoppedTask, ...]:
        """Return the service's lately stopped tasks of one task definition (ARN; empty: of any), newest first."""


@dataclass(frozen=True)
class Wanted:
    """What should serve. `order` tells whether another tag that serves is a newer one."""

    image: CheckedImage
    order: Order = Order.NUMERIC


def judge(snapshot: ServiceSnapshot, wanted: Wanted, *, was_primary: bool = False) -> Verdict:
    """Return what this snapshot says of the wanted tag.

    `was_primary`: the tag is known to have been in the primary deployment, so that its absence means it was taken back
    rather than never applied.

    Raises:
        SettingsError: the container cannot be told from the others.
    """
    primary = snapshot.primary
    if snapshot.status != "ACTIVE":
        return Verdict(Serving.FAILED, f"The service is {snapshot.status}.")
    if primary is None:
        return _without_primary(snapshot)
    image = container_image(primary.task_definition, snapshot.target)
    if matches(image, wanted.image):
        return _of_ours(snapshot, primary, image)
    return _of_another(snapshot, primary, image, wanted, was_primary=was_primary)


def _without_primary(snapshot: ServiceSnapshot) -> Verdict:
    if snapshot.controller == "ECS":
        return Verdict(Serving.NOT_APPLIED, "The service has no primary deployment yet.")
    return Verdict(
        Serving.NOT_JUDGED,
        f"Its tasks are moved by {snapshot.controller}, and no task set of it is primary: nothing can be judged here.",
    )


def _of_ours(snapshot: ServiceSnapshot, primary: Deployment, image: str) -> Verdict:
    """The primary deployment has the tag: is its rollout over?"""
    if primary.rollout_state == "FAILED":
        return Verdict(Serving.FAILED, primary.rollout_reason or "ECS says the rollout failed.", image, primary)
    done = primary.rollout_state == "COMPLETED" if primary.rollout_state else _settled(snapshot, primary)
    if not done:
        return Verdict(Serving.ROLLING, _progress(primary), image, primary)
    if snapshot.desired == 0:
        return Verdict(
            Serving.DEPLOYED, "The rollout completed; the desired count is 0, so nothing runs.", image, primary
        )
    return Verdict(Serving.DEPLOYED, f"{primary.running} of {primary.desired} tasks serve it.", image, primary)


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
    """The primary deployment has another image: newer, put back, or never changed?"""
    tag = str(wanted.image.tag)
    if wanted.order.newer(tag_of(image), tag):
        return _of_newer(snapshot, primary, image)
    ours = next((d for d in snapshot.deployments if d is not primary and _runs(d, snapshot.target, wanted)), None)
    if was_primary or _taken_back(snapshot, primary, ours):
        why = (ours.rollout_reason if ours else "") or _rolling_back(primary) or "its events say why."
        return Verdict(Serving.REVERTED, f"{snapshot.controller} put {image} back: {why}", image, ours or primary)
    if ours is not None and snapshot.controller != "ECS":
        return Verdict(Serving.ROLLING, f"{snapshot.controller} has not yet moved traffic to {tag}.", image, ours)
    return Verdict(Serving.NOT_APPLIED, f"The service still runs {image}.", image, primary)


def _taken_back(snapshot: ServiceSnapshot, primary: Deployment, ours: Deployment | None) -> bool:
    """Return whether the circuit breaker undid our deployment, listed still or gone already, and not another's."""
    says_so = bool(_rolling_back(primary))
    if ours is not None:
        return says_so or ours.rollout_state == "FAILED"
    return says_so and not any(d.rollout_state == "FAILED" for d in snapshot.deployments)


def _rolling_back(primary: Deployment) -> str:
    """Return the reason of a deployment that the circuit breaker made; empty for any other."""
    return primary.rollout_reason if "rolling back" in primary.rollout_reason.lower() else ""


def _of_newer(snapshot: ServiceSnapshot, primary: Deployment, image: str) -> Verdict:
    settled = primary.rollout_state == "COMPLETED" if primary.rollout_state else _settled(snapshot, primary)
    if settled:
        return Verdict(Serving.SUPERSEDED, f"A newer image serves: {image}.", image, primary)
    if primary.rollout_state == "FAILED":
        return Verdict(Serving.FAILED, f"A newer image, {image}, failed: {primary.rollout_reason}", image, primary)
    return Verdict(Serving.ROLLING, f"A newer image is rolling out: {image}. {_progress(primary)}", image, primary)


def _runs(deployment: Deployment, target: ServiceTarget, wanted: Wanted) -> bool:
    try:
        return matches(container_image(deployment.task_definition, target), wanted.image)
    except SettingsError:  # an old revision may have had other containers
        return False


def container_image(definition: TaskDefinition, target: ServiceTarget) -> str:
    """Return the image of the one container that is meant.

    By name; else the only one; else the only one whose image comes from the repository.

    Raises:
        SettingsError: no such container, or it is not clear which of several is meant; the message lists them.
    """
    names = [c.name for c in definition.containers]
    if target.container:
        found = [c for c in definition.containers if c.name == target.container]
    elif len(definition.containers) == 1:
        found = list(definition.containers)
    else:
        found = [c for c in definition.containers if repository_of(c.image) == target.repository != ""]
    if len(found) == 1:
        return found[0].image
    if target.container:
        problem = f"has no container {quoted(target.container)}; it has {listed(names)}"
    else:
        problem = f"has several containers ({listed(names)}) and it is not clear which one carries the tag"
    raise SettingsError(
        f"Task definition {definition.name} of service {quoted(target.service)} {problem}.",
        hint="Name the container in the settings: `ecs: {container: ...}`.",
    )


def matches(image: str, wanted: CheckedImage) -> bool:
    """Return whether an image reference names the wanted digest or, where either has none, carries the wanted tag."""
    _, pinned, digest = image.partition("@")
    if pinned and wanted.digest:
        return digest == wanted.digest
    return tag_of(image) == str(wanted.tag)


def tag_of(image: str) -> str:
    """Return the tag of an image reference; empty where it has none. A port of the registry's host is not a tag."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def repository_of(image: str) -> str:
    """Return the repository of an image reference without its registry host."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else path
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def find(services: Services, target: ServiceTarget) -> ServiceSnapshot:
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


def follow(
    services: Services,
    target: ServiceTarget,
    wanted: Wanted,
    run: FinishedRun,  # noqa: ARG001 - it proves that the run is over: before that, there is nothing to judge
    *,
    deadline: Deadline,
    watch: Callable[[ServiceSnapshot, Verdict], None],
    before: ServiceSnapshot | None = None,
) -> Rollout:
    """Watch the service until the tag serves, or is known not to.

    `before`: the service as it was before the run; events it already had are not evidence.

    Raises:
        RolledBackByEcs, NotApplied, RolloutFailed: with events and stopped tasks (rule 11).
        DeadlineReached: the rollout is still going on.
    """
    watching = _Watching(services, target, wanted, deadline, watch, before)
    doing = f"waiting for ECS service {target.service} to serve {wanted.image.tag}"
    try:
        rollout = wait_for(watching.look, deadline=deadline, pace=PACE, doing=doing)
    except DeadlineReached as error:
        error.add(watching.evidence())
        raise
    if rollout.verdict.serving in (Serving.DEPLOYED, Serving.SUPERSEDED, Serving.NOT_JUDGED):
        return rollout
    raise _failure(target, wanted, rollout, watching.evidence())


def taken_up(services: Services, target: ServiceTarget, wanted: Wanted, *, deadline: Deadline) -> Verdict | None:
    """Return the verdict if the tag serves or is rolling out, though its run failed; None if it does neither.

    Raises:
        SettingsError: the container cannot be told from the others.
    """
    left = min(MOST_TAKING_UP, deadline.remaining())
    for pause in TAKING_UP.delays():
        snapshot = services.snapshot(target)
        verdict = judge(snapshot, wanted) if snapshot else None
        if verdict and verdict.serving in (Serving.DEPLOYED, Serving.ROLLING, Serving.SUPERSEDED):
            return verdict
        left -= pause
        if left <= 0 or (verdict and verdict.serving is not Serving.NOT_APPLIED):
            return None
        deadline.clock.sleep(pause)
    return None


@dataclass
class _Watching:
    """What the wait knows, and what it remembers between two looks: `ours` is the tag's deployment, once seen."""

    services: Services
    target: ServiceTarget
    wanted: Wanted
    deadline: Deadline
    watch: Callable[[ServiceSnapshot, Verdict], None]
    before: ServiceSnapshot | None
    ours: Deployment | None = None
    last: Rollout | None = None

    def __post_init__(self) -> None:
        """Note until when an answer may be the one from before the run."""
        self.settled_at = self.deadline.clock.now() + SETTLE

    def look(self) -> Rollout | None:
        """Return the end of the rollout, or None while there is more to come."""
        snapshot = find(self.services, self.target)
        was_primary = self.ours is not None or self._was_undone(snapshot)
        verdict = judge(snapshot, self.wanted, was_primary=was_primary)
        rollout = Rollout(verdict, snapshot)
        if rollout != self.last:
            self.last = rollout
            self.watch(snapshot, verdict)
        if snapshot.primary and _runs(snapshot.primary, self.target, self.wanted):
            self.ours = snapshot.primary
        return rollout if self._proves(rollout) else None

    def _was_undone(self, snapshot: ServiceSnapshot) -> bool:
        """Return whether ECS rolled back since the run began: a long run can outlast the whole of it."""
        since = new_events(snapshot, self.before) if self.before else ()
        return any("rolling back" in event.message.lower() for event in since)

    def _proves(self, rollout: Rollout) -> bool:
        """Return whether the wait is over: not while the answer may still be the one from before the run."""
        serving = rollout.verdict.serving
        if serving is Serving.ROLLING:
            return False
        unseen = self.ours is None and not self._was_undone(rollout.snapshot)
        may_be_stale = serving is Serving.NOT_APPLIED or (serving is Serving.REVERTED and unseen)
        return not may_be_stale or self.deadline.clock.now() >= self.settled_at

    def evidence(self) -> tuple[str, ...]:
        """Return stopped tasks' reasons and the service's events since the start, oldest first (rule 11)."""
        if self.last is None:
            return ()
        since = new_events(self.last.snapshot, self.before)[:_MOST_EVENTS]
        events = tuple(f"event: {event.message}" for event in reversed(since))
        if self.last.verdict.serving is Serving.NOT_APPLIED:  # nothing of ours ever ran
            return events
        try:
            stopped = self._stopped(self.last)
        except EcsCdError as error:  # evidence is a courtesy: the failure must be told without it
            return (*events, f"(stopped tasks could not be read: {error.message})")
        return (*_stopped_lines(stopped)[:_MOST_TASKS], *events)

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


def _failure(target: ServiceTarget, wanted: Wanted, rollout: Rollout, details: tuple[str, ...]) -> RolloutFailed:
    verdict = rollout.verdict
    name, tag = quoted(target.service), wanted.image.tag
    if verdict.serving is Serving.REVERTED:
        return RolledBackByEcs(
            f"{tag} did not stay on {name}. {verdict.sentence}",
            hint="See why the tasks stopped, mend the image, and release a new build.",
            details=details,
        )
    if verdict.serving is Serving.NOT_APPLIED:
        return NotApplied(
            f"The run succeeded, but it did not bring {tag} to {name}. {verdict.sentence}",
            hint="Does Terraform read this very parameter, put it into this container's image, and not ignore the "
            "change (`ignore_changes` on `task_definition` or `container_definitions`)?",
            details=details,
        )
    return RolloutFailed(
        f"The rollout of {tag} to {name} failed. {verdict.sentence}",
        hint="See why the tasks stopped, mend the image or the service, and deliver again.",
        details=details,
    )


def _stopped_lines(tasks: tuple[StoppedTask, ...]) -> list[str]:
    lines = [f"task stopped: {task.reason}{''.join(f'; {c}' for c in task.containers)}" for task in tasks]
    return list(dict.fromkeys(lines))


def new_events(snapshot: ServiceSnapshot, before: ServiceSnapshot | None) -> tuple[ServiceEvent, ...]:
    """Return the events that were not there before, newest first."""
    known = {event.id for event in before.events} if before else set()
    return tuple(event for event in snapshot.events if event.id not in known)
