"""Why a deployment ended badly, in the words in which ECS tells it apart.

`docs/real-services.md` has the source of each; those without one are the sandbox's own words in ECS's style.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One cause.

    `event` follows "deployment failed:" in the service's events, `rollout_reason` is the failed deployment's
    `rolloutStateReason`, `rollback_reason` and `stop_reason` are the service deployment's `statusReason` with and
    without a rollback, and `prefix` begins the `rolloutStateReason` of the deployment that is returned to.
    """

    event: str
    rollout_reason: str
    rollback_reason: str
    stop_reason: str
    prefix: str


CIRCUIT_BREAKER = Failure(
    event="tasks failed to start",
    rollout_reason="ECS deployment circuit breaker: tasks failed to start.",
    rollback_reason="Service deployment rolled back because the circuit breaker threshold was exceeded.",
    stop_reason="Service deployment stopped because the circuit breaker threshold was exceeded.",
    prefix="ECS deployment circuit breaker",
)
STOPPED_BY_A_PERSON = Failure(
    event="the service deployment was stopped by a user",
    rollout_reason="ECS deployment stopped by a user.",
    rollback_reason="Service deployment rolled back because a user requested it.",
    stop_reason="Service deployment stopped because a user requested it.",
    prefix="ECS deployment stopped by a user",
)
