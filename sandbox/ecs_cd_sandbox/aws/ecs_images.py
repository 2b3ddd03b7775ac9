"""Which image of moto's ECR a container's `image` names, and what ECS shows as its digest."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.ecr.models import ecr_backends

_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}


def is_ecr_image(reference: str) -> bool:
    """Whether the reference names an image of ECR; the sandbox has no other registry."""
    return _ECR_IMAGE.fullmatch(reference) is not None


def image_digest(reference: str) -> str | None:
    """Return the digest of an image that is in ECR (an index's own); None for a missing one and other registries.

    Of `name:tag@digest` the digest counts, as for every client of a registry.
    """
    found = _find(reference)
    return None if found is None else str(found.get_image_digest())


def image_tags(reference: str) -> set[str]:
    """Return the tag that a reference names, else the tags that the image with its digest has in ECR."""
    match = _ECR_IMAGE.fullmatch(reference)
    if match is None:
        return {reference.partition("@")[0].rpartition(":")[2]}
    if match["tag"]:
        return {match["tag"]}
    found = _find(reference)
    return set(found.image_tags) if found is not None else set()


def repository_of(reference: str) -> str:
    """Return a reference without its tag and digest."""
    name = reference.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def platform_digest(reference: str, architecture: str) -> str | None:
    """Return the digest of the manifest for Linux on `architecture` (ECS's word, such as `X86_64`).

    It is the image's own digest where the image is no index; None where the image or the platform is missing.
    """
    found = _find(reference)
    if found is None:
        return None
    manifests: list[dict[str, Any]] = json.loads(found.image_manifest).get("manifests", [])
    if not manifests:
        return str(found.get_image_digest())
    wanted = {"os": "linux", "architecture": _ARCHITECTURES.get(architecture, "amd64")}
    matching = (one for one in manifests if wanted.items() <= one.get("platform", {}).items())
    return next((str(one["digest"]) for one in matching), None)


def _find(reference: str) -> Any:  # noqa: ANN401 - moto's image, which has no types
    match = _ECR_IMAGE.fullmatch(reference)
    if match is None or match["account"] not in ecr_backends:
        return None
    regions: Any = ecr_backends[match["account"]]
    if match["region"] not in regions.keys():  # noqa: SIM118 - `in regions` is true for regions not yet in use
        return None
    repository = regions[match["region"]].repositories.get(match["name"])
    for found in repository.images if repository is not None else ():
        if match["digest"]:
            if found.get_image_digest() == match["digest"]:
                return found
        elif (match["tag"] or "latest") in found.image_tags:
            return found
    return None
