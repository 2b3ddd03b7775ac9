"""Both clouds on this machine, with a pipeline that applies in milliseconds what Terraform would."""

from __future__ import annotations

import base64
import os
import re
import threading
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ecs_cd_sandbox.aws import Aws, EcsScheduler
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import (
    AzureDevOps,
    Identity,
    JobDefinition,
    Parameter,
    PipelineDefinition,
    ServiceEndpoint,
    StageDefinition,
    StepContext,
    StepDefinition,
    Token,
)

PAT = "pat-0123456789abcdefghijklmnopqrstuvwxyz"
AWS_SECRET = "aws-secret-0123456789abcdefghijklmnopqrs"
SECRETS = (PAT, AWS_SECRET)
PERSON = Identity("Ann Author", "ann@example.com")
REGION = "eu-west-1"
SERVICES = {"my-api": "api", "my-worker": "worker"}
ENVIRONMENTS = {"refs/heads/develop": "development", "refs/heads/main": "production"}
PARAMETER = "/my-api/development/docker-image-tag"
PIPELINE = "my-infrastructure"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

SETTINGS = """\
organization: {organization}
project: platform
defaults:
  parameter: /{{service}}/{{environment}}/docker-image-tag
  pipeline: my-infrastructure
services:
  my-api:
    ecs: {{cluster: "{{environment}}", container: api}}
  my-worker:
    ecs: {{cluster: "{{environment}}"}}
environments:
  development: {{branch: develop, region: eu-west-1}}
  production: {{branch: main, region: eu-west-1}}
"""

LOGGING = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/development",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "ecs",
        "awslogs-create-group": "true",
    },
}
"""Where the applications log to; `scheduler.behave` says what."""

AWS_CONNECTION = "5c1e6f1a-0000-4000-8000-0000000000a1"

_KEPT = re.compile(r"(PATH|LANG|LC_.*|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|PYTHON.*|PYTEST_.*|COV.*)$")
_READING = ("Get", "Describe", "List", "BatchGet")


class SimulatedClouds:
    """Tag 101 of both services is recorded and serves in development; 102 and 103 have been pushed.

    `during_apply` happens in the run just before it applies: a test may fail it, or hold it until `released` is set.
    """

    def __init__(self, aws: Aws, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.scheduler = EcsScheduler(aws, interval=0.02)
        self.during_apply: Callable[[StepContext], object] = lambda _: None
        self.released = threading.Event()
        tokens = [Token(PAT, PERSON)]
        connection = ServiceEndpoint(AWS_CONNECTION, "aws", "AWS", "https://aws.amazon.com/")
        self.azure = AzureDevOps(definitions=[self.pipeline(1)], tokens=tokens, endpoints=[connection])
        self._stack = ExitStack()

    def __enter__(self) -> SimulatedClouds:  # noqa: PYI034 - `Self` is not in Python 3.10
        with ExitStack() as stack:
            self._seed()
            stack.enter_context(self.scheduler)
            stack.enter_context(self.azure)
            stack.callback(self.released.set)
            self.file = self.folder / "ecs-cd.yml"
            self.file.write_text(SETTINGS.format(organization=self.azure.url), encoding="utf-8")
            self.aws.forget_requests()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """What a process needs to reach these clouds, and nothing of the machine's own; the rest of the net is shut."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            **{name: value for name, value in os.environ.items() if _KEPT.match(name)},
            **self.aws.environment(),
            "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "ECS_CD_AZURE_DEVOPS_PAT": PAT,
            "HOME": str(home),
            "USERPROFILE": str(home),
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def pipeline(self, number: int, name: str = PIPELINE, folder: str = "\\platform") -> PipelineDefinition:
        """Return an infrastructure pipeline."""
        steps = (
            StepDefinition("Terraform plan", lambda context: context.log("Plan: 1 to add, 0 to change.")),
            StepDefinition("Terraform apply", self._apply),
        )
        return PipelineDefinition(
            number,
            name,
            (StageDefinition("Terraform", (JobDefinition("terraform", steps),)),),
            folder=folder,
            branches=dict.fromkeys(ENVIRONMENTS, "a" * 40),
            parameters={"size": Parameter("small")},
            settable_variables=frozenset({"REASON"}),
        )

    def value(self, name: str = PARAMETER) -> str:
        """Return what a parameter holds."""
        return str(self.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    def serves(self, service: str = "my-api") -> str:
        """Return the tag in the task definition of a service in development."""
        found = self.aws.client("ecs").describe_services(cluster="development", services=[service])
        return self._images(found["services"][0]["taskDefinition"])[-1].rpartition(":")[2]

    def writes(self) -> list[str]:
        """Return what was changed anywhere: AWS's operations, then Azure DevOps's requests."""
        aws = [request.operation for request in self.aws.requests if not request.operation.startswith(_READING)]
        return aws + [
            f"{exchange.method} {exchange.path.partition('_apis/')[2]}"
            for exchange in self.azure.recorder.exchanges
            if exchange.method != "GET" and not exchange.path.lower().endswith("/preview")
        ]

    def deny(self, service: str, operation: str) -> None:
        """Let AWS refuse an operation from here on."""
        text = f"User: arn:aws:iam::1:user/me is not authorized to perform: {service}:{operation} on resource: *"
        self.aws.inject(service, operation, ErrorAnswer("AccessDeniedException", text), times=99)

    def forget(self) -> None:
        """Count from here."""
        self.aws.forget_requests()
        self.azure.recorder.clear()

    def cancel(self, run_id: int) -> None:
        """Cancel a run as a person does in the portal."""
        request = urllib.request.Request(
            f"{self.azure.url}/platform/_apis/build/builds/{run_id}?api-version=7.1",
            data=b'{"status": "cancelling"}',
            headers={
                "Authorization": "Basic " + base64.b64encode(f":{PAT}".encode()).decode(),
                "Content-Type": "application/json",
            },
            method="PATCH",
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()

    def publish(self, tag: str, name: str = "drop/.buildId") -> Path:
        """Write a tag file as a downloaded artifact has it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{tag}\n", encoding="utf-8")
        return path

    def _seed(self) -> None:
        for environment in ENVIRONMENTS.values():
            self.aws.create_cluster(environment)
        for service in SERVICES:
            self.aws.create_repository(service)
            for tag in ("101", "102", "103"):
                self.aws.push_image(service, tag)
            for environment in ENVIRONMENTS.values():
                self.aws.put_parameter(f"/{service}/{environment}/docker-image-tag", "101")
            self.create_service(service, service, "101")
        for _ in range(6):  # a rollout of one task takes four ticks
            self.scheduler.tick()

    def create_service(self, name: str, family: str, tag: str) -> None:
        """Create a service in development whose task definition is of the family of another, as Terraform does."""
        self.aws.client("ecs").create_service(
            cluster="development",
            serviceName=name,
            taskDefinition=self._register(family, tag),
            desiredCount=1,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )

    def _apply(self, context: StepContext) -> None:
        self.during_apply(context)
        self.apply(ENVIRONMENTS[context.branch])

    def apply(self, environment: str) -> None:
        """Bring every service to the tag that is recorded for it, as Terraform does."""
        ecs = self.aws.client("ecs")
        for service in SERVICES if environment == "development" else ():
            tag = self.value(f"/{service}/{environment}/docker-image-tag")
            if self.serves(service) != tag:
                ecs.update_service(cluster=environment, service=service, taskDefinition=self._register(service, tag))

    def _register(self, service: str, tag: str) -> str:
        image = f"{self.aws.account_id}.dkr.ecr.{REGION}.amazonaws.com/{service}:{tag}"
        containers = [
            {"name": "datadog-agent", "image": "public.ecr.aws/datadog/agent:7", "memory": 64, "essential": False},
            {"name": SERVICES[service], "image": image, "memory": 128, "logConfiguration": LOGGING},
        ]
        registered = self.aws.client("ecs").register_task_definition(family=service, containerDefinitions=containers)
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def _images(self, definition: str) -> list[str]:
        found = self.aws.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
        return [container["image"] for container in found["containerDefinitions"]]
