"""The service before the run, so that what was there already is not taken for the run's doing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from ecs_cd.errors import EcsCdError
from ecs_cd.model.events import Event, RunChanged, RunChosen
from ecs_cd.model.service import ServiceTarget
from ecs_cd.rollout.after_failed_run import FirstLook
from ecs_cd.rollout.services import Services


@dataclass
class FirstLookTaker:
    """The service as it was while the run still waited; the events it has by then are not evidence later."""

    services: Services
    target: ServiceTarget | None
    taken: bool = False
    found: FirstLook = field(default_factory=FirstLook)

    def note(self, event: Event) -> None:
        """Look at the first sight of the run, when there is nothing to do but wait for it."""
        if isinstance(event, RunChosen | RunChanged) and self.target and not self.taken:
            self.taken = True
            with suppress(EcsCdError):  # Terraform may be about to create it; the rollout phase says the rest
                self.found = FirstLook(looked=True, snapshot=self.services.snapshot(self.target))
