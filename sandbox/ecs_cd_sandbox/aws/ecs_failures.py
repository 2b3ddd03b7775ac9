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


def alarm_failure(names: list[str]) -> Failure:
    """Return the cause where CloudWatch alarms went off; only the event's words are known from ECS."""
    reason = f"the CloudWatch alarm(s) {', '.join(names)} went into the ALARM state."
    return Failure(
        event="alarm detected",
        rollout_reason="ECS deployment failed: alarm detected.",
        rollback_reason=f"Service deployment rolled back because {reason}",
        stop_reason=f"Service deployment stopped because {reason}",
        prefix="ECS deployment alarm detected",
    )


def hook_failure(words: str) -> Failure:
    """Return the cause where a hook failed; `words` follow "because" and end with a full stop."""
    reason = f"Service deployment rolled back because {words}"
    return Failure(
        event=reason.removesuffix("."),
        rollout_reason=reason,
        rollback_reason=reason,
        stop_reason=reason,
        prefix="ECS deployment lifecycle hook failed",
    )
