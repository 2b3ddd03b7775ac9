"""Write a version at the limit of a hundred, and lose none of our labels by it.

Parameter Store keeps a hundred versions of a parameter. The next write drops the oldest, and is refused when that one
is labelled (`ParameterMaxVersionLimitExceeded`). Our own labels are moved or taken off; what they say is kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Protocol

from ecs_cd.errors import ParameterRefused, VersionLimitReached
from ecs_cd.messages import CommandRef, Message
from ecs_cd.model.labels import GATE, HELD, LABEL_PREFIX, Marks
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.sanitize import comma_list, quoted

_MAX_FREED = 5
"""Oldest versions that are freed for one write; others may label and write at the same time."""


class Versions(Protocol):
    """What is needed of a parameter store to write into it at its version limit."""

    def write(self, parameter: Parameter, value: str) -> int:
        """Write a new value; return the new version.

        Raises:
            VersionLimitReached: all versions are in use, and the oldest cannot go because it is labelled.
        """

    def label(self, name: str, version: int, label: str) -> None:
        """Put the label on this version, taking it off any other."""

    def unlabel(self, name: str, version: int, label: str) -> None:
        """Take the label off this version; nothing happens where it is not there."""

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        """Return all versions there still are, oldest first, with labels."""


def write_version(versions: Versions, seen: Parameter, value: str) -> int | None:
    """Write a value over the parameter as seen and return the new version.

    None: nothing was written, because the version that must go is the one a hold is in force by, and its value is in no
    other, or the one that a rollback under way leaves; whoever reads the parameter again knows of it.

    Raises:
        ParameterRefused: the oldest version carries a label that is not ours.
        Throttled: as the store says.
    """
    for _ in range(_MAX_FREED):
        try:
            return versions.write(seen, value)
        except VersionLimitReached:  # noqa: PERF203 - at most twice in a hundred writes
            if not _free_oldest_version(versions, seen.name):
                return None
    raise ParameterRefused(
        f"Cannot write parameter {quoted(seen.name)}: its oldest version is labelled again and again.",
        hint=Message("Find out who labels its old versions: ", CommandRef("history"), " shows the labels."),
    )


def _free_oldest_version(versions: Versions, name: str) -> bool:
    """Take the labels off the oldest version; return False where a hold, or one coming, would be lost with them."""
    kept = versions.history(name)
    oldest = kept[0]
    _refuse_foreign(name, kept)
    marks = Marks.of(kept)
    for label in oldest.labels:
        if label == HELD and marks.holds:
            same = [later.version for later in kept[1:] if later.value == oldest.value]
            if not same:
                return False
            versions.label(name, same[-1], HELD)
        elif label == GATE and marks.rolling_back:
            return False
        else:
            versions.unlabel(name, oldest.version, label)
    return True


def _refuse_foreign(name: str, kept: Sequence[ParameterVersion]) -> None:
    oldest, newest = kept[0], kept[-1]
    foreign = [label for label in oldest.labels if not label.startswith(LABEL_PREFIX)]
    if not foreign:
        return
    command = ["aws", "ssm", "label-parameter-version", "--name", name]
    command += ["--parameter-version", str(newest.version), "--labels", *foreign]
    raise ParameterRefused(
        f"Cannot write parameter {quoted(name)}: it has {len(kept)} versions, which is the limit, and the oldest, "
        f"version {oldest.version}, cannot be deleted because it is labelled {comma_list(foreign)}.",
        hint=f"Move the labels to a newer version: `{shlex.join(command)}`",
    )
