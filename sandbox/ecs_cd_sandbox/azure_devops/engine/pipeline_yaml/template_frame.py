"""Where a part of a file is read: the values its expressions can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import Place, Refused
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Budget, Problems
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_files import Library, Source
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_text import EACH_FORMAT
from ecs_cd_sandbox.azure_devops.expressions import (
    TEMPLATE,
    Context,
    Expression,
    ExpressionError,
    RequiredMapping,
    Scope,
    Value,
    parse,
    to_text,
    with_names,
)

_parse = lru_cache(maxsize=4096)(parse)


@dataclass(frozen=True)
class Session:
    """What one expansion shares."""

    library: Library
    problems: Problems = field(default_factory=Problems)
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Frame:
    """The values in a file or a part of it: parameters, variables known so far, and the variables of loops."""

    session: Session
    source: Source
    parameters: RequiredMapping = field(default_factory=RequiredMapping)
    variables: dict[str, Value] = field(default_factory=dict)
    loops: Mapping[str, Value] = field(default_factory=dict)

    def evaluate(self, expression: str, place: Place) -> Value:
        """Return the value of an expression.

        Raises:
            Refused: it is not one, or has no value.
        """
        try:
            return self._parsed(expression).evaluate(
                Context({"parameters": self.parameters, "variables": self.variables, **self.loops})
            )
        except ExpressionError as error:
            raise Refused(place, str(error)) from error

    def text(self, expression: str, place: Place) -> str:
        """Return the value of an expression as text.

        Raises:
            Refused: it is not an expression, or its value has no text.
        """
        try:
            return to_text(self.evaluate(expression, place))
        except ExpressionError as error:
            raise Refused(place, str(error)) from error

    def _parsed(self, expression: str) -> Expression:
        scope: Scope = with_names(TEMPLATE, *self.loops) if self.loops else TEMPLATE
        return _parse(expression, scope)

    def check_loop(self, name: str, place: Place) -> None:
        """Make sure that a loop's variable can have a name.

        Raises:
            Refused: it is taken, or not a name.
        """
        try:
            parse(name, with_names(TEMPLATE, name))
        except ExpressionError as error:
            raise Refused(place, str(error)) from error
        if not name.isidentifier():
            raise Refused(place, f"The value '{name}' is unexpected. {EACH_FORMAT}")
        if name.lower() in {"parameters", "variables", *(known.lower() for known in self.loops)}:
            # The service's own spelling.
            raise Refused(place, f"The idenfifier '{name}' has already been defined within the current scope")

    def within_loop(self, name: str, value: Value) -> Frame:
        """Return the frame of one round of a loop."""
        return replace(self, loops={**self.loops, name: value})

    def inner(self) -> Frame:
        """Return a frame whose variables do not reach out of it."""
        return replace(self, variables=dict(self.variables))

    def set_variable(self, name: str, value: str) -> None:
        """Make a variable known to what is read after it."""
        for known in [known for known in self.variables if known.lower() == name.lower()]:
            del self.variables[known]
        self.variables[name] = value
