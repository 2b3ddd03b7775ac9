"""Images in Amazon ECR."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.model.image import FoundImage, ImageRef, ImageRepository, is_digest
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import (
        BatchGetImageRequestTypeDef,
        DescribeImagesRequestTypeDef,
        ImageIdentifierTypeDef,
    )

_MANIFEST_LISTS = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""Media types of an image that stands for one image for each platform (distribution spec; OCI image spec)."""


class EcrImages:
    """The registries that our credentials may look into.

    `ecr` gives the caller for a region; an empty one means the delivery's own.
    """

    def __init__(self, ecr: Callable[[str], ServiceClient[ECRClient]]) -> None:
        self._ecr = ecr

    def find(self, image: ImageRef) -> FoundImage | None:
        """Return the image, or None when the repository has no such tag: one DescribeImages by tag.

        Raises:
            ImageMissing: there is no such repository.
            AccessDenied: `ecr:DescribeImages` is not allowed.
        """
        return self._describe(image.where, {"imageTag": str(image.tag)}, f"image tag {quoted(str(image.tag))}")

    def find_digest(self, repository: ImageRepository, digest: str) -> FoundImage | None:
        """Return the image with that digest, or None when the repository has none: one DescribeImages by digest.

        Raises: as `find` does.
        """
        return self._describe(repository, {"imageDigest": digest}, f"image {quoted(digest)}")

    def _describe(
        self, repository: ImageRepository, identifier: ImageIdentifierTypeDef, named: str
    ) -> FoundImage | None:
        account = f" of account {repository.registry_id}" if repository.registry_id else ""
        request: DescribeImagesRequestTypeDef = {"repositoryName": repository.name, "imageIds": [identifier]}
        if repository.registry_id:
            request["registryId"] = repository.registry_id
        doing = f"find {named} in ECR repository {quoted(repository.name)}{account}"
        with self._ecr(repository.region).calling(doing) as ecr:
            try:
                found = ecr.describe_images(**request)["imageDetails"][0]
            except ecr.exceptions.ImageNotFoundException:
                return None
            return FoundImage(
                found["imageDigest"],
                found.get("imagePushedAt"),
                tags=tuple(found.get("imageTags", [])),
                is_index=found.get("imageManifestMediaType", "") in _MANIFEST_LISTS,
            )

    def platforms(self, repository: ImageRepository, digest: str) -> tuple[str, ...]:
        """Return the digests of the platforms' images of the index with that digest: one BatchGetImage.

        Raises:
            AccessDenied: `ecr:BatchGetImage` is not allowed.
        """
        doing = f"see the platforms of image {quoted(digest)} in ECR repository {quoted(repository.name)}"
        request: BatchGetImageRequestTypeDef = {
            "repositoryName": repository.name,
            "imageIds": [{"imageDigest": digest}],
            "acceptedMediaTypes": list(_MANIFEST_LISTS),
        }
        if repository.registry_id:
            request["registryId"] = repository.registry_id
        with self._ecr(repository.region).calling(doing) as ecr:
            images = ecr.batch_get_image(**request)["images"]
            return platform_digests(images[0].get("imageManifest", "")) if images else ()


def platform_digests(manifest: str) -> tuple[str, ...]:
    """Return the digests in a manifest list or OCI image index; none where it is something else."""
    try:
        entries = json.loads(manifest)["manifests"]
    except (ValueError, KeyError, TypeError):
        return ()
    digests = (entry.get("digest") for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    return tuple(digest for digest in digests if isinstance(digest, str) and is_digest(digest))
