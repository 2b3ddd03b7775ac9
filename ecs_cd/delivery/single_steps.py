"""Single steps of a delivery, for those who do the others by other means."""

from __future__ import annotations

from ecs_cd.delivery.identity import RunningImages, identify
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.steps import check_delivery_image, follow_service, record_delivery_tag
from ecs_cd.errors import NotServed
from ecs_cd.image.check import Images
from ecs_cd.model.delivery import Delivery
from ecs_cd.model.events import Watch, ignore_events
from ecs_cd.model.image import CheckedImage
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.service import ServiceTarget, Serving, TaskTarget
from ecs_cd.parameter.store import Parameters
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.rollout.follow import failure_without_run
from ecs_cd.rollout.identity import Registry
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.task_definition import look_at_task_definition, not_in_latest
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline


def record_only(
    delivery: Delivery, images: Images, parameters: Parameters, *, deadline: Deadline
) -> tuple[CheckedImage, ParameterChange]:
    """Check the image and record its tag, and nothing else; for those who queue the run by other means.

    Raises:
        EcsCdError: as the two steps say.
    """
    delivery.options.order.check(str(delivery.tag))
    checked = check_delivery_image(delivery, images, deadline)
    return checked, record_delivery_tag(delivery, checked, parameters, deadline)


def verify_rollout(
    delivery: Delivery,
    images: Images,
    services: Services,
    logs: Logs,
    *,
    or_newer: bool = False,
    deadline: Deadline,
    watch: Watch = ignore_events,
) -> Report:
    """Watch until ECS serves this very tag or is known not to, changing nothing; for those who applied by other means.

    `or_newer`: a newer tag will do as well; the outcome is `superseded` then.
    """
    report = ReportBuilder(delivery.place, deadline, watch, delivery.tag)

    def verify() -> Outcome:
        place, registry = delivery.place, RunningImages(images, delivery.place)
        if place.task:
            return _verify_task(
                place.task, _wanted(delivery, images, report, or_newer=or_newer), services, report, registry
            )
        target = place.require_service()
        wanted = _wanted(delivery, images, report, or_newer=or_newer)
        return _verify_service(target, wanted, services, logs, report, registry=registry)

    return report.of(verify)


def _wanted(delivery: Delivery, images: Images, report: ReportBuilder, *, or_newer: bool) -> Wanted:
    """Return what must serve, as ECR has it now.

    Without an order no other tag is newer, so that another image that serves is a failure.
    """
    image = identify(delivery, images, report)
    repository = delivery.place.repository
    report.add_image(image, repository.name if repository else "")
    return Wanted.of(image, delivery.options.order if or_newer else Order.NONE, delivery.place.rollout_until)


def _verify_service(
    target: ServiceTarget, wanted: Wanted, services: Services, logs: Logs, report: ReportBuilder, *, registry: Registry
) -> Outcome:
    verdict = follow_service(target, wanted, services, logs, report, registry=registry, explain=failure_without_run)
    if verdict.serving is Serving.SUPERSEDED:
        return Outcome.SUPERSEDED
    if verdict.serving is Serving.NOT_JUDGED:
        raise NotServed(
            f"Whether {quoted(target.service)} serves {wanted.tag} cannot be seen. {verdict.sentence}",
            hint="Verify when its controller has made a task set primary.",
        )
    report.summary = f"{report.place.service} {wanted.tag} is served in {report.place.environment}."
    if verdict.serving is Serving.BAKING:
        report.summary += f" ECS can still take it back: {verdict.sentence}"
    return Outcome.UNCHANGED


def _verify_task(
    task: TaskTarget, wanted: Wanted, services: Services, report: ReportBuilder, registry: Registry
) -> Outcome:
    found = look_at_task_definition(services, task, wanted, registry)
    if found.serving is Serving.NOT_APPLIED:
        raise not_in_latest(task, wanted, found)
    report.add_evidence(found.sentence)
    if found.serving is Serving.SUPERSEDED:
        return Outcome.SUPERSEDED
    place = report.place
    report.summary = f"{place.service} {wanted.tag} is in {place.environment}: the next task of {task.family} runs it."
    return Outcome.UNCHANGED
