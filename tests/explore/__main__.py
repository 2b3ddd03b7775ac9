"""Explore, and print how much there was."""

from __future__ import annotations

import argparse

from tests import explore as package
from tests.explore.graph import explore
from tests.explore.system import Faults, start
from tests.support.azure_in_memory import LockBehavior

TABLE = (
    (1, LockBehavior.NONE, Faults()),
    *((2, lock, Faults()) for lock in LockBehavior),
    *((2, lock, Faults(locks=1)) for lock in LockBehavior),
    *((2, lock, Faults(failures=1, cancels=1)) for lock in LockBehavior),
    *((2, lock, Faults(deaths=1)) for lock in LockBehavior),
    *((2, lock, Faults(extra_runs=1)) for lock in LockBehavior),
    *((2, lock, Faults(partial_runs=1)) for lock in LockBehavior),
    (2, LockBehavior.NONE, Faults(failures=1, restarts=1)),
    (2, LockBehavior.NONE, Faults(deaths=2)),
    (2, LockBehavior.NONE, Faults(deaths=1, locks=2)),
    (3, LockBehavior.SEQUENTIAL, Faults()),
    (3, LockBehavior.NONE, Faults()),
)
"""What `docs/protocol.md` shows the numbers of."""


def main() -> None:
    """Explore what the arguments say."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=2)
    parser.add_argument("--lock", choices=[lock.value for lock in LockBehavior], default="none")
    for name in Faults._fields:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=0)
    parser.add_argument("--without", choices=["tag", "cancel"], action="append", default=[])
    parser.add_argument("--per-branch", action="store_true", help="a pipeline with a stage that every run skips")
    parser.add_argument("--table", action="store_true", help="explore all that docs/protocol.md shows")
    given = parser.parse_args()
    faults = Faults(*(getattr(given, name) for name in Faults._fields))
    chosen = TABLE if given.table else ((given.deliveries, LockBehavior(given.lock), faults),)
    may_tag, may_cancel = ("tag" not in given.without), ("cancel" not in given.without)
    for deliveries, lock, trouble in chosen:
        found = explore(
            start(deliveries, lock, trouble, may_tag=may_tag, may_cancel=may_cancel, per_branch=given.per_branch)
        )
        numbers = f"{found.states:,} | {found.transitions:,} | {found.most_runs}"
        print(f"| {deliveries} | {lock.value} | {trouble} | {numbers} |", flush=True)  # noqa: T201 - a command's result


if __name__ == "__main__":
    main()
