"""What the build is made from, as one hash: as long as it stays, there is nothing to build anew."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PATTERNS = (
    "LICENSE",
    "requirements.txt",
    "requirements-dev.txt",  # what builds it
    "ecs_cd/**/*.py",
    "vss-extension*.json",
    "task/*",
    "task/EcsCdV1/*",
    "task/builder/extension_builder/*.py",
    "task/images/*",
    "task/python/*.py",
    "task/src/**/*",
)


def digest(root: Path) -> str:
    """Return the hash of all inputs below the repository's root, names and contents."""
    files = sorted({path for pattern in _PATTERNS for path in root.glob(pattern) if path.is_file()})
    result = hashlib.sha256()
    for path in files:
        result.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return result.hexdigest()
