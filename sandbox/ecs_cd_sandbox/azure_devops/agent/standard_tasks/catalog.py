"""The tasks an agent of the sandbox can run: the standard ones, and those of extensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.agent.nodejs import Node
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AssumeRole
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_shell_script import aws_shell_script
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.checkout import Sources, checkout
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.copy_files import copy_files
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.docker import docker
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.download import (
    download_build_artifacts,
    download_pipeline_artifact,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.ecr_push_image import ecr_push_image
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.images import Registry
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.input_check import mistakes_of
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.publish import publish_build_artifacts, publish_pipeline_artifact
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.scripts import bash, command_line, powershell
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import Body, StandardAction
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.task_definitions import standard_tasks
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.use_python_version import use_python_version
from ecs_cd_sandbox.azure_devops.agent.task_action import TaskAction
from ecs_cd_sandbox.azure_devops.agent.task_package import Task
from ecs_cd_sandbox.azure_devops.model.definitions import Action, TaskReference
from ecs_cd_sandbox.azure_devops.model.step_factory import StepRefused, UnknownTask


@dataclass(frozen=True)
class TaskCatalog:
    """Makes the steps of tasks, as a `StepFactory`.

    `tasks` are those of extensions; one of them comes before a standard task of its name. `sources` has the files that
    a checkout puts in place. `registry` takes the images of `Docker@2` and `ECRPushImage@1`; `assume_role` asks STS for
    the tasks of the AWS toolkit. Steps that need what is not given fail and say so. `node` runs the extensions' tasks.
    """

    tasks: tuple[Task, ...] = ()
    sources: Sources | None = None
    registry: Registry | None = None
    assume_role: AssumeRole | None = None
    node: Node | None = None
    _bodies: Mapping[str, Body] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bind the standard tasks to what they are given."""
        bodies = {
            "AWSShellScript": aws_shell_script(self.assume_role),
            "Bash": bash,
            "Checkout": checkout(self.sources),
            "CmdLine": command_line,
            "CopyFiles": copy_files,
            "Docker": docker(self.registry),
            "DownloadBuildArtifacts": download_build_artifacts,
            "DownloadPipelineArtifact": download_pipeline_artifact,
            "ECRPushImage": ecr_push_image(self.registry, self.assume_role),
            "PowerShell": powershell,
            "PublishBuildArtifacts": publish_build_artifacts,
            "PublishPipelineArtifact": publish_pipeline_artifact,
            "UsePythonVersion": use_python_version,
        }
        object.__setattr__(self, "_bodies", bodies)  # the class is frozen for all others

    def make(
        self,
        task: str,
        inputs: Mapping[str, str],
        *,
        env: Mapping[str, str],
        where: str,  # noqa: ARG002 - a StepFactory is told, but the reader adds it to every message
    ) -> tuple[Action, TaskReference]:
        """Return what a step does, and its task for the timeline.

        `task` is `Name@1`, `publisher.extension.contribution.Name@1` or `<guid>@1`, in any letter case.

        Raises:
            UnknownTask: there is no such task; the message has those there are.
            StepRefused: an input is unknown, missing, given twice, or has a value that cannot be right.
        """
        own, standard = _newest(self.tasks, task), _newest(standard_tasks(), task)
        found = own or standard
        if found is None:
            known = sorted(f"{each.reference.name}@{each.major}" for each in (*self.tasks, *standard_tasks()))
            raise UnknownTask(f"The sandbox has the tasks {', '.join(known)}.")
        mistakes = mistakes_of(found, inputs)
        if mistakes:
            raise StepRefused(" ".join(mistakes))
        if own:
            return TaskAction(own, dict(inputs), env=dict(env), node=self.node), own.reference
        return StandardAction(found, self._bodies[found.reference.name], dict(inputs), dict(env)), found.reference


def _newest(tasks: Iterable[Task], wanted: str) -> Task | None:
    """Return the newest of the tasks that a step may mean, or None."""
    name, _, major = wanted.strip().lower().partition("@")
    short = name.rpartition(".")[2]
    fitting = [
        task
        for task in tasks
        if short in {task.reference.name.lower(), task.reference.id.lower()} and str(task.major) == major
    ]
    versions = {tuple(int(part) for part in task.reference.version.split(".")): task for task in fitting}
    return versions[max(versions)] if versions else None
