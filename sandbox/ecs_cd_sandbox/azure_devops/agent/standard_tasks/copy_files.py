"""`CopyFiles@2`: files of a folder that patterns select, copied to another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.patterns import files_below, select
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun


def copy_files(run: TaskRun) -> None:
    """Do what the task does. Patterns match hidden files too; the target is emptied only if there is a file to copy."""
    source = run.existing_path("SourceFolder")
    target = run.path("TargetFolder")
    chosen = select(files_below(source), run.required("Contents").split("\n"), str(source))
    run.context.log(f"found {len(chosen)} files")
    if not chosen:
        return
    if run.switch("CleanTargetFolder"):
        run.context.log(f"Cleaning target folder: {target}")
        _empty(target)
    target.mkdir(parents=True, exist_ok=True)
    for path in chosen:
        _copy(run, source / path, target / (Path(path).name if run.switch("flattenFolders") else path))


def _empty(folder: Path) -> None:
    if not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def _copy(run: TaskRun, source: Path, target: Path) -> None:
    if target.is_dir():
        raise TaskFailed(f"Unable to copy file {source} to {target}. The target path already exists as a directory.")
    if target.exists() and not run.switch("OverWrite"):
        run.context.log(f"File {source} already exist at {target}")
        return
    run.context.log(f"Copying {source} to {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    if run.switch("preserveTimestamp"):
        times = source.stat()
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
