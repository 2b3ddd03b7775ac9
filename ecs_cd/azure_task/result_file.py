"""What a command leaves for the Node side: summary, report, and the result file that names them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ecs_cd.azure_task.command_result import CommandResult
from ecs_cd.azure_task.summary import summary_of
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.azure_task.wording import task_wording
from ecs_cd.messages import worded
from ecs_cd.support.files import write_atomically

VERSION = 1
"""The version of the result file."""

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
        "continue": ("outcome",),
    }
)
"""The output variables that each command sets, whatever becomes of it; what is not known is empty."""


def write_result(result: CommandResult, command: str, result_file: Path, task_log: TaskLog) -> None:
    """Write summary and report, and, last and whole, the result file that names them.

    Raises:
        OSError: they cannot be written there.
    """
    result = worded(result, task_wording)
    beside = result_file.with_name(result_file.stem)
    summary_file = beside.with_name(f"{beside.name}.summary.md")
    write_atomically(summary_file, summary_of(result, command, task_log.safe))
    report_file = ""
    if kept := result.report or result.reports:
        report_file = str(beside.with_name(f"{beside.name}.report.json"))
        text = json.dumps(task_log.safe(kept.to_dict()), indent=2, ensure_ascii=False)
        write_atomically(Path(report_file), text + "\n")
    task_result = "Failed"
    if result.succeeded:
        task_result = "SucceededWithIssues" if result.warnings or task_log.warnings else "Succeeded"
    outputs = dict.fromkeys(OUTPUTS.get(command, ("outcome",)), "") | dict(result.outputs) | {"outcome": result.outcome}
    answer = {
        "version": VERSION,
        "result": task_result,
        "message": task_log.safe(result.message),
        "outputs": task_log.safe(outputs),
        "variables": task_log.safe(result.variables),
        "summaryFile": str(summary_file),
        "reportFile": report_file,
    }
    write_atomically(result_file, json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
