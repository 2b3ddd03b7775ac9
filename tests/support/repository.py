"""The repository's own text files, for tests of what they say."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "docs", "ecs_cd", "sandbox", "task", "templates", "tests", "tools")
_SUFFIXES = {".md", ".mjs", ".py", ".tf", ".toml", ".ts", ".yaml", ".yml"}
_NOT_OURS = {"__pycache__", "node_modules", ".venv", "build", "dist", "openapi"}


def text_files() -> Iterator[tuple[Path, str]]:
    """Return every text file that people write here, with its text; nothing installed, built or downloaded."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += (ROOT / folder).rglob("*")
    for path in sorted(found):
        named = path.suffix in _SUFFIXES or path.name == "Makefile"
        if named and path.is_file() and not _NOT_OURS.intersection(path.relative_to(ROOT).parts):
            yield path, path.read_text(encoding="utf-8")


def missing_paths(page: Path) -> list[str]:
    """Return the paths in code spans of a page that are not in the repository; a trailing `/` says it is a folder."""
    spans = [span for span in page.read_text(encoding="utf-8").split("`")[1::2] if "\n" not in span]
    paths = [span for span in spans if span.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and " " not in span]
    return [path for path in paths if not ((ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).exists())]


def project() -> dict[str, Any]:
    """Return what `pyproject.toml` says. Before Python 3.11, pytest brings a reader of TOML along."""
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    found: dict[str, Any] = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return found
