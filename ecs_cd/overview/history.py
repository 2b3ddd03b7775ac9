"""The versions of one parameter: what was recorded, by whom, and what the labels on it mean."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.model.labels import Marks
from ecs_cd.model.parameter import ParameterVersion
from ecs_cd.parameter.store import Parameters
from ecs_cd.support.session_name import author_of


@dataclass(frozen=True)
class HistoryEntry:
    """One version of a parameter: when (ISO 8601) it was written, by whom (ARN), and its labels.

    `who` and `run` (`build 55`) are read out of the ARN. `marks` say what the labels of ours mean: verified, verified
    before, held, left (a rollback left it), floor.
    """

    version: int
    tag: str
    modified_at: str
    modified_by: str
    labels: tuple[str, ...]
    who: str = ""
    run: str = ""
    marks: tuple[str, ...] = ()


def parameter_history(parameters: Parameters, name: str, *, most: int = 20) -> tuple[HistoryEntry, ...]:
    """Return the last versions of a parameter, newest first."""
    kept = parameters.history(name)
    marks = Marks.of(kept)
    newest_first = sorted(kept, key=lambda v: v.version, reverse=True)[:most]
    return tuple(_entry(version, marks) for version in newest_first)


def _entry(version: ParameterVersion, marks: Marks) -> HistoryEntry:
    author = author_of(version.modified_by)
    return HistoryEntry(
        version.version,
        version.value,
        version.modified_at.isoformat(timespec="seconds") if version.modified_at else "",
        version.modified_by,
        version.labels,
        author.who,
        author.run,
        _meaning(version.version, marks),
    )


def _meaning(version: int, marks: Marks) -> tuple[str, ...]:
    """Return what the marks on a version say; those that mean nothing any more are left out."""
    meant = (
        ("held", marks.held.version if marks.holds else 0),
        ("left", marks.gate.version if marks.rolling_back or marks.gate_stands else 0),
        ("verified", marks.verified.version),
        ("verified before", marks.verified_before.version),
        ("floor", marks.floor.version),
    )
    return tuple(word for word, number in meant if number == version)
