"""Write a text file whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_EVERYBODY = 0o666
_OWNER = 0o600


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write UTF-8 text through a temporary file in the same folder, so that nobody ever reads half of it.

    The folder is made if it is missing. `private`: only the owner may read it, for what holds a secret.

    Raises:
        OSError: it cannot be written there; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER if private else _EVERYBODY)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a handle has no path
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
