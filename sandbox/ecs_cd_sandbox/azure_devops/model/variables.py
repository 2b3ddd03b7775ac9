"""The variables of a job: names in any letter case, some of them secret, some read-only, all usable as `$(name)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass

_MACRO = re.compile(r"\$\(([^()]+)\)")


@dataclass(frozen=True)
class Variable:
    """One variable as it was last set."""

    name: str
    value: str
    secret: bool = False
    read_only: bool = False


def environment_name(name: str) -> str:
    """Return the name of the environment variable that stands for a variable or an input."""
    return name.replace(".", "_").replace(" ", "_").upper()


class Variables(MutableMapping[str, str]):
    """Variables by name. Setting what is secret leaves it secret, as the agent does."""

    def __init__(self, values: Mapping[str, str] | None = None, *, secret: bool = False) -> None:
        """Start with some values."""
        self._known: dict[str, Variable] = {}
        for name, value in (values or {}).items():
            self.set(name, value, secret=secret)

    def set(self, name: str, value: str, *, secret: bool = False, read_only: bool = False) -> None:
        """Set a variable; a new value keeps the first spelling of the name."""
        known = self._known.get(name.lower())
        self._known[name.lower()] = Variable(
            known.name if known else name,
            value,
            secret=secret or (known is not None and known.secret),
            read_only=read_only or (known is not None and known.read_only),
        )

    def find(self, name: str) -> Variable | None:
        """Return a variable, or None."""
        return self._known.get(name.lower())

    def all(self) -> list[Variable]:
        """Return every variable, in the order they were first set."""
        return list(self._known.values())

    def update_with(self, other: Variables) -> None:
        """Take over the variables of another collection, secrets as secrets."""
        for variable in other.all():
            self.set(variable.name, variable.value, secret=variable.secret, read_only=variable.read_only)

    def expand(self, text: str) -> str:
        """Replace each `$(name)` whose variable is known; values may refer to others, but not round in a circle."""
        return self._expand(text, frozenset())

    def _expand(self, text: str, within: frozenset[str]) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1].strip().lower()
            found = self._known.get(name)
            return match[0] if found is None or name in within else self._expand(found.value, within | {name})

        return _MACRO.sub(value, text)

    def __getitem__(self, name: str) -> str:
        """Return a value; raises `KeyError` if there is no such variable."""
        return self._known[name.lower()].value

    def __setitem__(self, name: str, value: str) -> None:
        """Set a plain variable."""
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        """Forget a variable."""
        del self._known[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return (variable.name for variable in list(self._known.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._known)


def merge_variables(*levels: Variables) -> Variables:
    """Return the variables of several levels as one collection; the last level wins."""
    merged = Variables()
    for level in levels:
        merged.update_with(level)
    return merged
