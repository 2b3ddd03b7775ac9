"""A team with the shipped templates, its two pipelines, and an infrastructure that applies in milliseconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ecs_cd_sandbox.aws import Aws, EcsScheduler
from ecs_cd_sandbox.aws_for_tasks import EcrRegistry
from ecs_cd_sandbox.azure_devops import (
    AzureDevOps,
    Environment,
    JobDefinition,
    PipelineDefinition,
    Repository,
    ServiceEndpoint,
    StageDefinition,
    StepContext,
    StepDefinition,
    Task,
    Token,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import AwsLogin, TaskCatalog
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.git_repositories import service_repository
from tests.integration.templates.template_expansion import ADA, FILE, PROJECT, ecs_cd_task, templates
from tests.support.sandbox_api import Api

SERVICE = "my-api"
BRANCHES = {"refs/heads/develop": "development", "refs/heads/main": "production"}
INFRASTRUCTURE, BUILD, RELEASE = 1, 2, 3
FIRST = "100"
PATIENCE = 30.0
CONNECTION_SECRET = "connection-secret-0123456789"
_TOKEN = Token("ada-pat", ADA)


class ServicePipelines:
    """Serves tag 100 of `my-api` in two environments; `task` is what releases deliver with."""

    def __init__(self, aws: Aws, task: Task | None = None) -> None:
        self.aws = aws
        self.scheduler = EcsScheduler(aws, interval=0.02)
        self.repository = service_repository(SERVICE, "api", ADA)
        registry = EcrRegistry(aws.url, login=AwsLogin("sandbox", "sandbox", region=aws.region))
        self._catalog = TaskCatalog(
            tasks=(task or ecs_cd_task(),),
            sources=lambda _name, commit: self.repository.commit(commit).files,
            registry=registry,
        )
        self._templates = templates()
        self.azure = self._azure_devops()
        self.api = Api(self.azure, _TOKEN.secret)
        self._stack = ExitStack()

    def __enter__(self) -> ServicePipelines:  # noqa: PYI034 - `Self` is not in Python 3.10
        with ExitStack() as stack:
            self._seed()
            stack.enter_context(self.scheduler)
            stack.enter_context(self.azure)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def push(self, **files: str) -> None:
        """Put pipelines into the repository: `build` and `release`."""
        names = {"build": FILE, "release": "release.yml"}
        self.repository.push("main", {names[name]: text for name, text in files.items()}, ADA, "Change")

    def run(self, pipeline: int = BUILD, **body: Any) -> Run:  # noqa: ANN401 - any JSON
        """Run a pipeline to its end."""
        number = self.api.run(pipeline, **body)
        self.azure.wait(number, timeout=PATIENCE)
        return self.azure._state.runs[number]

    def build(self, text: str) -> Run:
        """Run a build of this text."""
        self.push(build=text)
        return self.run()

    def wait_for_release(self, until: Callable[[Run], bool]) -> Run:
        """Wait for the newest release to come to something."""
        state = self.azure._state

        def found() -> list[Run]:
            return [run for run in state.runs.values() if run.definition.id == RELEASE and until(run)]

        state.wait_for(lambda: bool(found()), PATIENCE)
        return found()[-1]

    def approvals(self, status: str = "pending") -> list[str]:
        """Return the ids of the approvals of a status."""
        listed = self.api.json("GET", "pipelines/approvals", params={"state": status})["value"]
        return [str(approval["id"]) for approval in listed]

    def answer(self, status: str) -> None:
        """Answer the one approval that is asked for."""
        [approval] = self.approvals()
        self.api.json("PATCH", "pipelines/approvals", json=[{"approvalId": approval, "status": status}])

    def tags(self, repository: str = SERVICE) -> set[str]:
        """Return the tags in a repository of ECR."""
        found = self.aws.client("ecr").list_images(repositoryName=repository)["imageIds"]
        return {image["imageTag"] for image in found}

    def serves(self, environment: str) -> str:
        """Return the tag that the service has in an environment."""
        ecs = self.aws.client("ecs")
        found = ecs.describe_services(cluster=environment, services=[SERVICE])["services"][0]["taskDefinition"]
        definition = ecs.describe_task_definition(taskDefinition=found)["taskDefinition"]
        return str(definition["containerDefinitions"][0]["image"]).rpartition(":")[2]

    def record(self, environment: str, tag: str) -> None:
        """Put a tag into the parameter of an environment, as another delivery does."""
        self.aws.put_parameter(f"/{SERVICE}/{environment}/docker-image-tag", tag)

    def _azure_devops(self) -> AzureDevOps:
        return AzureDevOps(
            organization=PROJECT.organization,
            project=PROJECT.name,
            definitions=[
                self._infrastructure(),
                self._pipeline(BUILD, SERVICE, FILE),
                self._pipeline(RELEASE, f"{SERVICE}-release", "release.yml"),
            ],
            agents=3,
            tokens=[_TOKEN],
            endpoints=[
                ServiceEndpoint(
                    f"{number}1111111-2222-3333-4444-555555555555",
                    f"aws-{environment}",
                    "AWS",
                    "https://aws.amazon.com/",
                    scheme="ms.vss-endpoint.endpoint-auth-scheme-basic",
                    secrets={"username": "AKIATHROWAWAY", "password": CONNECTION_SECRET},
                )
                for number, environment in enumerate(BRANCHES.values(), 1)
            ],
            environments=[Environment("production", (ADA,))],
            agent_environment={
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
                "AWS_ENDPOINT_URL": self.aws.url,
                "AWS_EC2_METADATA_DISABLED": "true",
                "NO_PROXY": "127.0.0.1,localhost",
            },
            first_run_id=201,
        )

    def _pipeline(self, number: int, name: str, path: str) -> PipelineDefinition:
        file = YamlFile(self.repository, f"/{path}", self._catalog, PROJECT, (self.repository, self._templates))
        return PipelineDefinition(
            number, name, repository=Repository(SERVICE), file=file, settable_variables=frozenset({"tag"})
        )

    def _infrastructure(self) -> PipelineDefinition:
        job = JobDefinition("terraform", (StepDefinition("Apply", self._apply),))
        branches = dict.fromkeys(BRANCHES, "a" * 40)
        return PipelineDefinition(
            INFRASTRUCTURE, "my-infrastructure", (StageDefinition("terraform", (job,)),), branches=branches
        )

    def _apply(self, context: StepContext) -> None:
        environment = BRANCHES[context.branch]
        name = f"/{SERVICE}/{environment}/docker-image-tag"
        tag = str(self.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        if self.serves(environment) != tag:
            ecs = self.aws.client("ecs")
            ecs.update_service(cluster=environment, service=SERVICE, taskDefinition=self._register(tag))

    def _seed(self) -> None:
        self.aws.create_repository(SERVICE)
        self.aws.push_image(SERVICE, FIRST)
        for environment in BRANCHES.values():
            self.aws.create_cluster(environment)
            self.record(environment, FIRST)
            self.aws.client("ecs").create_service(
                cluster=environment, serviceName=SERVICE, taskDefinition=self._register(FIRST), desiredCount=1
            )
        for _ in range(6):  # a rollout of one task takes four ticks
            self.scheduler.tick()

    def _register(self, tag: str) -> str:
        image = f"{self.aws.account_id}.dkr.ecr.{self.aws.region}.amazonaws.com/{SERVICE}:{tag}"
        containers = [{"name": "api", "image": image, "memory": 128}]
        ecs = self.aws.client("ecs")
        registered = ecs.register_task_definition(family=SERVICE, containerDefinitions=containers)
        return str(registered["taskDefinition"]["taskDefinitionArn"])


def log(run: Run) -> str:
    """Return all logs of a run, without the times."""
    return "\n".join(line.partition(" ")[2] for each in run.logs for line in each.lines)


def issues(run: Run) -> list[str]:
    """Return what went wrong in a run."""
    return [issue.message for record in run.timeline.records for issue in record.issues if issue.type == "error"]


def results(run: Run, kind: str = "Stage") -> dict[str, str | None]:
    """Return how the stages, or the records of another kind, ended."""
    return {record.name: record.result for record in run.timeline.records if record.type == kind}
