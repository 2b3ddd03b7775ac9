"""What CONTRIBUTING.md, SECURITY.md and the hooks of pre-commit refer to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ecs_cd.model.image import ImageTag
from tests.support.repository import ROOT, missing_paths

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = [CONTRIBUTING, ROOT / "SECURITY.md"]
TESTS = re.compile(r"^\.venv/bin/python -m pytest -n 0 ([\w/.]+)(?:::(\w+))?(?: -k (\w+))?$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_link_leads_somewhere(page: Path) -> None:
    assert missing_paths(page) == []
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link


def test_every_target_it_shows_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = re.findall(r"(?:^|`)make ([a-z -]+)", CONTRIBUTING.read_text(encoding="utf-8"), re.MULTILINE)
    used = {target for targets_shown in shown for target in targets_shown.split()}
    assert {"lint", "unit", "test", "lock"} <= used <= targets


def test_every_test_it_shows_is_one() -> None:
    shown = TESTS.findall(CONTRIBUTING.read_text(encoding="utf-8"))
    assert len(shown) == 3
    for path, function, word in shown:
        files = [ROOT / path] if path.endswith(".py") else list((ROOT / path).rglob("test_*.py"))
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
        assert re.search(rf"^def test_\w*{word}" if word else rf"^def {function}\b|^def test_", text, re.MULTILINE), (
            path
        )
        assert not function or f"def {function}(" in text


def test_the_hooks_use_tools_that_are_pinned_and_download_nothing() -> None:
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    pinned = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    packages = {"ruff": "ruff", "lint-imports": "import-linter", "mypy": "mypy", "python": "pytest"}
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        tool = re.match(r"\.venv/bin/([\w-]+)", hook["entry"])
        assert tool, hook["entry"]
        assert f"\n{packages[tool[1]]}==" in pinned


def test_the_tags_that_are_accepted_are_as_stated() -> None:
    stated = re.search(r"only `(\S+)` is accepted as a tag", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert stated
    assert f"`{stated[1]}`" in (ImageTag.__doc__ or "")
