"""The commands, and the one way in."""

from __future__ import annotations

import importlib
import io
import sys

import click

from ecs_cd.cli.plugins import PluginCommand
from ecs_cd.version import VERSION

_COMMANDS = {
    "deploy": "deliver:deploy",
    "deploy-many": "many:deploy_many",
    "promote": "promote:promote",
    "verify": "deliver:verify",
    "rollback": "rollback:rollback",
    "hold": "rollback:hold",
    "unhold": "rollback:unhold",
    "continue": "continue_rollout:continue_rollout",
    "status": "status:status",
    "history": "history:history",
    "tag": "tag:tag",
    "parameter": "parameter:parameter",
    "pipeline": "pipeline:pipeline",
    "schema": "schema:schema",
    "sandbox": "plugins:sandbox",
}
"""Each command and where it is defined; a module is imported when its command is called."""


class _Commands(click.Group):
    """A group that imports only the command that is called, and knows a typo when it sees one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the names in the order in which they are taught."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"ecs_cd.cli.{module}"), name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; say which one was probably meant where there is none."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.UsageError as error:
            from ecs_cd.sanitize import did_you_mean  # noqa: PLC0415 - only for a mistake

            raise click.UsageError(error.message + did_you_mean(args[0], list(_COMMANDS)), ctx) from None
        return name, command.load() if isinstance(command, PluginCommand) else command, rest


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="ecs-cd")
def commands() -> None:
    """Deliver a build to Amazon ECS through the Terraform pipeline that owns the service, and prove that it serves.

    Settings come from flags, from ECS_CD_* variables, and from ecs-cd.yml, found upwards from the working folder.
    Results go to stdout, progress to stderr. Exit codes: 0 success, 1 the delivery failed, 2 wrong input or settings,
    3 gave up on something that may pass later, 130 interrupted.
    """


def _show(error: click.ClickException) -> None:
    """Print what is wrong with the command line, as every error; what it quotes may be hostile, as a build's tag is."""
    from ecs_cd.report.text import ERROR  # noqa: PLC0415 - only for a mistake
    from ecs_cd.sanitize import sanitize  # noqa: PLC0415 - likewise

    shown, message = io.StringIO(), error.format_message()
    error.show(shown)
    usage, named, _ = shown.getvalue().rpartition(f"Error: {message}\n")
    text = f"{usage}{ERROR}{message}\n" if named else f"{message}\n"  # without a subcommand, click has help alone
    sys.stderr.write(sanitize(text))


def run(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        ended = commands.main(argv, prog_name="ecs-cd", standalone_mode=False)
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("error: Interrupted.\n")
        return 130
    return ended if isinstance(ended, int) else 0
