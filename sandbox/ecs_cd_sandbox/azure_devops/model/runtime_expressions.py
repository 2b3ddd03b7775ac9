"""Runtime expressions: a variable whose whole value is `$[ ]` gets what the expression yields, as text.

What an expression makes of a secret is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ecs_cd_sandbox.azure_devops.expressions import Context, ExpressionError, Scope, Value, parse, to_text
from ecs_cd_sandbox.azure_devops.model.variables import Variable, Variables

Counter = Callable[[str, int], int]

_RUNTIME = re.compile(r"\s*\$\[(.*)\]\s*", re.DOTALL)


class RuntimeExpressionError(Exception):
    """A runtime expression cannot be evaluated; the message says which and why."""


class Evaluator:
    """Evaluates the variables of one level, each with those before it known."""

    def __init__(self, known: Variables, names: Mapping[str, Value], scope: Scope, counter: Counter) -> None:
        """Take the variables of the levels above, and what else expressions may name."""
        self._known = Variables()
        self._known.update_with(known)
        self._names = names
        self._scope = scope
        self._counter = counter
        self._secrets: set[str] = set()

    def hide(self, secrets: set[str]) -> None:
        """Take these values, too, for secrets."""
        self._secrets |= secrets

    def evaluate(self, values: Mapping[str, str]) -> Variables:
        """Return the variables.

        Raises:
            RuntimeExpressionError: one of the expressions cannot be evaluated.
        """
        found = Variables()
        for name, value in values.items():
            variable = self.variable(name, value)
            for collection in (found, self._known):
                collection.set(name, variable.value, secret=variable.secret)
        return found

    def variable(self, name: str, value: str) -> Variable:
        """Return one variable.

        Raises:
            RuntimeExpressionError: its expression cannot be evaluated.
        """
        match = _RUNTIME.fullmatch(value)
        if match is None:
            return Variable(name, value)
        context = Context({**self._names, "variables": plain(self._known)}, counter=self._counter)
        try:
            text = to_text(parse(match[1], self._scope).evaluate(context))
        except ExpressionError as error:
            message = f"The runtime expression {value.strip()} of {name} could not be evaluated: {error}"
            raise RuntimeExpressionError(message) from error
        secrets = self._secrets | secret_values(self._known)
        return Variable(name, text, secret=any(secret in text for secret in secrets))


def is_runtime(value: str) -> bool:
    """Say whether a value is a runtime expression."""
    return _RUNTIME.fullmatch(value) is not None


def plain(variables: Variables) -> dict[str, Value]:
    """Return the values of variables for an expression, macros in them replaced."""
    return {variable.name: variables.expand(variable.value) for variable in variables.all()}


def secret_values(variables: Variables) -> set[str]:
    """Return the values that must not be shown."""
    return {variable.value for variable in variables.all() if variable.secret and variable.value.strip()}
