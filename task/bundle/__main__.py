"""`python -m task.bundle`: builds the extension; VARIANT=dev builds the one for trying it out beside the public one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # as `python task/bundle`, too

from task.bundle import archive, extension
from task.bundle.contents import LIMIT

_SHOWN = 10
_DEPTH = 3


def main() -> None:
    """Build, and say where it is and what it weighs."""
    variant = os.environ.get("VARIANT", "public")
    if variant not in extension.VARIANTS:
        raise SystemExit(f"VARIANT is one of {', '.join(extension.VARIANTS)}.")
    path = extension.build(variant)
    print(f"{path.relative_to(extension.ROOT)}: {path.stat().st_size:,} bytes (at most {LIMIT:,})")  # noqa: T201 - for the person who runs it
    for name, size in archive.parts(path, _DEPTH)[:_SHOWN]:
        print(f"{size:>12,}  {name}")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
