"""Continuous delivery to Amazon ECS from Azure DevOps, with Terraform owning the container definition.

    import ecs_cd

    report = ecs_cd.deploy("my-api", "development", tag="12345")
    if not report.succeeded:
        print(report.to_text())

Every name in `__all__` is public and kept by semantic versioning; what lies below may change. Names are loaded when
they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from ecs_cd.version import VERSION as __version__  # noqa: N811 - the name that tools look for

TYPE_CHECKING = False  # a type checker knows better; importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from typing import Any

    from ecs_cd.client import deploy, deploy_many, history, hold, promote, release, rollback, status, verify
    from ecs_cd.delivery.context import Clouds
    from ecs_cd.delivery.hold import HoldResult
    from ecs_cd.errors import DeliveryFailed, EcsCdError, Interrupted, TryLater, WrongInput
    from ecs_cd.model.delivery import Delivery
    from ecs_cd.model.image import ImageTag, TagEntry
    from ecs_cd.model.order import Order
    from ecs_cd.overview.history import HistoryEntry
    from ecs_cd.overview.matrix import PlaceStatus
    from ecs_cd.report.combined import Reports
    from ecs_cd.report.facts import Outcome
    from ecs_cd.report.report import Report
    from ecs_cd.settings import Settings
    from ecs_cd.settings import load as load_settings
    from ecs_cd.support.clock import Clock, SystemClock
    from ecs_cd.support.deadline import Deadline
    from ecs_cd.tag.tag_file import read_tag, write_tag


__all__ = [
    "Clock",
    "Clouds",
    "Deadline",
    "Delivery",
    "DeliveryFailed",
    "EcsCdError",
    "HistoryEntry",
    "HoldResult",
    "ImageTag",
    "Interrupted",
    "Order",
    "Outcome",
    "PlaceStatus",
    "Report",
    "Reports",
    "Settings",
    "SystemClock",
    "TagEntry",
    "TryLater",
    "WrongInput",
    "__version__",
    "deploy",
    "deploy_many",
    "history",
    "hold",
    "load_settings",
    "promote",
    "read_tag",
    "release",
    "rollback",
    "status",
    "verify",
    "write_tag",
]

_HOMES = {
    "client": ("deploy", "deploy_many", "history", "hold", "promote", "release", "rollback", "status", "verify"),
    "delivery.context": ("Clouds",),
    "delivery.hold": ("HoldResult",),
    "errors": ("DeliveryFailed", "EcsCdError", "Interrupted", "TryLater", "WrongInput"),
    "model.delivery": ("Delivery",),
    "model.image": ("ImageTag", "TagEntry"),
    "model.order": ("Order",),
    "overview.history": ("HistoryEntry",),
    "overview.matrix": ("PlaceStatus",),
    "report.combined": ("Reports",),
    "report.facts": ("Outcome",),
    "report.report": ("Report",),
    "settings": ("Settings", "load_settings"),
    "support.clock": ("Clock", "SystemClock"),
    "support.deadline": ("Deadline",),
    "tag.tag_file": ("read_tag", "write_tag"),
}
_OWN_NAMES = {"load_settings": "load"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a module holds
    """Load a public name from the module it lives in."""
    from importlib import import_module  # noqa: PLC0415 - only for the first use of a name

    for module, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(f"{__name__}.{module}"), _OWN_NAMES.get(name, name))
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
