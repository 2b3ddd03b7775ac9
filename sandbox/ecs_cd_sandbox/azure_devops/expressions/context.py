"""What an expression can ask about: named values, how jobs ended, counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ecs_cd_sandbox.azure_devops.expressions.values import Value


class Status(Protocol):
    """Answers the status functions of a condition; `names` are jobs or stages, none stands for all depended on."""

    def always(self) -> bool:
        """Return True: the step, job or stage runs whatever happened."""

    def canceled(self) -> bool:
        """Say whether the run (for a step: the job) was cancelled."""

    def failed(self, names: Sequence[str]) -> bool:
        """Say whether any of them failed."""

    def succeeded(self, names: Sequence[str]) -> bool:
        """Say whether all of them succeeded, or did so with issues."""

    def succeededOrFailed(self, names: Sequence[str]) -> bool:  # noqa: N802 - the name of the function it answers
        """Say whether any of them succeeded or failed, or there are none."""


@dataclass(frozen=True)
class Context:
    """Named values (`variables`, `parameters`, ...), and who answers the functions that need more than values.

    `counter` takes the prefix and the seed, and returns the next number of that prefix.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    status: Status | None = None
    counter: Callable[[str, int], int] | None = None
