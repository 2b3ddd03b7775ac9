"""The image: its tag, what a build says of it, where it should be, and that it was checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ecs_cd.errors import InvalidTag
from ecs_cd.sanitize import quoted

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageTag:
    """A Docker image tag (distribution spec: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`); making one checks it.

    Raises:
        InvalidTag: the text is anything else.
    """

    value: str

    def __post_init__(self) -> None:
        """Refuse what is not a tag before anyone can use it."""
        if not _TAG.fullmatch(self.value):
            raise InvalidTag(
                f"{quoted(self.value)} is not a Docker image tag.",
                hint="A tag has 1 to 128 letters, digits, '_', '.', '-' and does not begin with '.' or '-'.",
            )

    def __str__(self) -> str:
        """Return the tag itself."""
        return self.value


@dataclass(frozen=True)
class TagEntry:
    """One image in a tag file.

    `service` is empty in the plain form, which names no service. `digest` is `sha256:` and 64 hex digits.
    """

    tag: ImageTag
    service: str = ""
    repository: str = ""
    digest: str = ""
    build_id: str = ""
    build_url: str = ""
    commit: str = ""


@dataclass(frozen=True)
class TagFile:
    """A tag file as read: the path it was read from, and its images in the order of the file."""

    path: str
    entries: tuple[TagEntry, ...]


@dataclass(frozen=True)
class ImageRepository:
    """A repository of ECR. `registry_id` is its AWS account, `region` its region; empty means the caller's own."""

    name: str
    registry_id: str = ""
    region: str = ""

    def image(self, tag: ImageTag, digest: str = "") -> ImageRef:
        """Return where the image of this tag is, which must have the digest if one is given."""
        return ImageRef(self.name, tag, self.registry_id, self.region, digest)


@dataclass(frozen=True)
class ImageRef:
    """Where an image should be: repository and tag, in the caller's own registry unless said otherwise.

    `registry_id` is the AWS account of the registry, `region` its region; empty means the delivery's own.
    `digest`, where the build gave one, must match what ECR has.
    """

    repository: str
    tag: ImageTag
    registry_id: str = ""
    region: str = ""
    digest: str = ""

    @property
    def where(self) -> ImageRepository:
        """Return the repository that it should be in."""
        return ImageRepository(self.repository, self.registry_id, self.region)


@dataclass(frozen=True)
class FoundImage:
    """What ECR knows of an image.

    `tags` are all it has now, `pushed_at` is when this digest was pushed. `is_index`: it is a manifest list or OCI
    index, an image for each of several platforms.
    """

    digest: str
    pushed_at: datetime | None
    tags: tuple[str, ...] = ()
    is_index: bool = False


@dataclass(frozen=True)
class CheckedImage:
    """A tag that may be recorded: its image exists, or the caller chose not to look (`digest` is empty then).

    `is_index`: as `FoundImage` has it. `built` is the digest that the build gave; empty where it gave none.
    """

    tag: ImageTag
    digest: str = ""
    pushed_at: datetime | None = None
    is_index: bool = False
    built: str = ""

    @property
    def digests(self) -> tuple[str, ...]:
        """Return the digests under which the image may run, as far as they are known: ECR's, and the build's."""
        return tuple(dict.fromkeys(filter(None, [self.digest, self.built])))


def is_digest(text: str) -> bool:
    """Return whether the text is an image digest as ECR writes it."""
    return bool(_DIGEST.fullmatch(text))
