"""A report as JSON text, and its file."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecs_cd.errors import WrongInput
from ecs_cd.sanitize import single_line
from ecs_cd.support.files import write_atomically

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_json(report: DataclassInstance) -> str:
    """Return a report as JSON text, indented, with a line feed at its end."""
    text = json.dumps(asdict(report), default=_plain, indent=2, ensure_ascii=False) + "\n"
    # A lone surrogate, which an API's JSON may hold, has no UTF-8; as an escape it is JSON all the same.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_json(path: Path, text: str) -> None:
    """Write a report's JSON to a file: whole or not at all.

    Raises:
        WrongInput: the file cannot be written there.
    """
    try:
        write_atomically(path, text)
    except OSError as error:
        raise WrongInput(
            f"Cannot write the report to '{single_line(str(path))}': {error.strerror or error}.",
            hint="Give a path that can be written.",
        ) from error


def _plain(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
