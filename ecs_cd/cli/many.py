"""`ecs-cd deploy-many`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ecs_cd.cli.deliver import check_report_file, reported
from ecs_cd.cli.frame import Frame, flags, framed
from ecs_cd.errors import WrongInput
from ecs_cd.sanitize import quoted
from ecs_cd.settings.commands import READS


@click.command("deploy-many", short_help="Deliver several services with one run of Terraform's pipeline.")
@click.argument("environment")
@click.argument("services", nargs=-1, metavar="[SERVICE[=TAG]]...")
@click.option("--tag-file", default="", metavar="PATH", help="The build's tag file, for services without a tag.")
@reported
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done; change nothing.")
@flags(*READS["deploy"])
@framed
def deploy_many(
    frame: Frame,
    environment: str,
    services: tuple[str, ...],
    *,
    tag_file: str,
    report_file: Path | None,
    dry_run: bool,
    flags: dict[str, Any],
) -> int:
    """Deliver several services to ENVIRONMENT: SERVICE=TAG as often as needed, or all images of the tag file.

    All images are checked first, then all tags recorded, then one run is joined or queued for all that have the same
    pipeline; each service has a verdict and a report of its own. The exit code is that of the worst.
    """
    check_report_file(report_file)
    if "=" in environment:
        raise WrongInput(
            f"{quoted(environment)} stands where the environment is expected.",
            hint="Name the environment first: ecs-cd deploy-many development my-api=101.",
        )
    tags = _tags(services)
    with frame.client() as client, frame.console.following():
        reports = client.deploy_many(
            environment, tags, tag_file=tag_file, dry_run=dry_run, watch=frame.console.watch, **flags
        )
    frame.console.reports(reports)
    if report_file:
        reports.write(report_file)
    return reports.exit_code


def _tags(services: Sequence[str]) -> dict[str, str | None]:
    """Return the tags by service, None where none is said.

    Raises:
        WrongInput: a service is named twice, or not at all.
    """
    tags: dict[str, str | None] = {}
    for said in services:
        service, equals, tag = said.partition("=")
        if not service or (equals and not tag):
            raise WrongInput(f"{quoted(said)} is not SERVICE=TAG.", hint="Write it as my-api=101.")
        if service in tags:
            raise WrongInput(f"Service {quoted(service)} is named twice.", hint="Name each once.")
        tags[service] = tag or None
    return tags
