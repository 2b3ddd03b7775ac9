"""Step 2: the image exists in ECR before anything is changed (rule 2)."""

from __future__ import annotations

from typing import Protocol

from ecs_cd.errors import ImageMissing, Throttled
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import CheckedImage, FoundImage, ImageRef, ImageTag
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline, format_duration
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=2.0, factor=1.5, most=15.0)


class Images(Protocol):
    """A registry."""

    def find(self, image: ImageRef) -> FoundImage | None:
        """Return the image, or None when the repository has no such tag.

        Raises:
            ImageMissing: there is no such repository.
            EcsCdError: any other answer of the registry.
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
    if image.digest and image.digest != found.digest:
        raise ImageMissing(
            f"ECR has another image under {image.repository}:{image.tag}: its digest is {found.digest}, "
            f"and not {quoted(image.digest)}.",
            hint="The tag was pushed again since, or is not copied to this registry yet. Build once more, or make the "
            "repository's tags immutable.",
        )
    return CheckedImage(image.tag, found.digest, found.pushed_at, found.platforms)


def unchecked_image(tag: ImageTag) -> CheckedImage:
    """Return the tag as if checked, for those who choose not to look."""
    return CheckedImage(tag)


def _wait_for_image(images: Images, image: ImageRef, deadline: Deadline, wait: float) -> FoundImage | None:
    until = deadline.clock.now() + wait

    def look() -> FoundImage | NotYet | None:
        found = images.find(image)
        right = found and image.digest in ("", found.digest)
        return found if right or deadline.clock.now() >= until else NOT_YET

    doing = f"waiting for image {image.repository}:{image.tag} to appear in ECR"
    return wait_for(look, deadline=deadline, backoff=BACKOFF, doing=doing, tolerate=Throttled)
