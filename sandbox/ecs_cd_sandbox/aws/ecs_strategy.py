"""The strategies that shift traffic: BLUE_GREEN, LINEAR and CANARY, as the lifecycle stages of one deployment.

AWS: "Amazon ECS blue/green service deployments workflow" and the pages on linear and canary deployments. Every stage
lasts a tick at least, so that whoever looks between two ticks sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ecs_cd_sandbox.aws.ecs_conditions import Conditions
from ecs_cd_sandbox.aws.ecs_configuration import BLUE_GREEN, CANARY
from ecs_cd_sandbox.aws.ecs_failures import Failure
from ecs_cd_sandbox.aws.ecs_hooks import StageHook, stage_hooks

SCALE_UP, CLEAN_UP = "SCALE_UP", "CLEAN_UP"
_ALL = 100.0


@dataclass(frozen=True)
class Stage:
    """One lifecycle stage with the percentages of test and production traffic that the new revision then has.

    `test` is None while there is no test traffic; `minutes` is how long the stage lasts once its hooks are done.
    """

    name: str
    test: float | None
    production: float
    minutes: float = 0


def plan(configuration: dict[str, Any], *, reconcile: bool) -> list[Stage]:
    """Return the stages of a deployment; `reconcile`: more than one revision of the service was active before it."""
    before = [Stage("RECONCILE_SERVICE", None, 0)] if reconcile else []
    before += [Stage(name, None, 0) for name in ("PRE_SCALE_UP", SCALE_UP, "POST_SCALE_UP")]
    before += [Stage(name, _ALL, 0) for name in ("TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT")]
    return [
        *before,
        *_shifts(configuration),
        Stage("POST_PRODUCTION_TRAFFIC_SHIFT", _ALL, _ALL),
        Stage("BAKE_TIME", _ALL, _ALL, configuration["bakeTimeInMinutes"]),
        Stage(CLEAN_UP, _ALL, _ALL),
    ]


def _shifts(configuration: dict[str, Any]) -> Iterator[Stage]:
    """Yield the pair of stages of each shift of production traffic; the last one needs no wait of its own."""
    strategy = configuration["strategy"]
    if strategy == BLUE_GREEN:
        percents, minutes = [_ALL], 0
    elif strategy == CANARY:
        canary = configuration["canaryConfiguration"]
        percents, minutes = [canary["canaryPercent"], _ALL], canary["canaryBakeTimeInMinutes"]
    else:
        linear = configuration["linearConfiguration"]
        step, minutes = linear["stepPercent"], linear["stepBakeTimeInMinutes"]
        percents = [number * step for number in range(1, int(_ALL / step) + 2)]
    reached = 0.0
    for percent in percents:
        share = min(_ALL, float(percent))
        yield Stage("PRE_PRODUCTION_TRAFFIC_SHIFT", _ALL, reached)
        yield Stage("PRODUCTION_TRAFFIC_SHIFT", _ALL, share, 0 if share == _ALL else minutes)
        reached = share
        if share == _ALL:
            return


class Stages:
    """Where one deployment is in its stages."""

    def __init__(self, configuration: dict[str, Any], *, reconcile: bool) -> None:
        self._configuration = configuration
        self._left = plan(configuration, reconcile=reconcile)
        self._entered = False
        self._waited = 0
        self._hooks: list[StageHook] = []
        self.reached = Stage("", None, 0)
        """The stage that was entered last: what an answer shows."""

    @property
    def current(self) -> Stage:
        """The stage it is in, or enters with the next tick."""
        return self._left[0]

    @property
    def entered(self) -> bool:
        """Whether it is in `current` already."""
        return self._entered

    @property
    def scaling(self) -> bool:
        """Whether the new revision may run tasks."""
        return all(stage.name != SCALE_UP for stage in self._left[1:])

    @property
    def hook_details(self) -> list[dict[str, Any]]:
        """The API's `lifecycleHookDetails`."""
        return [hook.detail for hook in self._hooks]

    def enter(self, conditions: Conditions) -> None:
        """Begin the current stage."""
        self._entered, self._waited, self.reached = True, 0, self.current
        self._hooks = stage_hooks(self._configuration, self.current.name, conditions)

    def tick(self, service: str, conditions: Conditions) -> Failure | None:
        """Move the stage's hooks on, and its time once they are done; return why the deployment has failed."""
        failures = [failure for hook in self._hooks if (failure := hook.tick(service, conditions)) is not None]
        if failures:
            return failures[0]
        if self._hooks_done:
            self._waited += 1
        return None

    def over(self, conditions: Conditions) -> bool:
        """Whether nothing holds the stage any more but its tasks."""
        return self._hooks_done and self._waited >= conditions.clock.ticks(self.current.minutes)

    def leave(self) -> None:
        """Go to the next stage, which begins with the next tick; the last one is not left."""
        if len(self._left) > 1:
            del self._left[0]
            self._entered = False

    @property
    def _hooks_done(self) -> bool:
        return all(hook.done for hook in self._hooks)
