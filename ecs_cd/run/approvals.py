"""Why a stage never began: an approval or another check before it that did not pass (rule 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_cd.errors import EcsCdError
from ecs_cd.model.run import Approval, ApprovalStatus, TimelineRecord
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.sanitize import comma_list, quoted, single_line

_PASSED = ("succeeded", "succeededWithIssues")
_APPROVAL = "Checkpoint.Approval"
_MOST_ASKED = 3
"""Names of approvers that an error shows."""


@dataclass(frozen=True)
class Denied:
    """A stage that did not begin because of a check before it. `reason` is a clause, `hint` what to do about it."""

    stage: TimelineRecord
    reason: str
    hint: str


def stopped_by_check(records: Sequence[TimelineRecord], stage: TimelineRecord) -> tuple[TimelineRecord, ...]:
    """Return the records of the checks before a stage that have ended and did not pass."""
    checkpoints = {record.id for record in records if record.parent_id == stage.id and record.kind == "Checkpoint"}
    return tuple(
        record
        for record in records
        if (record.id in checkpoints or (record.parent_id in checkpoints and record.kind.startswith("Checkpoint")))
        and record.state == "completed"
        and record.result not in _PASSED
    )


def explain_denial(pipelines: Pipelines, records: Sequence[TimelineRecord], stage: TimelineRecord) -> Denied | None:
    """Return why a stage did not begin, if a check before it is the reason.

    Who decided, and when, is one request more; where that is refused, the timeline alone is what is told.
    """
    stopped = stopped_by_check(records, stage)
    if not stopped:
        return None
    ids = [record.id for record in stopped if record.kind == _APPROVAL]
    if not ids:
        return Denied(stage, "a check before it did not pass", "See on the run's page which check it was.")
    try:
        found = pipelines.approvals(ids)
    except EcsCdError:
        found = ()
    return _denied(stage, next((one for one in found if one.status is not ApprovalStatus.APPROVED), None))


def _denied(stage: TimelineRecord, approval: Approval | None) -> Denied:
    again = "run the same command again, and have the run approved in time."
    if approval and approval.status is ApprovalStatus.REJECTED:
        who = single_line(approval.decided_by) or "somebody"
        comment = f" ({quoted(approval.comment)})" if approval.comment else ""
        return Denied(
            stage,
            f"{who} rejected its approval{_at(approval)}{comment}",
            f"Ask {who if approval.decided_by else 'the approvers'} why; when it may be applied, {again}",
        )
    if approval and approval.status is ApprovalStatus.TIMED_OUT:
        return Denied(stage, f"its approval timed out{_at(approval)}{_asked(approval)}", again.capitalize())
    return Denied(stage, f"its approval was not given{_asked(approval) if approval else ''}", again.capitalize())


def _at(approval: Approval) -> str:
    return f" at {approval.decided_at:%Y-%m-%d %H:%M} UTC" if approval.decided_at else ""


def _asked(approval: Approval) -> str:
    return f"; asked: {comma_list(approval.asked, most=_MOST_ASKED)}" if approval.asked else ""
