"""A board as a picture of rich's, for a width and a height."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ecs_cd.console import words
from ecs_cd.console.board import Board, Row, Standing
from ecs_cd.console.printer import Printer
from ecs_cd.console.words import Step
from ecs_cd.model.events import Phase, RolloutChanged
from ecs_cd.model.run import RunProgress
from ecs_cd.support.deadline import Deadline, format_duration

_WIDEST = 110
_NARROW = 60
_BAR = 20
_INDENT = 12
_FRAMES_PER_SECOND = 8
_AROUND = 14
"""Lines of the picture that are not the tree of the run: it gets the rest of the screen."""
_FEWEST = 3


@dataclass(frozen=True)
class Marks:
    """The signs of a picture; `spinner` are its frames."""

    spinner: str
    done: str
    stopped: str
    ahead: str
    full: str
    empty: str


_UNICODE = Marks("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "✔", "✘", "·", "━", "─")
_ASCII = Marks("|/-\\", "+", "x", ".", "#", "-")
_STYLES = {
    Standing.AHEAD: "dim",
    Standing.ACTIVE: "cyan",
    Standing.DONE: "green",
    Standing.STOPPED: "red",
}


class Picture:
    """How boards are drawn on one terminal."""

    def __init__(self, printer: Printer, title: str, began: float, deadline: Deadline | None) -> None:
        """Draw under `title`; the footer counts from `began`, a moment of the delivery's clock."""
        self._printer = printer
        self._title = title
        self._began = began
        self._deadline = deadline
        self._marks = _UNICODE if printer.unicode else _ASCII

    def of(self, board: Board, now: float, width: int, height: int) -> Group:
        """Return the picture of a board at the moment `now`, for a terminal of this many columns and lines."""
        narrow = width < _NARROW
        indent = 2 if narrow else _INDENT
        parts: list[RenderableType] = [self._text(self._title, "bold")] if self._title else []
        for row in board.rows:
            parts.append(self._row(row, now, width, narrow=narrow))
            parts.extend(Padding(part, (0, 0, 0, indent)) for part in self._below(row, board, now, height))
        parts.extend(self._text(f"warning: {warning}", "yellow") for warning in board.warnings)
        parts.append(Text(self._footer(now), style="dim"))
        return Group(*parts)

    def _row(self, row: Row, now: float, width: int, *, narrow: bool) -> RenderableType:
        mark = Text(self._mark(row.standing, now), style=_STYLES[row.standing])
        name = Text(row.phase.value, style="dim" if row.standing is Standing.AHEAD else "bold")
        took = Text("" if row.standing is Standing.AHEAD else format_duration(row.elapsed(now)), style="dim")
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = min(width, _WIDEST) - 1
        grid.add_column(width=1)
        grid.add_column(width=9)
        said = self._text(row.said)
        if narrow:
            grid.add_column(ratio=1, justify="right", no_wrap=True)
            grid.add_row(mark, name, took)
            return Group(grid, Padding(said, (0, 0, 0, 2))) if row.said else grid
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(mark, name, said, took)
        return grid

    def _below(self, row: Row, board: Board, now: float, height: int) -> Iterator[RenderableType]:
        """Yield what is drawn under a phase: while it goes on, and where it stopped."""
        if row.standing not in (Standing.ACTIVE, Standing.STOPPED):
            return
        if row.phase is Phase.RUN:
            yield from (self._text(choice, "dim") for choice in board.choices if choice != row.said)
        if row.phase is Phase.RUN and board.run:
            yield from self._run(board.run, now, max(height - _AROUND, _FEWEST), over=row.standing is Standing.STOPPED)
        if row.phase is Phase.ROLLOUT and board.rollout:
            yield from self._rollout(board.rollout, board.events)

    def _run(self, progress: RunProgress, now: float, room: int, *, over: bool) -> Iterator[RenderableType]:
        if progress.run.url:
            yield self._text(progress.run.url, "dim")
        for _, waiting in words.waits(progress):
            yield self._text(waiting, "yellow")
        steps = words.steps(progress)
        shown = _that_matter(steps, room)
        for step in shown:
            yield self._step(step, now, over=over)
        if len(shown) < len(steps):
            yield Text(f"and {len(steps) - len(shown)} more steps", style="dim")

    def _step(self, step: Step, now: float, *, over: bool) -> Text:
        standing = _standing(step)
        if over and standing is Standing.ACTIVE:
            standing = Standing.STOPPED
        became = words.record(step.record)
        told = standing in (Standing.AHEAD, Standing.ACTIVE) or step.record.result == "succeeded"
        text = Text("  " * step.depth)
        text.append(self._mark(standing, now), style=_STYLES[standing])
        text.append(f" {self._printer.clean_line(step.record.name)}", style="dim" if standing is Standing.AHEAD else "")
        text.append("" if told else f" {self._printer.clean_line(became)}", style="red" if _failed(step) else "dim")
        return text

    def _rollout(self, changed: RolloutChanged, events: tuple[str, ...]) -> Iterator[RenderableType]:
        deployment = changed.verdict.deployment
        if deployment and deployment.desired > 0:
            full = max(0, min(_BAR, _BAR * deployment.running // deployment.desired))
            bar = Text(self._marks.full * full, style="green")
            bar.append(self._marks.empty * (_BAR - full), style="dim")
            bar.append(f" {deployment.running}/{deployment.desired} tasks")
            yield bar
        for event in events:
            yield self._text(event, "dim")

    def _mark(self, standing: Standing, now: float) -> str:
        if standing is Standing.ACTIVE:
            return self._marks.spinner[int(now * _FRAMES_PER_SECOND) % len(self._marks.spinner)]
        return {
            Standing.AHEAD: self._marks.ahead,
            Standing.DONE: self._marks.done,
            Standing.STOPPED: self._marks.stopped,
        }[standing]

    def _footer(self, now: float) -> str:
        allowed = f" of {format_duration(self._deadline.seconds)}" if self._deadline else ""
        return f"{format_duration(now - self._began)}{allowed}"

    def _text(self, text: str, style: str = "") -> Text:
        return Text(self._printer.clean_line(text), style=style, overflow="fold")


def _standing(step: Step) -> Standing:
    record = step.record
    if record.state == "inProgress":
        return Standing.ACTIVE
    if record.state != "completed" or record.result == "skipped":
        return Standing.AHEAD
    return Standing.STOPPED if _failed(step) else Standing.DONE


def _failed(step: Step) -> bool:
    return step.record.state == "completed" and step.record.result in ("failed", "canceled", "abandoned")


def _that_matter(steps: tuple[Step, ...], room: int) -> tuple[Step, ...]:
    """Return as many steps as there is room for, in their order: first those that go on or failed."""
    rank = {Standing.ACTIVE: 0, Standing.STOPPED: 0, Standing.AHEAD: 1, Standing.DONE: 2}
    best = sorted(range(len(steps)), key=lambda at: (rank[_standing(steps[at])], at))[:room]
    return tuple(steps[at] for at in sorted(best))
