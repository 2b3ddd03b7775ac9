from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.patterns import files_below, matches, select

PATHS = [".buildId", "app/.env", "app/main.py", "app/lib/util.py", "Dockerfile", "infra/main.tf", "infra/main.tfvars"]


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        ("**", PATHS),
        ("*", [".buildId", "Dockerfile"]),
        ("**/*.py", ["app/main.py", "app/lib/util.py"]),
        ("app/**", ["app/.env", "app/main.py", "app/lib/util.py"]),
        ("app/*", ["app/.env", "app/main.py"]),
        ("**/main.*", ["app/main.py", "infra/main.tf", "infra/main.tfvars"]),
        ("infra/main.t?", ["infra/main.tf"]),
        ("[D.]*", [".buildId", "Dockerfile"]),
        ("[!D]*", [".buildId"]),
        ("app/@(main|lib).py", ["app/main.py"]),
        ("app/+(m|a|i|n).py", ["app/main.py"]),
        ("infra/!(main.tf)", ["infra/main.tfvars"]),
        ("infra/main.tf?(vars)", ["infra/main.tf", "infra/main.tfvars"]),
        ("{app,infra}/*", []),
        ("dockerfile", []),
        ("app", []),
        ("app/(a", []),
    ],
)
def test_a_pattern_selects_as_minimatch_does(pattern: str, selected: list[str]) -> None:
    assert select(PATHS, [pattern]) == selected


def test_later_patterns_win() -> None:
    patterns = ["**", "!app/**", " ", "# app/**", "app/lib/*", "!!Dockerfile"]
    assert select(PATHS, patterns) == [
        ".buildId",
        "app/lib/util.py",
        "Dockerfile",
        "infra/main.tf",
        "infra/main.tfvars",
    ]
    assert select(PATHS, ["!app/**"]) == []


def test_a_whole_path_is_matched_with_whole_paths() -> None:
    assert select(PATHS, ["/src/*/main.tf"], "/src") == ["infra/main.tf"]
    assert select(PATHS, ["/elsewhere/**"], "/src") == []


NAMES = st.text("ab.*?[](){}!+@-\\", min_size=1, max_size=8)


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")  # of the expression a pattern becomes
@given(st.lists(NAMES, min_size=1, max_size=4).map("/".join))
def test_any_pattern_is_read(pattern: str) -> None:
    matches("a/b", pattern)


@given(
    st.lists(
        st.text("ab.-", min_size=1, max_size=5).filter(lambda name: name not in {".", ".."}), min_size=1, max_size=4
    ).map("/".join)
)
def test_a_plain_path_matches_itself_and_what_is_above(path: str) -> None:
    assert matches(path, path) and matches(path, "**")
    assert matches(path, f"**/{path.rpartition('/')[2]}")


def test_files_are_found_behind_links_once(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / ".hidden").touch()
    (tmp_path / "real" / "up").symlink_to(tmp_path)
    (tmp_path / "alias").symlink_to("real")
    assert files_below(tmp_path) in (["real/.hidden"], ["alias/.hidden"])
