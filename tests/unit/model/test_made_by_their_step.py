"""A value that stands for a step done is made by that step and nobody else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ecs_cd

ROOT = Path(ecs_cd.__file__).parent


def _makers(value: str) -> set[str]:
    """Return the parts of the library in which a call of this name stands."""
    return {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == value
    }


@pytest.mark.parametrize(
    ("value", "step"),
    [("CheckedImage", "image"), ("ParameterChange", "parameter"), ("FinishedRun", "run"), ("Rollout", "rollout")],
)
def test_only_its_own_step_makes_a_value(value: str, step: str) -> None:
    assert _makers(value) == {step}
