"""Images in Amazon ECR."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.errors import DeliveryFailed
from ecs_cd.model.image import FoundImage, ImageRef, is_digest
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import BatchGetImageRequestTypeDef, DescribeImagesRequestTypeDef

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

        One BatchGetImage more where it is a manifest list, for the digests of its platforms. Without that right they
        stay unknown.

        Raises:
            ImageMissing: there is no such repository.
            AccessDenied: `ecr:DescribeImages` is not allowed.
        """
        account = f" of account {image.registry_id}" if image.registry_id else ""
        doing = f"find image tag {quoted(str(image.tag))} in ECR repository {quoted(image.repository)}{account}"
        with self._ecr(image.region).calling(doing) as ecr:
            request: DescribeImagesRequestTypeDef = {
                "repositoryName": image.repository,
                "imageIds": [{"imageTag": str(image.tag)}],
            }
            if image.registry_id:
                request["registryId"] = image.registry_id
            try:
                answer = ecr.describe_images(**request)
            except ecr.exceptions.ImageNotFoundException:
                return None
            found = answer["imageDetails"][0]
            digest, kind = found["imageDigest"], found.get("imageManifestMediaType", "")
            pushed_at = found.get("imagePushedAt")
        platforms = self._platforms(image, digest) if kind in _MANIFEST_LISTS else ()
        return FoundImage(digest, pushed_at, platforms)

    def _platforms(self, image: ImageRef, digest: str) -> tuple[str, ...]:
        doing = f"see the platforms of image {quoted(digest)} in ECR repository {quoted(image.repository)}"
        request: BatchGetImageRequestTypeDef = {
            "repositoryName": image.repository,
            "imageIds": [{"imageDigest": digest}],
            "acceptedMediaTypes": list(_MANIFEST_LISTS),
        }
        if image.registry_id:
            request["registryId"] = image.registry_id
        try:
            with self._ecr(image.region).calling(doing) as ecr:
                images = ecr.batch_get_image(**request)["images"]
        except DeliveryFailed:  # the index's own digest is enough where tasks report that
            return ()
        return platform_digests(images[0].get("imageManifest", "")) if images else ()


def platform_digests(manifest: str) -> tuple[str, ...]:
    """Return the digests in a manifest list or OCI image index; none where it is something else."""
    try:
        entries = json.loads(manifest)["manifests"]
    except (ValueError, KeyError, TypeError):
        return ()
    digests = (entry.get("digest") for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    return tuple(digest for digest in digests if isinstance(digest, str) and is_digest(digest))
