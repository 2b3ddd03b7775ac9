from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from ecs_cd.cli.main import run
from ecs_cd.cli.plugins import GROUP


def loaded_modules(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after this code."""
    tell = "\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + tell], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["tag", "--help"]])
def test_help_and_other_commands_import_nothing_of_the_sandbox(argv: list[str]) -> None:
    loaded = loaded_modules(f"from ecs_cd.cli import run\nrun({argv!r})")
    assert "ecs_cd.cli" in loaded
    assert not [name for name in loaded if name.startswith(("ecs_cd_sandbox", "moto", "flask"))]


def test_the_help_of_the_sandbox_imports_neither_of_its_servers() -> None:
    loaded = loaded_modules("from ecs_cd.cli import run\nrun(['sandbox', 'demo', '--help'])")
    assert "ecs_cd_sandbox.cli" in loaded
    assert not loaded & {"moto", "flask", "boto3"}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "The command sandbox is not installed."),
        (
            [EntryPoint("sandbox", "not_there.cli:sandbox", GROUP)],
            "The command sandbox cannot be imported from not_there.cli: No module named 'not_there'.",
        ),
        (
            [EntryPoint("sandbox", "keyword:gone", GROUP)],
            "The command sandbox cannot be imported from keyword: module 'keyword' has no attribute 'gone'.",
        ),
    ],
    ids=["not installed", "module missing", "command missing"],
)
def test_a_command_that_is_not_installed_or_not_whole_is_wrong_input_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], entries: list[EntryPoint], says: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: entries)
    assert run(["sandbox", "demo"]) == 2
    told = capsys.readouterr().err
    assert told == f"error: {says} Run: pip install 'ecs-cd[sandbox]'\n"
