"""Which branches and paths a trigger goes by.

Source: https://learn.microsoft.com/azure/devops/pipelines/repos/azure-repos-git ("CI triggers"). `*` stands for any
number of characters, also of slashes, `?` for one; a path stands for all below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ecs_cd_sandbox.azure_devops.model.definitions import BranchFilter

_HEADS = "refs/heads/"


def full_name(branch: str) -> str:
    """Return a branch, given in full or not, by its full name."""
    return branch if branch.startswith("refs/") else _HEADS + branch


def branch_matches(wanted: BranchFilter, branch: str) -> bool:
    """Say whether a branch (full name) is one of those wanted."""
    included = not wanted.include or any(_matches(full_name(pattern), branch) for pattern in wanted.include)
    return included and not any(_matches(full_name(pattern), branch) for pattern in wanted.exclude)


def paths_match(wanted: BranchFilter, changed: Iterable[str]) -> bool:
    """Say whether any of the changed paths is one of those wanted; of two filters that match the longer one counts.

    Without filters a push counts also if it changed no file, such as the first push of a branch.
    """
    if not wanted.include and not wanted.exclude:
        return True
    return any(_path_matches(wanted, path.strip("/")) for path in changed)


def _path_matches(wanted: BranchFilter, path: str) -> bool:
    included = _longest(wanted.include, path)
    excluded = _longest(wanted.exclude, path)
    if not wanted.include:
        return excluded is None
    return included is not None and (excluded is None or included > excluded)


def _longest(patterns: Iterable[str], path: str) -> int | None:
    """Return the length of the longest pattern that a path matches, or None."""
    clean = (pattern.strip("/") for pattern in patterns)
    found = [
        len(pattern)
        for pattern in clean
        if pattern in {"", "*"} or _matches(pattern, path) or _matches(f"{pattern}/*", path)
    ]
    return max(found, default=None)


def _matches(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None
