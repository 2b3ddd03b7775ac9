"""Answer a deployment that waits for somebody: go on, or roll back."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.model.delivery import Place
from ecs_cd.rollout.judge_service_deployment import moment
from ecs_cd.rollout.pause import PausedServices, answer_pause


@dataclass(frozen=True)
class ContinueResult:
    """What came of `continue`. `stage` is the lifecycle stage at which the deployment waited, `hooks` the hooks' ids.

    `rolled_back`: it was told to roll back, else to go on. In a dry run, nothing was told.
    """

    service: str
    environment: str
    deployment: str
    stage: str
    hooks: tuple[str, ...]
    rolled_back: bool
    waited_since: str = ""
    dry_run: bool = False

    def to_text(self) -> str:
        """Return it in a sentence."""
        place = f"{self.service} in {self.environment}"
        since = f" since {self.waited_since}" if self.waited_since else ""
        waited = f"its deployment {self.deployment} has waited at {self.stage or 'a hook'}{since}"
        if self.dry_run:
            does = "be rolled back" if self.rolled_back else "go on"
            return f"{place} would {does}: {waited}."
        return f"{place} {'is rolled back' if self.rolled_back else 'goes on'}: {waited}."


def continue_now(
    place: Place, services: PausedServices, *, rollback: bool = False, dry_run: bool = False
) -> ContinueResult:
    """Let the deployment that waits go on, or have ECS roll it back; what comes of it is not waited for.

    Raises:
        SettingsError: no ECS service is named.
        EcsCdError: nothing waits, or AWS refused or could not be reached.
    """
    pause = answer_pause(services, place.require_service(), rollback=rollback, dry_run=dry_run)
    return ContinueResult(
        place.service,
        place.environment,
        deployment=pause.record.id,
        stage=pause.record.stage,
        hooks=tuple(hook.id for hook in pause.hooks),
        rolled_back=rollback,
        waited_since=moment(pause.hooks[0].since),
        dry_run=dry_run,
    )
