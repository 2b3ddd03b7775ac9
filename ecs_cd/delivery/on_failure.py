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
    if context.report.of_another:
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
        evidence=_once(failed.evidence, back.evidence),
        warnings=_once(failed.warnings, back.warnings),
        phases=(*failed.phases, *back.phases),
        seconds=round(failed.seconds + back.seconds, 3),
    )
    hint = failed.failure.hint if failed.failure else ""
    if back.outcome is Outcome.ROLLED_BACK:
        summary = f"{failed.summary} It was rolled back to {back.tag} and is held there."
    elif back.failure:
        summary = f"{failed.summary} Rolling it back failed, too: {back.failure.message}"
        hint = hint if back.failure.hint in hint else sentences(hint, back.failure.hint)
    else:
        summary = f"{failed.summary} It was not rolled back."
    if back.hold:
        unhold = CommandRef("unhold", failed.service, failed.environment)
        hint = sentences(hint, Message("Then run ", unhold, ", so that deliveries go on."))
    if failed.failure:
        added = replace(added, failure=replace(failed.failure, hint=hint))
    return replace(added, summary=summary)


def _once(first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *then)))
