"""What the steps need of a parameter store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ecs_cd.model.parameter import Parameter, ParameterVersion


class ManyParameters(Protocol):
    """A parameter store that reads many parameters in few requests."""

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        """Return those parameters that exist, by name."""


class Parameters(ManyParameters, Protocol):
    """A parameter store with versions and labels, and no conditional write."""

    def read(self, name: str) -> Parameter | None:
        """Return the parameter with its marks, all at one moment, or None when there is none of that name."""

    def write(self, parameter: Parameter, value: str) -> int:
        """Write a new value, leaving every other attribute of `parameter` as it is; return the new version.

        Raises:
            Throttled: too many updates at once; nothing was written.
            VersionLimitReached: all versions are in use, and the oldest is labelled.
        """

    def create(self, name: str, value: str) -> int | None:
        """Create a parameter of type String; return its version, or None when somebody else just did."""

    def versions(self, name: str, numbers: Sequence[int], labels: Sequence[str] = ()) -> tuple[ParameterVersion, ...]:
        """Return those of the given versions that still exist, and those that carry one of the labels."""

    def label(self, name: str, version: int, label: str) -> None:
        """Put the label on this version, taking it off any other."""

    def unlabel(self, name: str, version: int, label: str) -> None:
        """Take the label off this version; nothing happens where it is not there."""

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        """Return all versions there still are, oldest first, with labels and who wrote them."""
