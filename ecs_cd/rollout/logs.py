"""What the steps need of CloudWatch Logs."""

from __future__ import annotations

from typing import Protocol

from ecs_cd.model.stopped_task import LogLocation


class Logs(Protocol):
    """The logs of the containers of one account."""

    def tail(self, location: LogLocation, lines: int) -> tuple[str, ...]:
        """Return the last lines that the container wrote, at most so many, as they are; none where there are none.

        Raises:
            AccessDenied: `logs:GetLogEvents` is not allowed.
        """
