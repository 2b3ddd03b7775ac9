"""The whole sandbox: AWS, Azure DevOps and Terraform on this machine, with something already deployed."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ecs_cd.errors import EcsCdError
from ecs_cd.sandbox.aws import Aws
from ecs_cd.sandbox.azure_devops import (
    AzureDevOps,
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
from ecs_cd.sandbox.ecs_scheduler import EcsScheduler
from ecs_cd.sandbox.first_apply import apply_all
from ecs_cd.sandbox.pipelines import (
    ENVIRONMENTS,
    FIRST_TAG,
    INFRASTRUCTURE,
    RELEASE,
    SERVICES,
    TASK,
    ci,
    infrastructure,
    release,
)
from ecs_cd.sandbox.terraform import Step, Terraform, TerraformMissingError, run_steps

BUCKET = "terraform-states"
REGION = "eu-west-1"
CONNECTION = "aws-sandbox"
"""The AWS service connection."""

_NOT_OF_AN_AGENT = (
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
"""How variables begin that would tell the agents' programs what they must find out by themselves."""


class SandboxError(EcsCdError):
    """The sandbox could not be set up."""

    reason = "sandbox"


class Sandbox:
    """A context manager: everything is up, and tag 100 of both services serves in both environments, while entered.

    `agents`: how many runs go on at once. `interval`: seconds between two steps of a rollout. `extension`: the `.vsix`
    whose task the release pipeline delivers with; without one there is no such pipeline. Nothing is kept: all files are
    in a temporary folder that is removed at the end.
    """

    def __init__(self, *, agents: int = 2, interval: float = 0.2, extension: Path | None = None) -> None:
        self._stack = ExitStack()
        self._extension = extension
        self._agents = agents
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
            stack.enter_context(self.scheduler)
            self.azure_devops = AzureDevOps(
                definitions=self._definitions(),
                # A release keeps its agent while it waits for the run that Terraform is in.
                agents=self._agents * (2 if self._task else 1),
                tokens=[Token(self.pat, self.person)],
                endpoints=[self._aws_connection()],
                agent_environment=self._agent_environment(),
            )
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

    def _aws_connection(self) -> ServiceEndpoint:
        return ServiceEndpoint(
            str(uuid.uuid4()),
            CONNECTION,
            "AWS",
            "https://aws.amazon.com/",
            scheme="ms.vss-endpoint.endpoint-auth-scheme-basic",
            secrets={"username": f"AKIA{secrets.token_hex(8).upper()}", "password": secrets.token_urlsafe(30)},
        )

    def _agent_environment(self) -> dict[str, str]:
        """Return what the agents run in: where AWS is, but no keys; a Python first on the path."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_OF_AN_AGENT)}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        return {**kept, "PATH": path, "AWS_ENDPOINT_URL": self.aws.url, "AWS_EC2_METADATA_DISABLED": "true"}

    def _seed(self) -> None:
        self.aws.create_state_bucket(BUCKET)
        self._subnets = self.aws.subnets()
        for service in SERVICES:
            self.aws.create_repository(service)
            self.aws.push_image(service, str(FIRST_TAG))
        for environment in ENVIRONMENTS:
            self.aws.create_cluster(environment)
            for service in SERVICES:
                self.aws.put_parameter(f"/{service}/{environment}/docker-image-tag", str(FIRST_TAG))

    def _definitions(self) -> list[PipelineDefinition]:
        builds = [ci(number, service, self.aws, self.folder / "builds") for number, service in enumerate(SERVICES, 2)]
        found = [infrastructure(self._plan_run), *builds]
        if self._task:
            found.append(release(len(found) + 1, self._task, settings=self._settings_path, connection=CONNECTION))
        return found

    @property
    def _settings_path(self) -> Path:
        return self.folder / "ecs-cd.yml"

    def _plan_run(self, environment: str, name: str) -> list[Step]:
        return run_steps(
            self._terraform,
            self.aws,
            environment=environment,
            workspace=self.folder / "runs" / name,
            bucket=BUCKET,
            subnets=self._subnets,
        )

    def _first_apply(self) -> None:
        """Bring up both environments as they were before the first delivery."""
        failures = apply_all([self._plan_run(environment, f"first-{environment}") for environment in ENVIRONMENTS])
        if failures:
            raise SandboxError(
                "Terraform could not bring up the sandbox's services.",
                hint="Its own words are above; report them if the sandbox is at fault.",
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
        self._settings_path.write_text(
            f"organization: {self.azure_devops.url}\n"
            f"project: {self.azure_devops.project.name}\n"
            "defaults:\n"
            "  parameter: /{service}/{environment}/docker-image-tag\n"
            f"  pipeline: {INFRASTRUCTURE}\n"
            f"services:\n{services}\n"
            f"environments:\n{environments}\n",
            encoding="utf-8",
        )
        return self._settings_path
