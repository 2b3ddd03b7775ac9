"""Where a rollout failed: back to what was verified last, if that was asked for, and one report of both."""

from __future__ import annotations

from dataclasses import replace

from ecs_cd.delivery.context import DeliveryContext
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.errors import RolledBackByEcs, RolloutFailed
from ecs_cd.messages import CommandRef, Message, sentences
from ecs_cd.model.delivery import Delivery
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report

_FAILED_ROLLOUTS = (RolloutFailed.reason, RolledBackByEcs.reason)


def roll_back_failed(report: Report, delivery: Delivery, context: DeliveryContext) -> Report:
    """Return the report of a delivery; go back first where its rollout failed and that was asked for.

    Nothing is changed where the parameter holds another tag by then.
    """
    failure = report.failure
    if not delivery.options.rollback_on_failure or failure is None or failure.reason not in _FAILED_ROLLOUTS:
        return report
    back = roll_back(
        delivery.place,
        context.clouds,
        only_over=str(delivery.tag),
        dry_run=delivery.options.dry_run,
        deadline=context.deadline,
        watch=context.report.watch,
    )
    return with_rollback(report, back)


def with_rollback(failed: Report, back: Report) -> Report:
    """Return the report of a failed delivery with what its rollback came to."""
    added = replace(
        failed,
        hold=back.hold,
        evidence=(*failed.evidence, *back.evidence),
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
