"""The whole sandbox: AWS, Azure DevOps and Terraform on this machine, with something already deployed."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ecs_cd_sandbox.aws import Aws, EcsScheduler
from ecs_cd_sandbox.aws.commands import commands
from ecs_cd_sandbox.aws_for_tasks import EcrRegistry, Roles
from ecs_cd_sandbox.azure_devops import (
    AzureDevOps,
    Environment,
    Identity,
    NodeMissingError,
    PipelineDefinition,
    ServiceEndpoint,
    Task,
    TaskPackageError,
    Token,
    find_node,
    find_task,
    unpack,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import AwsLogin, TaskCatalog
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.errors import SandboxError
from ecs_cd_sandbox.example_infrastructure import STATE_BUCKET, run_steps, seed
from ecs_cd_sandbox.git_repositories import infrastructure_repository, service_repository, templates_repository
from ecs_cd_sandbox.pipelines import ENVIRONMENTS, FIRST_TAG, INFRASTRUCTURE, RELEASE, SERVICES, TASK, pipelines
from ecs_cd_sandbox.terraform.first_apply import apply_all
from ecs_cd_sandbox.terraform.installation import Terraform, TerraformMissingError

REGION = "eu-west-1"
PROJECT = Project("platform", "sandbox")

_NOT_FOR_AGENTS = (
    "AWS_",
    "ECS_CD_",
    "AZURE_DEVOPS_",
    "SYSTEM_",
    "BUILD_",
    "RELEASE_",
    "AGENT_",
    "PYTHON",
    "VIRTUAL_ENV",
)
"""Prefixes of variables that agents must not inherit: a task would find its settings there instead of in its job."""


class Sandbox:
    """A context manager: everything is up, and tag 100 of both services serves in both environments, while entered.

    `agents`: how many jobs go on at once. `interval`: seconds between two steps of a rollout. `extension`: the `.vsix`
    whose task the release pipeline delivers with; without one there is no such pipeline. `approvals`: whether a release
    to production waits until `person` approves it. Nothing is kept: all files are in a temporary folder that is
    removed at the end.
    """

    def __init__(
        self, *, agents: int = 2, interval: float = 0.2, extension: Path | None = None, approvals: bool = False
    ) -> None:
        self._stack = ExitStack()
        self._extension = extension
        self._agents = agents
        self._approvals = approvals
        self.aws = Aws(REGION)
        self.scheduler = EcsScheduler(self.aws, interval=interval)
        self.pat = secrets.token_urlsafe(39)
        self.person = Identity("Ada Operator", "ada@example.com")

    def __enter__(self) -> Sandbox:  # noqa: PYI034 - `Self` is not in Python 3.10
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="ecs-cd-sandbox-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._terraform = self._find_terraform()
            self._task = self._unpack_task(self._extension) if self._extension else None
            stack.enter_context(self.aws)
            self._seed()
            self.aws.commands.update(commands(self.aws, self.scheduler))
            stack.enter_context(self.scheduler)
            self.repositories = self._repositories()
            self.azure_devops = self._azure_devops()
            stack.enter_context(self.azure_devops)
            self._first_apply()
            self.settings = self._write_settings()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def has_release(self) -> bool:
        """Whether there is a release pipeline, as the extension was given."""
        return self._task is not None

    def push(
        self, repository: str, files: Mapping[str, str | bytes | None], message: str, *, branch: str = "main"
    ) -> list[int]:
        """Push a change to a repository, as `person`, and return the ids of the runs that it started."""
        commit = self.repositories[repository].push(branch, files, self.person, message)
        return self.azure_devops.pushed(repository, commit.branch, commit.changed, self.person, message=message)

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which `ecs-cd`, and any official client, reach this sandbox."""
        return {
            **self.aws.environment(),
            "NO_PROXY": "127.0.0.1,localhost",
            "ECS_CD_SETTINGS": str(self.settings),
            "ECS_CD_ORGANIZATION": self.azure_devops.url,
            "ECS_CD_PROJECT": self.azure_devops.project.name,
            "ECS_CD_PIPELINE": INFRASTRUCTURE,
            "ECS_CD_AZURE_DEVOPS_PAT": self.pat,
            "AZURE_DEVOPS_EXT_PAT": self.pat,
            "SANDBOX_PIPELINES": ",".join([INFRASTRUCTURE, *SERVICES, *([RELEASE] if self._task else [])]),
            "SANDBOX_BRANCHES": ",".join(f"{name}={branch}" for name, branch in ENVIRONMENTS.items()),
        }

    def _find_terraform(self) -> Terraform:
        try:
            return Terraform(self.folder / "terraform")
        except TerraformMissingError as error:
            raise SandboxError(f"The sandbox cannot start: {error}.", hint="Install it and try again.") from None

    def _unpack_task(self, extension: Path) -> Task:
        """Unpack the extension and see that its task can be run here."""
        try:
            find_node(os.environ)
            return find_task(unpack(extension, self.folder / "extension"), TASK)
        except (NodeMissingError, TaskPackageError) as error:
            raise SandboxError(f"The sandbox cannot start: {error}", hint="Build the extension: make vsix") from None

    def _repositories(self) -> dict[str, GitRepository]:
        author = self.person
        found = [templates_repository(author), infrastructure_repository(ENVIRONMENTS, self.aws.url, author)]
        found += [service_repository(name, container, author) for name, container in SERVICES.items()]
        return {repository.name: repository for repository in found}

    def _azure_devops(self) -> AzureDevOps:
        approvers = (self.person,) if self._approvals else ()
        return AzureDevOps(
            organization=PROJECT.organization,
            project=PROJECT.name,
            definitions=self._definitions(),
            # A release keeps its agent while it waits for the run that Terraform is in.
            agents=self._agents * (2 if self._task else 1),
            tokens=[Token(self.pat, self.person)],
            endpoints=[self._connection(environment) for environment in ENVIRONMENTS],
            environments=[Environment("production", approvers)],
            first_run_id=FIRST_TAG + 1,
            agent_environment=self._agent_environment(),
        )

    def _definitions(self) -> list[PipelineDefinition]:
        login = AwsLogin("sandbox", "sandbox", region=REGION)
        catalog = TaskCatalog(
            tasks=(self._task,) if self._task else (),
            sources=lambda name, commit: self.repositories[name].commit(commit).files,
            registry=EcrRegistry(self.aws.url, login=login),
            assume_role=Roles(self.aws.url),
        )
        return pipelines(
            lambda name, path: YamlFile(
                self.repositories[name], path, catalog, PROJECT, tuple(self.repositories.values())
            ),
            with_release=self.has_release,
        )

    def _connection(self, environment: str) -> ServiceEndpoint:
        return ServiceEndpoint(
            str(uuid.uuid4()),
            f"aws-{environment}",
            "AWS",
            "https://aws.amazon.com/",
            scheme="ms.vss-endpoint.endpoint-auth-scheme-basic",
            secrets={"username": f"AKIA{secrets.token_hex(8).upper()}", "password": secrets.token_urlsafe(30)},
        )

    def _agent_environment(self) -> dict[str, str]:
        """Return what the agents run in: where AWS is, but no keys; a Python and Terraform first on the path."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_FOR_AGENTS)}
        path = [str(self._terraform.program()), str(Path(sys.executable).parent), kept.get("PATH", "")]
        return {
            **kept,
            **self._terraform.environment(),
            "PATH": os.pathsep.join(path),
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _seed(self) -> None:
        self.aws.create_state_bucket(STATE_BUCKET)
        for service in SERVICES:
            self.aws.create_repository(service)
            self.aws.push_image(service, str(FIRST_TAG))
        for environment in ENVIRONMENTS:
            seed(self.aws, environment)

    def _first_apply(self) -> None:
        """Bring up both environments as they were before the first delivery."""
        plans = [
            run_steps(self._terraform, self.aws, environment=environment, target=self.folder / "first" / environment)
            for environment in ENVIRONMENTS
        ]
        failures = apply_all(plans)
        if failures:
            raise SandboxError(
                "Terraform could not bring up the sandbox's services.",
                hint="Its output follows; report it if the sandbox is at fault.",
                details=tuple(line for failure in failures for line in failure.splitlines()),
            )
        for _ in range(20):  # a rollout of one task takes four ticks
            self.scheduler.tick()

    def _write_settings(self) -> Path:
        services = "\n".join(
            f"  {service}:\n"
            f"    repository: {service}\n"
            f"    ecs: {{cluster: '{{environment}}', service: {service}, container: {container}}}"
            for service, container in SERVICES.items()
        )
        environments = "\n".join(
            f"  {environment}: {{branch: {branch}, region: {REGION}}}" for environment, branch in ENVIRONMENTS.items()
        )
        settings = self.folder / "ecs-cd.yml"
        settings.write_text(
            f"organization: {self.azure_devops.url}\n"
            f"project: {self.azure_devops.project.name}\n"
            "defaults:\n"
            "  parameter: /{service}/{environment}/docker-image-tag\n"
            f"  pipeline: {INFRASTRUCTURE}\n"
            f"services:\n{services}\n"
            f"environments:\n{environments}\n",
            encoding="utf-8",
        )
        return settings
