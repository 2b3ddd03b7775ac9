"""`python -m extension_builder`: builds the extension; VARIANT=dev the one to try out beside the public one."""

from __future__ import annotations

import os

from extension_builder import archive, extension
from extension_builder.contents import LIMIT

_LARGEST_SHOWN = 10
_DEPTH = 5
"""Down to the folders in the task's own: `task/dist/EcsCdV1/python/native`."""


def main() -> None:
    """Build it, unless it is there and nothing it is made from has changed; print where it is and what it weighs."""
    variant = os.environ.get("VARIANT", "public")
    if variant not in extension.VARIANTS:
        raise SystemExit(f"VARIANT is one of {', '.join(extension.VARIANTS)}.")
    path = extension.current(variant)
    print(f"{path.relative_to(extension.ROOT)}: {path.stat().st_size:,} bytes (at most {LIMIT:,})")  # noqa: T201 - for the person who runs it
    for name, size in archive.packed_sizes(path, _DEPTH)[:_LARGEST_SHOWN]:
        print(f"{size:>12,}  {name}")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
