"""What a delivery has found out so far, and the report that says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ecs_cd.errors import DeadlineReached, EcsCdError, Interrupted
from ecs_cd.messages import CommandRef, Message
from ecs_cd.model.events import Event, LockMet, Phase, PhaseEnded, PhaseStarted, RunChanged, RunChosen, Warned, Watch
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import Marks
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import Run, RunOrigin
from ecs_cd.model.service import ServiceSnapshot, Serving, Verdict
from ecs_cd.report.report import (
    VERSION,
    Failure,
    HoldFact,
    ImageFact,
    Outcome,
    ParameterFact,
    PhaseFact,
    Report,
    RolloutFact,
    RunFact,
)
from ecs_cd.support.deadline import Deadline


@dataclass
class OpenPhase:
    """A phase under way; whoever runs it says in `found` what came of it."""

    found: str = ""


@dataclass
class Journal:
    """The facts of one delivery, gathered while it goes on."""

    service: str
    environment: str
    tag: ImageTag | None
    deadline: Deadline
    watch: Watch
    dry_run: bool = False
    doing: str = "starting"
    image: CheckedImage | None = None
    change: ParameterChange | None = None
    run: Run | None = None
    taken: RunOrigin = RunOrigin.QUEUED
    tries: int = 1
    rollout: RolloutFact | None = None
    hold: HoldFact | None = None
    proved: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    phases: list[PhaseFact] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note when it began."""
        self._began = self.deadline.clock.now()
        self._started_at = self.deadline.clock.utc()

    @contextmanager
    def phase(self, phase: Phase, doing: str) -> Iterator[OpenPhase]:
        """Tell that a phase begins, time it, and tell how it ended if it ended well."""
        clock, opened = self.deadline.clock, OpenPhase()
        began = clock.now()
        self.doing = doing
        self.watch(PhaseStarted(phase, doing))
        try:
            yield opened
        finally:
            self.phases.append(PhaseFact(phase.value, round(clock.now() - began, 3)))
        self.watch(PhaseEnded(phase, opened.found))

    def prove(self, fact: str) -> None:
        """Add a fact."""
        self.proved.append(fact)

    def prove_rollout(self, snapshot: ServiceSnapshot, verdict: Verdict) -> None:
        """Add what ECS serves."""
        deployment = verdict.deployment
        self.rollout = RolloutFact(
            cluster=snapshot.target.cluster,
            service=snapshot.target.service,
            serving=verdict.serving.value,
            sentence=verdict.sentence,
            image=verdict.image,
            task_definition=deployment.task_definition.name if deployment else "",
            running=deployment.running if deployment else 0,
            desired=deployment.desired if deployment else 0,
        )
        if verdict.serving is not Serving.NOT_JUDGED and deployment:
            name = deployment.task_definition.name
            self.prove(f"ECS service {snapshot.target.service} runs {verdict.image} ({name}): {verdict.sentence}")

    def follow(self, event: Event) -> None:
        """Take down what is told of runs while one is looked for and followed, and pass it on."""
        if isinstance(event, Warned):
            self.warn(event.message)
            return
        if isinstance(event, RunChosen):
            self.run, self.taken, self.tries = event.run, event.taken, event.tries
            self.doing = f"following run {event.run.name}"
        elif isinstance(event, RunChanged):
            self.run = event.progress.run
            self.doing = f"following run {self.run.name}"
        elif isinstance(event, LockMet):
            self.doing = f"waiting for Terraform's state lock: {event.said}"
        self.watch(event)

    def warn(self, message: str) -> None:
        """Add a warning and tell it."""
        self.warnings.append(message)
        self.watch(Warned(message))

    def yields(self, marks: Marks, tag: str, version: int) -> None:
        """Note the hold that a delivery yields to, and tell how to go on; `tag` and `version` are what is on top."""
        unhold = CommandRef("unhold", self.service, self.environment)
        left = marks.gate.value
        if marks.holds:
            self.hold = HoldFact("held", tag, version, left)
            since = f" since it was rolled back from {left}" if left not in ("", tag) else ""
            held = f"{self.service} in {self.environment} is held at {tag}{since}"
            self.warn(Message(f"{held}: nothing else is delivered until ", unhold, "."))
            return
        self.hold = HoldFact("under-way", tag, version, left)
        rollback = CommandRef("rollback", self.service, self.environment)
        under_way = (
            f"A rollback of {self.service} in {self.environment} from {left} is under way, or died before its end"
        )
        self.warn(Message(f"{under_way}: ", rollback, " again finishes it, ", unhold, " gives it up."))

    def ended(self, outcome: Outcome) -> Report:
        """Return the report of a delivery that ended well."""
        return self._report(outcome, 0, _SUMMARIES[outcome].format(self=self), None)

    def failed(self, error: EcsCdError) -> Report:
        """Return the report of a delivery that did not."""
        outcome = Outcome.FAILED
        if isinstance(error, DeadlineReached):
            outcome = Outcome.TIMED_OUT
        elif isinstance(error, Interrupted):
            outcome = Outcome.INTERRUPTED
        what = f"{self.service} {self.tag} to" if self.tag else f"{self.service} in"
        summary = f"{what} {self.environment}: {error.message}"
        return self._report(outcome, error.exit_code, summary, Failure.of(error))

    def _report(self, outcome: Outcome, exit_code: int, summary: str, failure: Failure | None) -> Report:
        return Report(
            version=VERSION,
            outcome=outcome,
            exit_code=exit_code,
            service=self.service,
            environment=self.environment,
            tag=str(self.tag or ""),
            dry_run=self.dry_run,
            summary=summary,
            proved=tuple(self.proved),
            image=ImageFact(self.image.digest, self.image.pushed_at) if self.image and self.image.digest else None,
            parameter=_parameter(self.change) if self.change else None,
            run=self._run(self.run) if self.run else None,
            rollout=self.rollout,
            hold=self.hold,
            failure=failure,
            warnings=tuple(self.warnings),
            phases=tuple(self.phases),
            started_at=self._started_at,
            seconds=round(self.deadline.clock.now() - self._began, 3),
            deadline_seconds=self.deadline.seconds,
        )

    def _run(self, run: Run) -> RunFact:
        state, taken = run.state.value, self.taken.value
        return RunFact(run.id, run.name, run.url, run.pipeline_id, run.branch, state, taken, self.tries)


_SUMMARIES = {
    Outcome.DEPLOYED: "{self.service} {self.tag} is deployed to {self.environment}.",
    Outcome.UNCHANGED: "{self.service} {self.tag} in {self.environment}: nothing was changed.",
    Outcome.SUPERSEDED: "{self.service} {self.tag} in {self.environment}: a newer tag takes its place.",
    Outcome.ROLLED_BACK: "{self.service} in {self.environment} is rolled back to {self.tag} and held there.",
    Outcome.HELD: "{self.service} {self.tag} to {self.environment}: not delivered, because of a hold.",
}


def _parameter(change: ParameterChange) -> ParameterFact:
    return ParameterFact(change.name, change.old, change.new, change.version, change.recorded.value, change.restored)
