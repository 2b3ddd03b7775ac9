"""Progress for the log of an Azure Pipelines agent: lines, and the agent's logging commands.

Facts from the agent's `Command.cs` and `TaskCommandExtension.cs`: a command is parsed anywhere in a line; `%AZP25`,
`%0D`, `%0A` in its data stand for `%`, CR, LF, and in its properties `%3B`, `%5D` for `;`, `]` too; of the issues of a
task at most ten errors and ten warnings are kept.
"""

from __future__ import annotations

from ecs_cd.console.changes import Change, Changes
from ecs_cd.console.lines import timestamped
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.service import Serving
from ecs_cd.support.clock import Clock

_MOST_KEPT = 10
_BAD_ENDS = (Serving.REVERTED, Serving.FAILED, Serving.NOT_APPLIED, Serving.OTHER_IMAGE)
_PERCENT_OF_PHASES = {Phase.CHECK: (0, 5), Phase.PARAMETER: (5, 10), Phase.RUN: (10, 70), Phase.ROLLOUT: (70, 100)}
"""Where each phase lies in a delivery's progress, in percent."""


class Issues:
    """Errors and warnings for the summary of the pipeline's run, no more than are kept there."""

    def __init__(self, printer: Printer) -> None:
        """Print on `printer`."""
        self._printer = printer
        self._left = {"error": _MOST_KEPT, "warning": _MOST_KEPT}
        self._logged: set[tuple[str, str]] = set()

    def error(self, message: str) -> None:
        """Log an error, once."""
        self._log("error", message)

    def warning(self, message: str) -> None:
        """Log a warning, once."""
        self._log("warning", message)

    def _log(self, kind: str, message: str) -> None:
        if (kind, message) in self._logged:
            return
        self._logged.add((kind, message))
        line = self._printer.clean_line(message)
        if self._left[kind]:
            self._left[kind] -= 1
            self._printer.command(command("task.logissue", line, type=kind))
        else:
            self._printer.command(f"##[{kind}]{line}")


class AzureLog:
    """Lines; a heading per phase; the task's progress; warnings as issues."""

    def __init__(
        self, printer: Printer, clock: Clock, issues: Issues, service: str = "", *, shown: set[str] | None = None
    ) -> None:
        """Print on `printer`, with times of `clock`; `service`: the service, where there are several.

        What is printed is noted in `shown`, safe as the printer makes it.
        """
        self._shown = set() if shown is None else shown
        self._service = service
        self._printer = printer
        self._clock = clock
        self._issues = issues
        self._changes = Changes()
        self._phase = Phase.CHECK
        self._percent = -1

    def show(self, event: Event) -> None:
        """Print what the event changes."""
        if isinstance(event, Warned):
            self._issues.warning(f"{self._service}: {event.message}" if self._service else event.message)
            return
        said_later = _bad_end(event)
        for change in self._changes.of(event):
            if change.text == said_later:
                continue
            self._line(change, heading=isinstance(event, PhaseStarted))
        if not self._service:
            self._progress(event)

    def _line(self, change: Change, *, heading: bool) -> None:
        self._shown.add(self._printer.safe(change.text))
        line = timestamped(self._printer, self._clock, change, self._service)
        if heading:
            self._printer.command(f"##[section]{line}")
        else:
            self._printer.print(line)

    def _progress(self, event: Event) -> None:
        """Set the task's progress where it grew; it never goes back, though a delivery may (rule 4)."""
        if isinstance(event, (PhaseStarted, PhaseEnded)):
            self._phase = event.phase
        start, end = _PERCENT_OF_PHASES[self._phase]
        percent = start + int((end - start) * _fraction_done(event))
        if percent > self._percent:
            self._percent = percent
            self._printer.command(command("task.setprogress", self._phase.value, value=str(percent)))


def command(name: str, data: str, **properties: str) -> str:
    """Return a logging command: `##vso[name key=value;]data`, escaped by the agent's rules."""
    pairs = "".join(f"{key}={_escaped(value, ';', ']')};" for key, value in properties.items())
    return f"##vso[{name} {pairs}]{_escaped(data)}"


def _escaped(text: str, *more: str) -> str:
    text = text.replace("%", "%AZP25")
    for character in ("\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _bad_end(event: Event) -> str:
    """Return the verdict of a rollout that is over and failed, or seems to be: the issue that reports it says it."""
    if isinstance(event, RolloutChanged) and event.verdict.serving in _BAD_ENDS:
        return event.verdict.sentence
    return ""


def _fraction_done(event: Event) -> float:
    """Return how much of its phase is over with this event, 0 to 1."""
    if isinstance(event, PhaseEnded):
        return 1.0
    if isinstance(event, RunChanged):
        tasks = event.progress.of_kind("Task")
        return sum(task.state == "completed" for task in tasks) / len(tasks) if tasks else 0.0
    if isinstance(event, RolloutChanged):
        deployment = event.verdict.deployment
        return min(1.0, deployment.running / deployment.desired) if deployment and deployment.desired > 0 else 0.0
    return 0.0
