"""The pipelines of the sandbox's teams: the platform team's Terraform, and the CI build of each service.

With the extension at hand there is a release pipeline too, which delivers through the task.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ecs_cd.sandbox.aws import Aws
from ecs_cd.sandbox.azure_devops import (
    DOWNLOAD,
    DownloadAction,
    JobDefinition,
    PipelineDefinition,
    PipelineResource,
    ProcessAction,
    Repository,
    StageDefinition,
    StepContext,
    StepDefinition,
    Task,
    TaskAction,
)
from ecs_cd.sandbox.azure_devops.definitions import commit_of
from ecs_cd.sandbox.terraform import Step

ENVIRONMENTS = {"development": "develop", "production": "main"}
"""Each environment and the branch of the infrastructure repository that is deployed to it."""

SERVICES = {"my-api": "api", "my-worker": "worker"}
"""Each service and the container of it that carries the tag; `my-api` has a sidecar beside it."""

INFRASTRUCTURE = "my-infrastructure"
RELEASED = "my-api"
"""The service that has a release pipeline."""
RELEASE = f"{RELEASED}-release"
TASK = "EcsCd@1"
DELIVERY = "Deliver to ECS"
"""What the step of the release pipeline with the task is called."""

FIRST_TAG = 100
"""What runs before anything is delivered; the builds that follow count on from here."""

PlanRun = Callable[[str, str], list[Step]]
"""Given an environment and a name for the run's folder, the commands of one run of Terraform."""


class _TerraformSteps:
    """The steps of the infrastructure pipeline: each is one command, planned when the run's first step begins."""

    def __init__(self, plan_run: PlanRun) -> None:
        self._plan_run = plan_run
        self._planned: dict[int, list[Step]] = {}
        self._lock = threading.Lock()

    def definition(self, name: str, place: int) -> StepDefinition:
        """Return the step that runs the command at this place of the plan."""

        def act(context: StepContext) -> None:
            step = self._of(context)[place]
            ProcessAction(step.argv, env=step.environment, title="Terraform")(context)

        return StepDefinition(name, act)

    def _of(self, context: StepContext) -> list[Step]:
        environment = {f"refs/heads/{branch}": name for name, branch in ENVIRONMENTS.items()}[context.branch]
        with self._lock:
            if context.run_id not in self._planned:
                self._planned[context.run_id] = self._plan_run(environment, f"run-{context.run_id}")
            return self._planned[context.run_id]


def infrastructure(plan_run: PlanRun) -> PipelineDefinition:
    """Return the pipeline that runs Terraform for the environment of the branch it is queued on."""
    steps = _TerraformSteps(plan_run)
    names = ("Terraform init", "Terraform plan", "Terraform apply")
    job = JobDefinition("terraform", tuple(steps.definition(name, place) for place, name in enumerate(names)))
    branches = {f"refs/heads/{branch}": commit_of(branch) for branch in ENVIRONMENTS.values()}
    return PipelineDefinition(
        id=1,
        name=INFRASTRUCTURE,
        stages=(StageDefinition("Terraform", (job,)),),
        folder="\\platform",
        repository=Repository("infrastructure"),
        branches=branches,
    )


def ci(number: int, service: str, aws: Aws, scratch: Path) -> PipelineDefinition:
    """Return the CI pipeline of a service: it pushes an image and publishes the tag file.

    Docker cannot be expected here: the push is stood in for by an image registered in the sandbox's ECR.
    """
    tags = iter(range(FIRST_TAG + 1, 10**6))

    def push(context: StepContext) -> None:
        tag = str(next(tags))
        context.variables["imageTag"] = tag
        context.log("The sandbox has no Docker: instead of building, it registers an image in its ECR.")
        context.log(f"{service}:{tag} {aws.push_image(service, tag)}")

    def publish(context: StepContext) -> None:
        folder = scratch / f"build-{context.run_id}"
        folder.mkdir(parents=True)
        (folder / ".buildId").write_text(f"{context.variables['imageTag']}\n", encoding="utf-8")
        context.publish("drop", folder)

    steps = (StepDefinition("Build and push the image", push), StepDefinition("Publish the tag file", publish))
    stages = (StageDefinition("__default", (JobDefinition("Job", steps),)),)
    return PipelineDefinition(id=number, name=service, stages=stages, repository=Repository(service))


def release(number: int, task: Task, *, settings: Path, connection: str) -> PipelineDefinition:
    """Return the pipeline that delivers the newest build of `my-api` with the task.

    Its variable `environment`, given when it is queued, says where to. The job is a deployment job, which finds the
    build's artifact in its workspace. `connection` names the AWS service connection.
    """
    inputs = {
        "command": "deploy",
        "configFile": str(settings),
        "service": RELEASED,
        "environment": "$(environment)",
        "awsCredentials": connection,
    }
    steps = (
        StepDefinition("Download the build's artifact", DownloadAction("build", "drop"), task=DOWNLOAD),
        StepDefinition(DELIVERY, TaskAction(task, inputs), task=task.reference, ref_name="delivery"),
    )
    job = JobDefinition("Deliver", steps, kind="deployment", environment="$(environment)")
    return PipelineDefinition(
        id=number,
        name=RELEASE,
        stages=(StageDefinition("Deliver", (job,)),),
        repository=Repository(RELEASED),
        variables={"environment": next(iter(ENVIRONMENTS))},
        settable_variables=frozenset({"environment"}),
        resources=(PipelineResource("build", RELEASED),),
    )
