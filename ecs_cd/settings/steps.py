"""What the steps of a delivery cannot do without."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from ecs_cd.settings.table import TABLE
from ecs_cd.settings.values import Value

DELIVERY = ("image", "parameter", "pipeline", "rollout")
"""The steps of a whole delivery."""

PROMOTED = (*DELIVERY, "origin")
"""Those of a promotion: it looks at its origin, too."""

STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        step: tuple(setting.name for setting in TABLE if step in setting.needed_by)
        for step in dict.fromkeys(step for setting in TABLE for step in setting.needed_by)
    }
)
"""What each step needs, by the names of the table."""


def missing(values: Mapping[str, Value], steps: Collection[str]) -> list[str]:
    """Return the settings that these steps need and that have no value, each once."""
    unneeded = {
        "image": not values.get("check_image", True),
        "rollout": not values.get("verify", True) or bool(values.get("task_definition")),
    }
    needed = [name for step in steps if not unneeded.get(step) for name in STEPS[step]]
    return [name for name in dict.fromkeys(needed) if not values.get(name)]
