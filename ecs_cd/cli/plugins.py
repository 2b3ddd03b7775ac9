"""Commands that another distribution brings through an entry point, imported only when one of them is called."""

from __future__ import annotations

from typing import cast

import click

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
            click.ClickException: it is not installed.
        """
        from importlib.metadata import entry_points  # noqa: PLC0415 - no other command needs it

        for found in entry_points(group=GROUP, name=str(self.name)):
            return cast("click.Command", found.load())
        raise click.ClickException(f"The command {self.name} is not installed. Run: pip install 'ecs-cd[{self.extra}]'")


sandbox = PluginCommand("sandbox", extra="sandbox", short_help="Try everything on this machine, no account needed.")
