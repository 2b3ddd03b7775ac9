"""Commands of other distributions: found by an entry point, imported when called; a missing one names its extra."""

from __future__ import annotations

from importlib.metadata import version

import click
import pytest

from ecs_cd.cli.plugins import PluginCommand
from ecs_cd.version import VERSION
from ecs_cd_sandbox.cli import sandbox as sandbox_group


def test_the_sandbox_is_found_through_its_entry_point() -> None:
    found = PluginCommand("sandbox", extra="sandbox", short_help="").load()
    assert found is sandbox_group


def test_a_command_that_is_not_installed_names_the_extra_that_has_it() -> None:
    with pytest.raises(click.ClickException, match=r"pip install 'ecs-cd\[orchard\]'"):
        PluginCommand("orchard", extra="orchard", short_help="").load()


def test_both_distributions_have_one_version() -> None:
    assert version("ecs-cd-sandbox") == version("ecs-cd") == VERSION
