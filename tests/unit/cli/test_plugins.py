"""Commands of other distributions: found by an entry point, imported when called; a missing one names its extra."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import click
import pytest

from ecs_cd.cli.plugins import PluginCommand
from ecs_cd.version import VERSION
from ecs_cd_sandbox.cli import sandbox as sandbox_group


def loaded_modules(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after this code."""
    tell = "\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + tell], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.split())


def test_the_sandbox_is_found_through_its_entry_point() -> None:
    found = PluginCommand("sandbox", extra="sandbox", short_help="").load()
    assert found is sandbox_group


def test_a_command_that_is_not_installed_names_the_extra_that_has_it() -> None:
    with pytest.raises(click.ClickException, match=r"pip install 'ecs-cd\[orchard\]'"):
        PluginCommand("orchard", extra="orchard", short_help="").load()


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["tag", "--help"]])
def test_help_and_other_commands_import_nothing_of_the_sandbox(argv: list[str]) -> None:
    loaded = loaded_modules(f"from ecs_cd.cli import run\nrun({argv!r})")
    assert "ecs_cd.cli" in loaded
    assert not [name for name in loaded if name.startswith(("ecs_cd_sandbox", "moto", "flask"))]


def test_the_help_of_the_sandbox_imports_neither_of_its_servers() -> None:
    loaded = loaded_modules("from ecs_cd.cli import run\nrun(['sandbox', 'demo', '--help'])")
    assert "ecs_cd_sandbox.cli" in loaded
    assert not loaded & {"moto", "flask", "boto3"}


def test_both_distributions_have_one_version() -> None:
    assert version("ecs-cd-sandbox") == version("ecs-cd") == VERSION
