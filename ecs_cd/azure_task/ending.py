"""How a command of the task ended, and the file that tells the Node side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ecs_cd.azure_task import summary
from ecs_cd.azure_task.voice import Voice
from ecs_cd.azure_task.wording import task_wording
from ecs_cd.errors import DeadlineReached, EcsCdError, Interrupted
from ecs_cd.messages import worded
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Failure, Report
from ecs_cd.support.files import write_atomically

VERSION = 1
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
    good: bool = True
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
        report.summary, report.outcome.value, report.good, outputs, warnings=tuple(report.warnings), report=report
    )


def reported_many(reports: Reports) -> Ended:
    """Return the end of several deliveries; outputs that belong to one service are empty."""
    facts = tuple((report.service, report.summary) for report in reports.deliveries)
    return Ended(
        reports.summary, reports.outcome.value, reports.good, warnings=reports.warnings, facts=facts, reports=reports
    )


def failed(error: EcsCdError) -> Ended:
    """Return the end of a command that raised."""
    outcome = "failed"
    if isinstance(error, DeadlineReached):
        outcome = "timed-out"
    elif isinstance(error, Interrupted):
        outcome = "interrupted"
    return Ended(error.message, outcome, good=False, failure=Failure.of(error))


def write(ended: Ended, command: str, result_file: Path, voice: Voice) -> None:
    """Write summary and report, and, last and whole, the result file that names them.

    Raises:
        OSError: they cannot be written there.
    """
    ended = worded(ended, task_wording)
    beside = result_file.with_name(result_file.stem)
    summary_file = beside.with_name(f"{beside.name}.summary.md")
    write_atomically(summary_file, summary.of(ended, command, voice.safe))
    report_file = ""
    if kept := ended.report or ended.reports:
        report_file = str(beside.with_name(f"{beside.name}.report.json"))
        told = json.dumps(voice.safe(kept.to_dict()), indent=2, ensure_ascii=False)
        write_atomically(Path(report_file), told + "\n")
    result = "Failed"
    if ended.good:
        result = "SucceededWithIssues" if ended.warnings or voice.warnings else "Succeeded"
    outputs = dict.fromkeys(OUTPUTS.get(command, ("outcome",)), "") | dict(ended.outputs) | {"outcome": ended.outcome}
    answer = {
        "version": VERSION,
        "result": result,
        "message": voice.safe(ended.message),
        "outputs": voice.safe(outputs),
        "variables": voice.safe(ended.variables),
        "summaryFile": str(summary_file),
        "reportFile": report_file,
    }
    write_atomically(result_file, json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
