"""`UsePythonVersion@0`: the sandbox has one Python, the one it runs on. It fits what is asked, or the step fails."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.logging_commands import escape
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.version_ranges import satisfies
from ecs_cd_sandbox.azure_devops.agent.step_output import process_line

_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def use_python_version(run: TaskRun) -> None:
    """Set `pythonLocation` to where this Python is installed, and put its folders first on the PATH."""
    wanted, architecture = run.required("versionSpec"), run.text("architecture")
    machine = platform.machine().lower()
    mine = _ARCHITECTURES.get(machine, machine)
    version = sys.version_info[:3]
    if architecture.lower() != mine or not _fits(version, wanted):
        known = ".".join(map(str, version))
        raise TaskFailed(
            f"Version spec {wanted} for architecture {architecture} did not match any version in Agent.ToolsDirectory. "
            f"The sandbox has the Python it runs on alone: {known} ({mine})."
        )
    place = Path(sys.prefix)
    run.set_variable("pythonLocation", str(place))
    if run.switch("addToPath"):
        for folder in (place, place / "bin"):
            run.context.log(f"Prepending PATH environment variable with directory: {folder}")
            process_line(run.context, f"##vso[task.prependpath]{escape(str(folder))}")


def _fits(version: tuple[int, int, int], wanted: str) -> bool:
    """Say whether a version fits; the `-dev` of a version that is not out yet asks for a later one than any here."""
    if wanted.lower().startswith("pypy") or wanted.endswith("-dev"):
        return False
    try:
        return satisfies(version, wanted)
    except ValueError as error:
        raise TaskFailed(f"The version spec {wanted} of Python cannot be read: {error}.") from error
