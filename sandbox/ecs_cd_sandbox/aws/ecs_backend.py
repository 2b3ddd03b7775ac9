"""moto's ECS with services that deploy: what moto leaves out of the API's answers is put in here.

moto's services never start a task, show one deployment for ever, forget the deployment configuration they were
created with, and list tasks without regard to the service. Task sets (deployment controllers CODE_DEPLOY and EXTERNAL)
stay moto's own: they are steady at once and nothing rolls.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Service, Task, ecs_backends
from moto.ecs.urls import url_bases

from ecs_cd_sandbox.aws.ecs_configuration import configure, default_configuration
from ecs_cd_sandbox.aws.ecs_rollout import ServiceRollout
from ecs_cd_sandbox.aws.ecs_service_deployment_answers import ServiceDeploymentAnswers
from ecs_cd_sandbox.aws.ecs_service_revision import shown
from ecs_cd_sandbox.aws.ecs_tasks import DeployingService

# A change of one of these starts a deployment; a changed desired count alone does not.
_DEPLOYED = ("task_definition", "network_configuration", "platform_version", "load_balancers")


def install() -> None:
    """Make moto use this backend for ECS, in the whole process, and empty what its own one held. Idempotent."""
    if ecs_backends.backend is not EcsBackend:
        ecs_backends.backend = EcsBackend
        ecs_backends.clear()


class _Responses(ServiceDeploymentAnswers):
    def create_service(self) -> ActionResult:
        """Hand on the deployment configuration, which moto's handler leaves out."""
        given = self._get_param("deploymentConfiguration") or {}
        self._ecs.configuration = configure(default_configuration(), given)
        try:
            return super().create_service()
        finally:
            self._ecs.configuration = default_configuration()


class EcsBackend(EC2ContainerServiceBackend):
    """One region's ECS in one account; `rollouts` holds the services that deploy, by cluster and name."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.rollouts: dict[tuple[str, str], ServiceRollout] = {}
        self.configuration = default_configuration()
        """The deployment configuration of the service that is being created."""

    @property
    def _url_module(self) -> SimpleNamespace:
        # moto would look for a `urls` module beside the module of this class.
        return SimpleNamespace(url_bases=url_bases, url_paths={"{0}/$": _Responses.dispatch})

    def create_service(self, cluster_str: str, service_name: str, *args: Any, **kwargs: Any) -> Service:  # noqa: ANN401 - moto's own, handed on
        """Create the service and start its first deployment; refuse a second one of the same name as AWS does."""
        existing, _ = self.describe_services(cluster_str, [service_name])
        if existing and existing[0].status == "ACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        service = super().create_service(cluster_str, service_name, *args, **kwargs)
        deploying = cast("DeployingService", service)
        deploying.deployment_configuration = self.configuration
        if service.deployment_controller["type"] == "ECS":
            store = self.tasks.setdefault(service.cluster_name, {})
            rollout = self.rollouts[service.cluster_name, service.name] = ServiceRollout(
                cast("DeployingService", service), store
            )
            rollout.begin(self.describe_task_definition(str(service.task_definition)))
        self.count(service.cluster_name)
        return service

    def update_service(self, service_properties: dict[str, Any]) -> Service:
        """Update the service; start a deployment where AWS does, scale where it only scales."""
        properties = dict(service_properties)
        force = properties.pop("force_new_deployment", False)
        service = self._get_service(properties.get("cluster", "default"), properties["service"].split("/")[-1])
        if properties.get("deployment_configuration"):
            known = cast("DeployingService", service).deployment_configuration
            properties["deployment_configuration"] = configure(known, properties["deployment_configuration"])
        rollout = self.rollouts.get((service.cluster_name, service.name))
        if rollout is None:
            return super().update_service(properties | {"force_new_deployment": force})
        before = [getattr(service, name) for name in _DEPLOYED]
        count = service.desired_count
        super().update_service(properties)
        definition = self.describe_task_definition(str(service.task_definition))
        service.task_definition = definition.arn
        if force or before != [getattr(service, name) for name in _DEPLOYED]:
            rollout.begin(definition)
        elif service.desired_count != count:
            rollout.scale()
        else:
            rollout.publish()
        self.count(service.cluster_name)
        return service

    def delete_service(self, cluster_name: str, service_name: str, force: bool) -> Service:
        """Delete the service and stop its tasks."""
        service = super().delete_service(cluster_name, service_name, force)
        rollout = self.rollouts.pop((service.cluster_name, service.name), None)
        if rollout is not None:
            rollout.end()
            self.count(service.cluster_name)
        return service

    def list_tasks(  # noqa: PLR0917 - moto's signature
        self,
        cluster_str: str | None = None,
        container_instance: str | None = None,
        family: str | None = None,
        started_by: str | None = None,
        service_name: str | None = None,
        desiredStatus: str | None = None,  # noqa: N803 - moto's name for it
    ) -> list[Task]:
        """List tasks, of one service if it is named; only those meant to run unless asked otherwise, as on AWS."""
        status = desiredStatus or "RUNNING"
        tasks = super().list_tasks(cluster_str, container_instance, family, started_by, None, status)
        if service_name:
            group = f"service:{service_name.split('/')[-1]}"
            tasks = [task for task in tasks if task.group == group]
        return list(tasks)

    def describe_service_revisions(self, arns: list[str]) -> list[dict[str, Any]]:
        """Return those service revisions (the API's `ServiceRevision`) that there are."""
        there = {arn: revision for rollout in self.rollouts.values() for arn, revision in rollout.revisions.items()}
        return [there[arn].describe(shown.revisions) for arn in arns if arn in there]

    def count(self, cluster_name: str) -> None:
        """Set the cluster's counts, which moto's own bookkeeping would get wrong."""
        cluster = self.clusters[cluster_name]
        statuses = [task.last_status for task in self.tasks.get(cluster_name, {}).values()]
        cluster.running_tasks_count = statuses.count("RUNNING")
        cluster.pending_tasks_count = statuses.count("PENDING")
        services = [service for service in self.services.values() if service.cluster_name == cluster_name]
        cluster.active_services_count = sum(service.status == "ACTIVE" for service in services)
