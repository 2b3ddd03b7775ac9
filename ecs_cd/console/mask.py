"""Secrets kept out of everything printed, whatever text they turn up in."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

from ecs_cd.sanitize import sanitize

HIDDEN = "***"
_SHORTEST = 6
"""Shorter values are not masked: `dev` as a password would black out half of what people need to read."""


SECRET_VARIABLES = (
    "ECS_CD_AZURE_DEVOPS_PAT",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
"""Environment variables that hold tokens of Azure DevOps and keys of AWS."""


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """Return the secrets that the environment holds."""
    return [environ[name] for name in SECRET_VARIABLES if environ.get(name)]


class Mask:
    """The known secrets, and what stands in their place."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know these secrets; more can be added."""
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these too, in every form in which they travel."""
        for secret in secrets:
            self._forms.update(form for form in _forms(secret) if len(form) >= _SHORTEST)
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def hide(self, text: str) -> str:
        """Return the text with every secret replaced."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _forms(secret: str) -> Iterable[str]:
    """Yield the value, its lines, both as `sanitize` shows them, and its form in a Basic authorization header."""
    if len(secret) < _SHORTEST:
        return
    for part in (secret, *secret.splitlines()):
        yield part
        yield sanitize(part)
    yield base64.b64encode(f":{secret}".encode("utf-8", "surrogatepass")).decode("ascii").rstrip("=")
