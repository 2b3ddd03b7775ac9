"""Carries out the logging commands a step prints, with the words and the limits of the official agent.

A command of an unknown area is a warning; one the area does not know, or that cannot be carried out, is an error and
fails the step, though not its program.
"""

from __future__ import annotations

from collections.abc import Mapping

from ecs_cd_sandbox.azure_devops.agent import run_logging_commands, task_logging_commands
from ecs_cd_sandbox.azure_devops.agent.logging_commands import KEYWORD, LoggingCommand, parse_logging_command, unescape
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext

_HELP = "Please reference documentation (http://go.microsoft.com/fwlink/?LinkId=817296)"
_HOSTS: Mapping[str, frozenset[str]] = {"build": frozenset({"build"}), "release": frozenset({"release"})}
_EFFECTS = {**task_logging_commands.EFFECTS, **run_logging_commands.EFFECTS}
_AREAS = frozenset(name.partition(".")[0] for name in _EFFECTS)


def process_line(context: StepContext, line: str) -> None:
    """Take one line of a program's output: carry out the command in it, or write it to the log."""
    command = parse_logging_command(line)
    if command is None:
        if KEYWORD in line:
            context.warning(f"'{line}' contains logging command keyword '##vso', but it's not a legal command.")
        context.log(line)
    elif command.area not in _AREAS:
        context.warning(f"Cannot find command extension for ##vso[{command.area}.command]. {_HELP}")
    elif context.job.kind not in _HOSTS.get(command.area, {context.job.kind}):
        context.error(f"{command.area} commands are not supported for {context.job.kind} flow. {_HELP}")
        context.commands_failed = True
    else:
        _carry_out(context, command, line)


def _carry_out(context: StepContext, command: LoggingCommand, line: str) -> None:
    try:
        _apply(context, command)
    except (ValueError, OSError) as error:
        context.error(f"Unable to process command '{line}' successfully. {_HELP}")
        context.error(str(error))
        context.commands_failed = True
    if command.name != "task.debug":
        context.debug(f"Processed: {unescape(line)}")


def _apply(context: StepContext, command: LoggingCommand) -> None:
    effect = _EFFECTS.get(command.name)
    if effect is None:
        raise ValueError(f"##vso[{command.name}] is not a recognized command for {command.area} command extension.")
    if all(restrictions.allow_command(command.name) for restrictions in context.restrictions):
        effect(context, command)
    else:
        context.warning(f"##vso[{command.name}] is not allowed in this step due to policy restrictions. {_HELP}")
