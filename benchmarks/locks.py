"""Eight releases at once through real Terraform, side by side: each its own run, `-lock-timeout`, and ecs-cd.

    .venv/bin/python -m benchmarks.locks [--agents 8] [--matrix]

Prints a Markdown table. One sandbox serves all, so that a machine that changes speed changes all of them alike; each
strategy also runs one release alone, which its eight are held against. Those with runs of their own write parameters
and queue runs from this process, at no cost; ecs-cd's are eight processes of `ecs-cd deploy`, with all they check and
prove. `--matrix`: ecs-cd alone, with each of Azure's locks and 1, 2 and 4 agents, and with a laptop that holds the
state's lock for 20 s.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from ecs_cd_sandbox.sandbox import Sandbox
from tests.end_to_end.eight_services import AGENTS, ENVIRONMENT, SERVICES, EightServices, Released

LOCKS = ("sequential", "runLatest", "none")
SHIPPED, HASTY = "10m", "1s"
"""How long the pipeline's Terraform waits for a lock: as the templates say, and hardly at all."""
HELD = 20.0
"""Seconds for which the laptop holds the lock."""


@dataclass(frozen=True)
class Taken:
    """How it went. `runs`: those that Terraform began in; `told`: the releases whose owner was told of a failure."""

    seconds: float
    runs: int
    failed: int
    told: int


def own_runs(eight: EightServices, services: tuple[str, ...]) -> Taken:
    """Write the parameter and queue a run for each service, all before the first has begun; wait for the runs."""
    azure, tag = eight.sandbox.azure_devops, eight.push_images()
    began = time.monotonic()
    ids = []
    for service in services:
        eight.sandbox.aws.put_parameter(f"/{service}/{ENVIRONMENT}/docker-image-tag", tag)
        ids.append(eight.queue())
    results = [azure.wait(run_id, timeout=600) for run_id in ids]
    failed = sum(result != "succeeded" for result in results)
    return Taken(time.monotonic() - began, len(ids), failed, failed)


def shared(eight: EightServices, services: tuple[str, ...]) -> Taken:
    """Deliver each service with a process of `ecs-cd deploy`."""
    began = time.monotonic()
    released = eight.release(*services)
    for code, told in zip(released.codes, released.told, strict=True):
        if code:
            print(f"A release ended with {code}:\n{told}", file=sys.stderr, flush=True)
    return Taken(time.monotonic() - began, begun(released), len(released.failed), sum(map(bool, released.codes)))


def begun(released: Released) -> int:
    """Return how many runs were not cancelled before they began."""
    return len(released.applied) + len(released.failed)


def side_by_side(eight: EightServices, agents: int) -> None:
    """Compare the three."""
    cases: dict[str, tuple[str, str, Callable[[EightServices, tuple[str, ...]], Taken]]] = {
        "own runs": ("none", "0s", own_runs),
        "own runs, `-lock-timeout=10m`": ("none", SHIPPED, own_runs),
        "own runs, Azure's lock `sequential`": ("sequential", SHIPPED, own_runs),
        "ecs-cd, Azure's lock `sequential`": ("sequential", SHIPPED, shared),
        "ecs-cd, Azure's lock `runLatest`": ("runLatest", SHIPPED, shared),
        "ecs-cd, no lock of Azure's": ("none", SHIPPED, shared),
    }
    print(f"Eight releases at once, {agents} agents, {os.cpu_count()} cores\n")
    print("| | runs | runs that failed | releases that failed | one alone | all eight | ratio | load |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, (lock, lock_timeout, release) in cases.items():
        eight.behave(lock=lock, lock_timeout=lock_timeout)
        alone, all_eight = release(eight, SERVICES[:1]), release(eight, SERVICES)
        print(
            f"| {name} | {all_eight.runs} | {all_eight.failed} | {all_eight.told} | {alone.seconds:.1f} s "
            f"| {all_eight.seconds:.1f} s | {all_eight.seconds / alone.seconds:.1f} | {os.getloadavg()[0]:.1f} |",
            flush=True,
        )


def matrix(eight: EightServices) -> None:
    """Go through all locks and agents with ecs-cd."""
    print("| Azure's lock | agents | laptop | runs | runs that failed | releases that failed | seconds | load |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for lock in LOCKS:
        for agents in (1, 2, 4):
            eight.behave(lock=lock)
            with eight.agents(agents):
                row(lock, agents, "", shared(eight, SERVICES))
        for lock_timeout in (SHIPPED, HASTY):
            eight.behave(lock=lock, lock_timeout=lock_timeout)
            with eight.agents(2), eight.laptop(HELD, failing=int(lock_timeout == HASTY)):
                row(lock, 2, f"{HELD:.0f} s, `-lock-timeout={lock_timeout}`", shared(eight, SERVICES))


def row(lock: str, agents: int, laptop: str, taken: Taken) -> None:
    """Print one."""
    load = f"{os.getloadavg()[0]:.1f}"
    cells = (lock, agents, laptop, taken.runs, taken.failed, taken.told, f"{taken.seconds:.1f}", load)
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def main() -> None:
    """Start a sandbox and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--matrix", action="store_true")
    wanted = parser.parse_args()
    agents = AGENTS if wanted.matrix else wanted.agents
    with Sandbox(agents=agents, interval=0.05) as sandbox:
        eight = EightServices(sandbox, new_interpreters=True)
        if wanted.matrix:
            matrix(eight)
        else:
            side_by_side(eight, agents)


if __name__ == "__main__":
    main()
