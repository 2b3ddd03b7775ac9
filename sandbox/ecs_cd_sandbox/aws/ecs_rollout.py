"""How one ECS service rolls out, tick by tick: what the real scheduler does in minutes.

A tick moves every task one state on, fills the primary deployment up, and judges it. The texts of events, reasons
and stop codes are those that `DescribeServices` and `DescribeTasks` show on AWS; minimum healthy percent is taken as
100, maximum percent as 200 (ECS's defaults), so old tasks stop only when all new ones run.
"""

from __future__ import annotations

import copy
import math
import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow

from ecs_cd_sandbox.aws.ecs_failures import CIRCUIT_BREAKER, STOPPED_BY_A_PERSON, Failure
from ecs_cd_sandbox.aws.ecs_service_deployment import (
    ROLLBACK_REQUESTED,
    STOP_REQUESTED,
    STOPPED,
    Counts,
    Monitor,
    ServiceDeployment,
)
from ecs_cd_sandbox.aws.ecs_service_revision import ServiceRevision, new_revision
from ecs_cd_sandbox.aws.ecs_tasks import DeployingService, Deployment, ServiceTask, new_task, pull_error

if TYPE_CHECKING:
    from moto.ecs.models import TaskDefinition

_MOST_EVENTS = 100  # what DescribeServices returns at most
_MOST_STOPPED = 50  # ECS keeps stopped tasks for an hour; a crash loop must not fill the memory
_LINGER = 3  # ticks for which a failed deployment is still listed, as it is for a while on AWS


@dataclass(frozen=True)
class Behaviour:
    """What becomes of the tasks of a deployment.

    `rollout` is `success`, `slow` (tasks stay PENDING for `ticks`), `crash-loop`, `cannot-pull` or `stuck`.
    `missing_image` is the image that cannot be pulled.
    """

    rollout: str = "success"
    ticks: int = 0
    missing_image: str = ""


class ServiceRollout:
    """The deployments of one moto `service`; `store` is moto's table of the cluster's tasks, by ARN."""

    def __init__(self, service: DeployingService, store: dict[str, Any]) -> None:
        self.service = service
        self._store = store
        self.deployments: list[Deployment] = []
        self.revisions: dict[str, ServiceRevision] = {}
        """Every service revision there was, by its ARN."""
        self.history: list[ServiceDeployment] = []
        """Every service deployment there was, newest first."""
        self._announced_steady = False

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
        self._announced_steady = False
        if service.desired_count == 0:
            self.current.start()
            self._stop_others()
            self._complete()
        self.publish()

    def _record(self, target: ServiceRevision) -> None:
        """Keep the revision, and a service deployment that leads to it."""
        self.revisions[target.arn] = target
        configuration = copy.deepcopy(self.service.deployment_configuration)
        breaker = configuration.get("deploymentCircuitBreaker") or {}
        self.history.insert(
            0,
            ServiceDeployment(
                target=target,
                sources=[one.revision for one in self.deployments],
                configuration=configuration,
                count=self._count,
                threshold=self._threshold(),
                breaker=Monitor(enabled=bool(breaker.get("enable"))),
            ),
        )

    def _count(self, revision: ServiceRevision) -> Counts:
        for one in self.deployments:
            if one.revision is revision:
                return Counts(one.desired_count, one.running_count, one.pending_count)
        return Counts()

    def _threshold(self) -> int:
        # AWS: half the desired count, but at least 3 and at most 200 failed tasks.
        return min(max(math.ceil(self.service.desired_count / 2), 3), 200)

    def scale(self) -> None:
        """Take over a changed desired count of the service; that is no new deployment."""
        if self.primary.rollout_state != "FAILED":
            self.primary.desired_count = self.service.desired_count
        self._announced_steady = False
        self.publish()

    def end(self) -> None:
        """Stop everything: the service is deleted."""
        for deployment in self.deployments:
            for task in deployment.live_tasks:
                self._stop(deployment, task)
        self.deployments = []
        self.publish()

    def tick(self, behaviour: Behaviour, definition: TaskDefinition) -> None:
        """Move on: `behaviour` and `definition` (moto's) are the primary deployment's."""
        self.current.start()
        if self.current.status in {ROLLBACK_REQUESTED, STOP_REQUESTED}:
            self._fail(STOPPED_BY_A_PERSON, rollback=self.current.status == ROLLBACK_REQUESTED)
            self.publish()
            return
        primary = self.primary
        if primary.proved:
            behaviour = Behaviour()
        for task in primary.live_tasks:
            _advance(task, primary, behaviour)
        if primary.rollout_state != "FAILED" and not self._breaks(behaviour):
            self._fill(behaviour, definition)
            self._judge()
        self.publish()

    def _fill(self, behaviour: Behaviour, definition: TaskDefinition) -> None:
        primary = self.primary
        surplus = primary.live_tasks[primary.desired_count :]
        for task in surplus:
            self._stop(primary, task)
        self._report_stopped(surplus)
        missing = primary.desired_count - len(primary.live_tasks)
        if missing <= 0:
            return
        if behaviour.rollout == "stuck":
            self._warn(
                "was unable to place a task because no container instance met all of its requirements. Reason: No "
                "Container Instances were found in your cluster. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide."
            )
            return
        started = [new_task(self.service, primary, definition) for _ in range(missing)]
        for task in started:
            primary.tasks.append(task)
            self._store[task.task_arn] = task
        self._add_event(f"has started {len(started)} tasks: {_names(started)}.")

    def _breaks(self, behaviour: Behaviour) -> bool:
        """Whether failed tasks have tripped the circuit breaker now; without one, ECS only reports the failures."""
        primary = self.primary
        breaker = self.service.deployment_configuration.get("deploymentCircuitBreaker") or {}
        if primary.rollout_state != "IN_PROGRESS":
            return False
        if primary.failed_tasks and behaviour.missing_image:
            self._warn(f"was unable to place a task. Reason: {pull_error(behaviour.missing_image)}.")
        if primary.failed_tasks < self._threshold():
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

    def _judge(self) -> None:
        primary = self.primary
        if not primary.settled:
            return
        if primary.rollout_state != "IN_PROGRESS":
            self._report_steady_state()
        elif not self._stop_others():
            self._complete()

    def _stop_others(self) -> bool:
        """Stop what older deployments still run; whether anything of them is left to be seen for another tick."""
        left = False
        for deployment in self.deployments[1:]:
            live = deployment.live_tasks
            for task in live:
                self._stop(deployment, task)
            self._report_stopped(live)
            left = left or bool(live) or deployment.linger > 0
            deployment.desired_count = 0
            deployment.linger -= 1
        return left

    def _complete(self) -> None:
        primary = self.primary
        self.deployments = [primary]
        primary.turn("COMPLETED", f"ECS deployment {primary.id} completed.")
        primary.proved = True
        self.current.complete()
        self._add_event(f"(deployment {primary.id}) deployment completed.")
        self._report_steady_state()

    def _fail(self, failure: Failure, *, rollback: bool) -> None:
        """End the deployment. A rollback returns to the last completed one, under that one's id."""
        failed = self.primary
        self.current.failure_count = failed.failed_tasks
        failed.turn("FAILED", failure.rollout_reason)
        self._add_event(f"(deployment {failed.id}) deployment failed: {failure.event}.")
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
        self._add_event(f"rolling back to deployment {former.id}.")

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

    def _report_stopped(self, tasks: list[ServiceTask]) -> None:
        if tasks:
            self._add_event(f"has stopped {len(tasks)} running tasks: {_names(tasks)}.")

    def _report_steady_state(self) -> None:
        if not self._announced_steady:
            self._announced_steady = True
            self._add_event("has reached a steady state.")

    def _warn(self, message: str) -> None:
        if not self.primary.warned:
            self.primary.warned = True
            self._add_event(message)

    def _add_event(self, message: str) -> None:
        text = f"(service {self.service.name}) {message}"
        self.service.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": text})
        del self.service.events[_MOST_EVENTS:]


def _advance(task: ServiceTask, deployment: Deployment, behaviour: Behaviour) -> None:
    """Move one task one state on."""
    task.ticks += 1
    if task.last_status == "RUNNING":
        if behaviour.rollout == "crash-loop":
            task.crash()
            deployment.failed_tasks += 1
        return
    if behaviour.rollout == "cannot-pull":
        task.fail_to_pull(behaviour.missing_image)
        deployment.failed_tasks += 1
    elif behaviour.rollout != "slow" or task.ticks > behaviour.ticks:
        task.run()


def _names(tasks: list[ServiceTask]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
