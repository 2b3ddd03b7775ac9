from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import BranchFilter
from ecs_cd_sandbox.azure_devops.engine.branch_filters import branch_matches, paths_match


@pytest.mark.parametrize(
    ("include", "exclude", "branch", "expected"),
    [
        ((), (), "refs/heads/any", True),
        (("main",), (), "refs/heads/main", True),
        (("refs/heads/main",), (), "refs/heads/main", True),
        (("main",), (), "refs/heads/maintenance", False),
        (("releases/*",), (), "refs/heads/releases/1/2", True),
        (("releases/*",), ("releases/old*",), "refs/heads/releases/old/2", False),
        (("*",), ("main",), "refs/heads/main", False),
        (("feature-?",), (), "refs/heads/feature-1", True),
        (("refs/tags/v*",), (), "refs/tags/v1", True),
        (("a.c",), (), "refs/heads/abc", False),
    ],
)
def test_branches_a_trigger_goes_by(include: Any, exclude: Any, branch: str, expected: bool) -> None:  # noqa: ANN401 - cases
    assert branch_matches(BranchFilter(include, exclude), branch) is expected


@pytest.mark.parametrize(
    ("include", "exclude", "changed", "expected"),
    [
        ((), (), ["a"], True),
        ((), (), [], True),
        ((), ("docs",), [], False),
        (("src",), (), ["src/app.py"], True),
        (("/src/",), (), ["src/a/b.py"], True),
        (("src/*",), (), ["src/a/b.py"], True),
        (("src",), (), ["srcs/app.py"], False),
        ((), ("docs",), ["docs/a.md"], False),
        ((), ("docs",), ["docs/a.md", "src/a.py"], True),
        (("docs",), ("docs/old",), ["docs/old/a.md"], False),
        (("*",), ("docs",), ["docs/a.md"], False),
        (("docs/api",), ("docs",), ["docs/api/a.md"], True),
        (("*.md",), (), ["docs/a.md"], True),
    ],
)
def test_paths_a_trigger_goes_by(include: Any, exclude: Any, changed: Any, expected: bool) -> None:  # noqa: ANN401 - cases
    assert paths_match(BranchFilter(include, exclude), changed) is expected
