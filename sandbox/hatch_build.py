"""Put the templates into the wheel, where `ecs_cd_sandbox/template_folder.py` finds them, and into the sdist.

They cannot simply live in the package: Azure Pipelines reads them from the top of the repository and follows no links.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TARGETS = {"wheel": "ecs_cd_sandbox/templates", "sdist": "templates"}


class Templates(BuildHookInterface):  # type: ignore[type-arg] # its argument would be hatchling's own, private type
    """Include the repository's `templates`, or those of the sdist that a wheel is built from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do so unless the install is an editable one, which has the clone's own and needs no copy that gets old."""
        if version != "editable":
            own = Path(self.root, "templates")
            source = own if own.is_dir() else Path(self.root).parent / "templates"
            build_data["force_include"][str(source)] = _TARGETS[self.target_name]
