"""What a parent comes to, given what its children came to; and the words of expressions for it."""

from __future__ import annotations

from collections.abc import Iterable

from ecs_cd_sandbox.azure_devops.model.timeline import RecordResult

SUCCEEDED: frozenset[RecordResult] = frozenset({"succeeded", "succeededWithIssues"})
"""What counts as success."""

_NAMES: dict[RecordResult, str] = {
    "succeeded": "Succeeded",
    "succeededWithIssues": "SucceededWithIssues",
    "failed": "Failed",
    "abandoned": "Failed",
    "canceled": "Canceled",
    "skipped": "Skipped",
}


def combine(results: Iterable[RecordResult | None]) -> RecordResult:
    """Return what a parent comes to; None is a child that is not over."""
    found = set(results)
    for result in ("canceled", "abandoned", "failed", "succeededWithIssues"):
        if result in found:
            return result
    return "skipped" if found == {"skipped"} else "succeeded"


def result_name(result: RecordResult | None) -> str:
    """Return the result as expressions have it, such as `dependencies.Build.result`; nothing while there is none."""
    return _NAMES[result] if result else ""


def job_status(results: Iterable[RecordResult | None]) -> str:
    """Return `Agent.JobStatus` as a step finds it, by what the steps before it came to."""
    name = result_name(combine(results))
    return "Succeeded" if name == "Skipped" else name
