"""The Python in README and docs passes mypy and pyright, both strict: what a reader copies has no type errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.typing.checkers import CHECKERS, Checker
from tests.support.repository import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = {
    f"{page.stem.replace('-', '_')}_{number}.py": text
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_no_snippet_has_a_type_error(tmp_path: Path, checker: Checker, request: pytest.FixtureRequest) -> None:
    assert {name.rpartition("_")[0] for name in SNIPPETS} >= {"README", "library", "sandbox"}
    assert checker(SNIPPETS, tmp_path, request.config.cache.mkdir("mypy")) == {}
