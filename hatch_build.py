"""Put the templates into the wheel, where `ecs_cd/sandbox/templates.py` finds them.

They cannot simply live in the package: Azure Pipelines reads them from the top of the repository and follows no links.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Templates(BuildHookInterface):  # type: ignore[type-arg] # its argument would be hatchling's own, private type
    """Include `templates` as `ecs_cd/templates`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do so unless the install is an editable one, which has the clone's own and needs no copy that gets old."""
        if version == "standard":
            build_data["force_include"]["templates"] = "ecs_cd/templates"
