"""Every command that a text for readers names (`ecs-cd unhold`) is one that the command line has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from ecs_cd.cli.main import commands
from ecs_cd.cli.plugins import PluginCommand
from tests.support.repository import ROOT

FILES = (
    "*.md",
    "docs/*.md",
    "task/*.md",
    "task/EcsCdV1/task.json",
    "task/src/**/*.ts",
    "templates/**/*",
    "ecs_cd/**/*.py",
)
NAMED = re.compile(r"(?:`|\$ |^ {2,}|bash: )ecs-cd ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)
"""In a code span, at a prompt or as a line of its own; elsewhere `ecs-cd` is the product's name."""


def unknown(text: str) -> list[str]:
    """Return the commands that a text names and the command line does not have; of a group, its commands too."""
    return [" ".join(names) for names in NAMED.findall(text) if not _is_command(*names)]


def _is_command(name: str, second: str) -> bool:
    context = click.Context(commands)
    command = commands.get_command(context, name)
    if isinstance(command, PluginCommand):
        command = command.load()
    if isinstance(command, click.Group):
        return not second or command.get_command(context, second) is not None
    return command is not None


def texts() -> Iterator[tuple[str, str]]:
    for pattern in FILES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "node_modules" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_every_command_that_is_named_exists() -> None:
    assert {path: found for path, text in texts() if (found := unknown(text))} == {}


def test_every_place_where_commands_are_named_is_read() -> None:
    named = {path for path, text in texts() if NAMED.search(text)}
    assert {"README.md", "docs/rollback.md", "task/EcsCdV1/task.json", "ecs_cd/cli/history.py"} <= named


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Deliveries stop until `ecs-cd unhold`.", []),
        ("Deliveries stop until `ecs-cd release`.", ["release "]),
        ("$ ecs-cd delpoy my-api development", ["delpoy my-api"]),
        ("    ecs-cd sandbox up --env-file sandbox.env", []),
        ("    ecs-cd sandbox start", ["sandbox start"]),
        ("`ecs-cd tag read`, `ecs-cd tag show`", ["tag show"]),
        ("A tag that ecs-cd recorded is kept.", []),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, found: list[str]) -> None:
    assert unknown(text) == found
