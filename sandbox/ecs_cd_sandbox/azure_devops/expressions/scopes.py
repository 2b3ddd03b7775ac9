"""Which names and functions an expression may use, by the place it stands in.

The service has a table for each place: a name that belongs elsewhere is as unknown as one that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.expressions.values import fold

MANY = 10_000
"""How many arguments a function without an upper limit takes."""

GENERAL: dict[str, tuple[int, int]] = {
    "and": (2, MANY),
    "coalesce": (2, MANY),
    "contains": (2, 2),
    "containsValue": (2, 2),
    "convertToJson": (1, 1),
    "endsWith": (2, 2),
    "eq": (2, 2),
    "format": (1, MANY),
    "ge": (2, 2),
    "gt": (2, 2),
    "iif": (3, 3),
    "in": (2, MANY),
    "join": (2, 2),
    "le": (2, 2),
    "length": (1, 1),
    "lower": (1, 1),
    "lt": (2, 2),
    "ne": (2, 2),
    "not": (1, 1),
    "notIn": (2, MANY),
    "or": (2, MANY),
    "replace": (3, 3),
    "split": (2, 2),
    "startsWith": (2, 2),
    "trim": (1, 1),
    "upper": (1, 1),
    "xor": (2, 2),
}
"""The functions that may stand everywhere, with the fewest and the most arguments they take."""

COUNTER = {"counter": (1, 2)}
STATUS = {
    "always": (0, 0),
    "canceled": (0, 0),
    "failed": (0, MANY),
    "succeeded": (0, MANY),
    "succeededOrFailed": (0, MANY),
}
_STEP_STATUS = dict.fromkeys(STATUS, (0, 0))


@dataclass(frozen=True)
class Scope:
    """What may be named in a place: `names` of None takes any name, to be resolved when it is evaluated."""

    functions: tuple[tuple[str, int, int], ...]
    names: frozenset[str] | None = None

    def arity(self, function: str) -> tuple[int, int] | None:
        """Return the fewest and the most arguments of a function, or None if it is not known here."""
        return next(((least, most) for name, least, most in self.functions if fold(name) == fold(function)), None)

    def knows(self, name: str) -> bool:
        """Say whether a named value exists here."""
        return self.names is None or fold(name) in self.names


def _scope(functions: dict[str, tuple[int, int]], *names: str) -> Scope:
    arities = tuple((name, least, most) for name, (least, most) in functions.items())
    return Scope(arities, frozenset(map(fold, names)) if names else None)


ANY = _scope({**GENERAL, **COUNTER, **STATUS})
"""Everything; names are resolved when the expression is evaluated."""

TEMPLATE = _scope(GENERAL, "parameters", "variables")
"""`${{ }}`. The variable of an `each` joins these names."""

ROOT_VARIABLE = _scope({**GENERAL, **COUNTER}, "variables", "resources", "pipeline")
"""`$[ ]` in the variables of a pipeline."""

VARIABLE = _scope({**GENERAL, **COUNTER}, "variables", "resources", "pipeline", "dependencies", "stageDependencies")
"""`$[ ]` in the variables of a stage or a job."""

CONDITION = _scope({**GENERAL, **STATUS}, "variables", "pipeline", "dependencies", "stageDependencies")
"""`condition` of a stage or a job."""

STEP_CONDITION = _scope({**GENERAL, **_STEP_STATUS}, "variables")
"""`condition` of a step, which the agent evaluates with what it knows."""


def with_names(scope: Scope, *names: str) -> Scope:
    """Return a scope that knows some more names."""
    return Scope(scope.functions, (scope.names or frozenset()) | frozenset(map(fold, names)))
