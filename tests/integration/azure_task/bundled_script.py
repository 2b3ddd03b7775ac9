"""The task's `index.js`, built as a release builds it, for tests that run it with Node."""

from __future__ import annotations

from pathlib import Path

from extension_builder import node
from extension_builder.extension import TASK


def bundle(folder: Path) -> Path:
    """Build `index.js` into this folder and return it; what building needs is installed first where it is missing."""
    node.install(TASK)
    node.bundle(TASK, folder)
    return folder / "index.js"
