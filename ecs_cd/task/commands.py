"""The commands of the task, one function each: settings, clouds, one call of the library, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ecs_cd import delivery, pipeline, rolling_back, wiring
from ecs_cd.delivery import Clouds
from ecs_cd.errors import WrongInput
from ecs_cd.model import ImageTag, Recorded, Run, RunRequest
from ecs_cd.progress import RunChanged
from ecs_cd.report import Report
from ecs_cd.settings import DeliverySettings
from ecs_cd.task.call import Call
from ecs_cd.task.ending import Ended, reported
from ecs_cd.task.inputs import in_inputs
from ecs_cd.waiting import Deadline


def deploy(call: Call) -> Ended:
    """Deliver a tag and prove that ECS serves it."""
    settings = call.resolve(("image", "parameter", "pipeline", "rollout"))
    entry = call.tag(settings.service)
    wanted = wiring.delivery(settings, entry, dry_run=call.inputs.dry_run)
    with call.aws(settings, str(entry.tag)) as aws, call.azure_devops(settings) as azure:
        report = rolling_back.deploy(
            wanted,
            Clouds(aws.images, aws.parameters, azure, aws.services),
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def rollback(call: Call) -> Ended:
    """Step back to the version verified last, or to a given tag, and hold it there."""
    settings = call.resolve(("image", "parameter", "pipeline", "rollout"))
    to = ImageTag(call.inputs.tag) if call.inputs.tag else None
    wanted = wiring.place_of_rollback(settings, dry_run=call.inputs.dry_run)
    with call.aws(settings, str(to or "rollback")) as aws, call.azure_devops(settings) as azure:
        report = rolling_back.rollback(
            wanted,
            Clouds(aws.images, aws.parameters, azure, aws.services),
            to=to,
            deadline=Deadline.after(settings.timeout, call.clock),
            watch=call.voice.console.watch,
        )
    return _told(call, report)


def verify(call: Call) -> Ended:
    """Watch until ECS serves a tag, or is known not to; change nothing."""
    settings = call.resolve(("rollout",))
    entry = call.tag(settings.service)
    with call.aws(settings, str(entry.tag)) as aws:
        report = delivery.verify(
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
        checked, change = delivery.record(wanted, aws.images, aws.parameters, deadline=deadline)
    message = delivery.said(change)
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
        found = pipeline.resolve(pipelines, str(settings.pipeline))
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


def _followed(
    call: Call, pipelines: pipeline.Pipelines, run: Run, settings: DeliverySettings
) -> tuple[Run, tuple[str, ...]]:
    deadline = Deadline.after(settings.timeout, call.clock)
    finished = pipeline.follow(
        pipelines, run, deadline=deadline, watch=lambda progress: call.voice.console.watch(RunChanged(progress))
    )
    if finished.warning:
        call.voice.warn(finished.warning)
    return finished.run or run, (finished.warning,) if finished.warning else ()


def not_yet(call: Call) -> Ended:
    """Refuse a command whose inputs are final and whose work is not in this version.

    Raises:
        WrongInput: always.
    """
    raise WrongInput(
        f"Command '{call.inputs.command}' is not in this version of the task.",
        hint="Deliver the wanted tag with command 'deploy'; input 'order' set to none lets it step back.",
    )


COMMANDS: Mapping[str, Callable[[Call], Ended]] = {
    "deploy": deploy,
    "verify": verify,
    "read-tag": read_tag,
    "set-parameter": set_parameter,
    "queue-pipeline": queue_pipeline,
    "rollback": rollback,
    "promote": not_yet,
}
"""What `inputs.COMMANDS` names, each with what it does."""


def _told(call: Call, report: Report) -> Ended:
    """Print a delivery's report, in the words of inputs, and return its end."""
    failure = report.failure
    if failure:
        failure = replace(failure, message=in_inputs(failure.message), hint=in_inputs(failure.hint))
        report = replace(report, summary=in_inputs(report.summary), failure=failure)
    call.voice.console.report(report)
    return reported(report)
