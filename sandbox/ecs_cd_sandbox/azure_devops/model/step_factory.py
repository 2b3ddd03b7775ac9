"""How a step of a file becomes something that can be done: the seam between reading YAML and the tasks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ecs_cd_sandbox.azure_devops.model.definitions import Action, TaskReference

CHECKOUT_TASK = "6d15af64-176c-496d-b583-fd2ae21d4df4@1"
"""The built-in task that `checkout:` stands for."""


class StepRefused(Exception):
    """A step cannot be made; the message says why, the reader adds where."""


class UnknownTask(StepRefused):
    """There is no such task, or not in this version.

    The reader says so in the service's own sentence; the message stands behind that, and may say which tasks there are.
    """


class StepFactory(Protocol):
    """Makes the action of a step from the task and the inputs it names.

    Shorthands arrive as the tasks they stand for:

    - `script` as `CmdLine@2`: `script`, `workingDirectory`, `failOnStderr`;
    - `bash` as `Bash@3` with `targetType: inline`: `script`, `workingDirectory`, `failOnStderr`;
    - `pwsh` (with `pwsh: true`) and `powershell` as `PowerShell@2` with `targetType: inline`: `script`,
      `errorActionPreference`, `failOnStderr`, `ignoreLASTEXITCODE`, `workingDirectory`;
    - `checkout` as `CHECKOUT_TASK`: `repository` is `self` or the name of another repository, which then has `version`,
      the commit; `path`, relative to `Pipeline.Workspace`, is always there; also `clean`, `fetchDepth`, `fetchFilter`,
      `fetchTags`, `lfs`, `persistCredentials`, `submodules`, `sparseCheckoutDirectories`, `sparseCheckoutPatterns`,
      `workspaceRepo`;
    - `download` as `DownloadPipelineArtifact@2`: `source: current`, or `source: specific` with `project`, `pipeline`,
      `runVersion: specific` and `runId` (both by macro); `artifact`, `patterns`, `path`;
    - `publish` as `PublishPipelineArtifact@1`: `targetPath`, `artifact`, `properties`.
    """

    def make(
        self, task: str, inputs: Mapping[str, str], *, env: Mapping[str, str], where: str
    ) -> tuple[Action, TaskReference]:
        """Return what the step does, and the task for the timeline.

        `task` is `Name@1` or `<guid>@1` in any letter case. `inputs` and `env` hold macros unexpanded; inputs are as
        written, without defaults and by any alias. `where` is the step's file and position, for what goes wrong later.

        Raises:
            UnknownTask: there is no such task.
            StepRefused: the task has no such input, needs one that is missing, or cannot be run here.
        """
