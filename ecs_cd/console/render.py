"""A delivery's progress drawn with rich, for a width and a height."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ecs_cd.console.describe import Step, record_result, shown_steps, waits
from ecs_cd.console.printer import Printer
from ecs_cd.console.progress import PhaseRow, PhaseState, Progress
from ecs_cd.model.events import Phase, RolloutChanged
from ecs_cd.model.run import RunProgress
from ecs_cd.support.deadline import Deadline, format_duration

_WIDEST = 110
_NARROW = 60
_BAR = 20
_INDENT = 12
_FRAMES_PER_SECOND = 8
_OTHER_LINES = 14
"""Lines of the drawing that are not the tree of the run, which gets the rest of the screen."""
_FEWEST = 3


@dataclass(frozen=True)
class Symbols:
    """The symbols of the drawing; `spinner` holds its frames."""

    spinner: str
    done: str
    stopped: str
    pending: str
    full: str
    empty: str


_UNICODE = Symbols("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "✔", "✘", "·", "━", "─")
_ASCII = Symbols("|/-\\", "+", "x", ".", "#", "-")
_STYLES = {
    PhaseState.PENDING: "dim",
    PhaseState.ACTIVE: "cyan",
    PhaseState.DONE: "green",
    PhaseState.STOPPED: "red",
}


class Renderer:
    """Draws a delivery's progress on one terminal."""

    def __init__(self, printer: Printer, title: str, began: float, deadline: Deadline | None) -> None:
        """Draw under `title`; the footer counts from `began`, a moment of the delivery's clock."""
        self._printer = printer
        self._title = title
        self._began = began
        self._deadline = deadline
        self._symbols = _UNICODE if printer.unicode else _ASCII

    def of(self, progress: Progress, now: float, width: int, height: int) -> Group:
        """Return the progress drawn at the moment `now`, for a terminal of this many columns and lines."""
        narrow = width < _NARROW
        indent = 2 if narrow else _INDENT
        parts: list[RenderableType] = [self._text(self._title, "bold")] if self._title else []
        for row in progress.rows:
            parts.append(self._row(row, now, width, narrow=narrow))
            parts.extend(Padding(part, (0, 0, 0, indent)) for part in self._below(row, progress, now, height))
        parts.extend(self._text(f"warning: {warning}", "yellow") for warning in progress.warnings)
        parts.append(Text(self._footer(now), style="dim"))
        return Group(*parts)

    def _row(self, row: PhaseRow, now: float, width: int, *, narrow: bool) -> RenderableType:
        symbol = Text(self._symbol(row.state, now), style=_STYLES[row.state])
        name = Text(row.phase.value, style="dim" if row.state is PhaseState.PENDING else "bold")
        took = Text("" if row.state is PhaseState.PENDING else format_duration(row.elapsed(now)), style="dim")
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = min(width, _WIDEST) - 1
        grid.add_column(width=1)
        grid.add_column(width=9)
        text = self._text(row.text)
        if narrow:
            grid.add_column(ratio=1, justify="right", no_wrap=True)
            grid.add_row(symbol, name, took)
            return Group(grid, Padding(text, (0, 0, 0, 2))) if row.text else grid
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(symbol, name, text, took)
        return grid

    def _below(self, row: PhaseRow, progress: Progress, now: float, height: int) -> Iterator[RenderableType]:
        """Yield what is drawn under a phase: while it goes on, and where it stopped."""
        if row.state not in (PhaseState.ACTIVE, PhaseState.STOPPED):
            return
        if row.phase is Phase.RUN:
            yield from (self._text(choice, "dim") for choice in progress.run_changes if choice != row.text)
        if row.phase is Phase.RUN and progress.run:
            yield from self._run(
                progress.run, now, max(height - _OTHER_LINES, _FEWEST), over=row.state is PhaseState.STOPPED
            )
        if row.phase is Phase.ROLLOUT and progress.rollout:
            yield from self._rollout(progress.rollout, progress.events)

    def _run(self, progress: RunProgress, now: float, lines: int, *, over: bool) -> Iterator[RenderableType]:
        if progress.run.url:
            yield self._text(progress.run.url, "dim")
        for _, waiting in waits(progress):
            yield self._text(waiting, "yellow")
        steps = shown_steps(progress)
        shown = _most_important(steps, lines)
        for step in shown:
            yield self._step(step, now, over=over)
        if len(shown) < len(steps):
            yield Text(f"and {len(steps) - len(shown)} more steps", style="dim")

    def _step(self, step: Step, now: float, *, over: bool) -> Text:
        state = _state(step)
        if over and state is PhaseState.ACTIVE:
            state = PhaseState.STOPPED
        result = record_result(step.record)
        plain = state in (PhaseState.PENDING, PhaseState.ACTIVE) or step.record.result == "succeeded"
        text = Text("  " * step.depth)
        text.append(self._symbol(state, now), style=_STYLES[state])
        text.append(
            f" {self._printer.clean_line(step.record.name)}", style="dim" if state is PhaseState.PENDING else ""
        )
        text.append("" if plain else f" {self._printer.clean_line(result)}", style="red" if _failed(step) else "dim")
        return text

    def _rollout(self, changed: RolloutChanged, events: tuple[str, ...]) -> Iterator[RenderableType]:
        deployment = changed.verdict.deployment
        if deployment and deployment.desired > 0:
            full = max(0, min(_BAR, _BAR * deployment.running // deployment.desired))
            yield self._bar(full, f" {deployment.running}/{deployment.desired} tasks")
        record = changed.snapshot.service_deployment
        weight = record.target.production_weight if record and record.goes_on and record.target else None
        if weight is not None:
            full = max(0, min(_BAR, int(_BAR * weight / 100)))
            yield self._bar(full, f" {weight:g}% of traffic")
        for event in events:
            yield self._text(event, "dim")

    def _bar(self, full: int, label: str) -> Text:
        bar = Text(self._symbols.full * full, style="green")
        bar.append(self._symbols.empty * (_BAR - full), style="dim")
        bar.append(label)
        return bar

    def _symbol(self, state: PhaseState, now: float) -> str:
        if state is PhaseState.ACTIVE:
            return self._symbols.spinner[int(now * _FRAMES_PER_SECOND) % len(self._symbols.spinner)]
        return {
            PhaseState.PENDING: self._symbols.pending,
            PhaseState.DONE: self._symbols.done,
            PhaseState.STOPPED: self._symbols.stopped,
        }[state]

    def _footer(self, now: float) -> str:
        allowed = f" of {format_duration(self._deadline.seconds)}" if self._deadline else ""
        return f"{format_duration(now - self._began)}{allowed}"

    def _text(self, text: str, style: str = "") -> Text:
        return Text(self._printer.clean_line(text), style=style, overflow="fold")


def _state(step: Step) -> PhaseState:
    record = step.record
    if record.state == "inProgress":
        return PhaseState.ACTIVE
    if record.state != "completed" or record.result == "skipped":
        return PhaseState.PENDING
    return PhaseState.STOPPED if _failed(step) else PhaseState.DONE


def _failed(step: Step) -> bool:
    return step.record.state == "completed" and step.record.result in ("failed", "canceled", "abandoned")


def _most_important(steps: tuple[Step, ...], lines: int) -> tuple[Step, ...]:
    """Return as many steps as fit in `lines`, in their order: first those that go on or failed."""
    rank = {PhaseState.ACTIVE: 0, PhaseState.STOPPED: 0, PhaseState.PENDING: 1, PhaseState.DONE: 2}
    best = sorted(range(len(steps)), key=lambda at: (rank[_state(steps[at])], at))[:lines]
    return tuple(steps[at] for at in sorted(best))
