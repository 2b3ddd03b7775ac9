"""Flags over environment over `ecs-cd.yml`, checked before anything is sent anywhere (rule 1).

`load` reads file and environment, `Settings.resolve` makes the `DeliverySettings` of one service in one environment,
`OPTIONS` is the table that the command line is built from, `json_schema` describes the file to editors.
"""

from ecs_cd.settings.keywords import SettingKeywords
from ecs_cd.settings.loading import load
from ecs_cd.settings.models import json_schema
from ecs_cd.settings.resolving import DELIVERY, PROMOTED, STEPS, DeliverySettings, Settings, Token
from ecs_cd.settings.setting import Kind, Section, Setting
from ecs_cd.settings.table import BY_NAME, TABLE

__all__ = [
    "BY_NAME",
    "DELIVERY",
    "PROMOTED",
    "STEPS",
    "TABLE",
    "DeliverySettings",
    "Kind",
    "Section",
    "Setting",
    "SettingKeywords",
    "Settings",
    "Token",
    "json_schema",
    "load",
]
