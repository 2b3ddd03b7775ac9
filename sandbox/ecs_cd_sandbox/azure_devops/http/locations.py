"""The resource locations of the REST API: the rows a client discovers, and the routes this server answers on.

`locations.json` beside this file holds the rows this server serves, of the list the official service answers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Location:
    """One row: a resource, its route and the versions it is offered in."""

    id: str
    area: str
    resource_name: str
    route_template: str
    resource_version: int
    min_version: str
    max_version: str
    released_version: str

    def to_json(self) -> dict[str, Any]:
        """Return the row as the service lists it."""
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.resource_name,
            "routeTemplate": self.route_template,
            "resourceVersion": self.resource_version,
            "minVersion": self.min_version,
            "maxVersion": self.max_version,
            "releasedVersion": self.released_version,
        }

    def pattern(self) -> re.Pattern[str]:
        """Return the expression its paths (below the organization) match; letter case does not matter.

        Trailing placeholders are optional, as in the route language the templates are written in.
        """
        segments = []
        optional = True
        for segment in reversed(self.route_template.rstrip("/").split("/")):
            placeholder = re.fullmatch(r"\{(\*?)(\w+)\}", segment)
            literal = {"area": self.area, "resource": self.resource_name}.get(placeholder[2] if placeholder else "")
            if placeholder is None or literal is not None:
                optional = False
                segments.append(f"/{re.escape(literal or segment)}")
                continue
            value = f"/(?P<{placeholder[2]}>{'.+' if placeholder[1] else '[^/]+'})"
            segments.append(f"(?:{value})?" if optional else value)
        return re.compile("".join(reversed(segments)) + "/?", re.IGNORECASE)


@cache
def locations() -> dict[str, Location]:
    """Return every location by its id."""
    rows = _data()["locations"]
    return {
        row["id"]: Location(
            row["id"],
            row["area"],
            row["resourceName"],
            row["routeTemplate"],
            row["resourceVersion"],
            row["minVersion"],
            row["maxVersion"],
            row["releasedVersion"],
        )
        for row in rows
    }


def resource_areas() -> list[dict[str, str]]:
    """Return the areas' ids and names; all of them live under the organization's own URL here."""
    return [{"id": row["id"], "name": row["name"]} for row in _data()["resourceAreas"]]


@cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("locations.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
