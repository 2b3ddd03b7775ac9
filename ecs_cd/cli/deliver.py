"""`ecs-cd deploy` and `ecs-cd verify`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ecs_cd.cli.frame import F, Frame, flags, framed, place
from ecs_cd.errors import WrongInput
from ecs_cd.report.combined import Reports
from ecs_cd.report.json_file import write_json
from ecs_cd.report.report import Report
from ecs_cd.sanitize import single_line
from ecs_cd.settings.commands import READS

NOT_WRITTEN = 1
"""The exit code where what was asked for is done, and the file of its report could not be written."""


def tagged(command: F) -> F:
    """Give a command the flags that say which tag."""
    where = "The build's tag file: a file, a folder to look in, or a glob. The working folder, if no tag is given."
    command = click.option("--tag-file", default="", metavar="PATH", help=where)(command)
    return click.option("--tag", help="The tag itself, instead of a tag file.")(command)


def reported(command: F) -> F:
    """Give a command the flag that keeps its report."""
    decorate: Callable[[F], F] = click.option(
        "--report", "report_file", type=click.Path(path_type=Path), help="Also write the report as JSON to this file."
    )
    return decorate(command)


@click.command(short_help="Deliver a tag and verify that ECS serves it.")
@place
@tagged
@reported
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done; change nothing.")
@flags(*READS["deploy"])
@framed
def deploy(
    frame: Frame,
    service: str,
    environment: str,
    *,
    tag: str | None,
    tag_file: str,
    report_file: Path | None,
    dry_run: bool,
    flags: dict[str, Any],
) -> int:
    """Deliver a tag of SERVICE to ENVIRONMENT and verify that ECS serves it.

    The image is looked up in ECR, the tag recorded in the service's parameter (never backwards), a run of the
    environment's Terraform pipeline queued and followed, and the rollout watched until ECS serves the tag.
    """
    check_report_file(report_file)
    with frame.client() as client, frame.console.following():
        report = client.deploy(
            service, environment, tag=tag, tag_file=tag_file, dry_run=dry_run, watch=frame.console.watch, **flags
        )
    return end(frame, report, report_file)


@click.command(short_help="Watch until ECS serves a tag.")
@place
@click.option("--tag", help="The tag itself.")
@click.option("--tag-file", default="", metavar="PATH", help="The build's tag file: a file, a folder, or a glob.")
@click.option("--or-newer", is_flag=True, help="A newer tag will do as well.")
@reported
@flags(*READS["verify"])
@framed
def verify(
    frame: Frame,
    service: str,
    environment: str,
    *,
    tag: str | None,
    tag_file: str,
    or_newer: bool,
    report_file: Path | None,
    flags: dict[str, Any],
) -> int:
    """Watch until ECS serves this very tag of SERVICE in ENVIRONMENT, or is known not to; change nothing.

    Give --tag or --tag-file.
    """
    check_report_file(report_file)
    with frame.client() as client, frame.console.following():
        report = client.verify(
            service, environment, tag=tag, tag_file=tag_file, or_newer=or_newer, watch=frame.console.watch, **flags
        )
    return end(frame, report, report_file)


def check_report_file(path: Path | None) -> None:
    """Refuse a place where no file can be, before anything is done that belongs in the report (rule 1)."""
    if path is None:
        return
    above = next((folder for folder in path.absolute().parents if folder.exists()), path)
    if path.is_dir() or not above.is_dir():
        raise WrongInput(
            f"The report cannot be written to '{single_line(str(path))}': that is a folder, or lies below a file.",
            hint="Give --report the path of a file.",
        )
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise WrongInput(
            f"The report cannot be written to '{single_line(str(path))}': {error.strerror or error}.",
            hint="Give --report a path that can be written.",
        ) from error


def end(frame: Frame, report: Report, report_file: Path | None) -> int:
    """Print the report, keep it if asked to, and return the exit code."""
    frame.console.report(report)
    return write_report(frame, report, report_file)


def write_report(frame: Frame, report: Report | Reports, report_file: Path | None) -> int:
    """Write a printed report to its file, if asked to, and return the exit code: 1 where only that failed.

    It is masked like all that is printed: a report has lines that applications logged.
    """
    try:
        if report_file:
            text = json.dumps(frame.console.safe(report.to_dict()), indent=2, ensure_ascii=False)
            write_json(report_file, f"{text}\n")
    except WrongInput as error:
        frame.console.error(error, debug=frame.debug, printed=True)
        return report.exit_code or NOT_WRITTEN
    return report.exit_code
