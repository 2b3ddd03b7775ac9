"""One service of the sandbox's ECS, and a scheduler that ticks by hand."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.aws import Aws, EcsScheduler

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


class Fleet:
    """One service, `my-api`, in the cluster `development`, and a scheduler that ticks when told."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.ecs = aws.client("ecs")
        self.scheduler = EcsScheduler(aws)
        aws.create_cluster("development")
        aws.create_repository("my-api")
        for tag in ("101", "102", "103"):
            aws.push_image("my-api", tag)

    def definition(self, tag: str, **more: object) -> str:
        """Register a task definition; `tag` may be `tag@digest` or, to pin the digest alone, `@digest`."""
        image = f"{REGISTRY}/my-api{tag}" if tag.startswith("@") else f"{REGISTRY}/my-api:{tag}"
        containers = [
            {"name": "datadog-agent", "image": "public.ecr.aws/datadog/agent:7", "memory": 64, "essential": False},
            {"name": "api", "image": image, "memory": 128},
        ]
        registered = self.ecs.register_task_definition(family="my-api", containerDefinitions=containers, **more)
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def create(
        self, tag: str = "101", *, count: int = 1, breaker: tuple[bool, bool] = (True, True), **configuration: object
    ) -> None:
        self.ecs.create_service(
            cluster="development",
            serviceName="my-api",
            taskDefinition=self.definition(tag),
            desiredCount=count,
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": breaker[0], "rollback": breaker[1]},
                **configuration,
            },
        )
        self.tick(4)

    def update(self, tag: str, **more: object) -> dict[str, Any]:
        answer = self.ecs.update_service(
            cluster="development", service="my-api", taskDefinition=self.definition(tag), **more
        )
        return dict(answer["service"])

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.scheduler.tick()

    def describe(self) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster="development", services=["my-api"])["services"][0])

    def shape(self) -> list[tuple[str, str, int, int, int]]:
        return [
            (
                deployment["status"],
                deployment["rolloutState"],
                deployment["runningCount"],
                deployment["pendingCount"],
                deployment["failedTasks"],
            )
            for deployment in self.describe()["deployments"]
        ]

    def listed(self, **more: object) -> list[dict[str, Any]]:
        found = self.ecs.list_service_deployments(cluster="development", service="my-api", **more)
        return list(found["serviceDeployments"])

    def deployment(self, number: int = 0) -> dict[str, Any]:
        """The service deployment of that number, counted from the newest."""
        arn = self.listed()[number]["serviceDeploymentArn"]
        return dict(self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0])

    def revision(self, arn: str) -> dict[str, Any]:
        return dict(self.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"][0])

    def running_digests(self) -> list[str]:
        return [
            container["imageDigest"]
            for task in self.tasks("RUNNING")
            for container in task["containers"]
            if container["name"] == "api" and task["lastStatus"] == "RUNNING"
        ]

    def events(self) -> list[str]:
        return [event["message"] for event in self.describe()["events"]]

    def tasks(self, status: str) -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="development", serviceName="my-api", desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="development", tasks=arns)["tasks"]) if arns else []
