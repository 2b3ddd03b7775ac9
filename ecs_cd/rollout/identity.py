"""Step 5: the verdict by the image that runs, where the snapshot alone does not tell which one that is (rule 10).

A digest that is none of the tag's may be that of a newer tag, or the tag's own by now. The registry tells; it is asked
only then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ecs_cd.errors import AnotherImage
from ecs_cd.model.image import FoundImage
from ecs_cd.model.image_name import ImageMatch, known_digests, match_image, pinned_digest
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.rollout.judge import Wanted, judge
from ecs_cd.sanitize import quoted

LookUp = Callable[[str, str], FoundImage | str | None]
"""Returns what the registry has of an image reference under a digest; None if nothing, a sentence if it cannot tell."""

_UNEXPLAINED = (Serving.NOT_APPLIED, Serving.REVERTED, Serving.OTHER_IMAGE)


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what is to be said of how it was reached; `notes` are sentences."""

    verdict: Verdict
    notes: tuple[str, ...] = ()


def cannot_look_up(_image: str, _digest: str) -> None:
    """Know nothing of any digest; for those who have no registry to ask."""


def judge_image(
    snapshot: ServiceSnapshot, wanted: Wanted, look_up: LookUp = cannot_look_up, *, was_primary: bool = False
) -> Judgement:
    """Return what the snapshot says of the wanted image, as `judge` does; ask the registry where that may matter.

    Raises:
        SettingsError: it is not clear which container is meant.
    """
    verdict = judge(snapshot, wanted, was_primary=was_primary)
    primary = snapshot.primary
    if verdict.serving not in _UNEXPLAINED or primary is None:
        return Judgement(verdict)
    match = match_image(verdict.image, primary.digests, wanted.tag, wanted.digests)
    digest = _unexplained_digest(verdict.image, known_digests(verdict.image, primary.digests), match)
    found = look_up(verdict.image, digest) if digest else None
    if isinstance(found, str):
        return Judgement(verdict, tuple(filter(None, [found, wanted.platforms_unseen])))
    if found is None:
        return Judgement(verdict)
    note = _why_accepted(found, wanted, verdict.image, match)
    known = replace(wanted, digests=(*wanted.digests, digest)) if note else wanted
    judged = judge(snapshot, known, was_primary=was_primary, tags=found.tags)
    return Judgement(judged, (note,) if note else ())


def _unexplained_digest(image: str, running: tuple[str, ...], match: ImageMatch) -> str:
    """Return the one digest that runs, if the reference does not say which tag it has; empty where there is none."""
    unexplained = match is ImageMatch.RETAGGED or (match is ImageMatch.OTHER and pinned_digest(image))
    return running[0] if unexplained and len(running) == 1 else ""


def _why_accepted(found: FoundImage, wanted: Wanted, image: str, match: ImageMatch) -> str:
    """Return why a digest is taken for the tag's, though it was not among those known; empty where it is not."""
    if str(wanted.tag) in found.tags and not wanted.built:
        return (
            f"The service runs {image} with digest {found.digest}, which its registry has under {wanted.tag} now. The "
            "tag was pushed again after it was checked, or is of another registry than the one that was asked."
        )
    if match is ImageMatch.RETAGGED and wanted.platforms_unseen and not found.is_index:
        return (
            f"Whether digest {found.digest}, which runs, is that of one of {wanted.tag}'s platforms is not known; it "
            f"is taken for it. {wanted.platforms_unseen}"
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
