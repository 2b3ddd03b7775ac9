"""The facts of one delivery, gathered while it goes on, and the report they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ecs_cd.errors import DeadlineReached, EcsCdError, Interrupted, RolloutFailed
from ecs_cd.messages import CommandRef, Message
from ecs_cd.model.delivery import Place
from ecs_cd.model.events import (
    Event,
    LockMet,
    Phase,
    PhaseEnded,
    PhaseStarted,
    RunChanged,
    RunChosen,
    Warned,
    Watch,
    WatchRaised,
)
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import Marks
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Run, RunOrigin
from ecs_cd.model.service import ServiceSnapshot, Serving, Verdict
from ecs_cd.model.service_deployment import ServiceDeployment
from ecs_cd.report.facts import (
    DeploymentFact,
    Failure,
    HoldFact,
    ImageFact,
    LinkFact,
    OriginFact,
    Outcome,
    ParameterFact,
    PhaseFact,
    RolloutFact,
    RunFact,
    StoppedContainerFact,
)
from ecs_cd.report.report import VERSION, Report
from ecs_cd.rollout.evidence import ContainerEvidence, RolloutEvidence
from ecs_cd.sanitize import sanitize
from ecs_cd.support.deadline import Deadline


@dataclass
class OpenPhase:
    """A phase under way; whoever runs it says in `found` what came of it."""

    found: str = ""


@dataclass
class ReportBuilder:
    """The report of one delivery, rollback or promotion while it goes on; it also shows events to the `watch`.

    `tag` is None as long as it is not known; `doing` is what goes on now, as a clause. `summary` is said of a good end
    instead of what its outcome says.
    """

    place: Place
    deadline: Deadline
    watch: Watch
    tag: ImageTag | None = None
    dry_run: bool = False
    doing: str = "starting"
    summary: str = ""
    of_another: bool = False
    """The rollout that failed is not that of the tag."""
    image: CheckedImage | None = None
    change: ParameterChange | None = None
    run: Run | None = None
    run_origin: RunOrigin = RunOrigin.QUEUED
    attempts: int = 1
    rollout: RolloutFact | None = None
    hold: HoldFact | None = None
    origin: OriginFact | None = None
    stopped: tuple[StoppedContainerFact, ...] = ()
    links: tuple[LinkFact, ...] = ()
    evidence: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    phases: list[PhaseFact] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note when it began."""
        self._began = self.deadline.clock.now()
        self._started_at = self.deadline.clock.utc()

    def of(self, act: Callable[[], Outcome]) -> Report:
        """Do it, and return the report of it: errors of the tree and Ctrl-C are outcomes, too."""
        try:
            outcome = act()
        except (EcsCdError, WatchRaised) as error:
            return self.failed(error)
        except KeyboardInterrupt:
            return self.interrupted()
        return self.succeeded(outcome)

    @contextmanager
    def phase(self, phase: Phase, doing: str) -> Iterator[OpenPhase]:
        """Say that a phase begins, time it, and say how it ended if it ended well."""
        clock, opened = self.deadline.clock, OpenPhase()
        began = clock.now()
        self.doing = doing
        self.stopped = self.links = ()  # of a rollout that was followed before
        self.watch(PhaseStarted(phase, doing))
        try:
            yield opened
        finally:
            self.phases.append(PhaseFact(phase.value, round(clock.now() - began, 3)))
        self.watch(PhaseEnded(phase, opened.found))

    def add_evidence(self, sentence: str) -> None:
        """Add a fact that was established."""
        self.evidence.append(sentence)

    def add_image(self, image: CheckedImage, repository: str) -> None:
        """Add the image; it is evidence where ECR was asked for it."""
        self.image = image
        if image.digest:
            self.add_evidence(f"ECR has {repository}:{image.tag}, {image.digest}.")

    def add_run(self, finished: FinishedRun, change: ParameterChange) -> str:
        """Add the run that carried a change and ended well; return how it did, as a sentence."""
        self.run, self.run_origin, self.attempts = finished.run, finished.origin, finished.attempts
        name = finished.run.name if finished.run else ""
        how = "queued after" if finished.origin is RunOrigin.QUEUED else "which was joined and began after"
        self.add_evidence(f"Run {name}, {how} version {change.version} was written, succeeded.")
        if finished.warning:
            self.warn(finished.warning)
        attempts = f" at attempt {finished.attempts}" if finished.attempts > 1 else ""
        return f"Run {name} succeeded{attempts}."

    def add_rollout(self, snapshot: ServiceSnapshot, verdict: Verdict) -> None:
        """Add what ECS serves; it is evidence."""
        self.note_rollout(snapshot, verdict)
        deployment = verdict.deployment
        if verdict.serving is not Serving.NOT_JUDGED and deployment:
            runs = f"{verdict.image} ({deployment.task_definition.name})"
            self.add_evidence(f"ECS service {snapshot.target.service} runs {runs}: {verdict.sentence}")

    def note_rollout(self, snapshot: ServiceSnapshot, verdict: Verdict) -> None:
        """Take down what ECS was last seen to serve."""
        deployment, record = verdict.deployment, snapshot.service_deployment
        self.rollout = RolloutFact(
            cluster=snapshot.target.cluster,
            service=snapshot.target.service,
            serving=verdict.serving.value,
            sentence=verdict.sentence,
            image=verdict.image,
            task_definition=deployment.task_definition.name if deployment else "",
            running=deployment.running if deployment else 0,
            desired=deployment.desired if deployment else 0,
            deployment=_deployment(record) if record else None,
        )

    def add_failed_rollout(self, evidence: RolloutEvidence) -> None:
        """Add what explains why the rollout failed."""
        self.stopped = tuple(map(_stopped, evidence.containers))
        logs = {one.container.log: one.container.name for one in evidence.containers if one.cause or one.lines}
        found = [LinkFact("logs", name, log.url) for log, name in logs.items() if log and log.url]
        if evidence.service_url and self.place.target:
            found.append(LinkFact("service", self.place.target.service, evidence.service_url))
        self.links = tuple(found)

    def note(self, event: Event) -> None:
        """Take down what an event says of the run that is looked for and followed; it is shown to nobody."""
        if isinstance(event, Warned):
            self.warnings.append(event.message)
        elif isinstance(event, RunChosen):
            self.run, self.run_origin, self.attempts = event.run, event.origin, event.attempts
            self.doing = f"following run {event.run.name}"
        elif isinstance(event, RunChanged):
            self.run = event.progress.run
            self.doing = f"following run {self.run.name}"
        elif isinstance(event, LockMet):
            self.doing = f"waiting for Terraform's state lock: {event.description}"

    def warn(self, message: str) -> None:
        """Add a warning and show it."""
        self.warnings.append(message)
        self.watch(Warned(message))

    def yield_to_hold(self, marks: Marks, tag: str, version: int) -> None:
        """Add the hold that a delivery yields to, and say how to go on; `tag` and `version` are what is on top."""
        service, environment = self.place.service, self.place.environment
        unhold = CommandRef("unhold", service, environment)
        previous = marks.gate.value
        if marks.holds:
            self.hold = HoldFact("held", tag, version, previous)
            since = f" since it was rolled back from {previous}" if previous not in ("", tag) else ""
            held = f"{service} in {environment} is held at {tag}{since}"
            self.warn(Message(f"{held}: nothing else is delivered until ", unhold, "."))
            return
        self.hold = HoldFact("under-way", tag, version, previous)
        rollback = CommandRef("rollback", service, environment)
        under_way = f"A rollback of {service} in {environment} from {previous} is under way, or died before its end"
        self.warn(Message(f"{under_way}: ", rollback, " again finishes it, ", unhold, " gives it up."))

    def succeeded(self, outcome: Outcome) -> Report:
        """Return the report of a delivery that ended well."""
        summary = self.summary or _SUMMARIES[outcome].format(place=self.place, tag=self.tag)
        return self._report(outcome, 0, summary, None)

    def failed(self, error: EcsCdError | WatchRaised) -> Report:
        """Return the report of a delivery that did not."""
        if isinstance(error, WatchRaised):
            return self.failed(error.error)
        self.of_another = isinstance(error, RolloutFailed) and error.of_another
        outcome = Outcome.FAILED
        if isinstance(error, DeadlineReached):
            outcome = Outcome.TIMED_OUT
        elif isinstance(error, Interrupted):
            outcome = Outcome.INTERRUPTED
        what = f"{self.place.service} {self.tag} to" if self.tag else f"{self.place.service} in"
        summary = f"{what} {self.place.environment}: {error.message}"
        return self._report(outcome, error.exit_code, summary, Failure.of(error))

    def interrupted(self) -> Report:
        """Return the report of a delivery that Ctrl-C, or the agent's cancel, has ended."""
        error = Interrupted(
            f"Interrupted while {self.doing}.",
            hint="Nothing was stopped in the clouds: a queued run goes on. Run the same command again to continue from "
            "here.",
            link=self.run.url if self.run else "",
        )
        return self.failed(error)

    def _report(self, outcome: Outcome, exit_code: int, summary: str, failure: Failure | None) -> Report:
        return Report(
            version=VERSION,
            outcome=outcome,
            exit_code=exit_code,
            service=self.place.service,
            environment=self.place.environment,
            tag=str(self.tag or ""),
            dry_run=self.dry_run,
            summary=summary,
            evidence=tuple(dict.fromkeys(self.evidence)),
            image=ImageFact(self.image.digest, self.image.pushed_at) if self.image and self.image.digest else None,
            parameter=_parameter(self.change) if self.change else None,
            run=self._run(self.run) if self.run else None,
            rollout=self.rollout,
            hold=self.hold,
            origin=self.origin,
            stopped=self.stopped,
            links=self.links,
            failure=failure,
            warnings=tuple(dict.fromkeys(self.warnings)),
            phases=tuple(self.phases),
            started_at=self._started_at,
            seconds=round(self.deadline.clock.now() - self._began, 3),
            deadline_seconds=self.deadline.seconds,
        )

    def _run(self, run: Run) -> RunFact:
        state, origin = run.state.value, self.run_origin.value
        return RunFact(run.id, run.name, run.url, run.pipeline_id, run.branch, state, origin, self.attempts)


_SUMMARIES = {
    Outcome.DEPLOYED: "{place.service} {tag} is deployed to {place.environment}.",
    Outcome.APPLIED: "{place.service} {tag} is applied in {place.environment}; whether it runs was not seen.",
    Outcome.UNCHANGED: "{place.service} {tag} in {place.environment}: nothing was changed.",
    Outcome.SUPERSEDED: "{place.service} {tag} in {place.environment} is superseded: a newer tag takes its place.",
    Outcome.ROLLED_BACK: "{place.service} in {place.environment} is rolled back to {tag} and held there.",
    Outcome.HELD: "{place.service} {tag} to {place.environment}: not delivered, because of a hold.",
}


def _deployment(record: ServiceDeployment) -> DeploymentFact:
    return DeploymentFact(
        id=record.id,
        status=record.status,
        reason=record.reason or record.rollback_reason,
        strategy=record.strategy,
        stage=record.stage,
        production_traffic=record.target.production_weight if record.target else None,
        bake_ends_at=record.bake_ends_at if record.goes_on else None,
        circuit_breaker=record.breaker.status if record.breaker else "",
        alarms=record.alarms.names if record.alarms else (),
        triggered_alarms=record.alarms.triggered if record.alarms else (),
        waits_for=tuple(hook.id for hook in record.waiting),
        early_success_percent=record.early_success_percent,
    )


def _stopped(found: ContainerEvidence) -> StoppedContainerFact:
    container, log = found.container, found.container.log
    return StoppedContainerFact(
        task=found.task.arn,
        container=container.name,
        exit_code=container.exit_code,
        reason=sanitize(container.reason),
        essential=container.essential,
        cause=found.cause,
        log_region=log.region if log else "",
        log_group=log.group if log else "",
        log_stream=log.stream if log else "",
        log_lines=found.lines,
    )


def _parameter(change: ParameterChange) -> ParameterFact:
    return ParameterFact(change.name, change.old, change.new, change.version, change.recorded.value, change.restored)
