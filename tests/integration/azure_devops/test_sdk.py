"""Importing costs nothing, and the SDK leaves nothing behind; each proved in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FIRST_CALL = """
import os, sys
import ecs_cd.azure_devops as azure_devops
heavy = [name for name in ("azure", "msrest", "requests", "urllib3") if name in sys.modules]
assert not heavy, heavy
from ecs_cd.errors import Unreachable
from tests.support.fakes import FakeClock
settings = azure_devops.AzureDevOpsSettings("http://127.0.0.1:9/acme", "platform", pat="0123456789")
with azure_devops.connect(settings, FakeClock()) as azure:
    try:
        azure.find("7")
    except Unreachable:
        pass
from azure.devops.client import Client
assert not Client._locations_cache
assert "azure.devops.connection" not in sys.modules
print(os.environ.get("AZURE_DEVOPS_CACHE_DIR"))
"""


def first_call(home: Path, temporary: Path, **more: str) -> str:
    keep = {name: value for name, value in os.environ.items() if name not in ("AZURE_DEVOPS_CACHE_DIR", "HOME")}
    environment = {
        **keep,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(temporary),
        "NO_PROXY": "*",
        **more,
    }
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", FIRST_CALL],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_a_home_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.touch()  # nothing can be made below a file, whoever runs this
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert first_call(home, temporary) == "None"
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_in_the_home_or_the_users_cache(tmp_path: Path) -> None:
    home, temporary, cache = tmp_path / "home", tmp_path / "temporary", tmp_path / "cache"
    home.mkdir()
    temporary.mkdir()
    assert first_call(home, temporary, AZURE_DEVOPS_CACHE_DIR=str(cache)) == str(cache)
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []
    assert not cache.exists()


def test_a_cache_that_others_filled_is_not_believed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    options = cache / "options.json"
    options.write_text('{"http://127.0.0.1:9/acme": []}', encoding="utf-8")
    first_call(tmp_path, tmp_path, AZURE_DEVOPS_CACHE_DIR=str(cache))
    assert options.read_text(encoding="utf-8") == '{"http://127.0.0.1:9/acme": []}'
