"""How a command of the task ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecs_cd.errors import DeadlineReached, EcsCdError, Interrupted
from ecs_cd.report.combined import Reports
from ecs_cd.report.facts import Failure
from ecs_cd.report.report import Report


@dataclass(frozen=True)
class CommandResult:
    """The result of a command. `facts` are for its summary; a delivery, or several, have a report, which says more."""

    message: str
    outcome: str
    succeeded: bool = True
    outputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    failure: Failure | None = None
    report: Report | None = None
    reports: Reports | None = None


def result_of(report: Report) -> CommandResult:
    """Return the result of a delivery."""
    image, parameter, run = report.image, report.parameter, report.run
    outputs = {"imageTag": report.tag}
    if image:
        outputs["imageDigest"] = image.digest
    if parameter:
        outputs["previousImageTag"] = parameter.old or ""
        outputs["parameterName"] = parameter.name
        outputs["parameterVersion"] = str(parameter.version)
    if run:
        outputs["runId"], outputs["runUrl"] = str(run.id), run.url
    return CommandResult(
        report.summary, report.outcome.value, report.succeeded, outputs, warnings=tuple(report.warnings), report=report
    )


def result_of_several(reports: Reports) -> CommandResult:
    """Return the result of several deliveries; outputs that belong to one service are empty."""
    facts = tuple((report.service, report.summary) for report in reports.deliveries)
    return CommandResult(
        reports.summary,
        reports.outcome.value,
        reports.succeeded,
        warnings=reports.warnings,
        facts=facts,
        reports=reports,
    )


def failed_result(error: EcsCdError) -> CommandResult:
    """Return the result of a command that raised."""
    outcome = "failed"
    if isinstance(error, DeadlineReached):
        outcome = "timed-out"
    elif isinstance(error, Interrupted):
        outcome = "interrupted"
    return CommandResult(error.message, outcome, succeeded=False, failure=Failure.of(error))
