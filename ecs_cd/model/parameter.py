"""The parameter of a service in an environment: as it stands, its versions, and what recording a tag changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import NO_MARKS, Marks


@dataclass(frozen=True)
class ParameterVersion:
    """One version of a parameter. `modified_by` is the ARN of who wrote it."""

    name: str
    value: str
    version: int
    labels: tuple[str, ...] = ()
    modified_at: datetime | None = None
    modified_by: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter as it stands, with all that a write must leave as it is (rule 5).

    `policies` is the JSON text of its policies; empty strings mean the service named none. `marks`: our labels, read at
    the same moment as the value.
    """

    name: str
    value: str
    version: int
    type: str = "String"
    data_type: str = "text"
    tier: str = "Standard"
    key_id: str = ""
    description: str = ""
    allowed_pattern: str = ""
    policies: str = ""
    marks: Marks = NO_MARKS


class Recorded(str, Enum):
    """What became of the wish to record a tag."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    HELD = "held"


@dataclass(frozen=True)
class ParameterChange:
    """What `parameter.record` did: the value found, the value left, and the version that holds it.

    `wanted` is the tag the delivery is for; after SUPERSEDED `new` is the newer one, after HELD what stays instead.
    `restored` says that `new` had been lost to another writer and was put back. `dry_run`: WRITTEN means "would have
    been written". `marks`: as they were seen last.
    """

    name: str
    wanted: ImageTag
    old: str | None
    new: str
    version: int
    recorded: Recorded
    restored: bool = False
    dry_run: bool = False
    marks: Marks = field(default=NO_MARKS, compare=False)
