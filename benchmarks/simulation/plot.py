"""Draws `docs/fleet.svg` with matplotlib, the same bytes for the same figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.simulation.strategies import Figures

LINES: dict[str, dict[str, Any]] = {
    "optimum": {"color": "black", "linestyle": ":", "linewidth": 3},
    "ecs-cd": {"color": "tab:blue", "marker": "o"},
    "own run": {"color": "tab:red", "marker": "x"},
    "own run, in turn": {"color": "tab:purple", "marker": "v"},
    "-lock-timeout": {"color": "tab:orange", "marker": "s"},
    "skip": {"color": "tab:green", "marker": "^"},
}


def draw(path: Path, loads: Sequence[float], found: Sequence[dict[str, Figures]]) -> None:
    """Draw the strategies side by side; one set of figures for each load."""
    mpl.rcParams.update({"svg.hashsalt": "ecs-cd", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    panels: dict[str, Callable[[Figures, Figures], float]] = {
        "95% of the releases are live within (run times)": lambda one, _: one.most,
        "Runs, of the optimum's": lambda one, best: one.runs / best.runs,
        "Releases whose owner is bothered (%)": lambda one, _: 100 * (one.failures + one.lost) / one.releases,
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(12, 3.8), layout="constrained")
    for axis, (title, value) in zip(axes, panels.items(), strict=True):
        for name, style in LINES.items():
            axis.plot(loads, [value(one[name], one["optimum"]) for one in found], label=name, **style)
        _frame(axis, title, loads, logarithmic="%" not in title or title.startswith("95"))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(LINES), frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _frame(axis: Any, title: str, loads: Sequence[float], *, logarithmic: bool) -> None:  # noqa: ANN401 - untyped
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("releases in a run time, for each environment")
    axis.set_xscale("log", base=2)
    axis.set_xticks(loads, [f"{load:g}" for load in loads])
    if logarithmic:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
    axis.grid(alpha=0.3)
