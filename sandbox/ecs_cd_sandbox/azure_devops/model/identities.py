"""Who acts: people, service accounts and the service itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

SERVICE_NAME = "Microsoft.VisualStudio.Services.TFS"
_NAMESPACE = uuid.UUID("6f1c39f5-3f0e-4d8b-9d55-0b6a0a5a4b1e")


def stable_guid(*parts: str) -> str:
    """Return a GUID that is always the same for the same parts."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


@dataclass(frozen=True)
class Identity:
    """A person, a service account or the service itself; `unique_name` is usually an address."""

    display_name: str
    unique_name: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        """Fill in what was left out."""
        unique_name = self.unique_name or f"{self.display_name.lower().replace(' ', '.')}@example.com"
        object.__setattr__(self, "unique_name", unique_name)
        object.__setattr__(self, "id", self.id or stable_guid("identity", unique_name))


SERVICE = Identity(SERVICE_NAME, "", "00000002-0000-8888-8000-000000000000")
"""Who the service itself acts as, for example when `runLatest` cancels a run."""
