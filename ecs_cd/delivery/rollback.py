"""Step back and stay there, through parameter, run and rollout (rule 12); and what else concerns a hold.

    deploy     a delivery; where its rollout fails, back to what was verified, if that was asked for
    rollback   back to the version verified last, or to a named tag, and hold it there
    hold       hold what is recorded now
    release    lift the hold

The same command again, after a death anywhere, finishes what it began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_cd.delivery.deploy import Clouds, Delivering, Delivery, deploy_once, interrupted_error
from ecs_cd.delivery.journal import Journal
from ecs_cd.errors import EcsCdError, NothingVerified, ParameterRefused, RolloutFailed
from ecs_cd.image.check import check_image, unchecked_image
from ecs_cd.messages import ArgumentRef, CommandRef, Message, sentences
from ecs_cd.model.events import Phase, Watch, ignore_events
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import Mark
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.model.run import Pipeline
from ecs_cd.model.service import Serving
from ecs_cd.parameter.hold import Held, left_by, lift_hold, place_hold, unmark_verified
from ecs_cd.parameter.record import read_parameter
from ecs_cd.parameter.store import Parameters
from ecs_cd.report.report import Failure, HoldFact, Outcome, Report
from ecs_cd.run.pipelines import full_ref, resolve_pipeline
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import Deadline

_FAILED_ROLLOUTS = ("rollout-failed", "rolled-back-by-ecs")


def deliver(delivery: Delivery, clouds: Clouds, *, deadline: Deadline, watch: Watch = ignore_events) -> Report:
    """Deliver; where ECS does not serve the tag and a rollback on failure is wished, step back to what was verified.

    It failed all the same; the report says so, and to what it was rolled back. Nothing is done where the parameter
    holds another tag by then. A rollback of this very tag that died is finished.
    """
    report = deploy_once(delivery, clouds, deadline=deadline, watch=watch)
    return after_deploy(report, delivery, clouds, deadline=deadline, watch=watch)


def after_deploy(report: Report, delivery: Delivery, clouds: Clouds, *, deadline: Deadline, watch: Watch) -> Report:
    """Return the report of a delivery; step back first where its rollout failed and that was asked for."""
    if not delivery.rollback_on_failure:
        return report
    half = report.hold and report.hold.state == "under-way" and report.hold.left == report.tag
    report = _failed_before(report) if half else report
    if not report.failure or report.failure.reason not in _FAILED_ROLLOUTS:
        return report
    return _after_failure(report, roll_back(delivery, clouds, on_failure=True, deadline=deadline, watch=watch))


def roll_back(
    delivery: Delivery,
    clouds: Clouds,
    *,
    to: ImageTag | None = None,
    on_failure: bool = False,
    deadline: Deadline,
    watch: Watch = ignore_events,
) -> Report:
    """Step back to the version verified last, or to the tag `to`, hold it there, and prove that ECS serves it.

    Of `delivery` everything but tag and order counts. Already rolled back and held: the same again, so that whatever is
    missing of it is done. `on_failure`: only where the parameter holds the delivery's own tag.
    """
    journal = Journal(delivery.service, delivery.environment, to, deadline, watch, dry_run=delivery.dry_run)
    only_over = str(delivery.tag) if on_failure else ""
    work = _RollingBack(replace(delivery, order=Order.NONE), clouds, deadline, journal, to, only_over)
    try:
        outcome = work.run()
    except EcsCdError as error:
        return journal.failed(error)
    except KeyboardInterrupt:
        return journal.failed(interrupted_error(journal))
    return journal.ended(outcome)


def _failed_before(held: Report) -> Report:
    """Return the report of a delivery whose earlier attempt died while it rolled back."""
    error = RolloutFailed(
        "An earlier attempt failed and died while it was rolled back.",
        hint="See why its tasks did not stay, fix the image, and deliver a new build.",
    )
    summary = f"{held.service} {held.tag} to {held.environment}: {error.message}"
    return replace(
        held, outcome=Outcome.FAILED, exit_code=1, failure=Failure.of(error), summary=summary, warnings=(), hold=None
    )


def _after_failure(failed: Report, back: Report) -> Report:
    """Return the report of the failed delivery with what its rollback came to."""
    added = replace(
        failed,
        hold=back.hold,
        proved=(*failed.proved, *back.proved),
        warnings=(*failed.warnings, *back.warnings),
        phases=(*failed.phases, *back.phases),
        seconds=round(failed.seconds + back.seconds, 3),
    )
    if back.outcome is Outcome.ROLLED_BACK:
        summary = f"{failed.summary} It was rolled back to {back.tag} and is held there."
    elif back.failure:
        summary = f"{failed.summary} Rolling it back failed, too: {back.failure.message}"
        added = replace(added, warnings=(*added.warnings, sentences(back.failure.message, back.failure.hint)))
    else:
        summary = f"{failed.summary} It was not rolled back."
    if failed.failure and back.hold:
        unhold = CommandRef("unhold", failed.service, failed.environment)
        then = Message("Then run ", unhold, ", so that deliveries go on.")
        failure = replace(failed.failure, hint=sentences(failed.failure.hint, then))
        added = replace(added, failure=failure)
    return replace(added, summary=summary)


@dataclass(frozen=True)
class _RollingBack(Delivering):
    to: ImageTag | None
    only_over: str

    def run(self) -> Outcome:
        """Do it, and return how it ended well.

        Raises:
            EcsCdError: it did not.
        """
        with self.journal.phase(Phase.CHECK, "looking for what to go back to") as phase:
            seen, infrastructure = self._look()
            checked = None if self._came_too_late(seen) else self._choose(seen)
            phase.found = f"{seen.name} holds {seen.value}, pipeline {infrastructure.path}."
        held = self._hold(checked) if checked else None
        if held is None or checked is None:
            return self._nothing_done()
        if held.overruled:
            return self._yielded_to(held.parameter)
        change = self._changed(held, checked.tag)
        if self.delivery.dry_run:
            self.journal.prove(
                f"Would join or queue a run of {infrastructure.path} on {full_ref(self.delivery.branch)}."
            )
            return Outcome.UNCHANGED
        return self._unless_done(change) or self._through(change, checked, infrastructure)

    def _look(self) -> tuple[Parameter, Pipeline]:
        return run_together(
            lambda: read_parameter(self.clouds.parameters, self.delivery.parameter),
            lambda: resolve_pipeline(self.clouds.pipelines, self.delivery.pipeline),
        )

    def _came_too_late(self, seen: Parameter) -> bool:
        """Return whether the parameter holds another tag than the one that may be left."""
        return bool(self.only_over) and self.only_over not in (seen.value, left_by(seen))

    def _choose(self, seen: Parameter) -> CheckedImage:
        """Return the tag to go back to; its image must still be there."""
        tag = self.to or ImageTag(_target(seen))
        self.journal.tag = tag
        if self.delivery.image is None:
            return unchecked_image(tag)
        wanted = replace(self.delivery.image, tag=tag, digest="")
        checked = check_image(self.clouds.images, wanted, deadline=self.deadline)
        self.journal.image = checked
        self.journal.prove(f"ECR has {wanted.repository}:{tag}, {checked.digest}.")
        return checked

    def _nothing_done(self) -> Outcome:
        there = read_parameter(self.clouds.parameters, self.delivery.parameter)
        self.journal.warn(f"Nothing was rolled back, because {there.name} holds {there.value} by now.")
        return Outcome.UNCHANGED

    def _hold(self, checked: CheckedImage) -> Held | None:
        delivery, tag = self.delivery, str(checked.tag)
        with self.journal.phase(Phase.PARAMETER, f"holding {delivery.parameter} at {tag}") as phase:
            held = place_hold(
                self.clouds.parameters,
                delivery.parameter,
                value=tag,
                only_over=self.only_over,
                deadline=self.deadline,
                dry_run=delivery.dry_run,
            )
            if held and not held.overruled:
                phase.found = _said(held, tag, dry_run=delivery.dry_run)
                self.journal.prove(phase.found)
        return held

    def _changed(self, held: Held, tag: ImageTag) -> ParameterChange:
        """Note the hold; what was left loses its mark of proof, so that nobody goes back to it."""
        there, left, dry_run = held.parameter, held.left, self.delivery.dry_run
        recorded = Recorded.WRITTEN if held.changed or dry_run else Recorded.UNCHANGED
        version = there.version
        change = ParameterChange(there.name, tag, left, str(tag), version, recorded, dry_run=dry_run, marks=there.marks)
        self.journal.change = change
        if not dry_run:
            self.journal.hold = HoldFact("held", str(tag), version, left)
            if left != str(tag):
                unmark_verified(self.clouds.parameters, there.name, there.marks, left)
        return change

    def _unless_done(self, change: ParameterChange) -> Outcome | None:
        """Return UNCHANGED where the very version that is held was verified, and still serves."""
        target = self.delivery.target
        if change.recorded is not Recorded.UNCHANGED or change.marks.verified.version < change.version or not target:
            return None
        settled = self._already(CheckedImage(change.wanted))
        serving = self.journal.rollout.serving if self.journal.rollout else ""
        return Outcome.UNCHANGED if settled and serving == Serving.DEPLOYED.value else None

    def _through(self, change: ParameterChange, checked: CheckedImage, infrastructure: Pipeline) -> Outcome:
        """Let a run carry it, and prove the rollout."""
        before, finished = self._apply(change, checked, infrastructure)
        there = read_parameter(self.clouds.parameters, change.name)
        if there.value != change.new:
            if there.marks.holds or there.marks.turning:
                return self._yielded_to(there)
            self.journal.hold = None
            self.journal.warn(f"The hold was released meanwhile, and {there.value} recorded.")
            return Outcome.SUPERSEDED
        self._prove(checked, finished, before)
        self._marked(Outcome.ROLLED_BACK, there.marks, Mark(there.version, there.value))
        return Outcome.ROLLED_BACK


def _target(seen: Parameter) -> str:
    """Return what to go back to where nobody names it.

    What a rollback holds already, so that the same command again finishes it; else the newest verified version that
    is not the one to be left.

    Raises:
        NothingVerified: there is none.
    """
    marks, left = seen.marks, left_by(seen)
    if marks.holds and marks.held.value != left:
        return marks.held.value
    for verified in (marks.verified, marks.verified_before):
        if verified.version and verified.value != left:
            return verified.value
    raise NothingVerified(
        f"No version of {quoted(seen.name)} but {left} is known to have served, so there is nothing to go back to.",
        hint=Message("Name the tag with ", ArgumentRef("to"), "; ", CommandRef("history"), " shows the recorded ones."),
    )


def _said(held: Held, tag: str, *, dry_run: bool) -> str:
    name, left = held.parameter.name, held.left
    if dry_run:
        return f"{name} would be changed from {left} to {tag} and held there."
    if not held.changed:
        return f"{name} is held at {tag} already (version {held.parameter.version})."
    came = f"changed from {left} to {tag}" if left != tag else f"holds {tag}"
    return f"{name} {came} and is held there (version {held.parameter.version})."


@dataclass(frozen=True)
class HoldResult:
    """What became of a wish to hold or to release.

    `held`: a hold is in force now. `changed`: something was written for it; in a dry run, would have been. `tag` and
    `version` are what is on top, `left` the tag that was left for it, if a rollback made the hold.
    """

    service: str
    environment: str
    parameter: str
    tag: str
    version: int
    held: bool
    changed: bool
    left: str = ""
    dry_run: bool = False

    def to_text(self) -> str:
        """Return it in a sentence."""
        would = "would be" if self.dry_run else "is"
        place = f"{self.service} in {self.environment}"
        if self.held:
            already = "" if self.changed else " already"
            said = f"{place} {would} held at {self.tag}{already} (version {self.version})."
            return Message(
                f"{said} Nothing else is delivered until ", CommandRef("unhold", self.service, self.environment), "."
            )
        if not self.changed:
            return f"{place} is not held; it is at {self.tag} (version {self.version})."
        since = f"; it had been rolled back from {self.left}" if self.left not in ("", self.tag) else ""
        return f"{place} {would} released at {self.tag} (version {self.version}){since}. Deliveries go on from there."


def hold_now(delivery: Delivery, parameters: Parameters, *, deadline: Deadline) -> HoldResult:
    """Hold what is recorded now: no delivery writes over it until it is released.

    Raises:
        EcsCdError: the parameter cannot be read or written.
    """
    held = place_hold(parameters, delivery.parameter, deadline=deadline, dry_run=delivery.dry_run)
    if held is None or held.overruled:
        raise ParameterRefused(
            f"Somebody else is holding or rolling back {quoted(delivery.parameter)} at this moment.",
            hint=Message(
                "Look at ", CommandRef("history"), ", and run the same command again if that is not what you want."
            ),
        )
    there = held.parameter
    stands = there.marks.gated and there.marks.held.value == there.value
    return HoldResult(
        delivery.service,
        delivery.environment,
        there.name,
        there.value,
        there.version,
        held=True,
        changed=not stands if delivery.dry_run else held.changed,
        left=held.left,
        dry_run=delivery.dry_run,
    )


def unhold_now(delivery: Delivery, parameters: Parameters, *, deadline: Deadline) -> HoldResult:
    """Lift the hold, or what a rollback that died has left of one; what is recorded stays.

    Raises:
        EcsCdError: the parameter cannot be read or labelled.
    """
    released = lift_hold(parameters, delivery.parameter, deadline=deadline, dry_run=delivery.dry_run)
    there = released.parameter
    return HoldResult(
        delivery.service,
        delivery.environment,
        there.name,
        there.value,
        there.version,
        held=False,
        changed=released.changed,
        left=left_by(there) if released.changed else "",
        dry_run=delivery.dry_run,
    )
