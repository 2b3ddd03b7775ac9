"""What is certain of a condition before a run: true, false, or unknown. Pure.

Azure DevOps evaluates the conditions of stages, jobs and steps while a run goes on. Some are known beforehand for every
run of a branch: `eq(variables['Build.SourceBranch'], 'refs/heads/main')` is false on any other branch, and `failed()`
is false as long as nothing has failed. All else is unknown: outputs of other stages, variables of groups or of the
pipeline's settings, the reason of a run. The language: https://learn.microsoft.com/azure/devops/pipelines/process/expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Value = str | bool | float | None
"""A value of an expression; None where it is not known."""

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)*)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>[()\[\],.]))"
)
_MOST_CHARACTERS = 4000
_MOST_DEPTH = 30


class _NotUnderstood(ValueError):
    """The text is no expression that this module reads."""


def certain(condition: str, variables: Mapping[str, str], *, succeeded: bool | None = None) -> bool | None:
    """Return what a condition is certain to be while nothing has failed and nobody has cancelled; None if unknown.

    `variables` are those that are known, by names in lower case. `succeeded` is what `succeeded()` says, if known.
    """
    return _truth(value_of(condition, variables, succeeded=succeeded))


def value_of(expression: str, variables: Mapping[str, str], *, succeeded: bool | None = None) -> Value:
    """Return what an expression is certain to be, as `certain` has it; None if unknown."""
    if len(expression) > _MOST_CHARACTERS:
        return None
    try:
        return _Parser(expression, variables, succeeded).whole()
    except (ValueError, IndexError):  # also `_NotUnderstood`, and functions with too few arguments
        return None


@dataclass
class _Parser:
    """Reads and evaluates at once: an expression has no side effects."""

    text: str
    variables: Mapping[str, str]
    succeeded: bool | None
    at: int = 0
    depth: int = 0

    def whole(self) -> Value:
        value = self._expression()
        if self.text[self.at :].strip():
            raise _NotUnderstood(self.text)
        return value

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            raise _NotUnderstood(self.text)
        self.at = match.end()
        return match.lastgroup, match[match.lastgroup]

    def _sign(self, *signs: str) -> str:
        """Take one of these signs if it is next; empty if none is."""
        match = _TOKEN.match(self.text, self.at)
        if match is None or match["sign"] not in signs:
            return ""
        self.at = match.end()
        return match["sign"]

    def _expression(self) -> Value:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise _NotUnderstood(self.text)
        kind, text = self._next()
        value: Value
        if kind == "string":
            value = text[1:-1].replace("''", "'")
        elif kind == "number":
            value = float(text) if text.count(".") < 2 else None  # noqa: PLR2004 - with two dots it is a version
        elif kind == "name":
            value = self._named(text)
        else:
            raise _NotUnderstood(self.text)
        self.depth -= 1
        return value

    def _named(self, name: str) -> Value:
        if self._sign("("):
            return self._call(name.lower(), self._arguments())
        path = self._path()
        if name.lower() in ("true", "false") and not path:
            return name.lower() == "true"
        known = name.lower() == "variables" and len(path) == 1
        return self.variables.get(path[0].lower()) if known else None

    def _arguments(self) -> list[Value]:
        found: list[Value] = []
        while not self._sign(")"):
            if found and not self._sign(","):
                raise _NotUnderstood(self.text)
            found.append(self._expression())
        return found

    def _path(self) -> list[str]:
        """Return the names behind a name: `['Build.SourceBranch']`, `.Stage.outputs['job.name']`."""
        path: list[str] = []
        while sign := self._sign("[", "."):
            if sign == ".":
                kind, text = self._next()
                if kind != "name":
                    raise _NotUnderstood(self.text)
                path.append(text)
                continue
            inside = self._expression()
            path.append(inside if isinstance(inside, str) else "")
            if not self._sign("]"):
                raise _NotUnderstood(self.text)
        return path

    def _call(self, name: str, given: Sequence[Value]) -> Value:
        if name == "succeeded" and not given:
            return self.succeeded
        if name in _CONSTANT:
            return _CONSTANT[name]
        function = _FUNCTIONS.get(name)
        return function(given) if function and given else None


def _truth(value: Value) -> bool | None:
    return None if value is None else bool(value)


def _all(values: Sequence[Value]) -> bool | None:
    truths = [_truth(value) for value in values]
    if False in truths:
        return False
    return None if None in truths else True


def _not(values: Sequence[Value]) -> bool | None:
    truth = _truth(values[0])
    return None if truth is None else not truth


def _any(values: Sequence[Value]) -> bool | None:
    truths = [_truth(value) for value in values]
    if True in truths:
        return True
    return None if None in truths else False


def _text(value: Value) -> str:
    """Return a value as text, as the service writes it; comparisons know no letter case."""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower()


def _equal(values: Sequence[Value]) -> bool | None:
    """Compare after converting the right one to the type of the left one."""
    left, right = values[0], values[1]
    if left is None or right is None:
        return None
    if isinstance(left, bool):
        return left is bool(right)
    if isinstance(left, float):
        return left == float(right)
    return _text(left) == _text(right)


def _in(values: Sequence[Value]) -> bool | None:
    return _any([_equal((values[0], other)) for other in values[1:]])


def _texts(test: Callable[[str, str], bool]) -> Callable[[Sequence[Value]], bool | None]:
    def function(values: Sequence[Value]) -> bool | None:
        left, right = values[0], values[1]
        return None if left is None or right is None else test(_text(left), _text(right))

    return function


_CONSTANT: dict[str, bool] = {"always": True, "failed": False, "canceled": False}
"""Status functions while nothing has failed and nobody has cancelled."""

_FUNCTIONS: dict[str, Callable[[Sequence[Value]], bool | None]] = {
    "and": _all,
    "or": _any,
    "not": _not,
    "eq": _equal,
    "ne": lambda values: _not((_equal(values),)),
    "in": _in,
    "notin": lambda values: _not((_in(values),)),
    "contains": _texts(lambda left, right: right in left),
    "startswith": _texts(str.startswith),
    "endswith": _texts(str.endswith),
}
