"""How the task writes what a message refers to: settings and arguments as inputs, commands as values of one."""

from __future__ import annotations

from ecs_cd.azure_task.inputs import COMMANDS, input_name
from ecs_cd.messages import ArgumentRef, CallRef, CommandRef, Reference, SettingRef, right_wording, typed
from ecs_cd.settings import BY_NAME

_ARGUMENTS = {"to": "tag"}
"""Arguments whose input has another name."""


def task_wording(reference: Reference) -> str:
    """Return how a reference is written in a pipeline; a command that the task does not have, as one types it."""
    if isinstance(reference, SettingRef):
        setting = BY_NAME[reference.name]
        if setting.secret:
            return f"input 'azureDevOpsConnection' or {setting.variable}"
        return f"input '{input_name(reference.name)}'{f': {reference.value}' if reference.value else ''}"
    if isinstance(reference, ArgumentRef):
        return f"input '{input_name(_ARGUMENTS.get(reference.name, reference.name))}'"
    if isinstance(reference, CommandRef):
        return f"command '{reference.name}'" if reference.name in COMMANDS else typed(reference)
    if isinstance(reference, CallRef):
        given = {"service": reference.service, "environment": reference.environment}
        return ", ".join(f"{input_name(name)}: {value}" for name, value in given.items() if value) or "the task"
    return right_wording(reference)
