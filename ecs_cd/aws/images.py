"""Images in Amazon ECR."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.model.image import FoundImage, ImageRef
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import DescribeImagesRequestTypeDef


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
            return FoundImage(found["imageDigest"], found.get("imagePushedAt"))
