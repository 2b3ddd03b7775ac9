"""The delivery: the steps composed, for one tag of one service in one environment.

    check      the image exists; meanwhile the parameter is read and the pipeline looked up
    parameter  the tag is recorded, unless a newer one is there
    run        a run of the infrastructure pipeline that carries it is joined or queued, and followed
    rollout    ECS serves the tag

It keeps no state of its own (rule 15): killed anywhere and started again, it finds what is done and does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ecs_cd.delivery.journal import Journal
from ecs_cd.errors import EcsCdError, Interrupted, NotApplied, RunFailed
from ecs_cd.image.check import Images, check_image, unchecked_image
from ecs_cd.model.events import Event, Phase, RolloutChanged, RunChanged, RunChosen, Watch, ignore_events
from ecs_cd.model.image import CheckedImage, ImageRef, ImageTag
from ecs_cd.model.labels import Mark, Marks
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.model.run import FinishedRun, Pipeline, RunOrigin
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, Serving
from ecs_cd.parameter.hold import mark_verified
from ecs_cd.parameter.record import Seen, Stand, change_standing, describe_change, read_now, record_tag
from ecs_cd.parameter.store import Parameters
from ecs_cd.report.report import Outcome, Report
from ecs_cd.rollout.follow import already_applied, follow_rollout
from ecs_cd.rollout.judge import Wanted, judge
from ecs_cd.rollout.services import Services
from ecs_cd.run.carry import carry_change
from ecs_cd.run.pipelines import Pipelines, full_ref, locate_pipeline, resolve_pipeline
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Clouds:
    """The other sides of a delivery, each behind the Protocol of the step that uses it."""

    images: Images
    parameters: Parameters
    pipelines: Pipelines
    services: Services


@dataclass(frozen=True)
class Delivery:
    """What is to be delivered, and through what.

    `image`: None skips the check in ECR; `target`: None skips the proof by ECS. `wait_for_image`: seconds.
    `rollback_on_failure` is for `ecs_cd.delivery.rollback.deliver`.
    """

    service: str
    environment: str
    tag: ImageTag
    parameter: str
    pipeline: str
    branch: str
    image: ImageRef | None
    target: ServiceTarget | None
    order: Order = Order.NUMERIC
    create_parameter: bool = False
    wait_for_image: float = 0.0
    template_parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    rollback_on_failure: bool = False


def deploy_once(delivery: Delivery, clouds: Clouds, *, deadline: Deadline, watch: Watch = ignore_events) -> Report:
    """Deliver, and return what happened; failures, the deadline and Ctrl-C are outcomes of the report too."""
    journal = Journal(delivery.service, delivery.environment, delivery.tag, deadline, watch, dry_run=delivery.dry_run)
    try:
        outcome = Delivering(delivery, clouds, deadline, journal).run()
    except EcsCdError as error:
        return journal.failed(error)
    except KeyboardInterrupt:
        return journal.failed(interrupted_error(journal))
    return journal.ended(outcome)


def interrupted_error(journal: Journal) -> Interrupted:
    """Return the error of a delivery that Ctrl-C, or the agent's cancel, has ended."""
    return Interrupted(
        f"Interrupted while {journal.doing}.",
        hint="Nothing was stopped in the clouds: a queued run goes on. Run the same command again to take up from "
        "here.",
        link=journal.run.url if journal.run else "",
    )


@dataclass(frozen=True)
class Delivering:
    """A delivery at work, over its clouds and under its deadline."""

    delivery: Delivery
    clouds: Clouds
    deadline: Deadline
    journal: Journal

    def run(self) -> Outcome:
        """Do it, and return how it ended well.

        Raises:
            EcsCdError: it did not.
        """
        checked, first_seen, infrastructure = self._check()
        seen: Seen | None = first_seen
        joined_in_vain = False
        while True:
            change = self._record(checked, seen)
            seen = None
            ended = self._without_a_run(change, checked, infrastructure)
            if ended:
                return ended
            before, finished = self._apply(change, checked, infrastructure)
            later = change_standing(self.clouds.parameters, change, self.delivery.order)
            if later.stand is Stand.OVERTAKEN:
                self.journal.warn(f"Somebody wrote an older tag over {change.new}; putting it right and running again.")
                continue
            if later.stand is Stand.TAKEN_BACK:
                return self._yielded_to(later.parameter)
            try:
                return self._proved(change, later.parameter, checked, finished, before)
            except NotApplied as error:
                if finished.taken is not RunOrigin.JOINED or joined_in_vain:
                    raise
                joined_in_vain = True
                self.journal.warn(f"The run that was joined changed nothing here; trying another one. {error.message}")

    def _without_a_run(
        self, change: ParameterChange, checked: CheckedImage, infrastructure: Pipeline
    ) -> Outcome | None:
        """Return how the delivery ended where no run is needed for it."""
        if change.recorded is Recorded.SUPERSEDED:
            return Outcome.SUPERSEDED
        if change.recorded is Recorded.HELD:
            return self._yielded(change.marks, change.new, change.version)
        if self.delivery.dry_run:
            self.journal.prove(
                f"Would join or queue a run of {infrastructure.path} on {full_ref(self.delivery.branch)}."
                if change.recorded is Recorded.WRITTEN
                else f"Would look whether ECS serves {change.new}, and join or queue {infrastructure.path} if not."
            )
            return Outcome.UNCHANGED
        settled = self._already(checked) if change.recorded is Recorded.UNCHANGED else None
        return self._marked(settled, change.marks, Mark(change.version, change.new)) if settled else None

    def _proved(
        self,
        change: ParameterChange,
        stands: Parameter | None,
        checked: CheckedImage,
        finished: FinishedRun,
        before: ServiceSnapshot | None,
    ) -> Outcome:
        """Prove the rollout and mark the version; yield where somebody took it back while it was rolling out."""
        try:
            outcome = self._prove(checked, finished, before)
        except NotApplied:
            later = change_standing(self.clouds.parameters, change, self.delivery.order)
            if later.stand is not Stand.TAKEN_BACK:
                raise
            return self._yielded_to(later.parameter)
        if stands and stands.value == change.new:
            self._marked(outcome, stands.marks, Mark(stands.version, stands.value))
        return outcome

    def _marked(self, outcome: Outcome, marks: Marks, proved: Mark) -> Outcome:
        """Mark the version as verified if ECS serves it; the delivery does not depend on it."""
        rollout_fact = self.journal.rollout
        if rollout_fact and rollout_fact.serving == Serving.DEPLOYED.value:
            try:
                mark_verified(self.clouds.parameters, self.delivery.parameter, marks, proved)
            except EcsCdError as error:
                self.journal.warn(f"{proved.value} serves, but could not be marked as verified: {error.message}")
        return outcome

    def _yielded_to(self, there: Parameter | None) -> Outcome:
        return self._yielded(there.marks, there.value, there.version) if there else Outcome.HELD

    def _yielded(self, marks: Marks, tag: str, version: int) -> Outcome:
        self.journal.yields(marks, tag, version)
        return Outcome.HELD

    def _check(self) -> tuple[CheckedImage, Seen, Pipeline]:
        """Ask the three things that do not depend on each other, before anything is changed."""
        delivery, clouds = self.delivery, self.clouds
        find = resolve_pipeline if delivery.dry_run else locate_pipeline
        delivery.order.check(str(delivery.tag))
        with self.journal.phase(Phase.CHECK, f"checking that {delivery.tag} can be delivered") as phase:
            checked, seen, infrastructure = run_together(
                lambda: checked_image(delivery, clouds.images, self.deadline),
                lambda: read_now(clouds.parameters, delivery.parameter, self.deadline.clock),
                lambda: find(clouds.pipelines, delivery.pipeline),
            )
            self.journal.image = checked
            if checked.digest:
                self.journal.prove(
                    f"ECR has {delivery.image and delivery.image.repository}:{checked.tag}, {checked.digest}."
                )
            phase.found = f"{'image found' if checked.digest else 'image not checked'}, pipeline {infrastructure.path}."
        return checked, seen, infrastructure

    def _record(self, checked: CheckedImage, seen: Seen | None) -> ParameterChange:
        delivery = self.delivery
        with self.journal.phase(Phase.PARAMETER, f"recording {delivery.tag} in {delivery.parameter}") as phase:
            change = recorded_tag(delivery, checked, self.clouds.parameters, self.deadline, seen)
            self.journal.change = change
            phase.found = describe_change(change)
            self.journal.prove(phase.found)
        return change

    def _already(self, checked: CheckedImage) -> Outcome | None:
        """Return the outcome if the tag, recorded before, serves or is rolling out: no run is needed then."""
        target = self.delivery.target
        if target is None:
            return None
        wanted = Wanted(checked, self.delivery.order)
        snapshot = self.clouds.services.snapshot(target)
        if snapshot is None:
            return None
        verdict = judge(snapshot, wanted)
        if verdict.serving is Serving.DEPLOYED:
            self.journal.prove_rollout(snapshot, verdict)
            return Outcome.UNCHANGED
        if verdict.serving is Serving.ROLLING:
            return self._prove(checked, FinishedRun(None), None)
        return None

    def _apply(
        self, change: ParameterChange, checked: CheckedImage, infrastructure: Pipeline
    ) -> tuple[ServiceSnapshot | None, FinishedRun]:
        """Have a run carry the change and follow it; return the service as it was before, too."""
        journal = self.journal
        before = _Before(self.clouds.services, self.delivery.target, journal)
        with journal.phase(Phase.RUN, f"joining or queueing a run of pipeline {infrastructure.path}") as phase:
            try:
                finished = self._carry(change, infrastructure, before.told)
            except RunFailed as error:
                phase.found = self._forgive(error, checked)
                return before.snapshot, FinishedRun(journal.run, taken=journal.taken)
            phase.found = self._carried(change, finished)
        return before.snapshot, finished

    def _carry(self, change: ParameterChange, infrastructure: Pipeline, watch: Watch) -> FinishedRun:
        delivery = self.delivery
        return carry_change(
            self.clouds.pipelines,
            infrastructure,
            delivery.branch,
            change,
            deadline=self.deadline,
            watch=watch,
            template_parameters=delivery.template_parameters,
            variables=delivery.variables,
        )

    def _carried(self, change: ParameterChange, finished: FinishedRun) -> str:
        journal, run = self.journal, finished.run
        journal.run, journal.taken, journal.tries = run, finished.taken, finished.tries
        name = run.name if run else ""
        how = "queued after" if finished.taken is RunOrigin.QUEUED else "which was joined and began after"
        journal.prove(f"Run {name}, {how} version {change.version} was written, succeeded.")
        if finished.warning:
            journal.warn(finished.warning)
        tries = f" at try {finished.tries}" if finished.tries > 1 else ""
        return f"Run {name} succeeded{tries}."

    def _forgive(self, error: RunFailed, checked: CheckedImage) -> str:
        """Return what is to be said of a run that failed for another service's sake; else raise its error (rule 10)."""
        target, wanted = self.delivery.target, Wanted(checked, self.delivery.order)
        try:
            verdict = already_applied(self.clouds.services, target, wanted, deadline=self.deadline) if target else None
        except EcsCdError:  # what ECS might have said matters less than why the run failed
            verdict = None
        if verdict is None:
            raise error
        self.journal.warn(f"{error.message} It brought {checked.tag} to ECS all the same ({error.link}).")
        return f"The run failed, but not for this service: {verdict.sentence}"

    def _prove(self, checked: CheckedImage, finished: FinishedRun, before: ServiceSnapshot | None) -> Outcome:
        target = self.delivery.target
        if target is None:
            self.journal.warn("Whether ECS serves the tag was not looked at, because no ECS service is named.")
            return Outcome.DEPLOYED
        with self.journal.phase(Phase.ROLLOUT, f"waiting for ECS service {target.service}") as phase:
            ended = follow_rollout(
                self.clouds.services,
                target,
                Wanted(checked, self.delivery.order),
                finished,
                deadline=self.deadline,
                watch=lambda snapshot, verdict: self.journal.watch(RolloutChanged(snapshot, verdict)),
                before=before,
            )
            phase.found = ended.verdict.sentence
            self.journal.prove_rollout(ended.snapshot, ended.verdict)
        return self._outcome(ended.verdict.serving, ended.verdict.sentence)

    def _outcome(self, serving: Serving, sentence: str) -> Outcome:
        if serving is Serving.SUPERSEDED:
            return Outcome.SUPERSEDED
        if serving is Serving.NOT_JUDGED:
            self.journal.warn(sentence)
        return Outcome.DEPLOYED


@dataclass
class _Before:
    """The service as it was while the run still waited; the events it has by then are not evidence later."""

    services: Services
    target: ServiceTarget | None
    journal: Journal
    looked: bool = False
    snapshot: ServiceSnapshot | None = None

    def told(self, event: Event) -> None:
        """Look at the first sight of the run, when there is nothing to do but wait for it."""
        if isinstance(event, RunChosen | RunChanged) and self.target and not self.looked:
            self.looked = True
            with suppress(EcsCdError):  # Terraform may be about to create it; the rollout phase tells the rest
                self.snapshot = self.services.snapshot(self.target)
        self.journal.follow(event)


def checked_image(delivery: Delivery, images: Images, deadline: Deadline) -> CheckedImage:
    """Check the image, unless it is not to be checked."""
    if delivery.image is None:
        return unchecked_image(delivery.tag)
    return check_image(images, delivery.image, deadline=deadline, wait=delivery.wait_for_image)


def recorded_tag(
    delivery: Delivery,
    checked: CheckedImage,
    parameters: Parameters,
    deadline: Deadline,
    seen: Seen | None = None,
) -> ParameterChange:
    """Record the tag, unless a newer one is there; `seen` is a look at the parameter that was just taken."""
    return record_tag(
        parameters,
        delivery.parameter,
        checked,
        deadline=deadline,
        order=delivery.order,
        create=delivery.create_parameter,
        dry_run=delivery.dry_run,
        seen=seen,
    )
