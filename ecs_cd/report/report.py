"""Step 6: the result of a delivery as one value: for programs as versioned JSON, for people as text.

The JSON's shape is given by `report_schema()` (`ecs-cd schema report`). A new optional key raises the second number of
`version`, anything that could break a reader the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ecs_cd.report.facts import (
    Failure,
    HoldFact,
    ImageFact,
    LinkFact,
    OriginFact,
    Outcome,
    ParameterFact,
    PhaseFact,
    RolloutFact,
    RunFact,
    StoppedContainerFact,
)
from ecs_cd.report.json_file import as_json, write_json
from ecs_cd.report.text import Group, labelled_text, mark
from ecs_cd.support.deadline import format_duration

VERSION = "2.1"


@dataclass(frozen=True)
class Report:
    """The whole of a delivery. `tag` is empty where a rollback or promotion did not get so far as to know it.

    `evidence` are the facts it established, each a sentence; `seconds` the time it took. `origin`: of a promotion.
    `stopped` and `links` say more of a rollout that failed; they are empty for any other.
    """

    version: str
    outcome: Outcome
    exit_code: int
    service: str
    environment: str
    tag: str
    dry_run: bool
    summary: str
    evidence: tuple[str, ...]
    image: ImageFact | None
    parameter: ParameterFact | None
    run: RunFact | None
    rollout: RolloutFact | None
    failure: Failure | None
    warnings: tuple[str, ...]
    phases: tuple[PhaseFact, ...]
    started_at: datetime
    seconds: float
    deadline_seconds: float
    hold: HoldFact | None = None
    origin: OriginFact | None = None
    stopped: tuple[StoppedContainerFact, ...] = ()
    links: tuple[LinkFact, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Return whether the delivery succeeded."""
        return self.outcome.succeeded

    def to_dict(self) -> dict[str, Any]:
        """Return the report in JSON's own types."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """Return the report as JSON text, indented, with a line feed at its end."""
        return as_json(self)

    def to_text(self) -> str:
        """Return the report as people read it: sanitized text of several lines."""
        return labelled_text(self._headline, self._groups())

    def to_text_beside(self, shown: Callable[[str], bool]) -> str:
        """Return the text for a log that has its issues already: warnings, and of a failure summary and next step.

        `shown` says whether the log has a sentence, which is left out then; details and evidence are asked for.
        """
        groups = [
            (label, tuple(one for one in sentences if label not in ("because", "evidence") or not shown(one)))
            for label, sentences in self._groups()
            if label not in ("do next", "warning")
        ]
        return labelled_text(self._headline if self.succeeded else "", groups)

    @property
    def _headline(self) -> str:
        return f"{mark(self.outcome)}{'dry run: ' if self.dry_run else ''}{self.summary}"

    def _groups(self) -> tuple[Group, ...]:
        """Return the labels of the text, each with what it says."""
        failure = self.failure
        link = failure.link if failure and failure.link else self.run.url if self.run else ""
        phases = ", ".join(f"{fact.phase} {fact.seconds:.1f} s" for fact in self.phases)
        took = f"{format_duration(self.seconds)} of {format_duration(self.deadline_seconds)}"
        return (
            ("because", failure.details if failure else ()),
            ("do next", (failure.hint,) if failure and failure.hint else ()),
            ("evidence", self.evidence),
            ("warning", self.warnings),
            ("link", (link,) if link else ()),
            ("logs", tuple(fact.url for fact in self.links if fact.shows == "logs")),
            ("service", tuple(fact.url for fact in self.links if fact.shows == "service")),
            ("took", (f"{took}{f' ({phases})' if phases else ''}",)),
        )

    def write(self, path: Path) -> None:
        """Write the JSON to a file: whole or not at all.

        Raises:
            WrongInput: the file cannot be written there.
        """
        write_json(path, self.to_json())


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only `ecs-cd schema` needs it

    schema = TypeAdapter(Report).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "ecs-cd report"}
