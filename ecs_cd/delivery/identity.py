"""Which image a tag is, and what the registry says of the one that runs: what a verdict by digest needs (rule 10)."""

from __future__ import annotations

from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.errors import EcsCdError
from ecs_cd.image.check import Images, checked, has_digest, unchecked_image
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.events import Phase
from ecs_cd.model.image import CheckedImage, FoundImage, ImageRepository
from ecs_cd.model.image_name import known_digests, repository_in
from ecs_cd.model.service import ServiceSnapshot, Serving, Verdict
from ecs_cd.rollout.judge import Wanted
from ecs_cd.sanitize import quoted


class RunningImages:
    """What the registry has of images that run: a `rollout.identity.Registry`, in which each digest is asked for once.

    Where the image's name is not one of ECR's, the place's repository is asked; where that is not to be asked, nothing.
    """

    def __init__(self, images: Images, place: Place) -> None:
        self._images = images
        self._repository = place.repository
        self._known: dict[tuple[ImageRepository, str], FoundImage | str | None] = {}
        self._platforms: dict[str, tuple[str, ...] | str] = {}

    def find(self, image: str, digest: str) -> FoundImage | str | None:
        """Return the image with that digest; None where there is none, a sentence where that cannot be told."""
        if self._repository is None:
            return None
        key = repository_in(image, self._repository), digest
        if key not in self._known:
            try:
                self._known[key] = self._images.find_digest(*key)
            except EcsCdError as error:
                self._known[key] = f"What ECR has under digest {digest} is not known: {error.message}"
        return self._known[key]

    def platforms(self, index: str) -> tuple[str, ...] | str:
        """Return the digests of the platforms of an index in the place's repository, or why they cannot be seen."""
        if self._repository is None:
            return ()
        if index not in self._platforms:
            try:
                self._platforms[index] = self._images.platforms(self._repository, index)
            except EcsCdError as error:
                self._platforms[index] = error.message
        return self._platforms[index]


def identify(delivery: Delivery, images: Images, report: ReportBuilder) -> CheckedImage:
    """Return the delivery's image as ECR has it now, for those who verify what others have delivered.

    What ECR cannot tell is a warning: the tag is judged by its name, or by the digest that the build gave. Where ECR
    has another image under the tag than the build gave, the build's is the one that should run.
    """
    tag, built = delivery.tag, delivery.digest
    reference = delivery.image
    if reference is None:
        return unchecked_image(tag, built)
    with report.phase(Phase.CHECK, f"looking up {tag} in ECR") as phase:
        is_built = True
        try:
            found = images.find(reference)
            is_built = found is None or has_digest(images, reference, found)
        except EcsCdError as error:
            found, why = None, error.message
        else:
            why = f"ECR repository {quoted(reference.repository)} has no image with this tag any more."
        phase.found = "image found." if found else "image not found."
    if found is None:
        report.warn(f"Whether the image that runs is the one of {tag} is not judged by ECR's digest: {why}")
        return unchecked_image(tag, built)
    if not is_built:
        report.warn(
            f"ECR has another image under {tag} by now: its digest is {found.digest}, and the build gave {built}."
        )
        return unchecked_image(tag, built)
    return checked(reference, found)


def say_how_judged(
    report: ReportBuilder, snapshot: ServiceSnapshot, verdict: Verdict, wanted: Wanted, notes: tuple[str, ...]
) -> None:
    """Add to the report what is to be said of how the verdict was reached, each thing once."""
    for sentence in dict.fromkeys((*notes, *snapshot.unseen)):
        if sentence not in report.warnings:
            report.warn(sentence)
    deployment = verdict.deployment
    if verdict.serving is not Serving.DEPLOYED or deployment is None or not deployment.running:
        return
    running = known_digests(verdict.image, deployment.digests)
    if running:
        report.add_evidence(f"The digest that runs is {running[0]}.")
    elif wanted.digests:
        report.add_evidence(f"Which digest runs was not seen: that it is {wanted.tag} is judged by its tag alone.")
