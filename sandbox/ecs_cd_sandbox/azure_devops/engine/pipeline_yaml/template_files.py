"""Finds the files a pipeline is made of, in its own repository and in those it names as resources."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.document import read_document
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Place,
    Refused,
    ScalarNode,
    SequenceNode,
)
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository

MAX_FILES = 100
MAX_NESTING = 20
"""The service's limits: files of a pipeline, and templates within templates."""

DEFAULT_REF = "refs/heads/main"
_SELF = ("", "self")
_parsed = lru_cache(maxsize=256)(read_document)


@dataclass(frozen=True)
class Checkout:
    """A repository at a commit; `alias` is empty for the pipeline's own."""

    repository: GitRepository
    ref: str
    commit: str
    alias: str = ""


@dataclass(frozen=True)
class Source:
    """A file of a pipeline; `depth` says how many templates lead to it."""

    checkout: Checkout
    path: str
    depth: int = 0

    @property
    def name(self) -> str:
        """What messages call the file."""
        alias = self.checkout.alias
        return f"{self.path}@{alias}" if alias else self.path


@dataclass
class Library:
    """The repositories a run reads from: its own, and the known others by name.

    `url_of` returns the address of a repository by name, for messages; `project` is the name of the one project.
    """

    own: Checkout
    others: Mapping[str, GitRepository]
    project: str
    url_of: Callable[[str], str]
    aliases: dict[str, Checkout] = field(default_factory=dict)
    _files: set[tuple[str, str, str]] = field(default_factory=set)

    def declare(self, resources: Node | None) -> None:
        """Make the repositories of a `resources:` known by their aliases; what else stands there is not looked at.

        Raises:
            Refused: a repository or what is asked of it does not exist.
        """
        listed = resources.get("repositories") if isinstance(resources, MappingNode) else None
        for item in listed.items if isinstance(listed, SequenceNode) else ():
            if isinstance(item, MappingNode):
                self.declare_one(item)

    def declare_one(self, resource: MappingNode) -> None:
        """Make one repository known by its alias.

        Raises:
            Refused: the repository or what is asked of it does not exist.
        """
        place = resource.place
        texts = {key.text: value.text for key, value in resource.pairs if isinstance(value, ScalarNode)}
        alias, name = texts.get("repository", ""), texts.get("name", "")
        project, _, short = name.rpartition("/")
        found = self.others.get(name) or self.others.get(short)
        if name == self.own.repository.name or (short == self.own.repository.name and project == self.project):
            found = self.own.repository
        if found is None:
            raise Refused(
                place,
                f"The repository {short} in project {project or self.project} could not be retrieved. "
                "Verify the name and credentials being used and permissions.",
            )
        ref = texts.get("ref", "") or DEFAULT_REF
        commit = found.resolve(ref)
        if commit is None:
            raise Refused(
                Place(place.file),
                f"Could not get the latest source version for repository {short} hosted on Azure Repos "
                f"using ref {ref}.",
            )
        self.aliases[alias.lower()] = Checkout(found, ref, commit, alias)

    def checkout(self, alias: str) -> Checkout | None:
        """Return the repository an alias stands for, or None."""
        return self.own if alias.lower() in _SELF else self.aliases.get(alias.lower())

    def root(self, path: str) -> Source:
        """Return the file of the pipeline itself."""
        return Source(self.own, _absolute(path))

    def find(self, reference: str, source: Source) -> Source:
        """Return the file a template reference stands for.

        `path@alias` is read from another repository; a path is relative to the file that names it, unless it begins
        with a slash or leads to another repository.

        Raises:
            Refused: there is no such repository, the path leads out of it, or there are too many levels.
        """
        path, at, alias = reference.replace("\\", "/").partition("@")
        checkout = self.checkout(alias) if at else source.checkout
        if checkout is None:
            raise Refused(Place(source.name), f"No repository found by name {alias}")
        folder = posixpath.dirname(source.path) if checkout == source.checkout else ""
        whole = path if path.startswith("/") else f"{folder}/{path}"
        if _leads_out(whole):
            raise Refused(Place(source.name), f"The file path {whole} is invalid")
        if source.depth == MAX_NESTING:
            raise Refused(Place(source.name), f"Templates cannot be nested more than {MAX_NESTING} levels deep.")
        return Source(checkout, _absolute(whole), source.depth + 1)

    def read(self, source: Source, asked_from: Source) -> Node:
        """Return the content of a file.

        Raises:
            Refused: there is no such file, it is not YAML, or there are too many files.
        """
        checkout = source.checkout
        known = checkout.repository.resolve(checkout.commit)
        content = checkout.repository.file(known, source.path) if known else None
        if content is None:
            raise Refused(
                Place(asked_from.name),
                f"File {source.path} not found in repository {self.url_of(checkout.repository.name)} "
                f"branch {checkout.ref} version {checkout.commit}.",
            )
        self._files.add((checkout.repository.name, checkout.commit, source.path))
        if len(self._files) > MAX_FILES:
            raise Refused(Place(source.name), f"A pipeline cannot be made of more than {MAX_FILES} files.")
        try:
            return _parsed(content.decode("utf-8-sig"), source.name)
        except UnicodeDecodeError as error:
            raise Refused(Place(source.name), "The file is not UTF-8 text.") from error


def _absolute(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _leads_out(path: str) -> bool:
    depth = 0
    for folder in path.split("/")[:-1]:
        depth += {"": 0, ".": 0, "..": -1}.get(folder, 1)
        if depth < 0:
            return True
    return False
