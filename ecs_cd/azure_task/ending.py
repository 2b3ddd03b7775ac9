"""How a command of the task ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ecs_cd.errors import DeadlineReached, EcsCdError, Interrupted
from ecs_cd.report.combined import Reports
from ecs_cd.report.facts import Failure
from ecs_cd.report.report import Report

_IMAGE = ("imageTag", "imageDigest")
_PARAMETER = ("previousImageTag", "parameterName", "parameterVersion")
_RUN = ("runId", "runUrl")

OUTPUTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deploy": ("outcome", *_IMAGE, *_PARAMETER, *_RUN),
        "verify": ("outcome", "imageTag"),
        "read-tag": ("outcome", *_IMAGE),
        "set-parameter": ("outcome", *_IMAGE, *_PARAMETER),
        "queue-pipeline": ("outcome", *_RUN),
        "rollback": ("outcome", *_IMAGE, *_PARAMETER, *_RUN),
        "promote": ("outcome", *_IMAGE, *_PARAMETER, *_RUN),
    }
)
"""The output variables that each command sets, whatever becomes of it; what is not known is empty."""


@dataclass(frozen=True)
class Ended:
    """How a command ended. `facts` are for its summary; a delivery has a report, which says more, several have one."""

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


def reported(report: Report) -> Ended:
    """Return the end of a delivery."""
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
    return Ended(
        report.summary, report.outcome.value, report.succeeded, outputs, warnings=tuple(report.warnings), report=report
    )


def reported_many(reports: Reports) -> Ended:
    """Return the end of several deliveries; outputs that belong to one service are empty."""
    facts = tuple((report.service, report.summary) for report in reports.deliveries)
    return Ended(
        reports.summary,
        reports.outcome.value,
        reports.succeeded,
        warnings=reports.warnings,
        facts=facts,
        reports=reports,
    )


def failed(error: EcsCdError) -> Ended:
    """Return the end of a command that raised."""
    outcome = "failed"
    if isinstance(error, DeadlineReached):
        outcome = "timed-out"
    elif isinstance(error, Interrupted):
        outcome = "interrupted"
    return Ended(error.message, outcome, succeeded=False, failure=Failure.of(error))
