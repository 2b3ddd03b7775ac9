"""The expression language of Azure Pipelines, such as `and(succeeded(), eq(variables['Build.Reason'], 'Manual'))`.

`parse` reads an expression once, `Expression.evaluate` answers it in a `Context` as often as needed. A scope says what
may be named where the expression stands: `TEMPLATE`, `CONDITION`, `STEP_CONDITION`, `VARIABLE`, `ROOT_VARIABLE`.
"""

from ecs_cd_sandbox.azure_devops.expressions.context import Context, Status
from ecs_cd_sandbox.azure_devops.expressions.errors import ExpressionError
from ecs_cd_sandbox.azure_devops.expressions.parser import Expression, parse
from ecs_cd_sandbox.azure_devops.expressions.scopes import (
    ANY,
    CONDITION,
    ROOT_VARIABLE,
    STEP_CONDITION,
    TEMPLATE,
    VARIABLE,
    Scope,
    with_names,
)
from ecs_cd_sandbox.azure_devops.expressions.values import (
    ExactMapping,
    RequiredMapping,
    Value,
    Version,
    to_text,
    truthy,
)

__all__ = [
    "ANY",
    "CONDITION",
    "ROOT_VARIABLE",
    "STEP_CONDITION",
    "TEMPLATE",
    "VARIABLE",
    "Context",
    "ExactMapping",
    "Expression",
    "ExpressionError",
    "RequiredMapping",
    "Scope",
    "Status",
    "Value",
    "Version",
    "parse",
    "to_text",
    "truthy",
    "with_names",
]
