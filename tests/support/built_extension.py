"""The extension as `make vsix` builds it: once, for all workers of a run and all runs until an input changes."""

from __future__ import annotations

import fcntl
from pathlib import Path

from extension_builder import extension


def built_extension(variant: str = "public") -> Path:
    """Return the `.vsix`, built if need be; whoever comes second waits."""
    build = extension.ROOT / "build"
    build.mkdir(exist_ok=True)
    with (build / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return extension.current(variant)
