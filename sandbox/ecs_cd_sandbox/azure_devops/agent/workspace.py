"""The folders an agent gives a job, laid out as the official agent does; they end with the job."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecs_cd_sandbox.azure_devops.model.definitions import JobKind


@dataclass(frozen=True)
class Workspace:
    """The folders of one job below `work`, the agent's own `_work`."""

    work: Path
    kind: JobKind

    @property
    def pipeline(self) -> Path:
        """`Pipeline.Workspace`: what the other folders of a build are in, and downloaded artifacts."""
        return self.work / ("r1" if self.kind == "release" else "1")

    @property
    def artifacts(self) -> Path:
        """`System.ArtifactsDirectory`: where a release finds its artifacts, and a build stages them."""
        return self.pipeline / "a"

    @property
    def sources(self) -> Path:
        """Where the repository is checked out."""
        return self.pipeline / "s"

    @property
    def binaries(self) -> Path:
        """`Build.BinariesDirectory`."""
        return self.pipeline / "b"

    @property
    def default(self) -> Path:
        """`System.DefaultWorkingDirectory`: the artifacts in a release, else the sources."""
        return self.artifacts if self.kind == "release" else self.sources

    @property
    def downloads(self) -> Path:
        """Where artifacts are downloaded to, each below its alias."""
        return self.artifacts if self.kind == "release" else self.pipeline

    @property
    def temp(self) -> Path:
        """`Agent.TempDirectory`."""
        return self.work / "_temp"

    @property
    def tools(self) -> Path:
        """`Agent.ToolsDirectory`."""
        return self.work / "_tool"


@contextmanager
def open_workspace(kind: JobKind) -> Iterator[Workspace]:
    """Make the folders of a job, and remove them at its end."""
    with tempfile.TemporaryDirectory(prefix="agent-work-", ignore_cleanup_errors=True) as root:
        workspace = Workspace(Path(root).resolve(), kind)
        folders = [workspace.artifacts, workspace.temp, workspace.tools]
        if kind != "release":
            folders += [workspace.sources, workspace.binaries, workspace.pipeline / "TestResults"]
        for folder in folders:
            folder.mkdir(parents=True)
        yield workspace
