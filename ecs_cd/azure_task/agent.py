"""What the agent says about the job: where it runs, and where a build's tag file lies.

Names and meanings: https://learn.microsoft.com/azure/devops/pipelines/build/variables and .../release/variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ecs_cd.errors import TagFileError
from ecs_cd.model.image import TagEntry, TagFile
from ecs_cd.sanitize import comma_list
from ecs_cd.tag.search import FILE_NAME
from ecs_cd.tag.tag_file import entry_for, read_tag_file

_NOT_EXPANDED = re.compile(r"\$\([^()]*\)")
_OF_THE_BUILD = frozenset({"s", "a", "b", "TestResults"})
"""Folders of `Pipeline.Workspace` that are no downloaded artifacts."""


class Kind(str, Enum):
    """What kind of job it is."""

    BUILD = "build"
    DEPLOYMENT = "deployment"
    RELEASE = "release"


@dataclass(frozen=True)
class Agent:
    """The job, as the agent's public variables describe it."""

    environ: Mapping[str, str]

    @property
    def kind(self) -> Kind:
        """Return what kind of job it is: a deployment job of a YAML pipeline has an environment."""
        if self.value("RELEASE_RELEASEID"):
            return Kind.RELEASE
        return Kind.DEPLOYMENT if self.value("ENVIRONMENT_NAME") else Kind.BUILD

    @property
    def debug(self) -> bool:
        """Return whether `System.Debug` is on."""
        return self.value("SYSTEM_DEBUG").lower() == "true"

    @property
    def run(self) -> str:
        """Return what names the run in the records of others: `build-55`, `release-12`."""
        if self.kind is Kind.RELEASE:
            return f"release-{self.value('RELEASE_RELEASEID')}"
        return f"build-{self.value('BUILD_BUILDID')}" if self.value("BUILD_BUILDID") else "task"

    @property
    def working_directory(self) -> Path:
        """Return the folder the job works in."""
        return self._folder("SYSTEM_DEFAULTWORKINGDIRECTORY") or Path.cwd()

    def value(self, variable: str) -> str:
        """Return a variable; empty where it is not there or was not expanded."""
        value = self.environ.get(variable, "").strip()
        return "" if _NOT_EXPANDED.fullmatch(value) else value

    def read_tag(self, service: str, where: str = "") -> TagEntry:
        """Return what a tag file says of a service (see `read_tags`).

        Raises:
            TagFileError: there is none, or more than one, or it has no such service.
            InvalidTag: it does not hold a tag.
        """
        return entry_for(self.read_tags(where), service)

    def read_tags(self, where: str = "") -> TagFile:
        """Return what a tag file says: the one at `where`, or the one of the build that is delivered.

        A relative `where` begins in the folders of this kind of job.

        Raises:
            TagFileError: there is none, or more than one.
            InvalidTag: it does not hold a tag.
        """
        if not where:
            return read_tag_file(".", root=self._default_place())
        if os.path.isabs(where):  # noqa: PTH117 - it may be a pattern
            return read_tag_file(where)
        roots = self.roots()
        return read_tag_file(where, root=next((root for root in roots if _has(root, where)), roots[0]))

    def roots(self) -> list[Path]:
        """Return the folders in which artifacts lie, the likeliest first; there is always one."""
        variables = {
            Kind.BUILD: ("PIPELINE_WORKSPACE", "BUILD_ARTIFACTSTAGINGDIRECTORY"),
            Kind.DEPLOYMENT: ("PIPELINE_WORKSPACE",),
            Kind.RELEASE: ("SYSTEM_ARTIFACTSDIRECTORY",),
        }[self.kind]
        found = [folder for folder in map(self._folder, variables) if folder]
        return list(dict.fromkeys([*found, self.working_directory]))

    def _default_place(self) -> Path:
        """Return the folder with a tag file: the first group of places in which exactly one has any.

        Raises:
            TagFileError: no place has one, or several of a group have.
        """
        for places in self._groups():
            having = [place for place in places if _holds(place)]
            if len(having) > 1:
                raise TagFileError(
                    f"There are tag files in {len(having)} artifacts: {comma_list([str(place) for place in having])}.",
                    hint="Name one of them with input 'tagFile'.",
                )
            if having:
                return having[0]
        shown = comma_list([str(root) for root in self.roots()])
        raise TagFileError(
            f"There is no tag file ({FILE_NAME}) in {shown}.",
            hint="Download the build's artifact in this job first, or name the file with input 'tagFile'.",
        )

    def _groups(self) -> Iterator[list[Path]]:
        """Yield the places to look in, those that count more first."""
        first = self.roots()[0]
        if self.kind is Kind.RELEASE:
            for alias in ("RELEASE_TRIGGERINGARTIFACT_ALIAS", "RELEASE_PRIMARYARTIFACTSOURCEALIAS"):
                yield self._alias(first, alias)
            yield _folders(first)
        elif self.kind is Kind.DEPLOYMENT:
            yield self._alias(first, "RESOURCES_TRIGGERINGALIAS")
            yield _folders(first)
        else:
            staging = self._folder("BUILD_ARTIFACTSTAGINGDIRECTORY")
            yield [staging] if staging else []
            yield _folders(first)
        yield [self.working_directory]

    def _alias(self, root: Path, variable: str) -> list[Path]:
        alias = self.value(variable)
        inside = alias and alias not in (".", "..") and not re.search(r"[/\\:]", alias)
        return [root / alias] if inside and (root / alias).is_dir() else []

    def _folder(self, variable: str) -> Path | None:
        value = self.value(variable)
        return Path(value) if value and Path(value).is_dir() else None


def _folders(root: Path) -> list[Path]:
    """Return the folders of downloaded artifacts; the root itself where the file lies in it directly."""
    if (root / FILE_NAME).is_file():
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name not in _OF_THE_BUILD)


def _holds(place: Path) -> bool:
    return any(FILE_NAME in files for _, _, files in os.walk(place))


def _has(root: Path, where: str) -> bool:
    try:
        return next(root.glob(where), None) is not None
    except (ValueError, NotImplementedError, IndexError):  # no pattern that pathlib knows; the search itself tells
        return os.path.lexists(root / where)
