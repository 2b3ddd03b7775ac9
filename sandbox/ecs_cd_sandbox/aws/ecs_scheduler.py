"""The ECS service scheduler of the sandbox: a thread whose ticks move every rollout on.

A rollout of one task takes four ticks when all is well. A test calls `tick` itself and waits for nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, final

from moto.cloudwatch.models import cloudwatch_backends
from moto.ecs.models import ecs_backends

from ecs_cd_sandbox.aws.ecs_backend import EcsBackend
from ecs_cd_sandbox.aws.ecs_conditions import Behaviour, Clock, Conditions, HookAnswer
from ecs_cd_sandbox.aws.ecs_configuration import HOOK_STAGES
from ecs_cd_sandbox.aws.ecs_images import image_tags
from ecs_cd_sandbox.aws.ecs_rollout import ServiceRollout
from ecs_cd_sandbox.aws.ecs_service_revision import INDEX, PLATFORM, shown
from ecs_cd_sandbox.aws.server import Aws

ROLLOUTS = ("success", "slow", "crash-loop", "cannot-pull", "stuck")
"""What `EcsScheduler.behave` can make of a rollout."""

HOOK_ANSWERS = ("SUCCEEDED", "FAILED")
"""What `EcsScheduler.answer_hooks` can have a Lambda hook answer."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


@dataclass(frozen=True)
class _Rule:
    service: str | None
    tag: str | None
    behaviour: Behaviour

    def matches(self, service: str, tags: set[str]) -> bool:
        return self.service in (None, service) and (self.tag is None or self.tag in tags)


@dataclass(frozen=True)
class _HookRule:
    service: str | None
    stage: str | None
    answer: HookAnswer

    def matches(self, service: str, stage: str) -> bool:
        return self.service in (None, service) and self.stage in (None, stage)


@final
class EcsScheduler:
    """Plays the scheduler for all services of `aws`; ticks every `interval` seconds while it is entered.

    A minute of AWS (bake times, the time-outs of hooks) takes `ticks_per_minute` ticks. An image of ECR that was never
    pushed cannot be pulled, whatever `behave` asked for. A deployment that has completed stays healthy: what `behave`
    says is about deployments in progress.
    """

    def __init__(self, aws: Aws, *, interval: float = 0.2, ticks_per_minute: int = 5) -> None:
        self._lock = aws.lock
        self._interval = interval
        self._clock = Clock(ticks_per_minute, timedelta(seconds=interval))
        self._rules: list[_Rule] = []
        self._hook_rules: list[_HookRule] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EcsScheduler:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="sandbox-ecs-scheduler", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def behave(
        self,
        rollout: str,
        *,
        service: str | None = None,
        tag: str | None = None,
        ticks: int = 10,
        healthy: int = 0,
        container: str = "",
        exit_code: int = 1,
        log: Sequence[str] = (),
    ) -> None:
        """Say how deployments of `service` with an image tagged `tag` (None: any) go; the latest call counts.

        `rollout` is one of `ROLLOUTS`; `ticks` is how long the tasks of a `slow` one are PENDING. The first `healthy`
        tasks of the deployment run nevertheless. In a `crash-loop`, `container` (empty: the first essential one) exits
        with `exit_code` after writing the lines of `log` (empty: `ecs_logs.LAST_WORDS`) where its log configuration
        sends them to CloudWatch Logs.
        Raises `ValueError` for a rollout that is not known, a name no service or tag can have, or negative numbers.
        """
        if rollout not in ROLLOUTS:
            raise ValueError(f"unknown rollout {rollout!r}: choose one of {', '.join(ROLLOUTS)}")
        _check_names(service=service, tag=tag, container=container or None)
        _check_counts(ticks=ticks, healthy=healthy, exit_code=exit_code)
        behaviour = Behaviour(rollout, ticks, healthy=healthy, container=container, exit_code=exit_code, log=tuple(log))
        with self._lock:
            self._rules.insert(0, _Rule(service, tag, behaviour))

    def answer_hooks(
        self, status: str, *, service: str | None = None, stage: str | None = None, ticks: int = 1
    ) -> None:
        """Say what Lambda hooks of `service` at the lifecycle `stage` (None: any) answer; the latest call counts.

        `status` is `SUCCEEDED` or `FAILED`, after the hook was IN_PROGRESS for `ticks`. Without a call they succeed.
        Raises `ValueError` for a status or a stage that there is not, a name no service can have, or negative ticks.
        """
        if status not in HOOK_ANSWERS:
            raise ValueError(f"unknown answer {status!r}: choose one of {', '.join(HOOK_ANSWERS)}")
        if stage is not None and stage not in HOOK_STAGES:
            raise ValueError(f"no hook runs at the stage {stage!r}: choose one of {', '.join(HOOK_STAGES)}")
        _check_names(service=service)
        _check_counts(ticks=ticks)
        with self._lock:
            self._hook_rules.insert(0, _HookRule(service, stage, HookAnswer(status, ticks)))

    def show_digests(self, *, tasks: str = INDEX, revisions: str = INDEX) -> None:
        """Say whose digest new tasks and service revisions show for an index: its own (`index`) or the `platform`'s.

        Raises `ValueError` for anything else.
        """
        for which in (tasks, revisions):
            if which not in {INDEX, PLATFORM}:
                raise ValueError(f"{which!r} is no kind of digest: choose {INDEX} or {PLATFORM}")
        with self._lock:
            shown.choose(tasks, revisions)

    def forget(self) -> None:
        """Drop everything that was asked for: every rollout succeeds again."""
        with self._lock:
            self._rules.clear()
            self._hook_rules.clear()
            shown.choose()

    def tick(self) -> None:
        """Move every rollout of every account and region on by one step."""
        with self._lock:
            for regions in list(ecs_backends.values()):
                for backend in list(regions.values()):
                    if isinstance(backend, EcsBackend):
                        self._tick_backend(backend)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.tick()

    def _tick_backend(self, backend: EcsBackend) -> None:
        for rollout in backend.rollouts.values():
            rollout.primary.revision.resolve()
            definition = backend.describe_task_definition(rollout.primary.task_definition)
            alarms = ringing_alarms(backend.account_id, backend.region_name)
            rollout.tick(Conditions(self._behaviour(rollout), self._answer, alarms, self._clock), definition)
        for cluster in backend.clusters:
            backend.count(cluster)

    def _behaviour(self, rollout: ServiceRollout) -> Behaviour:
        revision = rollout.primary.revision
        images = [one.image for one in revision.images]
        tags = {tag for image in images for tag in image_tags(image)}
        rules = (rule.behaviour for rule in self._rules if rule.matches(rollout.service.name, tags))
        chosen = next(rules, Behaviour())
        if chosen.rollout == "stuck":
            return chosen
        missing = revision.missing_images()
        if missing or chosen.rollout == "cannot-pull":
            return Behaviour("cannot-pull", missing_image=(missing or images)[0], healthy=chosen.healthy)
        return chosen

    def _answer(self, service: str, stage: str, target: str) -> HookAnswer:  # noqa: ARG002 - a rule goes by the stage
        answers = (rule.answer for rule in self._hook_rules if rule.matches(service, stage))
        return next(answers, HookAnswer())


def ringing_alarms(account_id: str, region: str) -> frozenset[str]:
    """Return the names of moto's CloudWatch alarms that are in the state ALARM."""
    if account_id not in cloudwatch_backends:
        return frozenset()
    regions: Any = cloudwatch_backends[account_id]
    if region not in regions.keys():  # noqa: SIM118 - `in regions` is true for regions not yet in use
        return frozenset()
    return frozenset(alarm.name for alarm in regions[region].get_alarms_by_state_value("ALARM"))


def _check_names(**names: str | None) -> None:
    for kind, name in names.items():
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a {kind}")


def _check_counts(**counts: int) -> None:
    for kind, count in counts.items():
        if count < 0:
            raise ValueError(f"{kind} must not be negative, and {count} is")
