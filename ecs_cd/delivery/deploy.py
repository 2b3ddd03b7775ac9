"""Deploy: the steps composed, for one tag of one service in one environment.

    check  ->  record  ->  apply  ->  verify

It keeps no state of its own (rule 15): killed anywhere and started again, it finds what is done and does the rest.
"""

from __future__ import annotations

from ecs_cd.delivery.context import Clouds, DeliveryContext
from ecs_cd.delivery.on_failure import roll_back_failed
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.run_review import RunReview
from ecs_cd.delivery.steps import (
    Carry,
    Checked,
    apply,
    carry_alone,
    check,
    mark_as_verified,
    record,
    verify,
    verify_without_run,
)
from ecs_cd.errors import NotApplied, RolloutFailed
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.delivery import Delivery
from ecs_cd.model.events import Watch, ignore_events
from ecs_cd.model.labels import Mark, Marks
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.model.run import Pipeline
from ecs_cd.parameter.record import ChangeState, change_status
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.run.pipelines import full_ref
from ecs_cd.support.deadline import Deadline


def deploy_service(delivery: Delivery, clouds: Clouds, *, deadline: Deadline, watch: Watch = ignore_events) -> Report:
    """Deliver, and return what happened; failures, the deadline and Ctrl-C are outcomes of the report too.

    With `rollback_on_failure`, a tag that ECS does not serve is rolled back to what was verified last. It failed all
    the same; the report says so, and what it was rolled back to. Nothing is done where the parameter holds another tag
    by then. A rollback of this very tag that died is finished.
    """
    report = ReportBuilder(delivery.place, deadline, watch, delivery.tag, dry_run=delivery.options.dry_run)
    return deploy_into(delivery, DeliveryContext(clouds, report))


def deploy_into(delivery: Delivery, context: DeliveryContext) -> Report:
    """Deliver as `deploy_service` does, adding to a report that may have begun with something else."""

    def deploy() -> Outcome:
        checked = check(delivery, context)
        change = record(delivery, checked.image, context, checked.parameter)
        return complete(delivery, checked, change, context, carry_alone(delivery.place, checked.pipeline, context))

    return roll_back_failed(context.report.of(deploy), delivery, context)


def complete(
    delivery: Delivery, checked: Checked, change: ParameterChange, context: DeliveryContext, carry: Carry
) -> Outcome:
    """Do what is left once the tag is recorded, until it serves, and return how it ended well.

    `carry` is used for the first run; where another is needed after that, it is looked for by this delivery alone.

    Raises:
        EcsCdError: it did not end well.
    """
    place, pipeline = delivery.place, checked.pipeline
    wanted = Wanted.of(checked.image, delivery.options.order, place.rollout_until)
    tried_in_vain = False
    before = checked.service
    while True:
        ended = _without_run(delivery, change, wanted, pipeline, context)
        if ended:
            return ended
        applied = apply(carry, change, context, pipeline=pipeline, target=place.target, wanted=wanted, before=before)
        carry, before = carry_alone(place, pipeline, context), None
        review = RunReview(place, pipeline, applied, context)
        later = change_status(context.clouds.parameters, change, delivery.options.order)
        if later.state is ChangeState.TAKEN_BACK:
            return _yield_to(later.parameter, delivery, context)
        if later.state is ChangeState.STANDS:
            try:
                return _verify(delivery, change, context, wanted=wanted, stands=later.parameter, review=review)
            except NotApplied as error:
                review.explain(error)
                if tried_in_vain or not review.may_try_again:
                    raise
                tried_in_vain = True
                which = "The run that was joined" if applied.joined else "The run"
                context.report.warn(f"{which} changed nothing here; trying another one, once.")
        else:
            context.report.warn(f"Somebody wrote an older tag over {change.new}; putting it right and running again.")
        change = record(delivery, checked.image, context)


def _without_run(
    delivery: Delivery, change: ParameterChange, wanted: Wanted, pipeline: Pipeline, context: DeliveryContext
) -> Outcome | None:
    """Return how the delivery ended where no run is needed for it."""
    if change.recorded is Recorded.SUPERSEDED:
        if not delivery.options.order.numbers_alike(change.new, str(delivery.tag)):
            context.report.warn(
                Message(
                    f"{delivery.tag} and {change.new} are numbered in different ways, and {change.new} counts as newer."
                    " Where the way of numbering was changed, record the first new tag once with ",
                    SettingRef("order", "none"),
                    ".",
                )
            )
        return Outcome.SUPERSEDED
    if change.recorded is Recorded.HELD:
        return _yield(delivery, change.marks, change.new, change.version, context)
    if delivery.options.dry_run:
        context.report.add_evidence(
            f"Would join or queue a run of {pipeline.path} on {full_ref(delivery.place.branch)}."
            if change.recorded is Recorded.WRITTEN
            else f"Would look whether ECS serves {change.new}, and join or queue {pipeline.path} if not."
        )
        return Outcome.UNCHANGED
    if change.recorded is not Recorded.UNCHANGED:
        return None
    verified = verify_without_run(delivery.place, wanted, context)
    if verified is None:
        return None
    mark_as_verified(verified, change.name, change.marks, Mark(change.version, change.new), context)
    return verified.outcome


def _verify(
    delivery: Delivery,
    change: ParameterChange,
    context: DeliveryContext,
    *,
    wanted: Wanted,
    stands: Parameter | None,
    review: RunReview,
) -> Outcome:
    """Verify the rollout and mark the version; yield where somebody took it back while it was rolling out.

    `stands` is the parameter as read after the run.
    """
    try:
        verified = verify(delivery.place, wanted, context, review.applied.before)
        review.require_apply(verified)
    except NotApplied:
        later = change_status(context.clouds.parameters, change, delivery.options.order)
        if later.state is not ChangeState.TAKEN_BACK:
            raise
        return _yield_to(later.parameter, delivery, context)
    if stands and stands.value == change.new:
        mark_as_verified(verified, change.name, stands.marks, Mark(stands.version, stands.value), context)
    return verified.outcome


def _yield_to(there: Parameter | None, delivery: Delivery, context: DeliveryContext) -> Outcome:
    return _yield(delivery, there.marks, there.value, there.version, context) if there else Outcome.HELD


def _yield(delivery: Delivery, marks: Marks, top: str, version: int, context: DeliveryContext) -> Outcome:
    """Yield to the hold on what is on top (rule 12).

    Raises:
        RolloutFailed: what is under way is the rollback that an earlier attempt of this very delivery began.
    """
    if delivery.options.rollback_on_failure and marks.rolling_back and marks.gate.value == str(delivery.tag):
        raise RolloutFailed(
            "An earlier attempt failed and died while it was rolled back.",
            hint="See why its tasks did not stay, fix the image, and deliver a new build.",
        )
    context.report.yield_to_hold(marks, top, version)
    return Outcome.HELD
