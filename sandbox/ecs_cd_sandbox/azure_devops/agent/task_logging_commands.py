"""What the logging commands of the area `task` do. Each raises `ValueError` or `OSError` for what it cannot do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from ecs_cd_sandbox.azure_devops.agent.logdetail_records import update_detail
from ecs_cd_sandbox.azure_devops.agent.logging_commands import LoggingCommand
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, RecordResult
from ecs_cd_sandbox.azure_devops.model.variables import Variables

SUMMARY = "Distributedtask.Core.Summary"
FILE = "Distributedtask.Core.FileAttachment"

Effect = Callable[[StepContext, LoggingCommand], None]

_RESULTS: Mapping[str, RecordResult] = {result[:1].upper() + result[1:]: result for result in get_args(RecordResult)}
_READ_ONLY = (
    "See https://github.com/microsoft/azure-pipelines-yaml/blob/master/design/readonly-variables.md for details."
)


def _log_issue(context: StepContext, command: LoggingCommand) -> None:
    kind = command.properties.get("type")
    if kind is None:
        context.warning("Can't create TaskIssue from logging event.")
        return
    if kind.lower() not in {"error", "warning"}:
        raise ValueError(f"issue type {kind} is not an expected issue type.")
    message, category = command.data, "General"
    properties = command.properties
    if "sourcepath" in properties:
        line, column = properties.get("linenumber", ""), properties.get("columnnumber", "")
        place = f"{properties['sourcepath']}({line},{column})"
        message, category = f"{place}: {kind} {properties.get('code', '')}: {command.data}", "Code"
    context.issue(Issue("error" if kind.lower() == "error" else "warning", message, None, category, dict(properties)))


def _set_progress(context: StepContext, command: LoggingCommand) -> None:
    value = command.properties.get("value", "").strip()
    context.progress(max(0, min(100, int(value))) if value.lstrip("-").isdecimal() else 0, command.data)


def _complete(context: StepContext, command: LoggingCommand) -> None:
    result = _RESULTS.get(command.properties.get("result", ""))
    if result is None:
        raise ValueError("Command doesn't have valid result value.")
    context.complete(result, command.data)
    context.done = context.done or command.switch("done")


def _set_variable(context: StepContext, command: LoggingCommand) -> None:
    name, secret, output = _variable_name(command), command.switch("issecret"), command.switch("isoutput")
    output = output or name.lower() in context.declared_outputs
    _check_read_only(context, context.job.all_variables(), name, "variable")
    if secret:
        _check_secret(command.data)
        context.job.masker.add(command.data)
    if not all(restrictions.allow_variable(name) for restrictions in context.restrictions):
        context.warning(f"Setting variable '{name}' has been disabled by the task or build definition.")
    elif output:
        context.set_output(name, command.data, secret=secret)
    else:
        context.variables.set(name, command.data, secret=secret, read_only=command.switch("isreadonly"))


def _set_task_variable(context: StepContext, command: LoggingCommand) -> None:
    name, secret = _variable_name(command), command.switch("issecret")
    _check_read_only(context, context.task_variables, name, "task variable")
    if secret:
        _check_secret(command.data)
        context.job.masker.add(command.data)
    context.task_variables.set(name, command.data, secret=secret, read_only=command.switch("isreadonly"))


def _variable_name(command: LoggingCommand) -> str:
    name = command.properties.get("variable", "")
    if not name:
        raise ValueError("Required field 'variable' is missing in ##vso[task.setvariable] command.")
    return name


def _check_read_only(context: StepContext, known: Variables, name: str, kind: str) -> None:
    """Warn of an overwritten read-only variable: the agent refuses it only where a feature flag says so."""
    found = known.find(name)
    if found and found.read_only:
        warning = f"Overwriting readonly {kind} '{name}'. This behavior will be disabled in the future. {_READ_ONLY}"
        context.warning(warning)


def _check_secret(value: str) -> None:
    if "\n" in value:
        raise ValueError("Secrets cannot contain multiple lines")


def _set_secret(context: StepContext, command: LoggingCommand) -> None:
    context.job.masker.add(command.data)


def _add_attachment(context: StepContext, command: LoggingCommand) -> None:
    kind, name = command.properties.get("type", ""), command.properties.get("name", "")
    for what, value in (("type", kind), ("name", name)):
        if not value:
            raise ValueError(f"Can't add task attachment, attachment {what} is not provided.")
        if any(character in "/\0" for character in value):
            raise ValueError(f"{what.capitalize()} contains invalid characters. (\\0, /)")
    _attach(context, kind, name, command.data)


def _upload_summary(context: StepContext, command: LoggingCommand) -> None:
    if not command.data:
        raise ValueError("Cannot upload summary file, summary file location is not specified.")
    _attach(context, SUMMARY, Path(command.data).name, command.data)


def _upload_file(context: StepContext, command: LoggingCommand) -> None:
    if not command.data:
        raise ValueError("Cannot upload file because file location is not specified.")
    _attach(context, FILE, Path(command.data).name, command.data)


def _attach(context: StepContext, kind: str, name: str, path: str) -> None:
    if not path or not Path(path).is_file():
        raise ValueError(
            "Cannot upload task attachment file, attachment file location is not specified or attachment file does not "
            "exist on disk."
        )
    context.attach(kind, name, Path(path).read_bytes())


def _set_endpoint(context: StepContext, command: LoggingCommand) -> None:
    properties = command.properties
    found = context.job.endpoints.get(str(uuid.UUID(properties.get("id", ""))))
    if found is None:
        raise ValueError(f"There is no service connection {properties['id']} in this job.")
    field, key = properties.get("field", "").lower(), properties.get("key", "")
    if field == "url":
        changed = replace(found, url=command.data)
    elif field not in {"dataparameter", "authparameter"} or not key:
        raise ValueError("A field (url, dataParameter or authParameter) and a key are needed.")
    elif field == "dataparameter":
        changed = replace(found, data={**found.data, key: command.data})
    else:
        context.job.masker.add(command.data)
        changed = replace(found, secrets={**found.secrets, key: command.data})
    context.job.endpoints[found.id.lower()] = changed


def _prepend_path(context: StepContext, command: LoggingCommand) -> None:
    if not command.data:
        raise ValueError("Cannot prepend path: no path is given.")
    paths = context.job.paths
    paths[:] = [*(path for path in paths if path != command.data), command.data]


def _debug(context: StepContext, command: LoggingCommand) -> None:
    context.debug(command.data)


def _log_detail(context: StepContext, command: LoggingCommand) -> None:
    context.change_record(lambda run, record: update_detail(run.timeline, record, command, context.job.masker))


EFFECTS: Mapping[str, Effect] = {
    "task.logissue": _log_issue,
    "task.issue": _log_issue,
    "task.setprogress": _set_progress,
    "task.logdetail": _log_detail,
    "task.complete": _complete,
    "task.setvariable": _set_variable,
    "task.setsecret": _set_secret,
    "task.settaskvariable": _set_task_variable,
    "task.addattachment": _add_attachment,
    "task.uploadsummary": _upload_summary,
    "task.uploadfile": _upload_file,
    "task.setendpoint": _set_endpoint,
    "task.prependpath": _prepend_path,
    "task.debug": _debug,
}
"""Each command by its name."""
