"""`ecs-cd tag read` and `ecs-cd tag write`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ecs_cd.cli.frame import Frame, framed
from ecs_cd.model.image import ImageTag, TagEntry
from ecs_cd.tag.tag_file import read_tag, write_tag


@click.group(short_help="Read and write the build's tag file.")
def tag() -> None:
    """Read and write the tag file that a build publishes."""


@tag.command("read")
@click.argument("where", default=".")
@click.option("--service", default="", help="The service whose tag is wanted, where the file carries several images.")
@framed
def read_(frame: Frame, where: str, service: str) -> None:
    """Print the tag in the tag file at WHERE: a file, a folder to look in, or a glob such as '**/.buildId'."""
    entry = read_tag(where, service)
    frame.print_result({**asdict(entry), "tag": str(entry.tag)}, str(entry.tag))


@tag.command("write")
@click.argument("tag_", metavar="TAG")
@click.argument("path", type=click.Path(path_type=Path), default=Path(".buildId"))
@click.option("--service", default="", help="Write the form that names services, with this one.")
@click.option("--repository", default="", help="The ECR repository of the image.")
@click.option("--digest", default="", help="The image's digest, sha256:...")
@click.option("--build-id", default="", help="The build that pushed it.")
@click.option("--build-url", default="", help="A link to that build.")
@click.option("--commit", default="", help="The commit it was built from.")
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be written; write nothing.")
@framed
def write_(frame: Frame, tag_: str, path: Path, service: str, *, dry_run: bool, **facts: str) -> None:
    """Write TAG to the tag file at PATH (.buildId if left out)."""
    entry = TagEntry(ImageTag(tag_), service, **facts)
    write_tag(path, [entry], as_json=bool(service or any(facts.values())), dry_run=dry_run)
    frame.print_result(
        {"path": str(path), "tag": tag_, "dry_run": dry_run}, f"{path} {'would hold' if dry_run else 'holds'} {tag_}."
    )
