"""Environments as the service keeps them, and the approvals that stages wait for before they deploy to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.definitions import Environment
from ecs_cd_sandbox.azure_devops.model.identities import Identity

ApprovalStatus = Literal["pending", "approved", "rejected", "canceled", "timedOut"]


@dataclass(frozen=True)
class KnownEnvironment:
    """An environment with the number the service gave it."""

    id: int
    definition: Environment
    created: datetime

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name


class Environments:
    """The environments by name, in any letter case; one that is not known is created on first use, without checks."""

    def __init__(self, environments: Iterable[Environment], clock: Callable[[], datetime]) -> None:
        """Start with some."""
        self._clock = clock
        self._known: dict[str, KnownEnvironment] = {}
        for environment in environments:
            self.define(environment)

    def define(self, environment: Environment) -> KnownEnvironment:
        """Add an environment, or change the one of its name."""
        key = environment.name.lower()
        known = self._known.get(key)
        identifier, created = (known.id, known.created) if known else (len(self._known) + 1, self._clock())
        self._known[key] = KnownEnvironment(identifier, environment, created)
        return self._known[key]

    def use(self, name: str) -> KnownEnvironment:
        """Return the environment a job deploys to."""
        return self._known.get(name.lower()) or self.define(Environment(name))

    def all(self) -> list[KnownEnvironment]:
        """Return every environment."""
        return list(self._known.values())


@dataclass
class Approval:
    """One approval: a stage of a run waits until one of the approvers has answered. Its id is that of its record."""

    id: str
    run_id: int
    environment: KnownEnvironment
    created: datetime
    changed: datetime
    status: ApprovalStatus = "pending"
    answered_by: Identity | None = None
    comment: str = ""

    @property
    def deadline(self) -> datetime:
        """Until when it can be answered."""
        return self.created + timedelta(minutes=self.environment.definition.timeout)

    @property
    def approvers(self) -> tuple[Identity, ...]:
        """Who may answer."""
        return self.environment.definition.approvers

    def may_answer(self, person: Identity) -> bool:
        """Say whether somebody is one of the approvers."""
        return person.id in {approver.id for approver in self.approvers}

    def answer(self, status: ApprovalStatus, by: Identity | None, now: datetime, comment: str = "") -> None:
        """Note the answer."""
        self.status, self.answered_by, self.changed, self.comment = status, by, now, comment
