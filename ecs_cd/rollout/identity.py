"""Step 5: the verdict by the image that runs, where the snapshot alone does not tell which one that is (rule 10).

A digest that is not the tag's may be that of one of its platforms, that of a newer tag, or the tag's own by now. The
registry tells; it is asked only then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ecs_cd.errors import AnotherImage, SettingsError
from ecs_cd.model.image import FoundImage
from ecs_cd.model.image_name import ImageMatch, container_image, known_digests, match_image, pinned_digest
from ecs_cd.model.service import Deployment, ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.rollout.judge import Wanted, judge
from ecs_cd.sanitize import quoted


class Registry(Protocol):
    """What the registry has of images that run. A sentence says why something cannot be told."""

    def find(self, image: str, digest: str) -> FoundImage | str | None:
        """Return what it has of an image reference under a digest; None if nothing."""

    def platforms(self, index: str) -> tuple[str, ...] | str:
        """Return the digests of the platforms of the delivery's image, an image index with that digest."""


class NoRegistry:
    """Know nothing of any digest; for those who have no registry to ask."""

    def find(self, _image: str, _digest: str) -> FoundImage | str | None:
        """Return None."""
        return None

    def platforms(self, _index: str) -> tuple[str, ...] | str:
        """Return none."""
        return ()


NO_REGISTRY = NoRegistry()
_UNEXPLAINED = (Serving.NOT_APPLIED, Serving.REVERTED, Serving.OTHER_IMAGE)


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what is to be said of how it was reached; `notes` are sentences.

    `wanted` has the digests that were accepted by then.
    """

    verdict: Verdict
    wanted: Wanted
    notes: tuple[str, ...] = ()


def judge_image(
    snapshot: ServiceSnapshot, wanted: Wanted, registry: Registry = NO_REGISTRY, *, was_primary: bool = False
) -> Judgement:
    """Return what the snapshot says of the wanted image, as `judge` does; ask the registry where that may matter.

    Raises:
        SettingsError: it is not clear which container is meant.
    """
    unseen = ""
    if wanted.index and any(_is_unexplained(one, snapshot.target, wanted) for one in snapshot.deployments):
        wanted, unseen = with_platforms(wanted, registry)
    verdict = judge(snapshot, wanted, was_primary=was_primary)
    primary = snapshot.primary
    if verdict.serving not in _UNEXPLAINED or primary is None or not _is_unexplained(primary, snapshot.target, wanted):
        return Judgement(verdict, wanted)
    running = known_digests(verdict.image, primary.digests)
    found = registry.find(verdict.image, running[0]) if len(running) == 1 else None
    if found is None or isinstance(found, str):
        return Judgement(verdict, wanted, tuple(filter(None, [found, unseen])))
    match = match_image(verdict.image, running, wanted.tag, wanted.digests)
    note = _why_accepted(found, wanted, verdict.image, unseen if match is ImageMatch.RETAGGED else "")
    known = replace(wanted, digests=(*wanted.digests, found.digest)) if note else wanted
    judged = judge(snapshot, known, was_primary=was_primary, tags=found.tags)
    return Judgement(judged, wanted, (note,) if note else ())


def with_platforms(wanted: Wanted, registry: Registry) -> tuple[Wanted, str]:
    """Return what should serve with the digests of its index's platforms, or why they cannot be seen."""
    platforms = registry.platforms(wanted.index)
    if isinstance(platforms, str):
        return wanted, platforms
    return replace(wanted, digests=(*wanted.digests, *platforms), index=""), ""


def _is_unexplained(deployment: Deployment, target: ServiceTarget, wanted: Wanted) -> bool:
    """Return whether a deployment runs a digest of which its reference does not say that it is another tag's."""
    try:
        image = container_image(deployment.task_definition, target)
    except SettingsError:  # an old revision may have had other containers
        return False
    match = match_image(image, deployment.digests, wanted.tag, wanted.digests)
    return match is ImageMatch.RETAGGED or (match is ImageMatch.OTHER and bool(pinned_digest(image)))


def _why_accepted(found: FoundImage, wanted: Wanted, image: str, unseen: str) -> str:
    """Return why a digest is taken for the tag's, though it is not known to be; empty where it is not."""
    if str(wanted.tag) in found.tags and not wanted.built:
        return (
            f"The service runs {image} with digest {found.digest}, which its registry has under {wanted.tag} now. The "
            "tag was pushed again after it was checked, or is of another registry than the one that was asked."
        )
    if unseen and not found.is_index:
        return (
            f"Whether digest {found.digest}, which runs, is that of one of {wanted.tag}'s platforms is not known; it "
            f"is taken for it. {unseen}"
        )
    return ""


def another_image(
    target: ServiceTarget, wanted: Wanted, verdict: Verdict, details: tuple[str, ...] = ()
) -> AnotherImage:
    """Return the error of a service that runs the tag with another image."""
    if pinned_digest(verdict.image):
        how = "The task definition pins the digest: have Terraform read it anew from ECR when it applies."
    else:
        how = (
            f"To run what ECR has under {wanted.tag} now, start a new deployment of the service in cluster "
            f"{quoted(target.cluster)} "
            "(`aws ecs update-service --force-new-deployment`, or a run of Terraform that forces one)."
        )
    return AnotherImage(
        f"{quoted(target.service)} runs another image under {wanted.tag}. {verdict.sentence}",
        hint=f"Build and deliver a new tag, and make the repository's tags immutable. {how}",
        details=details,
    )
