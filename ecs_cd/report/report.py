"""Step 6: the result of a delivery as one value: for programs as versioned JSON, for people as text.

The JSON's shape is given by `json_schema()` (`ecs-cd schema report`). A new optional key raises the second number of
`version`, anything that could break a reader the first.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecs_cd.errors import EcsCdError, WrongInput
from ecs_cd.sanitize import sanitize, single_line
from ecs_cd.support.deadline import format_duration
from ecs_cd.support.files import write_atomically

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VERSION = "1.1"


class Outcome(str, Enum):
    """How a delivery ended; `docs/rules.md` says what each means."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled-back"
    HELD = "held"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    INTERRUPTED = "interrupted"

    @property
    def good(self) -> bool:
        """Return whether this is success; a delivery that yields to a hold did what it should."""
        return self not in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED)


@dataclass(frozen=True)
class ImageFact:
    """What ECR said of the image. `pushed_at` is ISO 8601."""

    digest: str
    pushed_at: datetime | None


@dataclass(frozen=True)
class ParameterFact:
    """What became of the parameter. `old` is null where it was created; `recorded` as in `model.Recorded`."""

    name: str
    old: str | None
    new: str
    version: int
    recorded: str
    restored: bool


@dataclass(frozen=True)
class RunFact:
    """The run that carried the tag. `state` as in `model.RunState`, `taken` is queued|joined.

    `tries`: how many runs it took, of which all but the last met a state lock or lost their agent.
    """

    id: int
    name: str
    url: str
    pipeline_id: int
    branch: str
    state: str
    taken: str = "queued"
    tries: int = 1


@dataclass(frozen=True)
class RolloutFact:
    """What ECS serves. `serving` as in `model.Serving`; counts are tasks of the primary deployment."""

    cluster: str
    service: str
    serving: str
    sentence: str
    image: str
    task_definition: str
    running: int
    desired: int


@dataclass(frozen=True)
class HoldFact:
    """The hold on the parameter. `state` is held, or under-way: a rollback that has not ended, or died.

    `tag` is the one on top, `version` its version, `left` the one that was left for it.
    """

    state: str
    tag: str
    version: int
    left: str


@dataclass(frozen=True)
class OriginFact:
    """What a promotion copied: what `environment` serves. `digest` is empty where it is not known.

    `serving_since` (ISO 8601): when its rollout completed, by AWS's clock; null where ECS has no word of it.
    """

    environment: str
    cluster: str
    service: str
    tag: str
    image: str
    digest: str
    serving_since: datetime | None


@dataclass(frozen=True)
class Failure:
    """Why a delivery did not succeed, as the error tree says it (`reason` is a stable word)."""

    reason: str
    message: str
    hint: str
    details: tuple[str, ...]
    link: str
    retryable: bool

    @classmethod
    def of(cls, error: EcsCdError) -> Failure:
        """Return the failure an error describes."""
        return cls(error.reason, error.message, error.hint, error.details, error.link, error.retryable)


@dataclass(frozen=True)
class PhaseFact:
    """How long a phase took, in seconds."""

    phase: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """The whole of a delivery. `tag` is empty where a rollback or promotion did not get so far as to know it.

    `proved` are the facts it established, each a sentence; `seconds` the time it took. `origin`: of a promotion.
    """

    version: str
    outcome: Outcome
    exit_code: int
    service: str
    environment: str
    tag: str
    dry_run: bool
    summary: str
    proved: tuple[str, ...]
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

    @property
    def good(self) -> bool:
        """Return whether the delivery succeeded."""
        return self.outcome.good

    def to_dict(self) -> dict[str, Any]:
        """Return the report in JSON's own types."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """Return the report as JSON text, indented, with a line feed at its end."""
        return as_json(self)

    def to_text(self) -> str:
        """Return the report as people read it; neutral text of several lines."""
        return sanitize("\n".join(_lines(self))) + "\n"

    def write(self, path: Path) -> None:
        """Write the JSON to a file: whole or not at all.

        Raises:
            WrongInput: the file cannot be written there.
        """
        write_json(path, self.to_json())


def as_json(report: DataclassInstance) -> str:
    """Return a report as JSON text, indented, with a line feed at its end."""
    return json.dumps(asdict(report), default=_plain, indent=2, ensure_ascii=False) + "\n"


def write_json(path: Path, text: str) -> None:
    """Write a report's JSON to a file: whole or not at all.

    Raises:
        WrongInput: the file cannot be written there.
    """
    try:
        write_atomically(path, text)
    except OSError as error:
        raise WrongInput(
            f"Cannot write the report to '{single_line(str(path))}': {error.strerror or error}.",
            hint="Give a path that can be written.",
        ) from error


def _plain(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _lines(report: Report) -> list[str]:
    """Return how it ended, then the facts in groups, each with its label and aligned."""
    mark = "FAILED" if not report.good else "HELD" if report.outcome is Outcome.HELD else "OK"
    failure = report.failure
    link = failure.link if failure and failure.link else report.run.url if report.run else ""
    took = ", ".join(f"{p.phase} {p.seconds:.1f} s" for p in report.phases)
    spent = f"{format_duration(report.seconds)} of {format_duration(report.deadline_seconds)}"
    groups: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("because", failure.details if failure else ()),
        ("do next", (failure.hint,) if failure and failure.hint else ()),
        ("proved", report.proved),
        ("warning", report.warnings),
        ("link", (link,) if link else ()),
        ("took", (f"{spent}{f' ({took})' if took else ''}",)),
    )
    summary = report.summary.replace("\n", "\n  ")
    lines = [f"{mark}  {'dry run: ' if report.dry_run else ''}{summary}"]
    for label, facts in groups:
        told = [line for fact in facts for line in fact.splitlines()]
        lines += [f"  {label if at == 0 else '':<9} {line}" for at, line in enumerate(told)]
    return lines


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only `ecs-cd schema` needs it

    schema = TypeAdapter(Report).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "ecs-cd report"}
