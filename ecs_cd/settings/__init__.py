"""Call over environment over `ecs-cd.yml`, checked before anything is sent anywhere (rule 1).

`load` reads file and environment, `Settings.resolve` makes the `DeliverySettings` of one service in one environment,
`TABLE` is the one table of settings, `json_schema` describes the file to editors.
"""

from __future__ import annotations

from typing import Any

from ecs_cd.settings.keywords import SettingKeywords
from ecs_cd.settings.layers import Given
from ecs_cd.settings.loading import load
from ecs_cd.settings.resolved import DeliverySettings, Token
from ecs_cd.settings.resolving import Settings
from ecs_cd.settings.setting import Kind, Section, Setting
from ecs_cd.settings.steps import DELIVERY, PROMOTED, STEPS
from ecs_cd.settings.table import BY_NAME, TABLE

__all__ = [
    "BY_NAME",
    "DELIVERY",
    "PROMOTED",
    "STEPS",
    "TABLE",
    "DeliverySettings",
    "Given",
    "Kind",
    "Section",
    "Setting",
    "SettingKeywords",
    "Settings",
    "Token",
    "json_schema",
    "load",
]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `ecs-cd.yml`, for editors."""
    from ecs_cd.settings import models  # noqa: PLC0415 - pydantic takes longer to import than all the rest

    return models.json_schema()
