from __future__ import annotations

import subprocess
import sys

import pytest


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
