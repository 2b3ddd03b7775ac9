"""Git repositories in memory: branches and tags that point to commits, and who wants to hear of a push."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha1

from ecs_cd_sandbox.azure_devops.model.identities import Identity

HEADS = "refs/heads/"
TAGS = "refs/tags/"


@dataclass(frozen=True)
class Commit:
    """One commit, with all files as they are in it; `changed` are the paths it added, changed or removed.

    `branch` is the branch it was pushed to, by its full name. `parent` is None for the first commit.
    """

    id: str
    branch: str
    files: Mapping[str, bytes] = field(repr=False)
    changed: tuple[str, ...]
    author: Identity
    message: str
    parent: str | None = None


Subscriber = Callable[["GitRepository", str, Commit], None]
"""Called after a push with the repository, the full name of the branch, and the commit."""


class GitRepository:
    """A repository of the project. Safe to use from several threads."""

    def __init__(self, name: str, default_branch: str = f"{HEADS}main") -> None:
        """Start without commits."""
        self.name = name
        self.default_branch = full_name(default_branch)
        self._lock = threading.Lock()
        self._commits: dict[str, Commit] = {}
        self._refs: dict[str, str] = {}
        self._subscribers: list[Subscriber] = []

    def push(self, branch: str, files: Mapping[str, str | bytes | None], author: Identity, message: str) -> Commit:
        """Commit files on a branch, tell the subscribers, and return the commit.

        A file of None is removed. A branch that does not exist yet starts from the default one.

        Raises:
            ValueError: a path leads out of the repository, or a file to remove is not there.
        """
        name = full_name(branch)
        with self._lock:
            parent = self._commits.get(self._refs.get(name) or self._refs.get(self.default_branch, ""))
            after, changed = _changed(parent.files if parent else {}, files)
            commit = Commit("", name, after, changed, author, message, parent.id if parent else None)
            commit = replace(commit, id=_identifier(self.name, commit))
            self._commits[commit.id] = commit
            self._refs[name] = commit.id
            subscribers = list(self._subscribers)
        for subscriber in subscribers:
            subscriber(self, name, commit)
        return commit

    def point(self, ref: str, commit: str) -> None:
        """Let a branch or a tag (a name with `refs/`, else a branch) point to a commit, without a push.

        Raises:
            KeyError: there is no such commit.
        """
        with self._lock:
            self._refs[full_name(ref)] = self._commits[commit].id

    def delete(self, ref: str) -> None:
        """Remove a branch or a tag; its commits stay.

        Raises:
            KeyError: there is no such branch or tag.
        """
        with self._lock:
            del self._refs[full_name(ref)]

    def resolve(self, ref: str) -> str | None:
        """Return the commit a branch, a tag or a commit id stands for, or None."""
        with self._lock:
            return ref if ref in self._commits else self._refs.get(full_name(ref))

    def branches(self) -> dict[str, str]:
        """Return the commit of each branch by the branch's full name."""
        return self._by_prefix(HEADS)

    def tags(self) -> dict[str, str]:
        """Return the commit of each tag by the tag's full name."""
        return self._by_prefix(TAGS)

    def commit(self, commit: str) -> Commit:
        """Return a commit.

        Raises:
            KeyError: there is no such commit.
        """
        with self._lock:
            return self._commits[commit]

    def file(self, commit: str, path: str) -> bytes | None:
        """Return the content of a file in a commit, None if there is no such file; a leading slash does not matter.

        Raises:
            KeyError: there is no such commit.
        """
        return self.commit(commit).files.get(path.lstrip("/"))

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have somebody called after every push, in the thread that pushes."""
        with self._lock:
            self._subscribers.append(subscriber)

    def _by_prefix(self, prefix: str) -> dict[str, str]:
        with self._lock:
            return {name: commit for name, commit in self._refs.items() if name.startswith(prefix)}


def full_name(ref: str) -> str:
    """Return the full name of a branch or a tag; a name without `refs/` is a branch."""
    return ref if ref.startswith("refs/") else f"{HEADS}{ref}"


def _changed(
    before: Mapping[str, bytes], files: Mapping[str, str | bytes | None]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return all files after a change, and the paths that differ."""
    after = dict(before)
    for given, content in files.items():
        path = _checked(given)
        if content is not None:
            after[path] = content.encode() if isinstance(content, str) else content
        elif after.pop(path, None) is None:
            raise ValueError(f"There is no file {path} to remove.")
    return after, tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def _checked(path: str) -> str:
    parts = path.lstrip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path} is not the path of a file in a repository.")
    return "/".join(parts)


def _identifier(repository: str, commit: Commit) -> str:
    digest = sha1(usedforsecurity=False)
    for part in (repository, commit.branch, commit.parent or "", commit.author.id, commit.message):
        digest.update(part.encode() + b"\0")
    for path, content in sorted(commit.files.items()):
        digest.update(path.encode() + b"\0" + sha1(content, usedforsecurity=False).digest())
    return digest.hexdigest()
