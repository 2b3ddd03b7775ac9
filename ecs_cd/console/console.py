"""The console: the one object through which the front ends print."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import IO, Any, Literal, Protocol, TextIO, cast

from ecs_cd.console.azure_log import AzureLog, Issues, command
from ecs_cd.console.lines import Lines
from ecs_cd.console.mask import Mask
from ecs_cd.console.mode import Mode, use_colour
from ecs_cd.console.printer import Printer
from ecs_cd.console.screen import Screen, ScreenLog, live_screen
from ecs_cd.errors import EcsCdError
from ecs_cd.messages import Wording, library_wording, worded
from ecs_cd.model.events import CallStarted, Event, RolloutChanged, Warned
from ecs_cd.report.combined import Reports
from ecs_cd.report.facts import Failure
from ecs_cd.report.report import Report
from ecs_cd.report.text import ERROR
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline

Output = Literal["text", "json"]


class _View(Protocol):
    """A way to show progress."""

    def show(self, event: Event) -> None:
        """Show what the event changes."""


class _Drawing(_View, Protocol):
    """One that draws until it is stopped."""

    def stop(self) -> None:
        """Give the terminal back."""


class _Nothing:
    def show(self, event: Event) -> None:
        """Show nothing."""


class _Rows:
    """A view for each service of a call, and for each run that several of them share."""

    def __init__(self, view_of: Callable[[str], _View]) -> None:
        self._view_of = view_of
        self._views: dict[str, _View] = {}

    def show(self, event: Event) -> None:
        name = event.service or event.pipeline
        self._views.setdefault(name, self._view_of(name)).show(event)


class Console:
    """Results on stdout, progress and errors on stderr; all of it masked and sanitized."""

    def __init__(
        self,
        *,
        out: TextIO,
        err: TextIO,
        mode: Mode,
        clock: Clock,
        environ: Mapping[str, str],
        output: Output = "text",
        secrets: Iterable[str] = (),
        wording: Wording = library_wording,
    ) -> None:
        """Print on `out` and `err`. `secrets` never appear there; of `environ` the terminal's variables are read.

        `wording`: how settings and commands are written.
        """
        self._wording = wording
        self._mask = Mask(secrets)
        self._out = Printer(out, self._mask)
        self._err = Printer(err, self._mask, optional=True)
        self._mode = mode
        self._clock = clock
        self._environ = environ
        self._output = output
        self._issues = Issues(self._err)
        self._shown: set[str] = set()
        self._view = self._plain_view()
        self._drawing: _Drawing | None = None

    def hide(self, *secrets: str) -> None:
        """Hide these secrets too; for those that become known on the way."""
        self._mask.add(secrets)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Show a call while it goes on, from its first event (`CallStarted`) to the end of the block.

        Whatever ends it, Ctrl-C too, the terminal is given back.
        """
        try:
            yield
        finally:
            drawing, self._drawing = self._drawing, None
            self._view = self._plain_view()
            if drawing:
                drawing.stop()
                self._err.write("\n")  # between the last drawing and the report

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        """Give a place for a text that is shown again and again; it is a result, so it goes to stdout."""
        if self._mode is not Mode.LIVE or not self._out.isatty():
            yield ScreenLog(self._out, self._clock)
            return
        with live_screen(self._out, self._clock, self._environ) as screen:
            yield screen

    def watch(self, event: Event) -> None:
        """Show what an event changes; the `Watch` of a call, for any thread."""
        if isinstance(event, CallStarted):
            self._view = self._view_of(event)
        if isinstance(event, RolloutChanged):  # not the whole snapshot: nothing else of it names a command
            event = replace(event, verdict=worded(event.verdict, self._wording))
        self._view.show(worded(event, self._wording) if isinstance(event, Warned) else event)

    def result(self, text: str) -> None:
        """Print a result for people."""
        self._out.print(worded(text, self._wording))

    def json(self, value: object) -> None:
        """Print a result for programs: a value of JSON's types, the strings in it masked and sanitized."""
        ascii_only = not self._out.unicode
        self._out.write(json.dumps(self.safe(value), indent=2, ensure_ascii=ascii_only) + "\n")
        self._out.flush()

    def safe(self, value: Any) -> Any:  # noqa: ANN401 - any value of JSON's types
        """Return a value of JSON's types with every text in it masked and sanitized."""
        if isinstance(value, str):
            return self._out.safe(value)
        if isinstance(value, Mapping):
            return {self._out.safe(str(key)): self.safe(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.safe(item) for item in value]
        return value

    def agent_debug(self, message: str) -> None:
        """Print a line that an Azure Pipelines agent shows only where `System.Debug` is on."""
        self._err.command(command("task.debug", self._err.clean_line(message)))

    def report(self, report: Report) -> None:
        """Print how a delivery ended. On an agent, its warnings and its failure are issues as well.

        A failure printed as JSON is printed on stderr too, where people look for it.
        """
        report = worded(report, self._wording)
        if self._mode is Mode.AZURE:
            self._issue(report)
        if self._output == "json":
            self.json(report.to_dict())
            if not report.succeeded and self._mode is not Mode.AZURE:
                self._print(self._err, f"{ERROR}{_indented(report.summary)}", "red")
        else:
            self._print_report(report)

    def reports(self, reports: Reports) -> None:
        """Print how several deliveries ended, then what became of all; issues on an agent as for a single one."""
        reports = worded(reports, self._wording)
        if self._mode is Mode.AZURE:
            for report in reports.deliveries:
                self._issue(report, f"{report.service}: ")
        if self._output == "json":
            self.json(reports.to_dict())
            if not reports.succeeded and self._mode is not Mode.AZURE:
                self._print(self._err, f"{ERROR}{_indented(reports.summary)}", "red")
            return
        for report in reports.deliveries:
            self._print_report(report)
            self._out.write("\n")
        self._print(self._out, reports.headline, "green" if reports.succeeded else "red")

    def _issue(self, report: Report, whose: str = "") -> None:
        for warning in report.warnings:
            self._issues.warning(f"{whose}{warning}")
        if not report.succeeded:
            self._issues.error(_with_hint(report.summary, report.failure.hint if report.failure else ""))

    def _print_report(self, report: Report) -> None:
        """Print a report. In the log of an agent, whose one stream has progress and issues, nothing is said again."""
        if self._mode is Mode.AZURE:
            self._out.print(report.to_text_beside(lambda sentence: self._out.safe(sentence) in self._shown))
        else:
            self._print(self._out, report.to_text(), "green" if report.succeeded else "red")

    def error(self, error: EcsCdError, *, debug: bool = False, printed: bool = False) -> None:
        """Print what went wrong, the evidence, and what to do next on stderr; with `debug`, where in the program too.

        Where JSON is asked for, stdout has it as `{"error": {...}}`, unless the result is `printed` there already.
        """
        failure = worded(Failure.of(error), self._wording)
        if self._output == "json" and not printed:
            self.json({"error": {**asdict(failure), "exit_code": error.exit_code}})
        if debug:
            self._err.print("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        lines = [line for detail in failure.details for line in detail.splitlines()]
        lines += [f"do next: {failure.hint}"] if failure.hint and self._mode is not Mode.AZURE else []
        lines += [failure.link] if failure.link else []
        below = "".join(f"\n  {line}" for line in lines)
        if self._mode is Mode.AZURE:
            self._issues.error(_with_hint(failure.message, failure.hint))
            if below:
                self._err.print(below[1:])
        else:
            self._print(self._err, f"{ERROR}{_indented(failure.message)}{below}", "red")

    def _view_of(self, call: CallStarted) -> _View:
        """Return how a call is shown; at a terminal, begin to draw."""
        if self._mode is not Mode.LIVE:
            return _Rows(self._plain_view) if call.services else self._plain_view()
        from ecs_cd.console.live import Live  # noqa: PLC0415 - rich is imported only at a terminal
        from ecs_cd.console.live_several import LiveSeveral  # noqa: PLC0415 - likewise

        deadline = Deadline.after(call.deadline_seconds, self._clock)
        drawing: Live | LiveSeveral
        if call.services:
            drawing = LiveSeveral(
                self._err, self._clock, self._environ, title=call.title, names=call.services, deadline=deadline
            )
        else:
            drawing = Live(self._err, self._clock, self._environ, title=call.title, deadline=deadline)
        self._drawing = drawing
        drawing.start()
        return drawing

    def _plain_view(self, service: str = "") -> _View:
        if self._mode is Mode.QUIET:
            return _Nothing()
        if self._mode is Mode.AZURE:
            return AzureLog(self._err, self._clock, self._issues, service, shown=self._shown)
        return Lines(self._err, self._clock, service)

    def _print(self, printer: Printer, text: str, colour: str) -> None:
        """Print a text whose first word is the outcome, coloured where there are colours."""
        if self._mode is Mode.AZURE or not use_colour(self._environ, terminal=printer.isatty()):
            printer.print(text)
            return
        from rich.console import Console as Terminal  # noqa: PLC0415 - only where there are colours
        from rich.text import Text  # noqa: PLC0415 - likewise

        shown = Text(printer.clean(text.rstrip("\n")))
        shown.stylize(f"bold {colour}", 0, len(text.partition(" ")[0]))
        Terminal(file=cast("IO[str]", printer), force_terminal=True, _environ=self._environ).print(
            shown, soft_wrap=True, highlight=False
        )


def _with_hint(message: str, hint: str) -> str:
    return f"{message} {hint}".rstrip()


def _indented(text: str) -> str:
    """Return the text with its further lines set in, so that none looks like a line of its own."""
    return text.replace("\n", "\n  ")
