"""Which command reads which settings; flags, the task's inputs and their visibility follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ecs_cd.settings.setting import Group, Section
from ecs_cd.settings.table import in_group, in_section

ECS = tuple(setting.name for key, setting in in_section(Section.SERVICE).items() if key.startswith("ecs."))
"""Where a service runs."""

_PROJECT = tuple(setting.name for setting in in_section(Section.TOP).values())
_PARAMETER, _IMAGE = in_group(Group.PARAMETER), in_group(Group.IMAGE)
_PIPELINE, _ROLLOUT = in_group(Group.PIPELINE), in_group(Group.ROLLOUT)
_AWS, _PROMOTION = in_group(Group.AWS), in_group(Group.PROMOTION)

READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deploy": (*_PARAMETER, *_IMAGE, *_PIPELINE, *_ROLLOUT, *_AWS, "timeout"),
        "promote": (*_PROMOTION, *_PARAMETER, *_IMAGE, *_PIPELINE, "verify", *ECS, *_AWS, "timeout"),
        "rollback": ("parameter", *_IMAGE, *_PIPELINE, "verify", *ECS, *_AWS, "timeout"),
        "verify": ("order", *ECS, *(name for name in _IMAGE if name != "wait_for_image"), *_AWS, "timeout"),
        "hold": ("parameter", *_AWS, "timeout"),
        "status": (*_PROJECT, "parameter", "repository", *ECS, *_AWS),
        "history": ("parameter", *_AWS),
        "parameter get": ("parameter", *_AWS),
        "parameter set": (*_PARAMETER, *_IMAGE, *_AWS, "timeout"),
        "pipeline queue": (*_PIPELINE, "timeout"),
        "pipeline wait": (*_PROJECT, "timeout"),
    }
)
"""The settings by command of the command line, without those of every call (section CALL)."""
