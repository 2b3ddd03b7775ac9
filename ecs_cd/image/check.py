"""Step 2: the image exists in ECR before anything is changed (rule 2)."""

from __future__ import annotations

from typing import Protocol

from ecs_cd.errors import ImageMissing, Throttled
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import CheckedImage, FoundImage, ImageRef, ImageRepository, ImageTag
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline, format_duration
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=2.0, factor=1.5, most=15.0)


class Images(Protocol):
    """A registry."""

    def find(self, image: ImageRef) -> FoundImage | None:
        """Return the image that has the tag now; None when the repository has no such tag.

        Raises:
            ImageMissing: there is no such repository.
            EcsCdError: any other answer of the registry.
        """

    def find_digest(self, repository: ImageRepository, digest: str) -> FoundImage | None:
        """Return the image with that digest; None when there is none.

        Raises: as `find` does.
        """

    def platforms(self, repository: ImageRepository, digest: str) -> tuple[str, ...]:
        """Return the digests of the platforms' images of the image index with that digest.

        Raises: as `find` does.
        """


def check_image(images: Images, image: ImageRef, *, deadline: Deadline, wait: float = 0.0) -> CheckedImage:
    """Return the image's digest and push time.

    `wait`: seconds to go on looking for a tag that is not there yet, or is still that of another image (replication
    between regions takes a while), never past the deadline.

    Raises:
        ImageMissing: the tag is not there, or its digest is not the wanted one.
    """
    found = images.find(image) if wait <= 0 else _wait_for_image(images, image, deadline, wait)
    if found is None:
        where = f" in account {image.registry_id}" if image.registry_id else ""
        raise ImageMissing(
            f"ECR repository {quoted(image.repository)}{where} has no image tagged {quoted(str(image.tag))}"
            f"{f' (waited {format_duration(wait)})' if wait > 0 else ''}.",
            hint=Message(
                "Check that the build pushed it to this registry and region and that no lifecycle policy removed it; "
                "where images are replicated, give it time with ",
                SettingRef("wait_for_image"),
                ".",
            ),
        )
    if not has_digest(images, image, found):
        raise ImageMissing(
            f"ECR has another image under {image.repository}:{image.tag}: its digest is {found.digest}, "
            f"and not {quoted(image.digest)}.",
            hint="The tag was pushed again since, or is not copied to this registry yet. Build once more, or make the "
            "repository's tags immutable.",
        )
    return checked(image, found)


def checked(image: ImageRef, found: FoundImage) -> CheckedImage:
    """Return the image as ECR has it under its tag."""
    return CheckedImage(image.tag, found.digest, found.pushed_at, found.is_index, built=image.digest)


def has_digest(images: Images, image: ImageRef, found: FoundImage) -> bool:
    """Return whether what was found under a tag has the digest that is wanted there, or a platform of it has."""
    if image.digest in ("", found.digest):
        return True
    return found.is_index and image.digest in images.platforms(image.where, found.digest)


def unchecked_image(tag: ImageTag, built: str = "") -> CheckedImage:
    """Return the tag as if checked, for those who choose not to look; `built` is the digest that the build gave."""
    return CheckedImage(tag, built=built)


def _wait_for_image(images: Images, image: ImageRef, deadline: Deadline, wait: float) -> FoundImage | None:
    until = deadline.clock.now() + wait

    def look() -> FoundImage | NotYet | None:
        found = images.find(image)
        right = found and has_digest(images, image, found)
        return found if right or deadline.clock.now() >= until else NOT_YET

    doing = f"waiting for image {image.repository}:{image.tag} to appear in ECR"
    return wait_for(look, deadline=deadline, backoff=BACKOFF, doing=doing, tolerate=Throttled)
