"""What a Docker of the job would know: the images built in it by their names, and the registries it is logged in to.

It is kept in a file beside the job's folders and ends with them, as the images of a hosted agent do.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AwsLogin
from ecs_cd_sandbox.azure_devops.agent.workspace import Workspace

_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DOCKER = "application/vnd.docker"


class RegistryError(Exception):
    """A registry refuses something; the message says what and why."""


@dataclass(frozen=True)
class ImageName:
    """The name of an image: `host/repository:tag`. Without a host it is a name on this machine alone."""

    repository: str
    tag: str = "latest"
    host: str = ""

    def __str__(self) -> str:
        """Return it as Docker writes it."""
        return f"{self.host}/{self.repository}:{self.tag}" if self.host else f"{self.repository}:{self.tag}"


def parse_image_name(text: str) -> ImageName:
    """Return the parts of a name; what has a dot, a colon or is `localhost` before the first slash is a host.

    Raises:
        ValueError: it is no image's name.
    """
    first, slash, rest = text.partition("/")
    is_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    repository, _, tag = (rest if is_host else text).partition(":")
    if not _NAME.fullmatch(repository) or (tag and not _TAG.fullmatch(tag)):
        raise ValueError(f'invalid reference format: "{text}"')
    return ImageName(repository, tag or "latest", first if is_host else "")


@dataclass(frozen=True)
class Image:
    """An image that was not really built: `manifest` is its image manifest (JSON), made from what it would be of."""

    manifest: str

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which a registry knows the image."""
        return f"sha256:{hashlib.sha256(self.manifest.encode()).hexdigest()}"


def make_image(content: bytes) -> Image:
    """Return an image that is the same for the same content."""
    layer = f"sha256:{hashlib.sha256(content).hexdigest()}"
    config = {"mediaType": f"{_DOCKER}.container.image.v1+json", "size": len(content), "digest": layer}
    files = {"mediaType": f"{_DOCKER}.image.rootfs.diff.tar.gzip", "size": len(content), "digest": layer}
    kind = f"{_DOCKER}.distribution.manifest.v2+json"
    return Image(json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [files]}))


class Registry(Protocol):
    """Where images are pushed to. Every method raises `RegistryError` for what is refused."""

    def host(self, login: AwsLogin) -> str:
        """Return the host of the ECR registry that credentials and region belong to."""

    def has(self, login: AwsLogin, repository: str) -> bool:
        """Say whether the ECR registry has a repository."""

    def create(self, login: AwsLogin, repository: str) -> None:
        """Make a repository in the ECR registry."""

    def push(self, name: ImageName, image: Image, login: AwsLogin | None) -> str:
        """Take an image under a name with a host, and return its digest. `login` is None after a plain login."""


class LocalImages:
    """The images and logins of one job."""

    def __init__(self, workspace: Workspace) -> None:
        """Read what earlier steps of the job left."""
        self._path: Path = workspace.work / "_docker.json"
        known = json.loads(self._path.read_text("utf-8")) if self._path.is_file() else {}
        self._images: dict[str, str] = known.get("images", {})
        self._logins: list[str] = known.get("logins", [])

    @property
    def logins(self) -> tuple[str, ...]:
        """The hosts the job is logged in to, the first one first."""
        return tuple(self._logins)

    def log_in(self, host: str) -> None:
        """Remember a login."""
        self._logins = [*(known for known in self._logins if known != host), host]
        self._save()

    def log_out(self, host: str = "") -> None:
        """Forget a login, or all of them."""
        self._logins = [known for known in self._logins if host and known != host]
        self._save()

    def add(self, name: ImageName, image: Image) -> None:
        """Give an image a name, which may have been another's."""
        self._images[str(name)] = image.manifest
        self._save()

    def find(self, name: ImageName) -> Image | None:
        """Return the image of a name, or None."""
        manifest = self._images.get(str(name))
        return None if manifest is None else Image(manifest)

    def find_by_id(self, identifier: str) -> Image | None:
        """Return the image whose digest begins with an id, with or without `sha256:`, or None."""
        wanted = identifier.removeprefix("sha256:")
        found = (Image(manifest) for manifest in self._images.values())
        return next((each for each in found if wanted and each.digest[7:].startswith(wanted)), None)

    def remove(self, image: Image) -> None:
        """Forget an image and all its names."""
        self._images = {name: manifest for name, manifest in self._images.items() if manifest != image.manifest}
        self._save()

    def _save(self) -> None:
        self._path.write_text(json.dumps({"images": self._images, "logins": self._logins}), encoding="utf-8")
