"""What the logging commands about the run do: artifacts, build number and tags, logs, release name.

Each raises `ValueError` or `OSError` for what it cannot do. Test results, coverage and telemetry go nowhere here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.logging_commands import LoggingCommand
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.agent.task_logging_commands import SUMMARY

Effect = Callable[[StepContext, LoggingCommand], None]


def _upload_artifact(context: StepContext, command: LoggingCommand) -> None:
    if context.job.kind == "release":
        raise ValueError("Uploading server artifact is not supported in release.")
    name = command.properties.get("artifactname") or command.properties.get("containerfolder", "")
    if not name:
        raise ValueError("Artifact Name is required.")
    if not command.data or not Path(command.data).exists():
        raise ValueError(f"Path does not exist: {command.data}")
    path = Path(command.data)
    if path.is_dir() and not any(item.is_file() for item in path.rglob("*")):
        context.warning(f"Directory '{path}' is empty. Nothing will be added to build artifact '{name}'.")
        return
    context.upload(name, path)


def _associate_artifact(context: StepContext, command: LoggingCommand) -> None:
    if context.job.kind == "release":
        raise ValueError("Associating server artifact is not supported in release.")
    name, kind = command.properties.get("artifactname", ""), command.properties.get("type", "")
    if not name or not kind or not command.data:
        raise ValueError("Artifact name, type and location are required.")
    context.change_record(lambda run, record: run.associate(name, kind, command.data, record.parent_id or record.id))


def _upload_log(context: StepContext, command: LoggingCommand) -> None:
    lines = Path(command.data).read_text(encoding="utf-8", errors="replace").splitlines()
    context.add_log(lines)


def _upload_summary(context: StepContext, command: LoggingCommand) -> None:
    path = Path(command.data)
    if not command.data or not path.is_file():
        raise ValueError(f"Custom markdown summary file {command.data} does not exist.")
    context.attach(SUMMARY, f"CustomMarkDownSummary-{path.name}", path.read_bytes())


def _update_number(context: StepContext, command: LoggingCommand) -> None:
    if not command.data:
        raise ValueError("Build number is required.")
    context.rename_run(command.data)


def _update_release_name(context: StepContext, command: LoggingCommand) -> None:
    if not command.data:
        raise ValueError("Release name is required.")
    context.rename_run(command.data)


def _add_tag(context: StepContext, command: LoggingCommand) -> None:
    tag = command.data.strip()
    if not tag:
        raise ValueError("Build tag is required.")
    if ":" in tag:
        raise ValueError(f"Build tag {tag} could not be added: a colon is not allowed.")
    context.add_tag(tag)


def _ignore(context: StepContext, command: LoggingCommand) -> None:
    """Take what the service would store elsewhere."""


EFFECTS: Mapping[str, Effect] = {
    "artifact.upload": _upload_artifact,
    "artifact.associate": _associate_artifact,
    "build.uploadlog": _upload_log,
    "build.uploadsummary": _upload_summary,
    "build.updatebuildnumber": _update_number,
    "build.addbuildtag": _add_tag,
    "release.updatereleasename": _update_release_name,
    "results.publish": _ignore,
    "codecoverage.publish": _ignore,
    "codecoverage.enable": _ignore,
    "telemetry.publish": _ignore,
}
"""Each command by its name."""
