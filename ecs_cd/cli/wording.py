"""How the command line writes what a message refers to: settings and arguments as flags, commands as one types them."""

from __future__ import annotations

from ecs_cd.messages import ArgumentRef, CallRef, CommandRef, Reference, SettingRef, right_wording, typed
from ecs_cd.settings import BY_NAME


def command_line_wording(reference: Reference) -> str:
    """Return how a reference is written at a command line."""
    if isinstance(reference, SettingRef):
        setting = BY_NAME[reference.name]
        return f"{setting.switch or setting.variable}{f' {reference.value}' if reference.value else ''}"
    if isinstance(reference, ArgumentRef):
        return f"--{reference.name.replace('_', '-')}"
    if isinstance(reference, CommandRef):
        return typed(reference)
    if isinstance(reference, CallRef):
        return typed(reference.command)
    return right_wording(reference)
