"""The agent's own `checkout`: the files of a repository at a commit, put in the job's folders.

Sources: the agent's `RepositoryPlugin.cs` (which folder) and `PluginInternalCommandExtension.cs` (which variables).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import Body, TaskFailed, TaskRun
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.timeline import Record

Sources = Callable[[str, str], Mapping[str, bytes]]
"""Returns the files of a repository, by its name, at a commit. Raises `KeyError` if there is no such thing."""

_EXECUTABLE = 0o755
_SELF = "self"
_LOCAL_PATH = "Build.Repository.LocalPath"


def checkout(sources: Sources | None) -> Body:
    """Return what `checkout` does. The sources are plain files: no history, no submodules, no large files elsewhere.

    Git would know which files can be executed; here it is those that begin with `#!`.
    """

    def act(run: TaskRun) -> None:
        if run.text("submodules").lower() in {"true", "recursive"} or run.text("lfs").lower() == "true":
            raise TaskFailed("The repositories of the sandbox have neither submodules nor Git LFS files to fetch.")
        name, version = _wanted(run)
        run.context.log(f"Syncing repository: {name} (Git)")
        try:
            files = (sources or _no_sources)(name, version)
        except KeyError as error:
            raise TaskFailed(
                f"The repository {name} has no commit {version}, or there is no such repository."
            ) from error
        folder = _folder(run)
        _move_folders(run.context, folder, is_self=run.text("repository").lower() == _SELF)
        for path, content in files.items():
            _write(folder, path, content)
        run.context.log(f"HEAD is now at {version[:7]}")

    return act


def _no_sources(name: str, version: str) -> Mapping[str, bytes]:
    raise KeyError(name, version)


def _wanted(run: TaskRun) -> tuple[str, str]:
    """Return the repository's name and the commit."""
    if run.text("repository").lower() == _SELF:
        return run.context.job.system["Build.Repository.Name"], run.context.commit
    return run.text("repository"), run.required("version")


def _folder(run: TaskRun) -> Path:
    root = run.context.job.workspace.pipeline
    path = run.text("path") or "s"
    folder = Path(os.path.normpath(root / path))
    if root not in folder.parents:
        raise TaskFailed(
            f"Input path '{path}' should resolve to a directory under '{root}', current resolved path '{folder}'."
        )
    return folder


def _move_folders(context: StepContext, folder: Path, *, is_self: bool) -> None:
    """Tell the job where its sources are.

    A single checkout moves all of them. One of several moves only the place of `self`, and that only if it is not the
    folder it has anyway, as the agent keeps the variable then.
    """
    system = context.job.system

    def move(run: Run, record: Record) -> None:
        siblings = [each for each in run.timeline.records if each.parent_id == record.parent_id]
        if sum(each.task == record.task for each in siblings) == 1:
            for name in (_LOCAL_PATH, "Build.SourcesDirectory", "System.DefaultWorkingDirectory"):
                system.set(name, str(folder))
        elif is_self and folder != context.job.workspace.sources / system["Build.Repository.Name"]:
            system.set(_LOCAL_PATH, str(folder))

    context.change_record(move)


def _write(folder: Path, path: str, content: bytes) -> None:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise TaskFailed(f"The repository has a file outside of it: {path!r}")
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    if content.startswith(b"#!"):
        place.chmod(_EXECUTABLE)
