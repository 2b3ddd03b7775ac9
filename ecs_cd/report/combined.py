"""How the services of one call were delivered: a report for each, and one for all, as versioned JSON and text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ecs_cd.report.facts import Outcome
from ecs_cd.report.json_file import as_json, write_json
from ecs_cd.report.report import VERSION, Report
from ecs_cd.report.text import mark
from ecs_cd.sanitize import comma_list, sanitize

_BY_SEVERITY = (
    Outcome.UNCHANGED,
    Outcome.DEPLOYED,
    Outcome.APPLIED,
    Outcome.SUPERSEDED,
    Outcome.HELD,
    Outcome.ROLLED_BACK,
    Outcome.TIMED_OUT,
    Outcome.FAILED,
    Outcome.INTERRUPTED,
)
_EXIT_CODES_BY_SEVERITY = (0, 3, 1, 2, 130)
"""Exit codes, the worse the later: lasting failures count more than passing ones, wrong input more than both."""


@dataclass(frozen=True)
class Reports:
    """All deliveries of one call: `deliveries` in the order in which they were asked for.

    `outcome` and `exit_code` are those of the worst: 130 over 2 over 1 over 3 over 0. `seconds` is the time of all.
    """

    version: str
    outcome: Outcome
    exit_code: int
    environment: str
    dry_run: bool
    summary: str
    deliveries: tuple[Report, ...]
    started_at: datetime
    seconds: float
    deadline_seconds: float

    @classmethod
    def of(cls, reports: Sequence[Report], *, seconds: float) -> Reports:
        """Return the report of all of these, of which there is at least one."""
        first = reports[0]
        return cls(
            VERSION,
            max((report.outcome for report in reports), key=_BY_SEVERITY.index),
            max((report.exit_code for report in reports), key=_EXIT_CODES_BY_SEVERITY.index),
            first.environment,
            first.dry_run,
            _summary(reports),
            tuple(reports),
            min(report.started_at for report in reports),
            seconds,
            first.deadline_seconds,
        )

    @property
    def succeeded(self) -> bool:
        """Return whether every delivery succeeded."""
        return all(report.succeeded for report in self.deliveries)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings of all, each once."""
        return tuple(dict.fromkeys(warning for report in self.deliveries for warning in report.warnings))

    def to_dict(self) -> dict[str, Any]:
        """Return it in JSON's own types."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """Return it as JSON text, indented, with a line feed at its end."""
        return as_json(self)

    def to_text(self) -> str:
        """Return it as people read it: each delivery, then what became of all; sanitized text of several lines."""
        return "".join(f"{report.to_text()}\n" for report in self.deliveries) + sanitize(f"{self.headline}\n")

    @property
    def headline(self) -> str:
        """Return what became of all, as the line that people read."""
        return f"{mark(Outcome.DEPLOYED if self.succeeded else Outcome.FAILED)}{self.summary}"

    def write(self, path: Path) -> None:
        """Write the JSON to a file: whole or not at all.

        Raises:
            WrongInput: the file cannot be written there.
        """
        write_json(path, self.to_json())


def _summary(reports: Sequence[Report]) -> str:
    environment, dry = reports[0].environment, "dry run: " if reports[0].dry_run else ""
    failed = [report.service for report in reports if not report.succeeded]
    if failed:
        return (
            f"{dry}{len(failed)} of {len(reports)} services are not delivered to {environment}: {comma_list(failed)}."
        )
    counts = (
        (outcome, sum(report.outcome is outcome for report in reports))
        for outcome in dict.fromkeys(reversed(_BY_SEVERITY))
    )
    outcomes = ", ".join(f"{count} {outcome.value}" for outcome, count in counts if count)
    return f"{dry}{len(reports)} services to {environment}: {outcomes}."


def combined_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report of several services."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only `ecs-cd schema` needs it

    schema = TypeAdapter(Reports).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "ecs-cd reports"}
