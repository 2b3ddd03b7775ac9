"""A lock on Terraform's state that another run holds (rule 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_cd.sanitize import single_line
from ecs_cd.support.deadline import format_duration

TERRAFORM_CLOUD = "Terraform Cloud"
"""The backend of HCP Terraform and Terraform Enterprise, which plan and apply remotely."""

OLD_LOCK = timedelta(hours=1)
"""From this age on, a lock may be one that nobody holds any more."""


@dataclass(frozen=True)
class StateLock:
    """A lock on Terraform's state that somebody else held.

    Each text is empty where it is not known. `who` is `user@host`, `operation` such as `OperationTypeApply`. `created`
    is by the holder's own clock: for display only, never for a decision. `stale`: the lock was held between the run's
    plan and its apply, so that the plan could not be applied any more.
    """

    backend: str
    id: str = ""
    path: str = ""
    operation: str = ""
    who: str = ""
    created: datetime | None = None
    stale: bool = False

    def age(self, now: datetime) -> timedelta | None:
        """Return how long it has been held by our clock; None where that is not known, or lies in the future."""
        age = now - self.created if self.created else None
        return age if age is not None and age >= timedelta() else None

    def describe(self, now: datetime) -> str:
        """Return who holds it and for how long: `ann@laptop (OperationTypeApply) holds it for 5 min`."""
        if self.stale and self.backend == TERRAFORM_CLOUD:
            return "another run was applied first, or somebody discarded the run's plan"
        if self.stale:
            return "the state changed after the run had made its plan"
        age = self.age(now)
        since = f" for {format_duration(age.total_seconds())}" if age is not None else ""
        if not self.who:
            return f"somebody holds it{since}"
        doing = f" ({single_line(self.operation)})" if self.operation else ""
        return f"{single_line(self.who)}{doing} holds it{since}"

    def advice(self, now: datetime) -> str:
        """Return what to do about a lock so old that nobody may hold it any more; empty for any other."""
        age = self.age(now)
        if age is None or age < OLD_LOCK or not self.id:
            return ""
        return (
            f"The lock is {format_duration(age.total_seconds())} old. If nobody is running Terraform, free it by hand: "
            f"`terraform force-unlock {single_line(self.id)}`."
        )
