"""Manifests of images as a registry keeps them: all that tells two images apart here is the text they are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"


@dataclass(frozen=True)
class ImageIndex:
    """An image for several platforms: the index's own digest, and each platform's (`linux/amd64`)."""

    digest: str
    platforms: Mapping[str, str]


def manifest_digest(manifest: str) -> str:
    """Return the digest by which a registry knows this manifest."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def image_manifest(content: str) -> str:
    """Return the manifest of an image of one layer."""
    layer = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023, "digest": layer},
            "layers": [
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 32654, "digest": layer}
            ],
        }
    )


def index_manifest(digests: Mapping[str, str]) -> str:
    """Return the manifest of an index of images, whose digests go by their platforms."""
    manifests = [
        {
            "mediaType": IMAGE,
            "size": 1098,
            "digest": digest,
            "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
        }
        for platform, digest in digests.items()
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
