"""A step action that downloads an artifact of another pipeline's run into the job's folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.model.definitions import TaskReference

DOWNLOAD = TaskReference("61f2a582-95ae-4948-b34d-a1b3c4f6a737", "DownloadPipelineArtifact", "2.198.0")
"""The task that `download:` stands for."""


@dataclass(frozen=True)
class DownloadAction:
    """Downloads an artifact of the run a pipeline resource stands for, to `<alias>/<artifact>` as `download:` does."""

    alias: str
    artifact: str

    def __call__(self, context: StepContext) -> None:
        """Download, as a step's action."""
        target = context.job.workspace.downloads / self.alias / self.artifact
        for path, content in context.artifact(self.alias, self.artifact).items():
            if ".." in PurePosixPath(path).parts:
                context.fail(f"The artifact {self.artifact} has a file outside of it.")
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            context.log(f"Downloaded {self.alias}/{self.artifact}/{path}")
