"""moto's ECR with a tag that moves: the image that had it stays, untagged, and can be pulled by its digest.

moto deletes that image, so that a service which resolved the tag before could no longer start a task.
"""

from __future__ import annotations

from typing import Any

from moto.ecr.models import ECRBackend

original_put_image = ECRBackend.put_image
"""What moto does by itself."""


def install() -> None:
    """Make moto keep untagged images, in the whole process. Idempotent."""
    ECRBackend.put_image = _put_image  # type: ignore[method-assign]  # moto has no other way


def _put_image(  # noqa: PLR0917 - moto's signature
    self: ECRBackend,
    repository_name: str,
    image_manifest: str,
    image_tag: str,
    image_manifest_mediatype: str | None = None,
    digest: str | None = None,
) -> Any:  # noqa: ANN401 - moto's image
    repository = self.repositories.get(repository_name)
    if repository is not None and image_tag and repository.image_tag_mutability == "MUTABLE":
        for image in repository.images:
            if image_tag in image.image_tags and image.image_manifest != image_manifest:
                image.remove_tag(image_tag)
    return original_put_image(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, digest)
