"""The hooks of one lifecycle stage: Lambda functions that answer, and pauses that wait for somebody.

All hooks of a stage run at once, and the stage is over when all of them are (AWS: "Pause hooks for Amazon ECS service
deployments").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow

from ecs_cd_sandbox.aws.ecs_conditions import Conditions
from ecs_cd_sandbox.aws.ecs_failures import Failure, hook_failure

AWAITING_ACTION, IN_PROGRESS = "AWAITING_ACTION", "IN_PROGRESS"
SUCCEEDED, FAILED, TIMED_OUT = "SUCCEEDED", "FAILED", "TIMED_OUT"


@dataclass
class StageHook:
    """One hook that runs; `detail` is the API's `DeploymentLifecycleHookDetail`, which an answer may change."""

    stage: str
    detail: dict[str, Any]
    minutes: int
    ticks: int = 0

    @property
    def done(self) -> bool:
        """Whether the stage need not wait for it any more."""
        status: str = self.detail["status"]
        return status == SUCCEEDED or (status == TIMED_OUT and self.detail["timeoutAction"] == "CONTINUE")

    def tick(self, service: str, conditions: Conditions) -> Failure | None:
        """Move on; return why the deployment has to be rolled back."""
        self.ticks += 1
        paused = self.detail["targetType"] == "PAUSE"
        if self.detail["status"] == IN_PROGRESS:
            answer = conditions.answer(service, self.stage, self.detail["targetArn"])
            if self.ticks >= answer.ticks:
                self.detail["status"] = answer.status
        if self.detail["status"] in {AWAITING_ACTION, IN_PROGRESS} and self.ticks > conditions.clock.ticks(
            self.minutes
        ):
            self.detail["status"] = TIMED_OUT
        if self.detail["status"] == FAILED:
            target = self.detail.get("targetArn", "")
            words = f"lifecycle hook(s) failed. Lifecycle hook target {target} returned FAILED status."
            return hook_failure(f"{self.stage} {'pause hook failed.' if paused else words}")
        if self.detail["status"] == TIMED_OUT and not self.done:
            return hook_failure(f"{self.stage} {'pause' if paused else 'lifecycle'} hook timed out.")
        return None


def stage_hooks(configuration: dict[str, Any], stage: str, conditions: Conditions) -> list[StageHook]:
    """Start the hooks that the configuration has for a stage."""
    return [
        _start(one, stage, conditions)
        for one in configuration.get("lifecycleHooks") or []
        if stage in one["lifecycleStages"]
    ]


def _start(hook: dict[str, Any], stage: str, conditions: Conditions) -> StageHook:
    paused = hook["targetType"] == "PAUSE"
    minutes: int = hook["timeoutConfiguration"]["timeoutInMinutes"]
    detail = {
        "hookId": f"ecs-{'pause' if paused else 'lambda'}-{secrets.token_urlsafe(32)}",
        "targetType": hook["targetType"],
        "status": AWAITING_ACTION if paused else IN_PROGRESS,
        "expiresAt": utcnow() + conditions.clock.span(minutes),
        "timeoutAction": hook["timeoutConfiguration"]["action"],
    }
    if not paused:
        detail["targetArn"] = hook["hookTargetArn"]
    return StageHook(stage, detail, minutes)
