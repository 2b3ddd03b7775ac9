"""`ecs_cd/settings/keywords.py`: the settings as typed keyword arguments."""

from __future__ import annotations

from ecs_cd.settings.setting import Kind, Section, Setting
from ecs_cd.settings.table import TABLE

_HEAD = '''"""Settings as keyword arguments. Generated from the table of settings by `make generate`: do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ecs_cd.model.order import Order
from ecs_cd.model.service_deployment import RolloutUntil


class SettingKeywords(TypedDict, total=False):
    """The settings that a call may give. They take precedence over `ECS_CD_*` variables, and these over the file.

    None and empty text mean "not given". A duration is a number of seconds, or text such as `90s`, `5m`, `1h30m`.
    `{service}` and `{environment}` may stand in every text.
    """
'''
_TYPES = {
    Kind.SWITCH: "bool",
    Kind.DURATION: "str | float",
    Kind.MAP: "Mapping[str, str] | Sequence[str]",
    Kind.TEXT: "str",
}


def keywords() -> str:
    """Return the whole module."""
    rows = [
        f'    {setting.name}: {_type(setting)} | None\n    """{setting.help}"""\n'
        for setting in TABLE
        if setting.section is not Section.CALL
    ]
    return "\n".join([_HEAD, *rows])


def _type(setting: Setting) -> str:
    if setting.choices:
        choices = ", ".join(f'"{choice}"' for choice in setting.choices)
        return f"{setting.enum.__name__ + ' | ' if setting.enum else ''}Literal[{choices}]"
    return "str | int" if setting.numeric else _TYPES[setting.kind]
