"""Commands that another distribution brings through an entry point, imported only when one of them is called."""

from __future__ import annotations

from typing import cast

import click

from ecs_cd.sanitize import single_line

GROUP = "ecs_cd.commands"
"""The group of entry points; an entry's name is the command's, its object a `click.Command`."""


class PluginCommand(click.Command):
    """Stands for such a command in the list of commands; `extra` is the extra of `ecs-cd` that installs it."""

    def __init__(self, name: str, *, extra: str, short_help: str) -> None:
        """Keep the line that the list of commands shows, so that the list imports nothing."""
        super().__init__(name, short_help=short_help)
        self.extra = extra

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            click.UsageError: it is not installed, or not whole.
        """
        from importlib.metadata import entry_points  # noqa: PLC0415 - no other command needs it

        install = f"Run: pip install 'ecs-cd[{self.extra}]'"
        found = next(iter(entry_points(group=GROUP, name=str(self.name))), None)
        if found is None:
            raise click.UsageError(f"The command {self.name} is not installed. {install}")
        try:
            return cast("click.Command", found.load())
        except (ImportError, AttributeError) as error:
            message = f"The command {self.name} cannot be imported from {found.module}: {single_line(str(error))}."
            raise click.UsageError(f"{message} {install}") from error


sandbox = PluginCommand("sandbox", extra="sandbox", short_help="Try everything on this machine, no account needed.")
