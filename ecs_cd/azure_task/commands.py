"""The commands of the task, one function each: one call of the client, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ecs_cd import arguments
from ecs_cd.azure_task.call import Call
from ecs_cd.azure_task.command_result import CommandResult, result_of, result_of_several
from ecs_cd.model.events import Event, RunChosen
from ecs_cd.model.parameter import Recorded
from ecs_cd.parameter.record import describe_change
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report


def deploy(call: Call) -> CommandResult:
    """Deliver a tag and verify that ECS serves it; of a tag file with several, all where no service is named."""
    given, watch = call.inputs, call.task_log.console.watch
    tag_file = call.tag_file()
    with call.client() as client:
        if call.is_for_several(tag_file):
            reports = client.deploy_many(
                given.environment, tag_file=tag_file, dry_run=given.dry_run, watch=watch, **call.settings
            )
            return _reported_many(call, reports)
        report = client.deploy(
            given.service,
            given.environment,
            tag=given.tag,
            tag_file=tag_file,
            dry_run=given.dry_run,
            watch=watch,
            **call.settings,
        )
    return _reported(call, report)


def rollback(call: Call) -> CommandResult:
    """Step back to the version verified last, or to a given tag, and hold it there."""
    given = call.inputs
    with call.client() as client:
        report = client.rollback(
            given.service,
            given.environment,
            to=given.tag,
            dry_run=given.dry_run,
            watch=call.task_log.console.watch,
            **call.settings,
        )
    return _reported(call, report)


def promote(call: Call) -> CommandResult:
    """Deliver what another environment serves."""
    given = call.inputs
    with call.client() as client:
        report = client.promote(
            given.service,
            given.environment,
            dry_run=given.dry_run,
            watch=call.task_log.console.watch,
            **call.settings,
        )
    return _reported(call, report)


def verify(call: Call) -> CommandResult:
    """Watch until ECS serves a tag, or is known not to; change nothing."""
    given = call.inputs
    arguments.check_tag_given("verify", given.tag, given.tag_file)
    tag_file = call.tag_file()
    with call.client() as client:
        report = client.verify(
            given.service,
            given.environment,
            tag=given.tag,
            tag_file=tag_file,
            or_newer=given.or_newer,
            watch=call.task_log.console.watch,
            **call.settings,
        )
    return _reported(call, report)


def read_tag(call: Call) -> CommandResult:
    """Read the tag file into a pipeline variable."""
    entry = call.agent.read_tag(call.inputs.service, call.inputs.tag_file)
    variable = call.inputs.tag_variable
    message = f"The tag is {entry.tag}."
    call.task_log.console.result(message)
    return CommandResult(
        message,
        "read",
        outputs={"imageTag": str(entry.tag), "imageDigest": entry.digest},
        variables={variable: str(entry.tag)},
        facts=(("Tag", str(entry.tag)), ("Variable", variable)),
    )


def set_parameter(call: Call) -> CommandResult:
    """Record a tag, unless a newer one is there; queue nothing."""
    given = call.inputs
    tag_file = call.tag_file()
    with call.client() as client:
        checked, change = client.steps.set_parameter(
            given.service,
            given.environment,
            tag=given.tag,
            tag_file=tag_file,
            dry_run=given.dry_run,
            **call.settings,
        )
    message = describe_change(change)
    call.task_log.console.result(message)
    outputs = {
        "imageTag": str(checked.tag),
        "imageDigest": checked.digest,
        "previousImageTag": change.old or "",
        "parameterName": change.name,
        "parameterVersion": str(change.version),
    }
    facts = (("Parameter", change.name), ("Tag", change.new), ("Version", str(change.version)))
    held = change.recorded is Recorded.HELD
    if held:
        call.task_log.warn(message)
    return CommandResult(
        message, change.recorded.value, outputs=outputs, facts=facts, warnings=(message,) if held else ()
    )


def queue_pipeline(call: Call) -> CommandResult:
    """Queue a run of the infrastructure pipeline; follow it to its end if asked to."""
    given, console = call.inputs, call.task_log.console

    def watch(event: Event) -> None:
        if isinstance(event, RunChosen):
            console.result(f"Queued run {event.run.name} (id {event.run.id}): {event.run.url}")
        else:
            console.watch(event)

    with call.client() as client:
        queued = client.steps.queue_run(
            given.service,
            given.environment,
            wait=given.wait,
            dry_run=given.dry_run,
            watch=watch,
            **call.settings,
        )
    path, run = queued.pipeline.path, queued.run
    if run is None:
        message = f"Would queue {path} (id {queued.pipeline.id}) on {queued.branch}."
        console.result(message)
        return CommandResult(message, "unchanged", facts=(("Pipeline", path), ("Branch", queued.branch)))
    if queued.warning:
        call.task_log.warn(queued.warning)
    return CommandResult(
        f"Run {run.name} of {path} {run.state.value}.",
        run.state.value if given.wait else "queued",
        outputs={"runId": str(run.id), "runUrl": run.url},
        warnings=(queued.warning,) if queued.warning else (),
        facts=(("Pipeline", path), ("Run", run.name), ("Branch", run.branch or queued.branch)),
    )


COMMANDS: Mapping[str, Callable[[Call], CommandResult]] = {
    "deploy": deploy,
    "verify": verify,
    "read-tag": read_tag,
    "set-parameter": set_parameter,
    "queue-pipeline": queue_pipeline,
    "rollback": rollback,
    "promote": promote,
}
"""What `inputs.COMMANDS` names, each with what it does."""


def _reported(call: Call, report: Report) -> CommandResult:
    """Print a delivery's report and return its end."""
    call.task_log.console.report(report)
    return result_of(report)


def _reported_many(call: Call, reports: Reports) -> CommandResult:
    """Print the reports of several deliveries and return their end."""
    call.task_log.console.reports(reports)
    return result_of_several(reports)
