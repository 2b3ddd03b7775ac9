"""Continuous delivery to Amazon ECS from Azure DevOps, with Terraform owning the container definition.

    import ecs_cd

    report = ecs_cd.deploy("my-api", "development", tag="12345")
    if not report.good:
        print(report.to_text())

Every name in `__all__` is public and kept by semantic versioning; what lies below may change. Names are loaded when
they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from ecs_cd.version import VERSION as __version__  # noqa: N811 - the name that tools look for

TYPE_CHECKING = False  # a type checker knows better; importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from typing import Any

    from ecs_cd.delivery import Clouds, Delivery
    from ecs_cd.errors import DeliveryFailed, EcsCdError, Interrupted, TryLater, WrongInput
    from ecs_cd.library import deploy, history, hold, release, rollback, status, verify
    from ecs_cd.model import ImageTag, TagEntry
    from ecs_cd.order import Order
    from ecs_cd.report import Outcome, Report
    from ecs_cd.rolling_back import HoldResult
    from ecs_cd.settings import Settings
    from ecs_cd.settings import load as load_settings
    from ecs_cd.standing import HistoryEntry, PlaceStatus
    from ecs_cd.tagfile import read as read_tag
    from ecs_cd.tagfile import write as write_tag
    from ecs_cd.waiting import Clock, Deadline, SystemClock


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
    "Settings",
    "SystemClock",
    "TagEntry",
    "TryLater",
    "WrongInput",
    "__version__",
    "deploy",
    "history",
    "hold",
    "load_settings",
    "read_tag",
    "release",
    "rollback",
    "status",
    "verify",
    "write_tag",
]

_HOMES = {
    "delivery": ("Clouds", "Delivery"),
    "errors": ("DeliveryFailed", "EcsCdError", "Interrupted", "TryLater", "WrongInput"),
    "library": ("deploy", "history", "hold", "release", "rollback", "status", "verify"),
    "model": ("ImageTag", "TagEntry"),
    "order": ("Order",),
    "report": ("Outcome", "Report"),
    "rolling_back": ("HoldResult",),
    "settings": ("Settings", "load_settings"),
    "standing": ("HistoryEntry", "PlaceStatus"),
    "tagfile": ("read_tag", "write_tag"),
    "waiting": ("Clock", "Deadline", "SystemClock"),
}
_OWN_NAMES = {"load_settings": "load", "read_tag": "read", "write_tag": "write"}


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
