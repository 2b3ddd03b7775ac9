"""The files in which a command of the task leaves its result for the Node side."""

from __future__ import annotations

import json
from pathlib import Path

from ecs_cd.azure_task import summary
from ecs_cd.azure_task.ending import OUTPUTS, Ended
from ecs_cd.azure_task.voice import Voice
from ecs_cd.azure_task.wording import task_wording
from ecs_cd.messages import worded
from ecs_cd.support.files import write_atomically

VERSION = 1
"""The version of the result file."""


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
    if ended.succeeded:
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
