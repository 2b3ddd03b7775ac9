"""The commands of the task, one function each: settings, clouds, one call of the library, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ecs_cd import wiring
from ecs_cd.azure_task.call import Call
from ecs_cd.azure_task.ending import Ended, reported, reported_many
from ecs_cd.client import longest
from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.deploy import deploy_service
from ecs_cd.delivery.promote import promote_served
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.delivery.several import deploy_several
from ecs_cd.delivery.single_steps import record_only, verify_rollout
from ecs_cd.model.events import RunChanged
from ecs_cd.model.image import ImageTag, TagEntry
from ecs_cd.model.parameter import Recorded
from ecs_cd.model.run import Run, RunRequest
from ecs_cd.parameter.record import describe_change
from ecs_cd.report.report import Report
from ecs_cd.run.follow import follow_run
from ecs_cd.run.pipelines import Pipelines, resolve_pipeline
from ecs_cd.settings import DELIVERY, DeliverySettings
from ecs_cd.support.deadline import Deadline


def deploy(call: Call) -> Ended:
    """Deliver a tag and prove that ECS serves it; all of the tag file, where it has several and no service is named."""
    if entries := call.tags_of_several():
        return _deploy_many(call, entries)
    settings = call.resolve(DELIVERY)
    entry = call.tag(settings.service)
    wanted = wiring.delivery(settings, entry, dry_run=call.inputs.dry_run)
    with call.aws(settings, str(entry.tag)) as aws, call.azure_devops(settings) as azure:
        report = deploy_service(
            wanted,
            Clouds(aws.images, aws.parameters, azure, aws.services),
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def _deploy_many(call: Call, entries: Sequence[TagEntry]) -> Ended:
    settings = [call.resolve(DELIVERY, entry.service) for entry in entries]
    wanted = [
        wiring.delivery(one, entry, dry_run=call.inputs.dry_run) for one, entry in zip(settings, entries, strict=True)
    ]
    deadline = Deadline.after(longest(settings), call.clock)
    console, names = call.voice.console, [one.service for one in settings]
    with (
        call.aws(settings[0], f"{len(entries)}-services") as aws,
        call.azure_devops(settings[0]) as azure,
        console.following_many(f"{len(names)} services", names, deadline) as watch,
    ):
        clouds = Clouds(aws.images, aws.parameters, azure, aws.services)
        reports = deploy_several(wanted, clouds, deadline=deadline, watch=watch)
    console.reports(reports)
    return reported_many(reports)


def rollback(call: Call) -> Ended:
    """Step back to the version verified last, or to a given tag, and hold it there."""
    settings = call.resolve(DELIVERY)
    to = ImageTag(call.inputs.tag) if call.inputs.tag else None
    with call.aws(settings, str(to or "rollback")) as aws, call.azure_devops(settings) as azure:
        report = roll_back(
            wiring.place(settings),
            Clouds(aws.images, aws.parameters, azure, aws.services),
            to=to,
            dry_run=call.inputs.dry_run,
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def promote(call: Call) -> Ended:
    """Deliver what another environment serves."""
    settings, origin = call.resolve_promotion()
    with (
        call.aws(settings, "promote") as aws,
        call.azure_devops(settings) as azure,
        call.aws(origin, "promote") as there,
    ):
        report = promote_served(
            wiring.promotion(settings, origin, dry_run=call.inputs.dry_run),
            wiring.source(there),
            Clouds(aws.images, aws.parameters, azure, aws.services),
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def verify(call: Call) -> Ended:
    """Watch until ECS serves a tag, or is known not to; change nothing."""
    settings = call.resolve(("rollout",))
    entry = call.tag(settings.service)
    with call.aws(settings, str(entry.tag)) as aws:
        report = verify_rollout(
            wiring.delivery(settings, entry),
            aws.services,
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def read_tag(call: Call) -> Ended:
    """Read the tag file into a pipeline variable."""
    entry = call.tag(call.inputs.service)
    variable = call.inputs.tag_variable
    message = f"The tag is {entry.tag}."
    call.voice.console.result(message)
    return Ended(
        message,
        "read",
        outputs={"imageTag": str(entry.tag), "imageDigest": entry.digest},
        variables={variable: str(entry.tag)},
        facts=(("Tag", str(entry.tag)), ("Variable", variable)),
    )


def set_parameter(call: Call) -> Ended:
    """Record a tag, unless a newer one is there; queue nothing."""
    settings = call.resolve(("image", "parameter"))
    entry = call.tag(settings.service)
    wanted = wiring.delivery(settings, entry, dry_run=call.inputs.dry_run)
    with call.aws(settings, str(entry.tag)) as aws:
        deadline = Deadline.after(settings.timeout, call.clock)
        checked, change = record_only(wanted, aws.images, aws.parameters, deadline=deadline)
    message = describe_change(change)
    call.voice.console.result(message)
    outputs = {
        "imageTag": str(entry.tag),
        "imageDigest": checked.digest,
        "previousImageTag": change.old or "",
        "parameterName": change.name,
        "parameterVersion": str(change.version),
    }
    facts = (("Parameter", change.name), ("Tag", change.new), ("Version", str(change.version)))
    held = change.recorded is Recorded.HELD
    if held:
        call.voice.warn(message)
    return Ended(message, change.recorded.value, outputs=outputs, facts=facts, warnings=(message,) if held else ())


def queue_pipeline(call: Call) -> Ended:
    """Queue a run of the infrastructure pipeline; follow it to its end if asked to."""
    given = call.inputs.settings
    anywhere = given.get("pipeline") and given.get("branch") and not call.inputs.service
    settings = call.resolve_project(("pipeline",)) if anywhere else call.resolve(("pipeline",))
    with call.azure_devops(settings) as pipelines:
        found = resolve_pipeline(pipelines, str(settings.pipeline))
        if call.inputs.dry_run:
            message = f"Would queue {found.path} (id {found.id}) on {settings.branch}."
            call.voice.console.result(message)
            return Ended(message, "unchanged", facts=(("Pipeline", found.path), ("Branch", settings.branch)))
        run = pipelines.queue(RunRequest(found, settings.branch, settings.template_parameters, settings.variables))
        call.voice.console.result(f"Queued run {run.name} (id {run.id}): {run.url}")
        warnings: tuple[str, ...] = ()
        if call.inputs.wait:
            run, warnings = _followed(call, pipelines, run, settings)
    message = f"Run {run.name} of {found.path} {run.state.value}."
    facts = (("Pipeline", found.path), ("Run", run.name), ("Branch", run.branch or settings.branch))
    return Ended(
        message,
        run.state.value if call.inputs.wait else "queued",
        outputs={"runId": str(run.id), "runUrl": run.url},
        warnings=warnings,
        facts=facts,
    )


def _followed(call: Call, pipelines: Pipelines, run: Run, settings: DeliverySettings) -> tuple[Run, tuple[str, ...]]:
    deadline = Deadline.after(settings.timeout, call.clock)
    finished = follow_run(
        pipelines, run, deadline=deadline, watch=lambda progress: call.voice.console.watch(RunChanged(progress))
    )
    if finished.warning:
        call.voice.warn(finished.warning)
    return finished.run or run, (finished.warning,) if finished.warning else ()


COMMANDS: Mapping[str, Callable[[Call], Ended]] = {
    "deploy": deploy,
    "verify": verify,
    "read-tag": read_tag,
    "set-parameter": set_parameter,
    "queue-pipeline": queue_pipeline,
    "rollback": rollback,
    "promote": promote,
}
"""What `inputs.COMMANDS` names, each with what it does."""


def _told(call: Call, report: Report) -> Ended:
    """Print a delivery's report and return its end."""
    call.voice.console.report(report)
    return reported(report)
