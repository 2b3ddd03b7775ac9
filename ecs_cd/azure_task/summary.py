"""The summary of a run of the task, as Markdown for the run's page in Azure DevOps.

Whatever came from outside is masked and neutral before it gets here (`safe`), and is escaped: no text of a build, a
log or an API becomes a heading, a link, an image or HTML. Evidence of several lines stands in a code block by
indentation, which nothing in a line can end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ecs_cd.azure_task.command_result import CommandResult
from ecs_cd.report.facts import Failure
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import format_duration

_SPECIAL = frozenset("\\`*_{}[]()#!|~^$<>&\"':@")
_LISTED = re.compile(r"[-+=]|\d+[.)](\s|$)")
"""What would begin an entry of a list, or underline a heading, where it begins a line."""

_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")
Facts = Sequence[tuple[str, str]]


def summary_of(result: CommandResult, command: str, safe: Callable[[str], str]) -> str:
    """Return the summary. `safe` masks a text and makes it neutral."""
    report = result.report
    link = _link_of(result)
    mark = "Done" if result.succeeded else "Failed"
    parts = [f"### ecs-cd {command}: {mark}", escaped(safe(result.message))]
    facts = _report_facts(report) if report else result.facts
    if facts:
        parts.append("\n".join(["| | |", "|---|---|", *(f"| {escaped(a)} | {escaped(safe(b))} |" for a, b in facts)]))
    parts += _failure(result, safe)
    for one in result.reports.deliveries if result.reports else ():
        parts += _of_several(one, safe)
    if report and report.evidence:
        parts += ["**Evidence**", _listed(report.evidence, safe)]
    if result.warnings:
        parts += ["**Warnings**", _listed(result.warnings, safe)]
    if _URL.fullmatch(safe(link)):
        parts.append(f"[Open in Azure DevOps]({safe(link)})")
    if report:
        parts += _console_links(report, safe)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown and HTML show as it is, on one line."""
    line = " ".join(text.split())
    # Only at its beginning could a dash, a plus or a number make it an entry of a list.
    return "".join(f"&#{ord(c)};" if c in _SPECIAL or (at == 0 and not c.isalpha()) else c for at, c in enumerate(line))


def _link_of(result: CommandResult) -> str:
    """Return the one link a person will want: the failing place, else the run."""
    if result.failure:
        return result.failure.link
    report = result.report
    if report is None:
        return result.outputs.get("runUrl", "")
    if report.failure and report.failure.link:
        return report.failure.link
    return report.run.url if report.run else ""


def _of_several(report: Report, safe: Callable[[str], str]) -> list[str]:
    """Return why the delivery of one of several services failed; nothing of one that did not."""
    if report.failure is None:
        return []
    service = f"**{escaped(safe(report.service))}**"
    return [service, *_because(report.failure, safe), *_console_links(report, safe)]


def _console_links(report: Report, safe: Callable[[str], str]) -> list[str]:
    """Return the pages of the AWS console that show a failed rollout."""
    titles = {"logs": "Logs of {} in CloudWatch", "service": "Service {} in ECS"}
    return [
        f"[{escaped(titles[link.shows].format(safe(link.of)))}]({safe(link.url)})"
        for link in report.links
        if _URL.fullmatch(safe(link.url))
    ]


def _failure(result: CommandResult, safe: Callable[[str], str]) -> list[str]:
    """Return why it failed, with the evidence, and what to do next."""
    return _because(result.report.failure if result.report else result.failure, safe)


def _because(found: Failure | None, safe: Callable[[str], str]) -> list[str]:
    if found is None:
        return []
    parts = []
    lines = [line for detail in found.details for line in safe(detail).splitlines()]
    if lines:
        parts += ["**Because**", "\n".join(f"    {line}" for line in lines)]
    if found.hint:
        parts.append(f"**Do next:** {escaped(safe(found.hint))}")
    return parts


def _listed(sentences: Sequence[str], safe: Callable[[str], str]) -> str:
    return "\n".join(f"- {escaped(safe(sentence))}" for sentence in sentences)


def _report_facts(report: Report) -> Facts:
    """Return the facts of a delivery, those that are known."""
    image, run, rollout = report.image, report.run, report.rollout
    facts = [
        ("Service", report.service),
        ("Environment", report.environment),
        ("Tag", report.tag),
        ("Digest", image.digest if image else ""),
        ("Parameter", _parameter(report)),
        ("Run", f"{run.name} on {run.branch}: {run.state}" if run else ""),
        ("Rollout", f"{rollout.running} of {rollout.desired} tasks run {rollout.image}" if rollout else ""),
        ("Outcome", f"{report.outcome.value}{' (dry run)' if report.dry_run else ''}"),
        ("Took", f"{format_duration(report.seconds)} of {format_duration(report.deadline_seconds)}"),
    ]
    return [(label, value) for label, value in facts if value]


def _parameter(report: Report) -> str:
    parameter = report.parameter
    if parameter is None:
        return ""
    was = f", was {parameter.old}" if parameter.old is not None and parameter.old != parameter.new else ""
    return f"{parameter.name} is {parameter.new} (version {parameter.version}{was})"
