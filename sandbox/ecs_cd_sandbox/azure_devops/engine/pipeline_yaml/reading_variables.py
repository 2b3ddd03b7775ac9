"""Variables of a pipeline, a stage or a job, with those of the groups they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import text_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import MappingNode, Node, Place, Refused, SequenceNode
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems
from ecs_cd_sandbox.azure_devops.expressions import ExpressionError, Scope, parse

_RUNTIME = re.compile(r"\s*\$\[(.*)\]\s*", re.DOTALL)
_SETTABLE = "system.debug"


@dataclass(frozen=True)
class VariableGroup:
    """Variables kept in the project's library, to be named by pipelines."""

    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Values:
    """What variables hold, plain and secret; the last one of a name counts."""

    plain: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

    def over(self, below: Values) -> Values:
        """Return these values, and those of `below` that they do not replace."""
        mine = {name.lower() for name in (*self.plain, *self.secret)}
        return Values(
            {**{name: value for name, value in below.plain.items() if name.lower() not in mine}, **self.plain},
            {**{name: value for name, value in below.secret.items() if name.lower() not in mine}, **self.secret},
        )


def read_variables(node: Node | None, groups: Mapping[str, VariableGroup], scope: Scope, problems: Problems) -> Values:
    """Return the values of a canonical `variables:`; runtime expressions are checked against `scope`."""
    found = Values()
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, MappingNode):
            with problems.collect():
                found = _values(item, groups, scope).over(found)
    return found


def _values(item: MappingNode, groups: Mapping[str, VariableGroup], scope: Scope) -> Values:
    named = item.get("group")
    if named is not None:
        group = next((group for name, group in groups.items() if name.lower() == text_of(named).lower()), None)
        if group is None:
            raise Refused(
                named.place,
                f"Variable group {text_of(named)} was not found or is not authorized for use. "
                "For authorization details, refer to https://aka.ms/yamlauthz.",
            )
        return Values(group.variables, group.secrets)
    name, value = item.get("name") or item, item.get("value") or item
    key = text_of(name).lower()
    if key == "system" or (key.startswith("system.") and key != _SETTABLE):
        raise Refused(name.place, f"Cannot override system variable '{text_of(name)}'")
    check_runtime(text_of(value), scope, value.place)
    return Values({text_of(name): text_of(value)})


def check_runtime(text: str, scope: Scope, place: Place) -> None:
    """Check a value that is a runtime expression as a whole.

    Raises:
        Refused: it is not one that may stand there.
    """
    expression = _RUNTIME.fullmatch(text)
    if expression:
        check_expression(expression[1], scope, place)


def check_expression(text: str, scope: Scope, place: Place) -> None:
    """Check an expression that is evaluated when the run goes on.

    Raises:
        Refused: it is not one, or names what is not known there.
    """
    try:
        parse(text, scope)
    except ExpressionError as error:
        raise Refused(place, str(error)) from error
