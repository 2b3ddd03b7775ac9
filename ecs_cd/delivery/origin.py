"""What an environment serves, which a promotion copies (rule 13): found, waited for, and compared with ECR."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.errors import DeadlineReached, EcsCdError, ImageMissing, NothingToPromote, TooSoon
from ecs_cd.image.check import Images
from ecs_cd.messages import CommandRef, Message, SettingRef
from ecs_cd.model.delivery import Place
from ecs_cd.model.events import Phase, PhaseStarted
from ecs_cd.model.image import FoundImage, ImageRepository, ImageTag
from ecs_cd.model.image_name import container_image, known_digests, repository_in, tag_of
from ecs_cd.model.order import Order
from ecs_cd.model.service import Deployment, ServiceSnapshot, ServiceTarget, Serving, Verdict
from ecs_cd.parameter.store import ManyParameters
from ecs_cd.report.facts import OriginFact
from ecs_cd.rollout.follow import find_service
from ecs_cd.rollout.judge import judge
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.sanitize import comma_list, quoted
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import format_duration
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=2.0, factor=1.5, most=30.0)


@dataclass(frozen=True)
class Origin:
    """The place whose tag is promoted. `serving_for`: seconds it must have served the tag.

    Its parameter is read for a warning where it is not what serves; it may be empty. Its repository is where ECR is
    asked for the digest, where neither ECS nor the task definition says it and the image's name is not one of ECR's;
    None: ECR is not asked. `order` chooses among several tags of one image.
    """

    place: Place
    serving_for: float = 0.0
    order: Order = Order.NUMERIC


@dataclass(frozen=True)
class Source:
    """The origin's side of AWS."""

    images: Images
    parameters: ManyParameters
    services: Services


@dataclass(frozen=True)
class Found:
    """What the origin serves, and what a report says of it."""

    tag: ImageTag
    fact: OriginFact


@dataclass(frozen=True)
class Served:
    """What the origin serves healthily. `image` as the task definition names it, `since` as `serving_since` has it.

    `digest` is the one that runs there; empty where ECS does not say it.
    """

    tag: ImageTag
    image: str
    digest: str
    snapshot: ServiceSnapshot
    verdict: Verdict
    since: datetime | None


def find_served(origin: Origin, source: Source, report: ReportBuilder) -> Found:
    """Return what the origin serves; wait for a rollout that is going on, as long as the deadline allows.

    Raises:
        NothingToPromote: nothing serves, or not under a tag.
        TooSoon: it does not serve for long enough, and there is no time to wait for it.
        ImageMissing: ECR has no such image any more.
        EcsCdError: AWS did not answer as needed.
    """
    target = origin.place.require_service()
    return _OriginLook(origin.place, target, origin.serving_for, origin.order, source, report).find()


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
class _OriginLook:
    """A look at the origin, or several. `reason` is what it waits for, `shown` what of it was shown."""

    place: Place
    target: ServiceTarget
    serving_for: float
    order: Order
    source: Source
    report: ReportBuilder
    reason: str = ""
    shown: str = ""

    def find(self) -> Found:
        where = self.place.environment
        with self.report.phase(Phase.CHECK, f"looking what {where} serves") as phase:
            served = self._wait_for_it()
            digest, recorded = run_together(lambda: self._digest(served), self._recorded)
            self._compare(served, recorded)
            phase.found = f"{where} serves {served.tag}."
        since = f" since {served.since:%Y-%m-%d %H:%M:%S} UTC" if served.since else ""
        known = f", {digest}" if digest else ""
        self.report.add_evidence(f"{where} serves {served.image}{known}{since}: {served.verdict.sentence}")
        cluster, service = self.target.cluster, self.target.service
        return Found(
            served.tag, OriginFact(where, cluster, service, str(served.tag), served.image, digest, served.since)
        )

    def _wait_for_it(self) -> Served:
        """Look until something serves for long enough; what cannot be reached at all is an error at once."""
        found = self._look()
        if found is not NOT_YET:
            return found
        doing = f"waiting for {self.place.environment} to serve a tag healthily"
        try:
            return wait_for(self._look, deadline=self.report.deadline, backoff=BACKOFF, doing=doing)
        except DeadlineReached as error:
            error.add((self.reason,))
            raise

    def _look(self) -> Served | NotYet:
        """Return what serves; not yet, while that is still to be seen.

        Raises:
            NothingToPromote: nothing serves, or not under a tag.
            TooSoon: it does not serve for long enough, and there is no time to wait for it.
        """
        snapshot = find_service(self.source.services, self.target)
        primary = snapshot.primary
        if snapshot.status != "ACTIVE" or primary is None:
            raise self._nothing("it has no primary deployment" if primary is None else f"it is {snapshot.status}")
        name = container_image(primary.task_definition, self.target)
        running = known_digests(name, primary.digests)
        tag = self._tag(name, running)
        verdict = judge(snapshot, Wanted(tag, running))
        if verdict.serving is Serving.FAILED:
            raise self._nothing(f"{tag} failed there: {verdict.sentence}")
        if verdict.serving is not Serving.DEPLOYED:
            return self._wait(f"{self.place.environment} is rolling out {tag}: {verdict.sentence}")
        if len(running) > 1:
            raise self._nothing(f"its tasks run several images under {tag}: {comma_list(running)}")
        digest = running[0] if running else ""
        served = Served(tag, name, digest, snapshot, verdict, serving_since(snapshot, primary))
        return served if self.serving_for <= 0 else self._served_long_enough(served)

    def _tag(self, name: str, running: tuple[str, ...]) -> ImageTag:
        """Return the tag of the image; where it has a digest alone, the recorded one if ECR says it is the same.

        Else the only tag that ECR has for the digest, or the newest.
        """
        tag = tag_of(name)
        if tag:
            return ImageTag(tag)
        recorded, repository = self._recorded(), self.place.repository
        if repository is None:
            raise self._nothing(f"its image {name} has no tag")
        images, there = self.source.images, repository_in(name, repository)
        found = images.find(there.image(ImageTag(recorded))) if recorded else None
        if recorded and found and (running == (found.digest,) or self._has_platforms(there, found, running)):
            return ImageTag(recorded)
        pushed = images.find_digest(there, running[0])
        tags = list(pushed.tags) if pushed else []
        tag = tags[0] if len(tags) == 1 else self.order.newest(tags) or ""
        if not tag:
            several = f" and several tags in ECR ({comma_list(tags)})" if tags else ""
            raise self._nothing(f"its image {name} has no tag{several}")
        return ImageTag(tag)

    def _has_platforms(self, there: ImageRepository, found: FoundImage, running: tuple[str, ...]) -> bool:
        """Return whether an image is an index, and what runs are platforms of it."""
        return found.is_index and set(running) <= set(self.source.images.platforms(there, found.digest))

    def _served_long_enough(self, served: Served) -> Served | NotYet:
        """Compare the time ECS says with ours (UTC both); a clock that is behind never makes it wait longer."""
        if served.snapshot.desired == 0:
            raise self._nothing(f"its desired count is 0, so {served.tag} has not been put to the test")
        if served.since is None:
            raise self._nothing(f"ECS does not say since when it serves {served.tag}")
        served_for = max(0.0, (self.report.deadline.clock.utc() - served.since).total_seconds())
        left = self.serving_for - served_for
        if left <= 0:
            return served
        wanted = format_duration(self.serving_for)
        so_far = f"{self.place.environment} has served {served.tag} for {format_duration(served_for)} of {wanted}"
        remaining = self.report.deadline.remaining()
        if left > remaining:
            raise TooSoon(
                f"{so_far}, and the deadline leaves {format_duration(remaining)} to wait for the rest.",
                hint=Message(
                    f"Promote again in {format_duration(left)}, or allow more time with ", SettingRef("timeout"), "."
                ),
            )
        return self._wait(so_far, f"{self.place.environment} must have served {served.tag} for {wanted}")

    def _wait(self, reason: str, steady: str = "") -> NotYet:
        """Show what is waited for, once, and return NOT_YET; `steady` is what does not change of the reason.

        Raises:
            TooSoon: it is a dry run, which does not wait.
        """
        if self.report.dry_run:
            raise TooSoon(f"{reason.rstrip('.')}, so nothing would be promoted now.", hint="Try again later.")
        self.reason = reason
        self.report.doing = f"waiting: {reason}"
        if self.shown != (steady or reason):
            self.shown = steady or reason
            self.report.watch(PhaseStarted(Phase.CHECK, self.report.doing))
        return NOT_YET

    def _digest(self, served: Served) -> str:
        """Return the digest of what the origin's tasks run: as ECS says it, else ECR's for this tag.

        Raises:
            ImageMissing: ECR has no such image any more.
        """
        if served.digest or not self.place.repository:
            return served.digest
        found = self.source.images.find(repository_in(served.image, self.place.repository).image(served.tag))
        if found is None:
            raise ImageMissing(
                f"{self.place.environment} serves {served.image}, and ECR has no such image any more, so it is "
                "not known whether another registry has the same one.",
                hint="Check whether a lifecycle policy removed it, or set `check_image: false` for that environment.",
            )
        return found.digest

    def _recorded(self) -> str | None:
        """Return what is recorded in the origin; None where that is not known."""
        name = self.place.parameter
        if not name:
            return None
        try:
            found = self.source.parameters.read_many([name]).get(name)
        except EcsCdError as error:  # what serves is promoted, whatever is recorded
            self.report.warn(f"Whether {self.place.environment} serves what is recorded is not known: {error.message}")
            return None
        return found.value if found else None

    def _compare(self, served: Served, recorded: str | None) -> None:
        where = self.place.environment
        if recorded not in (None, str(served.tag)):
            self.report.warn(
                f"{where} serves {served.tag}, though {self.place.parameter} holds {recorded}: what serves is promoted."
            )
        for unseen in served.snapshot.unseen if not served.digest else ():
            self.report.warn(f"Which digest runs in {where} was not seen: {unseen}")
        if not self.place.repository and not served.digest:
            self.report.warn(
                f"Whether it is the very image that {where} serves was not looked at: its digest is unknown."
            )
        if served.snapshot.desired == 0:
            self.report.warn(f"The desired count in {where} is 0: {served.tag} is deployed there, and no task runs.")

    def _nothing(self, why: str) -> NothingToPromote:
        target = self.target
        return NothingToPromote(
            f"ECS service {quoted(target.service)} in cluster {quoted(target.cluster)} ({self.place.environment}) "
            f"serves nothing that can be promoted: {why.rstrip('.')}.",
            hint=Message(
                f"Deliver a tag to {self.place.environment} first; ", CommandRef("status"), " shows what runs where."
            ),
        )
