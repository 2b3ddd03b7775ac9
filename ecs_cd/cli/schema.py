"""`ecs-cd schema`: the shapes of what is read and written, for editors and programs."""

from __future__ import annotations

import json

import click

from ecs_cd import settings
from ecs_cd.cli.frame import Frame, framed
from ecs_cd.report.combined import combined_schema
from ecs_cd.report.report import report_schema

_SCHEMAS = {"settings": settings.json_schema, "report": report_schema, "reports": combined_schema}


@click.command(
    short_help="Print the JSON Schema of settings or report.",
    help="Print the JSON Schema of ecs-cd.yml (settings, the default), of a delivery's report (report), or of several "
    "(reports).",
)
@click.argument("what", type=click.Choice(sorted(_SCHEMAS)), default="settings")
@framed
def schema(frame: Frame, what: str) -> None:
    """Print one of `_SCHEMAS`."""
    found = _SCHEMAS[what]()
    frame.print_result(found, json.dumps(found, indent=2))
