"""Where the shipped templates are: Terraform's module and example, and the YAML of the pipelines."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _find(package: Path) -> Path:
    """Find them inside an installed package, or in a clone, which has them at its top, beside the distribution."""
    installed = package / "templates"
    return installed if installed.is_dir() else package.parents[1] / "templates"


TEMPLATES: Path = _find(_PACKAGE)
"""The folder of the templates. It may be read-only and belong to all users: copy from it, never run in it."""
