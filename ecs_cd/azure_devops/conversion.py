"""The SDK's models converted to our values. Every text in them is untrusted, and any of them may be missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from ecs_cd.model.run import (
    AZURE_DEVOPS_ITSELF,
    Approval,
    ApprovalStatus,
    Pipeline,
    QueueStatus,
    Run,
    RunPreview,
    RunState,
    TimelineRecord,
)

_TIMESTAMP = re.compile(r"\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z ?")
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")
_MOST_CHARACTERS = 4000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z?$")
_KINDS = ("Stage", "Phase", "Job", "Task")
_SERVICE_ID = "00000002-0000-8888-8000-000000000000"
"""The identity of Azure DevOps itself, as seen in public captures of builds; some of them give only its names."""

_STATUS = {
    "notstarted": RunState.WAITING,
    "postponed": RunState.WAITING,
    "inprogress": RunState.RUNNING,
    "cancelling": RunState.CANCELLING,
}
_QUEUE_STATUS = {status.value: status for status in QueueStatus}
_RESULT = {
    "succeeded": RunState.SUCCEEDED,
    "partiallysucceeded": RunState.PARTIALLY_SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELLED,
    "abandoned": RunState.CANCELLED,
}


class IncompleteAnswer(ValueError):
    """An answer lacks what every such answer has. Never leaves this package."""


def to_pipeline(definition: Any) -> Pipeline | None:  # noqa: ANN401 - the SDK has no types
    """Return a build definition as a pipeline; None for a draft or one that is being deleted."""
    if _word(definition.quality) == "draft" or _word(definition.queue_status) == "deleted":
        return None
    return Pipeline(
        _id(definition.id),
        _text(definition.name),
        _text(definition.path) or "\\",
        _web_link(definition),
        _QUEUE_STATUS.get(_word(definition.queue_status), QueueStatus.ENABLED),
        _text(definition.project.id) if definition.project else "",
    )


def to_preview(found: Any) -> RunPreview | None:  # noqa: ANN401 - the SDK has no types
    """Return the preview of a run; None where the answer has no YAML."""
    text = _text(found.final_yaml) if found else ""
    return RunPreview(text) if text else None


def to_queued_run(run: Any, pipeline: Pipeline, branch: str, otherwise: str) -> Run:  # noqa: ANN401 - the SDK has no types
    """Return a run as the Pipelines API answers right after it was queued; `otherwise` is its link if it has none.

    That API has no word for a run that waits: until it is completed, or being cancelled, it counts as waiting.
    """
    states = {"completed": _result(run.result), "canceling": RunState.CANCELLING}
    number = _id(run.id)
    return Run(
        number,
        _text(run.name) or str(number),
        _web_link(run) or otherwise.format(run_id=number),
        states.get(_word(run.state), RunState.WAITING),
        pipeline.id,
        branch,
        queued_at=_time(run.created_date),
        finished_at=_time(run.finished_date),
    )


def to_run(build: Any, otherwise: str) -> Run:  # noqa: ANN401 - the SDK has no types
    """Return a build as a run.

    Raises:
        IncompleteAnswer: it has no id or no status that we know.
    """
    number, status = _id(build.id), _word(build.status)
    if status != "completed" and status not in _STATUS:
        raise IncompleteAnswer("status")
    changed_by, by_service = _identity(build.last_changed_by)
    return Run(
        number,
        _text(build.build_number) or str(number),
        _web_link(build) or otherwise.format(run_id=number),
        _result(build.result) if status == "completed" else _STATUS[status],
        _id(build.definition.id),
        _text(build.source_branch),
        queued_at=_time(build.queue_time),
        started_at=_time(build.start_time),
        finished_at=_time(build.finish_time),
        changed_by=changed_by,
        by_service=by_service,
        tags=tuple(tag for tag in build.tags or () if isinstance(tag, str)),
        template_parameters=_texts(build.template_parameters),
        variables=_variables(build.parameters),
    )


def _identity(identity: Any) -> tuple[str, bool]:  # noqa: ANN401 - the SDK has no types
    """Return an identity's name, and whether it is the service's own; its names are asked where it has no id."""
    if not identity:
        return "", False
    name, known = _text(identity.display_name), _text(identity.id)
    if known:
        return name, known.lower() == _SERVICE_ID
    return name, name == AZURE_DEVOPS_ITSELF or _text(identity.unique_name).startswith(
        (_SERVICE_ID, AZURE_DEVOPS_ITSELF)
    )


def _texts(values: object) -> dict[str, str]:
    """Return a map of texts; a value that is none (the documents know only texts) as JSON."""
    if not isinstance(values, Mapping):
        return {}
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _variables(parameters: object) -> dict[str, str]:
    """Return the variables a build was queued with: a JSON object inside a text. What cannot be read has no name."""
    text = _text(parameters)
    if not text:
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    return _texts(values) if isinstance(values, dict) else {"": text}


def to_timeline(timeline: Any) -> tuple[TimelineRecord, ...]:  # noqa: ANN401 - the SDK has no types
    """Return the records of a timeline that we know a use for; none when there is no timeline yet."""
    records = (timeline.records or []) if timeline else []
    return tuple(_record(r) for r in records if r.type in _KINDS or str(r.type).startswith("Checkpoint"))


def _record(record: Any) -> TimelineRecord:  # noqa: ANN401 - the SDK has no types
    issues = record.issues or []
    return TimelineRecord(
        id=_text(record.id),
        parent_id=_text(record.parent_id),
        kind=_text(record.type),
        name=_text(record.name),
        state=_text(record.state),
        result=_text(record.result),
        order=record.order or 0,
        log_id=record.log.id if record.log else None,
        errors=tuple(_plain(_text(issue.message)) for issue in issues if _word(issue.type) == "error"),
        attempt=record.attempt or 0,
        worker=_text(record.worker_name),
    )


def to_approval(approval: Any) -> Approval:  # noqa: ANN401 - any JSON
    """Return an approval; what cannot be read of it is empty. The step that decided it tells by whom and when."""
    found = approval if isinstance(approval, dict) else {}
    steps = [step for step in found.get("steps") or () if isinstance(step, dict)]
    status = _APPROVAL.get(_word(found.get("status")), ApprovalStatus.OTHER)
    decided = next((step for step in steps if _word(step.get("status")) in _DECISIONS.get(status, ())), {})
    return Approval(
        id=_text(found.get("id")).lower(),
        status=status,
        decided_by=_person(decided.get("actualApprover")) or _person(decided.get("lastModifiedBy")),
        decided_at=_moment(decided.get("lastModifiedOn") or found.get("lastModifiedOn")),
        comment=_plain(_text(decided.get("comment"))),
        asked=tuple(filter(None, (_person(step.get("assignedApprover")) for step in steps))),
    )


_APPROVAL = {status.value.lower(): status for status in ApprovalStatus if status is not ApprovalStatus.UNKNOWN}
_DECISIONS = {ApprovalStatus.REJECTED: ("rejected",), ApprovalStatus.APPROVED: ("approved",)}


def _person(identity: object) -> str:
    return _text(identity.get("displayName")) if isinstance(identity, dict) else ""


def _moment(text: object) -> datetime | None:
    """Return a moment of JSON; Python 3.10 reads no more than six digits of a second's fractions, and no `Z`."""
    match = _MOMENT.match(_text(text))
    return datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc) if match else None


def to_log_line(line: str) -> str:
    """Return a line of a task's log as the task wrote it: without the agent's timestamp and the terminal's colours.

    It stays one line, cut where nobody reads on. It is not sanitized yet: what prints it does that.
    """
    return _plain(_TIMESTAMP.sub("", " ".join(_text(line).splitlines()), count=1))


def _plain(text: str) -> str:
    return _COLOUR.sub("", text[:_MOST_CHARACTERS])


def _result(result: object) -> RunState:
    """Return how a completed run ended; failed where the result is missing or unknown."""
    return _RESULT.get(_word(result), RunState.FAILED)


def _web_link(model: Any) -> str:  # noqa: ANN401 - the SDK has no types
    """Return the link for a browser, if it is one: nothing else may become clickable."""
    links = model._links  # noqa: SLF001 - the SDK's name for a public field
    link = _text(links.web) if links else ""
    try:
        url = urlsplit(link)
    except ValueError:
        return ""
    safe = url.scheme in ("http", "https") and url.hostname and "@" not in url.netloc and link.isprintable()
    return link if safe and " " not in link else ""


def _time(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _id(number: object) -> int:
    if not isinstance(number, int) or number <= 0:
        raise IncompleteAnswer("id")
    return number


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""
