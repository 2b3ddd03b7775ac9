"""The steps of a delivery, each a function of plain values, from which deploy, rollback and the others are composed.

    check     the image exists; meanwhile all else is asked that can be known beforehand       -> Checked
    record    the tag is recorded in the parameter, unless a newer one is there               -> ParameterChange
    apply     a run that carries the change is joined or queued, and followed to its end      -> Applied
    verify    ECS serves the tag                                                              -> Verified

Each writes what it found into the report of its context; none knows what comes before or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecs_cd.delivery.context import DeliveryContext
from ecs_cd.delivery.first_look import FirstLookTaker
from ecs_cd.delivery.identity import RunningImages, say_how_judged
from ecs_cd.delivery.preflight import CheckRun, Preflight, ask_all, check_place_run, refuse_in_vain
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.shown_rollout import ShownRollout
from ecs_cd.errors import DeadlineReached, EcsCdError, RolloutFailed, RunFailed
from ecs_cd.image.check import Images, check_image, unchecked_image
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.events import Event, Phase, Watch
from ecs_cd.model.image import CheckedImage
from ecs_cd.model.image_name import pinned_digest
from ecs_cd.model.labels import Mark, Marks
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Pipeline, RunOrigin, RunPreview
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, Serving, TaskTarget, Verdict
from ecs_cd.parameter.hold import mark_verified
from ecs_cd.parameter.record import ParameterSnapshot, are_readable, describe_change, record_tag
from ecs_cd.parameter.store import Parameters
from ecs_cd.report.facts import Outcome
from ecs_cd.rollout.after_failed_run import FirstLook, look_after_failed_run
from ecs_cd.rollout.follow import Explain, follow_rollout
from ecs_cd.rollout.identity import Registry, another_image, judge_image
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.task_definition import follow_task_definition, look_at_task_definition, not_applied
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.run.carry import carry_change
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Checked:
    """What was found before anything is changed. `parameter` is as it was read, `pipeline` is the one to run.

    `preview`: what its run would be, None where Azure DevOps gave none. `service`: as it was before, None where there
    is none or none is named.
    """

    image: CheckedImage
    parameter: ParameterSnapshot
    pipeline: Pipeline
    preview: RunPreview | None = None
    service: ServiceSnapshot | None = None


@dataclass(frozen=True)
class Applied:
    """How the change was applied. `before`: the service before the run, None where it could not be seen.

    `joined`: the run that carried it was queued by somebody else. `run`: that run; None where it failed, but not for
    this service.
    """

    before: ServiceSnapshot | None
    joined: bool
    run: FinishedRun | None = None


@dataclass(frozen=True)
class Verified:
    """How the rollout ended well. `serves`: ECS serves this very tag, so that its version may be marked verified.

    The outcome is `applied` where a run applied the tag and nothing was seen of what runs.
    """

    outcome: Outcome
    serves: bool


def check(delivery: Delivery, context: DeliveryContext, check_run: CheckRun = check_place_run) -> Checked:
    """Ask everything that can be known before anything is changed, at once (rules 1 and 2).

    Raises:
        EcsCdError: the tag cannot be ordered; image, parameter or pipeline is missing or cannot be read; or it is known
            already that the run would be refused or the rollout could not be verified; or the time is over by then.
    """
    place, clouds, report = delivery.place, context.clouds, context.report
    delivery.options.order.check(str(delivery.tag))

    def ask() -> Preflight:
        found = ask_all(place, clouds, context.deadline.clock, check_run)
        refuse_in_vain(delivery, found)  # here, as the image may be waited for
        return found

    with report.phase(Phase.CHECK, f"checking that {delivery.tag} can be delivered") as phase:
        image, found = run_together(lambda: check_delivery_image(delivery, clouds.images, context.deadline), ask)
        report.add_image(image, place.repository.name if place.repository else "")
        if not context.deadline.remaining():
            raise context.deadline.reached(report.doing)  # a run that nobody follows would be all that comes of it
        pipeline = found.run.pipeline
        phase.found = f"{'image found' if image.digest else 'image not checked'}, pipeline {pipeline.path}."
    return Checked(image, found.parameter, pipeline, found.run.preview, found.rollout.snapshot)


def check_delivery_image(delivery: Delivery, images: Images, deadline: Deadline) -> CheckedImage:
    """Check the image, unless it is not to be checked."""
    if delivery.image is None:
        return unchecked_image(delivery.tag, delivery.digest)
    return check_image(images, delivery.image, deadline=deadline, wait=delivery.options.wait_for_image)


def record(
    delivery: Delivery, image: CheckedImage, context: DeliveryContext, seen: ParameterSnapshot | None = None
) -> ParameterChange:
    """Record the tag, unless a newer one is there (rules 3 to 5); `seen` is a look at the parameter just taken.

    Raises:
        EcsCdError: as `record_tag` says.
    """
    parameter = delivery.place.parameter
    with context.report.phase(Phase.PARAMETER, f"recording {delivery.tag} in {parameter}") as phase:
        change = record_delivery_tag(delivery, image, context.clouds.parameters, context.deadline, seen)
        context.report.change = change
        phase.found = describe_change(change)
        context.report.add_evidence(phase.found)
    return change


def record_delivery_tag(
    delivery: Delivery,
    image: CheckedImage,
    parameters: Parameters,
    deadline: Deadline,
    seen: ParameterSnapshot | None = None,
) -> ParameterChange:
    """Record the tag in the place's parameter, on the delivery's conditions."""
    options = delivery.options
    return record_tag(
        parameters,
        delivery.place.parameter,
        image,
        deadline=deadline,
        order=options.order,
        create=options.create_parameter,
        dry_run=options.dry_run,
        seen=seen,
    )


Carry = Callable[[ParameterChange, Watch], FinishedRun]
"""Has a run carry a change and follows it to its end. The `Watch` is given every event of the run, on the caller's
thread, to note what it says; whether it is shown to anybody as well is the carrier's affair."""


def carry_alone(place: Place, pipeline: Pipeline, context: DeliveryContext) -> Carry:
    """Return a carrier that looks for a run for this delivery alone, and shows its events to the delivery's watch."""

    def carry(change: ParameterChange, note: Watch) -> FinishedRun:
        def note_and_show(event: Event) -> None:
            note(event)
            context.report.watch(event)

        return carry_for_place(place, pipeline, [change], context, note_and_show)

    return carry


def carry_for_place(
    place: Place,
    pipeline: Pipeline,
    changes: Sequence[ParameterChange],
    context: DeliveryContext,
    watch: Watch,
) -> FinishedRun:
    """Have a run of the place's pipeline and branch carry the changes (rules 6 to 9), of which the first is its own."""
    return carry_change(
        context.clouds.pipelines,
        pipeline,
        place.branch,
        changes[0],
        deadline=context.deadline,
        watch=watch,
        template_parameters=place.template_parameters,
        variables=place.variables,
        is_readable=lambda: are_readable(context.clouds.parameters, changes),
    )


def apply(
    carry: Carry,
    change: ParameterChange,
    context: DeliveryContext,
    *,
    pipeline: Pipeline,
    target: ServiceTarget | None,
    wanted: Wanted,
    before: ServiceSnapshot | None = None,
) -> Applied:
    """Have a run of the pipeline carry the change and follow it to its end; `wanted` is what `target` then serves.

    `before`: the service as it was just now; None where it is to be looked at.

    Raises:
        RunFailed: the run failed, and ECS does not serve the tag all the same (rule 10).
        RolloutFailed: the run failed because ECS rejected the image.
        EcsCdError: as `carry_change` says.
    """
    report = context.report
    known = FirstLook(looked=before is not None, snapshot=before)
    first_look = FirstLookTaker(context.clouds.services, target, taken=known.looked, found=known)

    def note(event: Event) -> None:
        first_look.note(event)
        report.note(event)

    with report.phase(Phase.RUN, f"joining or queueing a run of pipeline {pipeline.path}") as phase:
        try:
            finished = carry(change, note)
        except RunFailed as error:
            phase.found = _after_failed_run(error, target, wanted, first_look.found, context)
            return Applied(first_look.found.snapshot, report.run_origin is RunOrigin.JOINED)
        phase.found = report.add_run(finished, change)
    return Applied(first_look.found.snapshot, finished.origin is RunOrigin.JOINED, finished)


def _after_failed_run(
    error: RunFailed, target: ServiceTarget | None, wanted: Wanted, first: FirstLook, context: DeliveryContext
) -> str:
    """Return what is to be said of a run that failed for another service's sake; else raise what failed (rule 10).

    That is ECS's failure, with the run's as evidence, where Terraform failed because ECS rejected the image.
    """
    services, deadline = context.clouds.services, context.deadline
    try:
        seen = None
        if target:
            seen = look_after_failed_run(
                services,
                context.clouds.logs,
                target,
                wanted,
                first,
                deadline=deadline,
                registry=running_images(context),
                note=context.report.add_failed_rollout,
            )
    except EcsCdError:  # what ECS might have said matters less than why the run failed
        seen = None
    if isinstance(seen, RolloutFailed):
        seen.add((f"run: {error.message}", *error.details), link=error.link)
        raise seen
    if seen is None:
        raise error
    context.report.warn(f"{error.message} It brought {wanted.tag} to ECS all the same ({error.link}).")
    return f"The run failed, but not for this service: {seen.sentence}"


def verify(place: Place, wanted: Wanted, context: DeliveryContext, before: ServiceSnapshot | None = None) -> Verified:
    """Follow the rollout until ECS serves the tag or a newer one (rule 10). `before`: as `follow_rollout` has it.

    Where the place names a task definition instead of a service, its latest revision is looked at.

    Raises:
        EcsCdError: as `follow_rollout` says.
    """
    if place.task:
        return _verify_task(place.task, wanted, context)
    if place.target is None:
        return _applied(context, "no ECS service is named")
    clouds, registry = context.clouds, running_images(context)
    verdict = follow_service(
        place.target, wanted, clouds.services, clouds.logs, context.report, registry=registry, before=before
    )
    if verdict.serving is Serving.SUPERSEDED:
        return Verified(Outcome.SUPERSEDED, serves=False)
    if verdict.serving is Serving.BAKING:
        return _baking(verdict, context)
    if verdict.serving is Serving.NOT_JUDGED:
        context.report.warn(verdict.sentence)
        return _applied(context, "nothing can be judged there")
    return Verified(Outcome.DEPLOYED, serves=True)


def _baking(verdict: Verdict, context: DeliveryContext) -> Verified:
    """Say that the deployment is not over, so that its version is not marked as verified yet."""
    report = context.report
    place = f"{report.place.service} {report.tag} has all production traffic in {report.place.environment}"
    again = "Delivering the same tag again once that is over marks the version as verified."
    report.summary = f"{place}; ECS can still take it back: {verdict.sentence} {again}"
    return Verified(Outcome.DEPLOYED, serves=False)


def _verify_task(task: TaskTarget, wanted: Wanted, context: DeliveryContext) -> Verified:
    """Look whether the latest revision of a task definition has the tag."""
    report = context.report
    with report.phase(Phase.ROLLOUT, f"looking at task definition {task.family}") as phase:
        services, registry = context.clouds.services, running_images(context)
        verdict = follow_task_definition(services, task, wanted, deadline=context.deadline, registry=registry)
        phase.found = verdict.sentence
    report.add_evidence(verdict.sentence)
    if verdict.serving is Serving.NOT_APPLIED:
        raise not_applied(task, wanted, verdict)
    if verdict.serving is Serving.SUPERSEDED:
        return Verified(Outcome.SUPERSEDED, serves=False)
    by = f"applied by run {report.run.name}" if report.run else "applied"
    has_it = f"the next task of {task.family} runs it"
    report.summary = f"{report.place.service} {report.tag} in {report.place.environment}: {by}; {has_it}."
    return Verified(Outcome.APPLIED, serves=True)


def _applied(context: DeliveryContext, why: str) -> Verified:
    """Say what was seen of a tag: the run that applied it, and nothing of what runs."""
    report = context.report
    place = f"{report.place.service} {report.tag} in {report.place.environment}"
    by = f"applied by run {report.run.name}" if report.run else "applied"
    report.summary = f"{place}: {by}; whether it runs was not looked at, because {why}."
    return Verified(Outcome.APPLIED, serves=False)


def follow_service(
    target: ServiceTarget,
    wanted: Wanted,
    services: Services,
    logs: Logs,
    report: ReportBuilder,
    *,
    registry: Registry,
    before: ServiceSnapshot | None = None,
    explain: Explain | None = None,
) -> Verdict:
    """Follow the rollout to its end and return ECS's verdict; it, or why it failed, becomes part of the report.

    `explain`: as `follow_rollout` has it.
    """
    shown = ShownRollout(report)
    with report.phase(Phase.ROLLOUT, f"waiting for ECS service {target.service}") as phase:
        try:
            ended = follow_rollout(
                services,
                logs,
                target,
                wanted,
                deadline=report.deadline,
                watch=shown.show,
                before=before,
                registry=registry,
                note=report.add_failed_rollout,
                explain=explain,
            )
        except DeadlineReached as error:
            error.add(hint=shown.advice)
            raise
        phase.found = ended.verdict.sentence
        report.add_rollout(ended.snapshot, ended.verdict)
        say_how_judged(report, ended.snapshot, ended.verdict, wanted, ended.notes)
    return ended.verdict


def running_images(context: DeliveryContext) -> Registry:
    """Return how the registry is asked of an image that runs in the delivery's place."""
    return RunningImages(context.clouds.images, context.report.place)


def verify_without_run(place: Place, wanted: Wanted, context: DeliveryContext) -> Verified | None:
    """Return how a tag recorded before ended, where it serves or is rolling out; None where a run is needed.

    Raises:
        AnotherImage: another image runs under the tag, and a run would not change that.
    """
    target = place.target
    if place.task:
        found = look_at_task_definition(context.clouds.services, place.task, wanted, running_images(context))
        context.report.add_evidence(found.sentence)
        return Verified(Outcome.UNCHANGED, serves=True) if found.serving is Serving.DEPLOYED else None
    snapshot = context.clouds.services.snapshot(target) if target else None
    if snapshot is None or target is None:
        return None
    judged = judge_image(snapshot, wanted, running_images(context))
    verdict = judged.verdict
    if verdict.serving is Serving.OTHER_IMAGE and not pinned_digest(verdict.image):
        context.report.note_rollout(snapshot, verdict)
        raise another_image(target, wanted, verdict, judged.notes)
    if verdict.serving is Serving.DEPLOYED:
        context.report.add_rollout(snapshot, verdict)
        say_how_judged(context.report, snapshot, verdict, wanted, judged.notes)
        return Verified(Outcome.UNCHANGED, serves=True)
    return verify(place, wanted, context) if verdict.serving in (Serving.ROLLING, Serving.BAKING) else None


def mark_as_verified(verified: Verified, parameter: str, marks: Marks, top: Mark, context: DeliveryContext) -> None:
    """Mark the version on top as verified if ECS serves it; the delivery does not depend on it."""
    if not verified.serves:
        return
    try:
        mark_verified(context.clouds.parameters, parameter, marks, top)
    except EcsCdError as error:
        context.report.warn(f"{top.value} serves, but could not be marked as verified: {error.message}")
