"""Promotion: deliver to one environment what another one serves (rule 13).

What counts in the other environment, the origin, is what its ECS serves healthily: the tag in the primary deployment,
whose rollout completed and whose tasks all run. It is delivered as any other tag, and the image in the registry it is
delivered from must have the digest of the one that the origin's tasks run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ecs_cd.delivery.deploy import Clouds, Delivery, interrupted_error
from ecs_cd.delivery.journal import Journal
from ecs_cd.delivery.rollback import deliver
from ecs_cd.errors import DeadlineReached, EcsCdError, ImageMissing, NothingToPromote, TooSoon
from ecs_cd.image.check import Images
from ecs_cd.messages import CommandRef, Message, SettingRef
from ecs_cd.model.events import Phase, PhaseStarted, Watch, ignore_events
from ecs_cd.model.image import CheckedImage, ImageRef, ImageTag, TagEntry
from ecs_cd.model.image_name import container_image, repository_of, tag_of
from ecs_cd.model.service import Deployment, ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.parameter.store import ManyParameters
from ecs_cd.report.report import OriginFact, Outcome, Report
from ecs_cd.rollout.follow import find_service
from ecs_cd.rollout.judge import Wanted, judge
from ecs_cd.rollout.services import Services
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import Deadline, format_duration
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

PACE = Backoff(first=2.0, factor=1.5, most=30.0)
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/.+"
)


@dataclass(frozen=True)
class Origin:
    """The environment whose tag is promoted, and on what condition.

    `parameter`: what is recorded there, for a warning where it is not what serves; may be empty. `check_image`: ask ECR
    for the digest where the task definition names none. `repository`, `registry` (account) and `region` say where, if
    the image's name is not one of ECR's. `serving_for`: seconds it must have served the tag.
    """

    environment: str
    target: ServiceTarget
    parameter: str = ""
    check_image: bool = True
    repository: str = ""
    registry: str = ""
    region: str = ""
    serving_for: float = 0.0


@dataclass(frozen=True)
class Source:
    """The origin's side of AWS."""

    images: Images
    parameters: ManyParameters
    services: Services


@dataclass(frozen=True)
class Wish:
    """What is promoted to where; `delivery` makes the delivery of it, once the tag is known."""

    service: str
    environment: str
    delivery: Callable[[TagEntry], Delivery]
    dry_run: bool = False


@dataclass(frozen=True)
class Served:
    """What the origin serves healthily. `since`: as `serving_since` has it."""

    tag: ImageTag
    image: str
    snapshot: ServiceSnapshot
    verdict: Verdict
    since: datetime | None


def promote_served(
    origin: Origin, source: Source, wish: Wish, clouds: Clouds, *, deadline: Deadline, watch: Watch = ignore_events
) -> Report:
    """Deliver what the origin serves, and return what happened; a promotion that fails is a report too.

    A rollout that is going on in the origin is waited for, and so is the rest of the time that it must have served,
    if the deadline leaves it.
    """
    journal = Journal(wish.service, wish.environment, None, deadline, watch, dry_run=wish.dry_run)
    try:
        entry, fact = _Looking(origin, source, deadline, journal).find()
    except EcsCdError as error:
        return journal.failed(error)
    except KeyboardInterrupt:
        return journal.failed(interrupted_error(journal))
    looked = journal.ended(Outcome.UNCHANGED)
    report = deliver(wish.delivery(entry), clouds, deadline=deadline, watch=watch)
    return replace(
        report,
        origin=fact,
        proved=(*looked.proved, *report.proved),
        warnings=(*looked.warnings, *report.warnings),
        phases=(*looked.phases, *report.phases),
        started_at=looked.started_at,
        seconds=round(looked.seconds + report.seconds, 3),
    )


def serving_since(snapshot: ServiceSnapshot, deployment: Deployment) -> datetime | None:
    """Return since when a deployment whose rollout is over has served, by AWS's clock; None if ECS has no word of it.

    That is the moment of its event `(service my-api) (deployment ecs-svc/...) deployment completed.` (so in the AWS
    CLI's examples of describe-services; `has reached a steady state.` follows it, and again and again later). ECS lists
    a hundred events; where this one is no longer among them, the deployment's last change counts: later, so that
    nothing is promoted too soon.
    """
    completed = f"(deployment {deployment.id}) deployment completed"
    for event in snapshot.events:
        if completed in event.message:
            return event.at
    return deployment.updated_at or deployment.created_at


@dataclass
class _Looking:
    """The look at the origin. `reason` is what it waits for, `told` what of it was told."""

    origin: Origin
    source: Source
    deadline: Deadline
    journal: Journal
    reason: str = ""
    told: str = ""

    def find(self) -> tuple[TagEntry, OriginFact]:
        where = self.origin.environment
        with self.journal.phase(Phase.CHECK, f"looking what {where} serves") as phase:
            served = self._awaited()
            digest, recorded = run_together(lambda: self._digest(served), self._recorded)
            self._compare(served, recorded)
            phase.found = f"{where} serves {served.tag}."
        since = f" since {served.since:%Y-%m-%d %H:%M:%S} UTC" if served.since else ""
        known = f", {digest}" if digest else ""
        self.journal.prove(f"{where} serves {served.image}{known}{since}: {served.verdict.sentence}")
        target = self.origin.target
        fact = OriginFact(where, target.cluster, target.service, str(served.tag), served.image, digest, served.since)
        return TagEntry(served.tag, digest=digest), fact

    def _awaited(self) -> Served:
        """Look until something serves for long enough; what cannot be reached at all is told at once."""
        found = self._look()
        if found is not NOT_YET:
            return found
        doing = f"waiting for {self.origin.environment} to serve a tag healthily"
        try:
            return wait_for(self._look, deadline=self.deadline, pace=PACE, doing=doing)
        except DeadlineReached as error:
            error.add((self.reason,))
            raise

    def _look(self) -> Served | NotYet:
        """Return what serves; not yet, while that is still to be seen.

        Raises:
            NothingToPromote: nothing serves, or not under a tag.
            TooSoon: it does not serve for long enough, and there is no time to wait for it.
        """
        snapshot = find_service(self.source.services, self.origin.target)
        primary = snapshot.primary
        if snapshot.status != "ACTIVE" or primary is None:
            raise self._nothing("it has no primary deployment" if primary is None else f"it is {snapshot.status}")
        name = container_image(primary.task_definition, self.origin.target)
        tag = self._tag(name)
        pinned = name.partition("@")[2]
        verdict = judge(snapshot, Wanted(CheckedImage(tag, pinned)))
        if verdict.serving is Serving.FAILED:
            raise self._nothing(f"{tag} failed there: {verdict.sentence}")
        if verdict.serving is not Serving.DEPLOYED:
            return self._wait(f"{self.origin.environment} is rolling out {tag}: {verdict.sentence}")
        if primary.running < primary.desired:
            return self._wait(f"{self.origin.environment} serves {tag} with {verdict.sentence}")
        served = Served(tag, name, snapshot, verdict, serving_since(snapshot, primary))
        return served if self.origin.serving_for <= 0 else self._soaked(served)

    def _tag(self, name: str) -> ImageTag:
        """Return the tag of the image; where it has a digest alone, the recorded one if ECR says it is the same."""
        tag, pinned = tag_of(name), name.partition("@")[2]
        if tag:
            return ImageTag(tag)
        recorded = self._recorded()
        if recorded and self.origin.check_image:
            found = self.source.images.find(self._reference(name, ImageTag(recorded)))
            if found and found.digest == pinned:
                return ImageTag(recorded)
        raise self._nothing(f"its image {name} has no tag")

    def _soaked(self, served: Served) -> Served | NotYet:
        """Compare the time ECS says with ours (UTC both); a clock that is behind never makes it wait longer."""
        if served.snapshot.desired == 0:
            raise self._nothing(f"its desired count is 0, so {served.tag} has not been put to the test")
        if served.since is None:
            raise self._nothing(f"ECS does not say since when it serves {served.tag}")
        served_for = max(0.0, (self.deadline.clock.utc() - served.since).total_seconds())
        left = self.origin.serving_for - served_for
        if left <= 0:
            return served
        wanted = format_duration(self.origin.serving_for)
        said = f"{self.origin.environment} has served {served.tag} for {format_duration(served_for)} of {wanted}"
        if left > self.deadline.remaining():
            raise TooSoon(
                f"{said}, and the deadline leaves {format_duration(self.deadline.remaining())} to wait for the rest.",
                hint=Message(
                    f"Promote again in {format_duration(left)}, or allow more time with ", SettingRef("timeout"), "."
                ),
            )
        return self._wait(said, f"{self.origin.environment} must have served {served.tag} for {wanted}")

    def _wait(self, reason: str, told: str = "") -> NotYet:
        """Tell what is waited for, once, and return NOT_YET; `told` is what does not change of the reason.

        Raises:
            TooSoon: it is a dry run, which does not wait.
        """
        if self.journal.dry_run:
            raise TooSoon(f"{reason.rstrip('.')}, so nothing would be promoted now.", hint="Try again later.")
        self.reason = reason
        self.journal.doing = f"waiting: {reason}"
        if self.told != (told or reason):
            self.told = told or reason
            self.journal.watch(PhaseStarted(Phase.CHECK, self.journal.doing))
        return NOT_YET

    def _digest(self, served: Served) -> str:
        """Return the digest of what the origin's tasks run: the task definition's, else ECR's for this tag.

        Raises:
            ImageMissing: ECR has no such image any more.
        """
        pinned = served.image.partition("@")[2]
        if pinned or not self.origin.check_image:
            return pinned
        wanted = self._reference(served.image, served.tag)
        found = self.source.images.find(wanted)
        if found is None:
            raise ImageMissing(
                f"{self.origin.environment} serves {served.image}, and ECR has no such image any more, so whether "
                f"another registry has the same one cannot be told.",
                hint="Check whether a lifecycle policy removed it, or set `check_image: false` for that environment.",
            )
        return found.digest

    def _reference(self, name: str, tag: ImageTag) -> ImageRef:
        """Return where ECR has an image: where its name says, else where the settings say."""
        origin = self.origin
        if match := _ECR.fullmatch(name):
            return ImageRef(repository_of(name), tag, match["account"], match["region"])
        return ImageRef(origin.repository, tag, origin.registry, origin.region)

    def _recorded(self) -> str | None:
        """Return what is recorded in the origin; None where that cannot be told."""
        name = self.origin.parameter
        if not name:
            return None
        try:
            found = self.source.parameters.read_many([name]).get(name)
        except EcsCdError as error:  # what serves is promoted, whatever is recorded
            self.journal.warn(
                f"Whether {self.origin.environment} serves what is recorded is not known: {error.message}"
            )
            return None
        return found.value if found else None

    def _compare(self, served: Served, recorded: str | None) -> None:
        where = self.origin.environment
        if recorded not in (None, str(served.tag)):
            self.journal.warn(
                f"{where} serves {served.tag}, though {self.origin.parameter} holds {recorded}: "
                "what serves is promoted."
            )
        if not self.origin.check_image and "@" not in served.image:
            self.journal.warn(
                f"Whether it is the very image that {where} serves was not looked at: its digest is unknown."
            )
        if served.snapshot.desired == 0:
            self.journal.warn(f"The desired count in {where} is 0: {served.tag} is deployed there, and no task runs.")

    def _nothing(self, why: str) -> NothingToPromote:
        target = self.origin.target
        return NothingToPromote(
            f"ECS service {quoted(target.service)} in cluster {quoted(target.cluster)} ({self.origin.environment}) "
            f"serves nothing that can be promoted: {why.rstrip('.')}.",
            hint=Message(
                f"Deliver a tag to {self.origin.environment} first; ", CommandRef("status"), " shows what runs where."
            ),
        )
