"""`python -m extension_builder.npm_script lint`: runs scripts of the task's `package.json`; its packages come first.

`test` runs on each Node on this machine, since the agent has one for each of the task's handlers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from extension_builder import node

TASK = Path(__file__).parents[2]


def main(scripts: list[str]) -> None:
    """Run the scripts and print their output.

    Raises:
        SystemExit: one failed.
    """
    try:
        node.install(TASK)
        for script in scripts:
            for each in node.find_nodes() if script == "test" else node.find_nodes()[:1]:
                print(node.run_npm(TASK, "run", "--silent", script, node=each), end="")  # noqa: T201 - for the person who runs it
    except RuntimeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(sys.argv[1:])
