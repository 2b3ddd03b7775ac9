"""`python -m task.bundle.npm lint`: runs a script of the task's package; its packages are installed first."""

from __future__ import annotations

import sys
from pathlib import Path

from task.bundle import node

TASK = Path(__file__).parents[1]


def main(scripts: list[str]) -> None:
    """Run the scripts; what the first one that fails said becomes the end of the process."""
    node.install(TASK)
    try:
        for script in scripts:
            node.run_script(TASK, script)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(sys.argv[1:])
