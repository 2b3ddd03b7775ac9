"""What is imported when: an SDK costs a tenth of a second and more, so none is before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.simulated_clouds import SimulatedClouds

PACKAGES = ("boto3", "botocore", "azure", "msrest", "requests", "pydantic", "yaml", "click", "rich")
TELL = f"""
import sys
sys.stderr.write("\\n" + " ".join(name for name in {PACKAGES!r} if name in sys.modules))
"""


def imported(code: str, folder: Path, environ: dict[str, str]) -> set[str]:
    """Return which of the packages a fresh interpreter has imported after this code."""
    done = subprocess.run(
        [sys.executable, "-c", code + TELL],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def running(*argv: str) -> str:
    return f"from ecs_cd.cli import run\nassert run({list(argv)!r}) == 0"


def test_importing_the_package_imports_nothing_else(tmp_path: Path) -> None:
    code = "import sys\nbefore = set(sys.modules)\nimport ecs_cd\nprint(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = {name.partition(".")[0] for name in done.stdout.strip("[]\n").replace("'", "").split(", ")}
    assert found <= {"ecs_cd", *sys.stdlib_module_names}
    assert not found & {"asyncio", "urllib", "json", "threading", "dataclasses", "re"}


@pytest.mark.parametrize(
    ("argv", "allowed"),
    [
        (("--version",), {"click"}),
        (("--help",), set(PACKAGES) - {"boto3", "botocore", "azure", "msrest", "requests", "rich"}),
        (("tag", "write", "5"), {"click", "pydantic", "yaml"}),
        (("tag", "read", "drop"), {"click", "pydantic", "yaml"}),
        (("parameter", "get", "my-api", "development"), {"click", "pydantic", "yaml", "boto3", "botocore"}),
        (("verify", "my-api", "development", "--tag", "101"), {"click", "pydantic", "yaml", "boto3", "botocore"}),
        (("pipeline", "queue", "my-api", "development"), {"click", "pydantic", "yaml", "azure", "msrest", "requests"}),
        (("deploy", "my-api", "development", "--tag", "101"), set(PACKAGES) - {"rich"}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_command_imports_only_what_it_needs(
    clouds: SimulatedClouds, argv: tuple[str, ...], allowed: set[str]
) -> None:
    clouds.publish("102")
    assert imported(running(*argv), clouds.folder, clouds.environment()) <= allowed
