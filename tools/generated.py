"""The files that are made from the table of settings, or hold parts that are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.keywords import keywords
from tools.reference import input_tables, replaced, setting_tables
from tools.task_inputs import lock_with_all, task_with_inputs

ROOT = Path(__file__).resolve().parents[1]
_TASK = ROOT / "task" / "EcsCdV1"


def generated() -> dict[Path, str]:
    """Return what each of the files should hold, as far as it is generated; the rest is as it stands there."""
    task = task_with_inputs(_json(_TASK / "task.json"))
    docs = ROOT / "docs"
    return {
        ROOT / "ecs_cd" / "settings" / "keywords.py": keywords(),
        _TASK / "task.json": _written(task),
        _TASK / "inputs.lock.json": _written(lock_with_all(_json(_TASK / "inputs.lock.json"), task)),
        docs / "settings.md": replaced(_text(docs / "settings.md"), setting_tables()),
        docs / "task.md": replaced(_text(docs / "task.md"), input_tables(task)),
    }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text(path))
    return found


def _written(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
