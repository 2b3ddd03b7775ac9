"""Continuous delivery to Amazon ECS from Azure DevOps, with Terraform owning the container definition.

    import ecs_cd

    report = ecs_cd.deploy("my-api", "development", tag="12345")
    if not report.succeeded:
        print(report.to_text())

The names in `ecs_cd.public` are public and kept by semantic versioning; what lies below may change. They are loaded
when one of them is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from ecs_cd.version import VERSION

__version__ = VERSION

TYPE_CHECKING = False  # a type checker knows better; importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from ecs_cd.public import *  # noqa: F403 - the one list of public names
else:

    def __getattr__(name: str) -> object:
        """Load the public names, and return the one that is asked for."""
        from importlib.machinery import PathFinder  # noqa: PLC0415 - only for the first use of a name

        # `from ecs_cd import client` asks here first, and imports the module when told that there is no such name.
        module = PathFinder.find_spec(f"{__name__}.{name}", globals()["__path__"])
        if module or (name.startswith("_") and name != "__all__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        public = _public()
        if name == "__all__":
            return sorted([*public, "__version__"])
        if name not in public:
            from ecs_cd.sanitize import did_you_mean  # noqa: PLC0415 - only for a mistake

            raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{did_you_mean(name, list(public))}")
        globals()[name] = public[name]
        return public[name]

    def __dir__() -> list[str]:
        """Return the public names."""
        return sorted([*_public(), "__version__"])

    def _public() -> dict[str, object]:
        from importlib import import_module  # noqa: PLC0415 - only for the first use of a name

        public = import_module("ecs_cd.public")
        return {name: value for name, value in vars(public).items() if not name.startswith("_")}
