"""Find `ecs-cd.yml`; what was read of it, and where each key and value stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import single_line

FILE_NAME = "ecs-cd.yml"

Location = tuple[str, ...]
"""The keys that lead to a value."""


@dataclass(frozen=True, order=True)
class Problem:
    """A mistake in the file: where (from 1), and a sentence that begins with the place. Sorts as one reads."""

    line: int
    column: int
    sentence: str


@dataclass
class Document:
    """A file as read. `keys` and `values` give line and column (from 1) of each location."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Location, tuple[int, int]] = field(default_factory=dict)
    values: dict[Location, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def mark(self, location: Location, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of a value, or of its key; of the nearest thing around it that stands in the file."""
        marks = self.keys if key else self.values
        for length in range(len(location), -1, -1):
            if mark := marks.get(location[:length]):
                return mark
        return 1, 1

    def place(self, location: Location) -> str:
        """Return `path:line:column` of a value."""
        return self._shown(self.mark(location))

    def problem(self, location: Location, sentence: str, *, key: bool = False) -> Problem:
        """Return a mistake at a value, or at its key."""
        return self.problem_at(self.mark(location, key=key), sentence)

    def problem_at(self, mark: tuple[int, int], sentence: str) -> Problem:
        """Return a mistake at a line and column."""
        return Problem(*mark, f"{self._shown(mark)}: {sentence}")

    def _shown(self, mark: tuple[int, int]) -> str:
        return f"{single_line(str(self.path))}:{mark[0]}:{mark[1]}"


def find(start: Path) -> Path | None:
    """Return the nearest `ecs-cd.yml` in `start` or a directory above it.

    Raises:
        SettingsError: there is an `ecs-cd.yaml`, which would otherwise be overlooked.
    """
    for directory in (start.absolute(), *start.absolute().parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
        if (other := directory / "ecs-cd.yaml").is_file():
            raise SettingsError(f"The settings file is named {FILE_NAME}: rename '{single_line(str(other))}'.")
    return None
