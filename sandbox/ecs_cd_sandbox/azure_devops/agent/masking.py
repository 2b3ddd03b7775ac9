"""Keeps secrets out of what a job prints: wherever one would stand, stands `***`."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

MASK = "***"


class Masker:
    """The secrets of one job, known from its start or told by its programs on the way."""

    def __init__(self) -> None:
        """Know no secret yet."""
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Mask a value from now on: whole, each of its lines, and as it looks inside JSON or a URL."""
        for part in {secret, *secret.splitlines()}:
            if part.strip():
                self._forms.update({part, json.dumps(part)[1:-1], quote(part, safe="")})
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return a text without the secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text
