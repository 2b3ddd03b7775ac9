"""A fleet on a virtual clock: 1,000 services, 10 environments, and what becomes of their releases under each strategy.

    .venv/bin/python -m benchmarks.fleet [--seed 1] [--hours 3] [--plot docs/fleet.svg]

The deliveries of ecs-cd are the library's own code; the clock, Azure DevOps and Parameter Store are `simulation/`. The
same seed gives the same figures. Prints Markdown tables, and whether the budget is kept: runs within 1.1 times the
optimum of group commit, and 95 of 100 releases live within 2.1 run times. `--plot` needs matplotlib (`make fleet`).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.simulation.azure import RUN_TIME
from benchmarks.simulation.strategies import STRATEGIES, Figures, Release, Scene, figures

SERVICES, ENVIRONMENTS, AGENTS = 1000, 10, 20
LAPTOP_EVERY = 2 * 3600.0
"""Seconds in the mean between two times that a person holds the lock of an environment's state."""
LOADS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Releases in a run time, for each environment."""
BUDGET_RUNS, BUDGET_TIME = 1.1, 2.1
COMPARED = ("optimum", "ecs-cd", "own run", "own run, in turn", "-lock-timeout", "skip")
"""What is compared at every load; the rest is ecs-cd with other locks."""


def poisson(chance: random.Random, load: float, length: float) -> Iterator[tuple[float, int, int]]:
    """Yield moment, environment and service of releases that know nothing of each other."""
    for environment in range(ENVIRONMENTS):
        moment = chance.expovariate(load / RUN_TIME)
        while moment < length:
            yield moment, environment, chance.randrange(SERVICES)
            moment += chance.expovariate(load / RUN_TIME)


def bursts(chance: random.Random, length: float) -> Iterator[tuple[float, int, int]]:
    """Yield trains: every half an hour or so, eight to forty services of an environment within a minute."""
    for environment in range(ENVIRONMENTS):
        moment = chance.expovariate(1 / 1800)
        while moment < length:
            for service in chance.sample(range(SERVICES), chance.randint(8, 40)):
                yield moment + chance.uniform(0, 60), environment, service
            moment += chance.expovariate(1 / 1800)


def everything(chance: random.Random) -> Iterator[tuple[float, int, int]]:
    """Yield each of the 1,000 services once, a hundred for each environment, within two minutes."""
    for service in range(SERVICES):
        yield chance.uniform(0, 120), service % ENVIRONMENTS, service


def scene(moments: Iterator[tuple[float, int, int]], seed: int, length: float) -> Scene:
    """Return what happens, with a person's laptop now and then."""
    chance = random.Random(f"laptops/{seed}")
    laptops = []
    for environment in range(ENVIRONMENTS):
        moment = chance.expovariate(1 / LAPTOP_EVERY)
        while moment < length:
            laptops.append((moment, environment))
            moment += chance.expovariate(1 / LAPTOP_EVERY)
    ordered = sorted(moments)
    releases = tuple(Release(place, service, 100 + n, at) for n, (at, place, service) in enumerate(ordered))
    return Scene(releases, tuple(sorted(laptops)), ENVIRONMENTS, AGENTS, seed)


def simulate(given: Scene, name: str) -> Figures:
    """Return what one strategy makes of it."""
    fresh = replace(given, releases=tuple(replace(release) for release in given.releases))
    return figures(STRATEGIES[name](fresh))


def table(title: str, found: dict[str, Figures]) -> None:
    """Print one scene as Markdown."""
    best = found["optimum"]
    print(f"\n**{title}**: {best.releases} releases\n")
    print("| strategy | runs | of the optimum | live: half within | 95% within | failures seen | lost | agents' time |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, one in found.items():
        print(
            f"| {name} | {one.runs:,} | {one.runs / best.runs:.2f} | {one.half:.2f} | {one.most:.2f} "
            f"| {one.failures:,} | {lost(one)} | {one.agents / best.agents:.2f} |"
        )


def lost(one: Figures) -> str:
    """Return the releases that were lost, and how many of them for good."""
    return f"{one.lost:,} ({one.never:,} for good)" if one.lost else "0"


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", help="the one strategy to look at, beside the optimum")
    wanted = parser.parse_args()
    seed, length = wanted.seed, wanted.hours * 3600
    began = time.monotonic()
    scenes: dict[str, Iterator[tuple[float, int, int]]] = {
        **{f"{load:g} releases a run time": poisson(random.Random(f"{load}/{seed}"), load, length) for load in LOADS},
        "Trains": bursts(random.Random(f"trains/{seed}"), length),
        "All 1,000 services at once": everything(random.Random(f"all/{seed}")),
    }
    found: dict[str, dict[str, Figures]] = {}
    for title, moments in scenes.items():
        given = scene(moments, seed, length)
        names = COMPARED if title[0].isdigit() and not title.startswith("4") else tuple(STRATEGIES)
        if wanted.only:
            names = ("optimum", wanted.only)
        found[title] = {name: simulate(given, name) for name in names}
        table(title, found[title])
    judge(found)
    if wanted.plot:
        from benchmarks.simulation.plot import draw  # noqa: PLC0415 - matplotlib is there for the plot alone

        draw(wanted.plot, LOADS, [found[f"{load:g} releases a run time"] for load in LOADS])
    print(f"\nA run time is {RUN_TIME:.0f} s. Seed {seed}, {wanted.hours:g} hours, {time.monotonic() - began:.0f} s.")


def judge(found: dict[str, dict[str, Figures]]) -> None:
    """Say whether ecs-cd keeps the budget."""
    print()
    for title, strategies in found.items():
        if "ecs-cd" in strategies:
            ours, best = strategies["ecs-cd"], strategies["optimum"]
            runs, most = ours.runs / best.runs, ours.most
            verdict = "kept" if runs <= BUDGET_RUNS and most <= BUDGET_TIME else "not kept"
            beyond = f"; the optimum itself: {best.most:.2f}" if most > BUDGET_TIME else ""
            print(f"budget {verdict}: {title}: runs {runs:.2f} of the optimum, 95% live within {most:.2f}{beyond}")


if __name__ == "__main__":
    main()
