"""What is checked against, from environment variables alone: a secret has no place in arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "ecs-cd-real"
"""What every name begins with that the check makes."""

_VARIABLE = "ECS_CD_REAL"


class NotConfigured(ValueError):
    """A variable is missing or wrong; the text says which."""


@dataclass(frozen=True)
class AzureSettings:
    """The organization, a project of it, and a pipeline for this check alone (`pipeline.yml` beside this file)."""

    organization: str
    project: str
    pat: str = field(repr=False)
    pipeline: int
    disabled_pipeline: int = 0
    restricted_pat: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Either half may be missing: its facts are then not settled. `agreed`: nobody needs to be asked."""

    region: str = ""
    azure: AzureSettings | None = None
    agreed: bool = False


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings.

    Raises:
        NotConfigured: neither half is configured, or one is only in part.
    """

    def value(name: str) -> str:
        return environ.get(f"{_VARIABLE}_{name}", "").strip()

    def number(name: str) -> int:
        text = value(name)
        if text and not (text.isascii() and text.isdigit()):
            raise NotConfigured(f"{_VARIABLE}_{name} is not a pipeline's id: give a whole number.")
        return int(text or 0)

    needed = ("ORGANIZATION", "PROJECT", "PAT", "PIPELINE")
    missing = [f"{_VARIABLE}_{name}" for name in needed if not value(name)]
    azure = None
    if not missing:
        azure = AzureSettings(
            value("ORGANIZATION").rstrip("/"),
            value("PROJECT"),
            value("PAT"),
            number("PIPELINE"),
            number("DISABLED_PIPELINE"),
            value("RESTRICTED_PAT"),
        )
    elif len(missing) < len(needed):
        raise NotConfigured(f"Azure DevOps is configured in part: set {', '.join(missing)} too.")
    if not azure and not value("REGION"):
        raise NotConfigured(
            f"Nothing is configured: set {_VARIABLE}_REGION for AWS, or {', '.join(missing)} for Azure DevOps, or all. "
            "docs/real-services.md describes them."
        )
    return Settings(value("REGION"), azure, value("AGREED").lower() == "yes")
