"""`pyproject.toml` and the pinned requirements agree, and nothing but the sandbox is an extra."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT, project


def pinned(name: str) -> set[str]:
    text = (ROOT / f"requirements{name}.txt").read_text(encoding="utf-8")
    return {_normal(found) for found in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def test_the_sandbox_is_the_only_extra() -> None:
    assert list(project()["project"]["optional-dependencies"]) == ["sandbox"]


@pytest.mark.parametrize("group", ["dev", "bench", "release"])
def test_what_a_group_names_is_pinned(group: str) -> None:
    groups = project()["dependency-groups"]
    assert set(groups) == {"dev", "bench", "release"}
    assert names(groups[group]) <= pinned(f"-{group}")


def test_what_the_library_needs_is_pinned_alike_for_users_and_developers() -> None:
    assert names(project()["project"]["dependencies"]) <= pinned("") <= pinned("-dev")


def test_nothing_pinned_comes_from_an_address() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert "--index-url" not in text, path
        assert text.count("==") <= text.count("--hash=sha256:"), path
