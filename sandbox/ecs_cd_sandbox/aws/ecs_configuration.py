"""A service's deployment configuration: what ECS fills in, what it refuses, and the failures it tolerates.

The messages are AWS's own where its guide "Troubleshooting Amazon ECS blue/green deployments" has them.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from moto.ecs.exceptions import InvalidParameterException

ROLLING, BLUE_GREEN, LINEAR, CANARY = "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"
STRATEGIES = (ROLLING, BLUE_GREEN, LINEAR, CANARY)
HOOK_STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
_NOT_PAUSED = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
_MOST_MINUTES = 1440
_MOST_PAUSED_MINUTES = 20_160
_BREAKER = {"resetOnHealthyTask": True, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}
_TIMEOUT = {"timeoutInMinutes": _MOST_MINUTES, "action": "ROLLBACK"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6},
    "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10},
}


def default_configuration() -> dict[str, Any]:
    """Return ECS's own, for a service that says nothing."""
    return {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": ROLLING,
        "bakeTimeInMinutes": 0,
    }


def configure(known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return `known` with what is `given` in its place; raise AWS's InvalidParameterException for what it refuses."""
    found = copy.deepcopy(known) | copy.deepcopy(given)
    strategy = found["strategy"]
    if strategy not in STRATEGIES:
        raise InvalidParameterException(f"strategy should be one of [{','.join(STRATEGIES)}].")
    _within("bakeTimeInMinutes", found["bakeTimeInMinutes"], 0, _MOST_MINUTES)
    if given.get("deploymentCircuitBreaker"):
        found["deploymentCircuitBreaker"] = _BREAKER | found["deploymentCircuitBreaker"]
    for one, key in ((LINEAR, "linearConfiguration"), (CANARY, "canaryConfiguration")):
        if strategy == one:
            found[key] = _DEFAULTS[key] | (found.get(key) or {})
        else:
            found.pop(key, None)  # ECS drops what does not belong to the strategy
    if strategy == LINEAR:
        _within("stepPercent", found["linearConfiguration"]["stepPercent"], 3, 100)
    if strategy == CANARY:
        _within("canaryPercent", found["canaryConfiguration"]["canaryPercent"], 0.1, 100)
    if "lifecycleHooks" in found:
        found["lifecycleHooks"] = [_hook(one) for one in found["lifecycleHooks"]]
    _check_early_success(found)
    return found


def threshold(configuration: dict[str, Any], desired: int) -> int:
    """Return how many failed tasks trip the circuit breaker: by default half of them, at least 3 and at most 200."""
    rule = (configuration.get("deploymentCircuitBreaker") or {}).get("thresholdConfiguration") or {
        "type": "BOUNDED_PERCENT",
        "value": 50,
    }
    if rule["type"] == "COUNT":
        return int(rule["value"])
    share: int = math.ceil(desired * rule["value"] / 100)
    return max(share, 1) if rule["type"] == "UNBOUNDED_PERCENT" else min(max(share, 3), 200)


def early_success(configuration: dict[str, Any]) -> dict[str, Any] | None:
    """Return the early success criteria where they are enabled."""
    criteria: dict[str, Any] | None = configuration.get("earlySuccessCriteria")
    return criteria if criteria and criteria.get("enable") else None


def _hook(given: dict[str, Any]) -> dict[str, Any]:
    hook = {"targetType": "AWS_LAMBDA"} | given
    hook["timeoutConfiguration"] = _TIMEOUT | (given.get("timeoutConfiguration") or {})
    stages = hook.get("lifecycleStages") or []
    if hook["targetType"] not in {"AWS_LAMBDA", "PAUSE"}:
        raise InvalidParameterException("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
    if not stages or not set(stages) <= set(HOOK_STAGES):
        raise InvalidParameterException(f"lifecycleStages should be some of [{','.join(HOOK_STAGES)}].")
    if hook["targetType"] == "PAUSE" and set(stages) & set(_NOT_PAUSED):
        raise InvalidParameterException("Invalid lifecycle stage provided for Pause Hook")
    if hook["targetType"] == "AWS_LAMBDA" and not hook.get("hookTargetArn"):
        raise InvalidParameterException("hookTargetArn is required for AWS_LAMBDA hooks.")
    _within("timeoutInMinutes", hook["timeoutConfiguration"]["timeoutInMinutes"], 1, _MOST_PAUSED_MINUTES)
    return hook


def _check_early_success(configuration: dict[str, Any]) -> None:
    criteria = early_success(configuration)
    if criteria is None:
        return
    if configuration["strategy"] != ROLLING:
        raise InvalidParameterException("earlySuccessCriteria can only be used with the ROLLING deployment strategy.")
    if criteria.get("sourceServiceRevisionCleanup") not in {"BLOCKING", "DEFERRED"}:
        raise InvalidParameterException("sourceServiceRevisionCleanup should be one of [BLOCKING,DEFERRED].")
    _within("healthyPercent", criteria.get("healthyPercent", -1), configuration["minimumHealthyPercent"], 100)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InvalidParameterException(f"{name} must be between {least} and {most}.")
