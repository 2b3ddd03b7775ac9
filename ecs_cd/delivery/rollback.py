"""Rollback: back to an earlier tag, held there, through parameter, run and rollout as any delivery (rule 12).

    look  ->  choose  ->  hold  ->  apply  ->  verify

The same command again, after a death anywhere, finishes what it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecs_cd.delivery.context import Clouds, DeliveryContext
from ecs_cd.delivery.preflight import Preflight, ask_all, raise_refusals
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.run_review import RunReview
from ecs_cd.delivery.steps import apply, carry_alone, mark_as_verified, verify, verify_without_run
from ecs_cd.errors import EcsCdError, NotApplied, NothingVerified
from ecs_cd.image.check import check_image, unchecked_image
from ecs_cd.messages import ArgumentRef, CommandRef, Message
from ecs_cd.model.delivery import Place
from ecs_cd.model.events import Phase, Watch, ignore_events
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import Mark
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.parameter.hold import Held, describe_hold, place_hold, previous_value, unmark_verified
from ecs_cd.parameter.record import holding_a_tag, read_parameter
from ecs_cd.report.facts import HoldFact, Outcome
from ecs_cd.report.report import Report
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.run.pipelines import full_ref
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Rollback:
    """What is rolled back. `to`: the tag to go back to; None: the one verified last.

    `only_over`: only where the parameter holds this tag; empty: whatever it holds.
    """

    place: Place
    to: ImageTag | None = None
    only_over: str = ""
    dry_run: bool = False


def roll_back(
    place: Place,
    clouds: Clouds,
    *,
    to: ImageTag | None = None,
    only_over: str = "",
    dry_run: bool = False,
    deadline: Deadline,
    watch: Watch = ignore_events,
) -> Report:
    """Go back to the version verified last, or to the tag `to`, hold it there, and verify that ECS serves it.

    Rolled back and held already: the same again, so that whatever is missing of it is done. `only_over`: nothing is
    changed where the parameter holds another tag than this one.
    """
    report = ReportBuilder(place, deadline, watch, to, dry_run=dry_run)
    rollback, context = Rollback(place, to, only_over, dry_run), DeliveryContext(clouds, report)
    return report.of(lambda: _roll_back(rollback, context))


def _roll_back(rollback: Rollback, context: DeliveryContext) -> Outcome:
    place, report = rollback.place, context.report
    with report.phase(Phase.CHECK, "looking for what to go back to") as phase:
        found = ask_all(place, context.clouds, context.deadline.clock)
        seen, pipeline = holding_a_tag(found.parameter.parameter, place.parameter), found.run.pipeline
        image = _choose(rollback, seen, context) if _may_leave(rollback, seen) else None
        if image and not _stands(seen, image):
            raise_refusals(found, expected_missing=False)
        phase.found = f"{seen.name} holds {seen.value}, pipeline {pipeline.path}."
    held = _hold(rollback, image, context) if image else None
    if held is None or image is None:
        return _nothing_done(place, context)
    if held.overruled:
        return _yield_to(held.parameter, context)
    change = _change(held, image, context, dry_run=rollback.dry_run)
    if rollback.dry_run:
        report.add_evidence(f"Would join or queue a run of {pipeline.path} on {full_ref(place.branch)}.")
        return Outcome.UNCHANGED
    if _is_done(place, change, image, context):
        return Outcome.UNCHANGED
    return _complete(place, change, image, found, context)


def _stands(seen: Parameter, image: CheckedImage) -> bool:
    """Return whether the tag is held already, and was seen to serve since."""
    return seen.marks.holds and seen.value == str(image.tag) and seen.marks.verified.version >= seen.version


def _may_leave(rollback: Rollback, seen: Parameter) -> bool:
    """Return whether the parameter holds the tag that may be left, or did before an earlier attempt."""
    return not rollback.only_over or rollback.only_over in (seen.value, previous_value(seen))


def _choose(rollback: Rollback, seen: Parameter, context: DeliveryContext) -> CheckedImage:
    """Return the tag to go back to; its image must still be there."""
    tag = rollback.to or ImageTag(_verified_before(seen, on_failure=bool(rollback.only_over)))
    context.report.tag = tag
    reference = rollback.place.image(tag)
    if reference is None:
        return unchecked_image(tag)
    checked, recorded = run_together(
        lambda: check_image(context.clouds.images, reference, deadline=context.deadline),
        lambda: _recorded_last(seen.name, tag, context),
    )
    context.report.add_image(checked, reference.repository)
    if recorded and checked.pushed_at and checked.pushed_at > recorded:
        context.report.warn(
            f"ECR's image {tag} was pushed at {checked.pushed_at:%Y-%m-%d %H:%M} UTC, after the tag was recorded last "
            f"({recorded:%Y-%m-%d %H:%M} UTC): it is not the image that {tag} was then."
        )
    return checked


def _recorded_last(parameter: str, tag: ImageTag, context: DeliveryContext) -> datetime | None:
    """Return when the tag was recorded last; None where that is not known."""
    try:
        versions = context.clouds.parameters.history(parameter)
    except EcsCdError:  # only a warning depends on it
        return None
    return next((one.modified_at for one in reversed(versions) if one.value == str(tag)), None)


def _verified_before(seen: Parameter, *, on_failure: bool) -> str:
    """Return the tag to go back to where nobody names it.

    What a rollback holds already, so that the same command again finishes it; else the newest verified version that
    is not the one to be left.

    Raises:
        NothingVerified: there is none.
    """
    marks, previous = seen.marks, previous_value(seen)
    if marks.holds and marks.held.value != previous:
        return marks.held.value
    for verified in (marks.verified, marks.verified_before):
        if verified.version and verified.value != previous:
            return verified.value
    served = any(mark.version and mark.value == previous for mark in (marks.verified, marks.verified_before))
    but = f" but {previous}" if served else ""
    by_name = Message("Name the tag with ", ArgumentRef("to"), "; ", CommandRef("history"), " shows the recorded ones.")
    raise NothingVerified(
        f"No version of {quoted(seen.name)}{but} is known to have served, so there is nothing to go back to.",
        hint="Deliver a tag that works, or roll back to a tag by hand." if on_failure else by_name,
    )


def _nothing_done(place: Place, context: DeliveryContext) -> Outcome:
    there = read_parameter(context.clouds.parameters, place.parameter)
    context.report.warn(f"Nothing was rolled back, because {there.name} holds {there.value} by now.")
    return Outcome.UNCHANGED


def _yield_to(there: Parameter, context: DeliveryContext) -> Outcome:
    context.report.yield_to_hold(there.marks, there.value, there.version)
    return Outcome.HELD


def _hold(rollback: Rollback, image: CheckedImage, context: DeliveryContext) -> Held | None:
    parameter, tag, report = rollback.place.parameter, str(image.tag), context.report
    with report.phase(Phase.PARAMETER, f"holding {parameter} at {tag}") as phase:
        held = place_hold(
            context.clouds.parameters,
            parameter,
            value=tag,
            only_over=rollback.only_over,
            deadline=context.deadline,
            dry_run=rollback.dry_run,
        )
        if held and not held.overruled:
            phase.found = describe_hold(held, tag, dry_run=rollback.dry_run)
            report.add_evidence(phase.found)
    return held


def _change(held: Held, image: CheckedImage, context: DeliveryContext, *, dry_run: bool) -> ParameterChange:
    """Report the hold; what was left is verified no more, so that nobody goes back to it."""
    change, report = held.change(image.tag, dry_run=dry_run), context.report
    report.change = change
    if not dry_run:
        report.hold = HoldFact("held", change.new, change.version, held.previous)
        if held.previous != change.new:
            unmark_verified(context.clouds.parameters, change.name, change.marks, held.previous)
    return change


def _is_done(place: Place, change: ParameterChange, image: CheckedImage, context: DeliveryContext) -> bool:
    """Return whether the very version that is held was verified, and still serves.

    Raises:
        AnotherImage: as `verify_without_run` says.
    """
    if change.recorded is not Recorded.UNCHANGED or change.marks.verified.version < change.version:
        return False
    verified = verify_without_run(place, Wanted.of(image, Order.NONE), context)
    return verified is not None and verified.serves


def _complete(
    place: Place, change: ParameterChange, image: CheckedImage, found: Preflight, context: DeliveryContext
) -> Outcome:
    """Have a run carry the change, and verify the rollout."""
    pipeline, before = found.run.pipeline, found.rollout.snapshot
    # Without an order: the newer one that still serves has not taken its place.
    wanted = Wanted.of(image, Order.NONE, place.rollout_until)
    carry = carry_alone(place, pipeline, context)
    applied = apply(carry, change, context, pipeline=pipeline, target=place.target, wanted=wanted, before=before)
    there = read_parameter(context.clouds.parameters, change.name)
    if there.value != change.new:
        if there.marks.holds or there.marks.rolling_back:
            return _yield_to(there, context)
        context.report.hold = None
        context.report.warn(f"The hold was lifted during the rollback, and {there.value} was recorded.")
        return Outcome.SUPERSEDED
    review = RunReview(place, pipeline, applied, context)
    try:
        verified = verify(place, wanted, context, applied.before)
        review.require_apply(verified)
    except NotApplied as error:
        review.explain(error)
        raise
    if verified.outcome is Outcome.APPLIED:
        context.report.summary += " It is held there."
    mark_as_verified(verified, there.name, there.marks, Mark(there.version, there.value), context)
    return Outcome.ROLLED_BACK
