"""How one ECS service rolls out, tick by tick: what the real scheduler does in minutes.

A tick moves every task one state on, fills the primary deployment up, and judges it. The texts of events, reasons
and stop codes are those that `DescribeServices` and `DescribeTasks` show on AWS; minimum healthy percent is taken as
100, maximum percent as 200 (ECS's defaults), so old tasks stop only when all new ones run.
"""

from __future__ import annotations

import copy
import math
import random
from typing import TYPE_CHECKING, Any

from ecs_cd_sandbox.aws.ecs_conditions import Behaviour, Conditions
from ecs_cd_sandbox.aws.ecs_configuration import ROLLING, early_success, threshold
from ecs_cd_sandbox.aws.ecs_failures import CIRCUIT_BREAKER, STOPPED_BY_A_PERSON, Failure, alarm_failure
from ecs_cd_sandbox.aws.ecs_logs import write_last_words
from ecs_cd_sandbox.aws.ecs_service_deployment import (
    ROLLBACK_REQUESTED,
    STOP_REQUESTED,
    STOPPED,
    Counts,
    Monitor,
    ServiceDeployment,
)
from ecs_cd_sandbox.aws.ecs_service_events import ServiceEvents
from ecs_cd_sandbox.aws.ecs_service_revision import ServiceRevision, new_revision
from ecs_cd_sandbox.aws.ecs_strategy import CLEAN_UP, SCALE_UP, Stages
from ecs_cd_sandbox.aws.ecs_tasks import DeployingService, Deployment, ServiceTask, new_task, pull_error

if TYPE_CHECKING:
    from moto.ecs.models import TaskDefinition

_MOST_STOPPED = 50  # ECS keeps stopped tasks for an hour; a crash loop must not fill the memory
_LINGER = 3  # ticks for which a failed deployment is still listed, as it is for a while on AWS
_ALARM_MINUTES = 1  # ECS computes for how long a rolling deployment goes on watching its alarms; the length is not told


class ServiceRollout:
    """The deployments of one moto `service`; `store` is moto's table of the cluster's tasks, by ARN."""

    def __init__(self, service: DeployingService, store: dict[str, Any]) -> None:
        self.service = service
        self._store = store
        self._events = ServiceEvents(service)
        self._stages: Stages | None = None
        self._watched = 0
        self.deployments: list[Deployment] = []
        self.revisions: dict[str, ServiceRevision] = {}
        """Every service revision there was, by its ARN."""
        self.history: list[ServiceDeployment] = []
        """Every service deployment there was, newest first."""

    @property
    def primary(self) -> Deployment:
        """The newest deployment, or the one that a rollback returned to."""
        return self.deployments[0]

    @property
    def current(self) -> ServiceDeployment:
        """The newest service deployment."""
        return self.history[0]

    def begin(self, definition: TaskDefinition) -> None:
        """Start a deployment of the service as it is now, with moto's `definition`; one in progress is superseded."""
        if self.history and not self.current.finished:
            self.current.turn(STOPPED)
        for former in self.deployments:
            former.status = "ACTIVE"
            for task in former.live_tasks:
                if task.last_status == "PENDING":
                    self._stop(former, task)
            former.desired_count = former.running_count
        service = self.service
        number = str(random.SystemRandom().randrange(10**18, 10**19))
        identifier = f"ecs-svc/{number}"
        revision = new_revision(service, definition, number)
        self._record(revision)
        deployment = Deployment(
            id=identifier,
            revision=revision,
            task_definition=service.task_definition,
            desired_count=service.desired_count,
            launch_type=service.launch_type,
            platform_version=service.platform_version,
            network_configuration=service.network_configuration,
            rollout_state_reason=f"ECS deployment {identifier} in progress.",
        )
        self.deployments.insert(0, deployment)
        self._events.unsteady()
        if service.desired_count == 0 and self._stages is None:
            self.current.start()
            self._stop_others()
            self._complete()
        self.publish()

    def _record(self, target: ServiceRevision) -> None:
        """Keep the revision, and a service deployment that leads to it."""
        self.revisions[target.arn] = target
        configuration = copy.deepcopy(self.service.deployment_configuration)
        breaker = configuration.get("deploymentCircuitBreaker") or {}
        alarms = configuration.get("alarms") or {}
        self._stages = None
        if configuration["strategy"] != ROLLING:
            self._stages = Stages(configuration, reconcile=len(self.deployments) > 1)
        self._watched = 0
        self.history.insert(
            0,
            ServiceDeployment(
                target=target,
                sources=[one.revision for one in self.deployments],
                configuration=configuration,
                count=self._count,
                threshold=threshold(configuration, self.service.desired_count),
                breaker=Monitor(enabled=bool(breaker.get("enable"))),
                alarms=Monitor(enabled=bool(alarms.get("enable"))),
            ),
        )

    def _count(self, revision: ServiceRevision) -> Counts:
        one = next((one for one in self.deployments if one.revision is revision), None)
        found = Counts() if one is None else Counts(one.desired_count, one.running_count, one.pending_count)
        if self._stages is not None:
            stage, back = self._stages.reached, self.current.rolling_back
            test, production = (0.0, 0.0) if back else (stage.test, stage.production)
            if revision is not self.current.target:
                test, production = (None if test is None else 100 - test), 100 - production
            found.test_weight, found.production_weight = test, production
        return found

    def scale(self) -> None:
        """Take over a changed desired count of the service; that is no new deployment."""
        if self.primary.rollout_state != "FAILED":
            self.primary.desired_count = self.service.desired_count
        self._events.unsteady()
        self.publish()

    def end(self) -> None:
        """Stop everything: the service is deleted."""
        for deployment in self.deployments:
            for task in deployment.live_tasks:
                self._stop(deployment, task)
        self.deployments = []
        self.publish()

    def tick(self, conditions: Conditions, definition: TaskDefinition) -> None:
        """Move on: the behaviour in `conditions` and `definition` (moto's) are the primary deployment's."""
        primary, behaviour = self.primary, conditions.behaviour
        if primary.steady:
            behaviour = Behaviour()
        self._start(conditions)
        for number, task in enumerate(primary.live_tasks):
            if _advance(task, primary, Behaviour() if number < behaviour.healthy else behaviour):
                write_last_words(task, definition, behaviour.log)
        if primary.rollout_state != "FAILED" and not self._fails(behaviour, conditions):
            if self._stages is None or self.current.rolling_back or primary.proved:
                self._fill(behaviour, definition)
                self._judge(conditions)
            else:
                self._go_through(self._stages, behaviour, definition, conditions)
        self.publish()

    def _start(self, conditions: Conditions) -> None:
        """Let a service deployment begin. ECS does not watch alarms that ring already then."""
        if self.current.started_at is None and not self.current.finished:
            self.current.start()
            if conditions.alarms & set((self.current.configuration.get("alarms") or {}).get("alarmNames") or []):
                self.current.alarms.enabled = False

    def _fails(self, behaviour: Behaviour, conditions: Conditions) -> bool:
        """Whether the deployment has ended badly now."""
        current = self.current
        if current.status in {ROLLBACK_REQUESTED, STOP_REQUESTED}:
            self._fail(STOPPED_BY_A_PERSON, rollback=current.status == ROLLBACK_REQUESTED)
            return True
        if self.primary.rollout_state != "IN_PROGRESS" or current.rolling_back:
            return False
        alarms = current.configuration.get("alarms") or {}
        rings = [name for name in alarms.get("alarmNames") or [] if name in conditions.alarms]
        if current.alarms.enabled and rings:
            current.alarms.triggered, current.triggered_alarms = True, rings
            self._fail(alarm_failure(rings), rollback=bool(alarms.get("rollback")))
            return True
        return self._breaks(behaviour)

    def _go_through(
        self, stages: Stages, behaviour: Behaviour, definition: TaskDefinition, conditions: Conditions
    ) -> None:
        """Go on in the stages of a strategy that shifts traffic."""
        entering = not stages.entered
        if entering:
            stages.enter(conditions)
            self.current.lifecycle_stage, self.current.hooks = stages.current.name, stages.hook_details
        if stages.scaling:
            self._fill(behaviour, definition)
        if entering and stages.hook_details:
            return
        failure = stages.tick(self.service.name, conditions)
        if failure is not None:
            self._fail(failure, rollback=True)
        elif stages.over(conditions):
            if stages.current.name == CLEAN_UP:
                if not self._stop_others():
                    self._complete()
            elif stages.current.name != SCALE_UP or self.primary.settled:
                stages.leave()

    def _fill(self, behaviour: Behaviour, definition: TaskDefinition) -> None:
        primary = self.primary
        surplus = primary.live_tasks[primary.desired_count :]
        for task in surplus:
            self._stop(primary, task)
        self._events.stopped(surplus)
        wanted = primary.desired_count
        if behaviour.rollout == "stuck":
            wanted = min(wanted, behaviour.healthy)
            if wanted < primary.desired_count:
                self._warn(
                    "was unable to place a task because no container instance met all of its requirements. Reason: No "
                    "Container Instances were found in your cluster. For more information, see the Troubleshooting "
                    "section of the Amazon ECS Developer Guide."
                )
        missing = wanted - len(primary.live_tasks)
        if missing <= 0:
            return
        started = [new_task(self.service, primary, definition) for _ in range(missing)]
        for task in started:
            primary.tasks.append(task)
            self._store[task.task_arn] = task
        self._events.started(started)

    def _breaks(self, behaviour: Behaviour) -> bool:
        """Whether failed tasks have tripped the circuit breaker now; without one, ECS only reports the failures."""
        primary = self.primary
        breaker = self.service.deployment_configuration.get("deploymentCircuitBreaker") or {}
        if primary.failed_tasks and behaviour.missing_image:
            self._warn(f"was unable to place a task. Reason: {pull_error(behaviour.missing_image)}.")
        if primary.failed_tasks < threshold(self.service.deployment_configuration, self.service.desired_count):
            return False
        if breaker.get("enable"):
            self.current.breaker.triggered = True
            self._fail(CIRCUIT_BREAKER, rollback=bool(breaker.get("rollback")))
            return True
        self._warn(
            "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
            "section of the Amazon ECS Developer Guide."
        )
        return False

    def _judge(self, conditions: Conditions) -> None:
        """See whether a rolling deployment is over, or a completed one is steady."""
        primary = self.primary
        if primary.rollout_state != "IN_PROGRESS":
            self._clean_up()
            if primary.settled:
                primary.steady = True
                self._events.steady()
            return
        criteria = None if self.current.rolling_back else early_success(self.current.configuration)
        enough = primary.settled
        if criteria is not None:
            needed = max(1, math.ceil(primary.desired_count * criteria["healthyPercent"] / 100))
            enough = enough or primary.healthy_count >= needed
        if not enough:
            return
        deferred = criteria is not None and criteria["sourceServiceRevisionCleanup"] == "DEFERRED"
        if not deferred and self._stop_others():
            return
        self._watched += 1
        if self.current.alarms.enabled and self._watched <= conditions.clock.ticks(_ALARM_MINUTES):
            return
        self._complete(deferred=deferred)

    def _stop_others(self) -> bool:
        """Stop what older deployments still run; whether anything of them is left to be seen for another tick."""
        left = False
        for deployment in self.deployments[1:]:
            live = deployment.live_tasks
            for task in live:
                self._stop(deployment, task)
            self._events.stopped(live)
            left = left or bool(live) or deployment.linger > 0
            deployment.desired_count = 0
            deployment.linger -= 1
        return left

    def _clean_up(self) -> None:
        """Stop, after a while, what an early success has left of older deployments."""
        for deployment in list(self.deployments[1:]):
            deployment.linger -= 1
            if deployment.linger > 0:
                continue
            live = deployment.live_tasks
            for task in live:
                self._stop(deployment, task)
            self._events.stopped(live)
            deployment.desired_count = 0
            if not live:
                self.deployments.remove(deployment)

    def _complete(self, *, deferred: bool = False) -> None:
        primary = self.primary
        primary.turn("COMPLETED", f"ECS deployment {primary.id} completed.")
        primary.proved = True
        if deferred:
            for former in self.deployments[1:]:
                former.linger = _LINGER
        else:
            self.deployments = [primary]
        self.current.complete()
        self._events.add(f"(deployment {primary.id}) deployment completed.")
        if primary.settled:
            primary.steady = True
            self._events.steady()

    def _fail(self, failure: Failure, *, rollback: bool) -> None:
        """End the deployment. A rollback returns to the last completed one, under that one's id."""
        failed = self.primary
        self.current.failure_count = failed.failed_tasks
        failed.turn("FAILED", failure.rollout_reason)
        self._events.add(f"(deployment {failed.id}) deployment failed: {failure.event}.")
        for task in failed.live_tasks:
            self._stop(failed, task)
        failed.desired_count = 0
        former = next((deployment for deployment in self.deployments[1:] if deployment.proved), None)
        if not rollback:
            self.current.turn(STOPPED, failure.stop_reason)
            return
        self.current.roll_back(failure.rollback_reason, former.revision if former else None)
        if former is None:
            return
        failed.status, failed.linger = "ACTIVE", _LINGER
        former.status, former.desired_count = "PRIMARY", self.service.desired_count
        former.turn("IN_PROGRESS", f"{failure.prefix}: rolling back to deploymentId {former.id}.")
        self.deployments.remove(former)
        self.deployments.insert(0, former)
        self.service.task_definition = former.task_definition
        self._events.add(f"rolling back to deployment {former.id}.")

    def _stop(self, deployment: Deployment, task: ServiceTask) -> None:
        task.stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment.id})")

    def publish(self) -> None:
        """Put the state where moto reads it, and let the oldest stopped tasks go."""
        service = self.service
        service.deployments = self.deployments
        if not self.current.finished and self.deployments and self.primary.revision is self.current.target:
            self.current.failure_count = self.primary.failed_tasks
        service.current_service_deployment = None if self.current.finished else self.current.arn
        service.current_service_revisions = [
            {
                "arn": deployment.revision.arn,
                "requestedTaskCount": deployment.desired_count,
                "runningTaskCount": deployment.running_count,
                "pendingTaskCount": deployment.pending_count,
            }
            for deployment in self.deployments
        ]
        service.running_count = sum(deployment.running_count for deployment in self.deployments)
        service.pending_count = sum(deployment.pending_count for deployment in self.deployments)
        group = f"service:{service.name}"
        stopped = [task for task in self._store.values() if task.group == group and task.last_status == "STOPPED"]
        for task in stopped[:-_MOST_STOPPED]:
            del self._store[task.task_arn]
        for deployment in self.deployments:
            deployment.tasks = deployment.live_tasks

    def _warn(self, message: str) -> None:
        if not self.primary.warned:
            self.primary.warned = True
            self._events.add(message)


def _advance(task: ServiceTask, deployment: Deployment, behaviour: Behaviour) -> bool:
    """Move one task one state on; whether it has crashed."""
    task.ticks += 1
    if task.last_status == "RUNNING":
        if behaviour.rollout != "crash-loop":
            return False
        task.crash(behaviour.container, behaviour.exit_code)
        deployment.failed_tasks += 1
        return True
    if behaviour.rollout == "cannot-pull":
        task.fail_to_pull(behaviour.missing_image)
        deployment.failed_tasks += 1
    elif behaviour.rollout != "slow" or task.ticks > behaviour.ticks:
        task.run()
    return False
