"""Whether a step, job or stage runs: its condition, and what the status functions in it look at.

Source: https://learn.microsoft.com/azure/devops/pipelines/process/expressions ("Job status functions") and
.../process/conditions. A skipped dependency did not succeed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.expressions import Context, ExpressionError, Scope, Status, Value, parse, truthy
from ecs_cd_sandbox.azure_devops.model.definitions import Condition
from ecs_cd_sandbox.azure_devops.model.results import SUCCEEDED, combine
from ecs_cd_sandbox.azure_devops.model.timeline import RecordResult

_FAILED: frozenset[RecordResult | None] = frozenset({"failed", "abandoned"})


class ConditionError(Exception):
    """A condition cannot be evaluated; the message says which and why."""


def holds(condition: Condition, scope: Scope, values: Mapping[str, Value], status: Status) -> bool:
    """Say whether a condition holds.

    Raises:
        ConditionError: it cannot be evaluated.
    """
    try:
        return truthy(parse(condition, scope).evaluate(Context(values, status)))
    except ExpressionError as error:
        raise ConditionError(f"The condition '{condition}' could not be evaluated: {error}") from error


@dataclass(frozen=True)
class GraphStatus:
    """The status functions of a job or stage: `results` are those of all it depends on, by name."""

    results: Mapping[str, RecordResult | None]
    cancelled: bool = False
    left_out: frozenset[str] = field(default_factory=frozenset)
    """Dependencies that whoever queued the run asked to skip: they are as if they were not there."""

    def always(self) -> bool:
        """Say yes."""
        return True

    def canceled(self) -> bool:
        """Say whether the run (for a job: its stage) was cancelled."""
        return self.cancelled

    def failed(self, names: Sequence[str]) -> bool:
        """Say whether any dependency, or any of those named, failed."""
        return not self.cancelled and any(result in _FAILED for result in self._results(names))

    def succeeded(self, names: Sequence[str]) -> bool:
        """Say whether all dependencies, or all of those named, succeeded or did so with issues."""
        return not self.cancelled and all(result in SUCCEEDED for result in self._results(names))

    def succeededOrFailed(self, names: Sequence[str]) -> bool:  # noqa: N802 - the name of the function it answers
        """Say whether any of those named succeeded or failed; without names, whether nothing was cancelled."""
        if names:
            return not self.cancelled and any(result in SUCCEEDED | _FAILED for result in self._results(names))
        return not self.cancelled and "canceled" not in self._results(names)

    def _results(self, names: Sequence[str]) -> list[RecordResult | None]:
        known = {name.lower(): result for name, result in self.results.items()}
        if names:
            return [known.get(name.lower()) for name in names]
        return [result for name, result in known.items() if name not in self.left_out]


class StepStatus:
    """The status functions of a step, which look at the steps before it in its job."""

    def __init__(self, results: Iterable[RecordResult | None], *, cancelled: bool) -> None:
        """Take what the steps before came to, and whether the job was told to stop."""
        self._status: RecordResult = "canceled" if cancelled else combine(results)

    def always(self) -> bool:
        """Say yes."""
        return True

    def canceled(self) -> bool:
        """Say whether the job was told to stop."""
        return self._status == "canceled"

    def failed(self, names: Sequence[str]) -> bool:  # noqa: ARG002 - a step names nothing
        """Say whether a step before failed."""
        return self._status in _FAILED

    def succeeded(self, names: Sequence[str]) -> bool:  # noqa: ARG002 - a step names nothing
        """Say whether no step before failed."""
        return not self.canceled() and self._status not in _FAILED

    def succeededOrFailed(self, names: Sequence[str]) -> bool:  # noqa: N802, ARG002 - the function's name; none are named
        """Say whether the job was not told to stop."""
        return not self.canceled()
