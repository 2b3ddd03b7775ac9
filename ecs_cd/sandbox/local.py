"""The whole sandbox: AWS, Azure DevOps and Terraform on this machine, with something already deployed."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ecs_cd.errors import EcsCdError
from ecs_cd.sandbox.aws import Aws
from ecs_cd.sandbox.azure_devops import AzureDevOps, Identity, PipelineDefinition, Token
from ecs_cd.sandbox.ecs_scheduler import EcsScheduler
from ecs_cd.sandbox.first_apply import apply_all
from ecs_cd.sandbox.pipelines import ENVIRONMENTS, FIRST_TAG, INFRASTRUCTURE, SERVICES, ci, infrastructure
from ecs_cd.sandbox.terraform import Step, Terraform, TerraformMissingError, run_steps

BUCKET = "terraform-states"
REGION = "eu-west-1"


class SandboxError(EcsCdError):
    """The sandbox could not be set up."""

    reason = "sandbox"


class Sandbox:
    """A context manager: everything is up, and tag 100 of both services serves in both environments, while entered.

    `agents`: how many runs go on at once. `interval`: seconds between two steps of a rollout. Nothing is kept: all
    files are in a temporary folder that is removed at the end.
    """

    def __init__(self, *, agents: int = 2, interval: float = 0.2) -> None:
        self._stack = ExitStack()
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
            stack.enter_context(self.aws)
            self._seed()
            stack.enter_context(self.scheduler)
            self.azure_devops = AzureDevOps(
                definitions=self._definitions(), agents=self._agents, tokens=[Token(self.pat, self.person)]
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
            "SANDBOX_PIPELINES": ",".join([INFRASTRUCTURE, *SERVICES]),
            "SANDBOX_BRANCHES": ",".join(f"{name}={branch}" for name, branch in ENVIRONMENTS.items()),
        }

    def _find_terraform(self) -> Terraform:
        try:
            return Terraform(self.folder / "terraform")
        except TerraformMissingError as error:
            raise SandboxError(f"The sandbox cannot start: {error}.", hint="Install it and try again.") from None

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
        return [infrastructure(self._plan_run), *builds]

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
        path = self.folder / "ecs-cd.yml"
        path.write_text(
            f"organization: {self.azure_devops.url}\n"
            f"project: {self.azure_devops.project.name}\n"
            "defaults:\n"
            "  parameter: /{service}/{environment}/docker-image-tag\n"
            f"  pipeline: {INFRASTRUCTURE}\n"
            f"services:\n{services}\n"
            f"environments:\n{environments}\n",
            encoding="utf-8",
        )
        return path
