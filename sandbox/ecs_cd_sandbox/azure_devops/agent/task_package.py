"""Tasks as they come in an extension (`.vsix`): unpacked safely, read, and found by name and major version.

Formats: the extension manifest (`extension.vsomanifest`) and the task manifest (`task.json`).
"""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ecs_cd_sandbox.azure_devops.agent.nodejs import Node
from ecs_cd_sandbox.azure_devops.model.definitions import Restrictions, TaskReference

MANIFEST = "extension.vsomanifest"
CONTRIBUTION = "ms.vss-distributed-task.task"
HANDLERS = {"Node24": 24, "Node20_1": 20}
"""The handlers an agent of today has, the preferred one first, and the Node.js each needs."""

LARGEST = 512 * 1024 * 1024
MOST_FILES = 50_000
"""What an extension may come to, unpacked; the service takes far less."""

_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|\\|\0")


class TaskPackageError(Exception):
    """An extension or a task is not what an agent could run; the message says why."""


@dataclass(frozen=True)
class TaskInput:
    """An input as `task.json` has it. `options` is empty where any value goes."""

    name: str
    type: str = "string"
    default: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    visible_rule: str = ""
    """What other inputs must say for it to be shown, and so asked for, such as `targetType = inline`."""


@dataclass(frozen=True)
class Handler:
    """How a task is run: a script, and the folder it runs in (empty: the job's)."""

    name: str
    target: str
    working_directory: str = ""


@dataclass(frozen=True)
class Task:
    """A task in its folder."""

    folder: Path
    reference: TaskReference
    description: str
    author: str
    inputs: tuple[TaskInput, ...]
    handlers: Mapping[str, Handler]
    outputs: frozenset[str] = frozenset()
    restrictions: Restrictions = field(default_factory=Restrictions)
    friendly_name: str = ""
    """What its log calls it."""

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.reference.version.partition(".")[0])

    def handler_for(self, node: Node) -> Handler:
        """Return the best handler that a Node.js can run.

        Raises:
            TaskPackageError: there is none.
        """
        for name, oldest in HANDLERS.items():
            if name in self.handlers and node.major >= oldest:
                return self.handlers[name]
        known = ", ".join(self.handlers) or "none"
        raise TaskPackageError(f"{self.reference.name} has no handler for Node.js {node.major}: it has {known}.")


def find_task(tasks: Iterable[Task], wanted: str) -> Task:
    """Return the newest task for `Name@major`.

    Raises:
        TaskPackageError: it is none of them.
    """
    found = list(tasks)
    name, _, major = wanted.partition("@")
    fitting = [task for task in found if task.reference.name.lower() == name.lower() and str(task.major) == major]
    if not fitting:
        known = ", ".join(f"{task.reference.name}@{task.major}" for task in found) or "none"
        raise TaskPackageError(f"A task is missing: there is no {wanted}; the known tasks are: {known}.")
    return max(fitting, key=lambda task: [int(part) for part in task.reference.version.split(".")])


def unpack(vsix: Path, folder: Path) -> tuple[Task, ...]:
    """Unpack an extension into a folder, nothing of it outside, and return the tasks it contributes.

    Raises:
        TaskPackageError: it is no extension, has no task, or was made to do harm.
    """
    try:
        with zipfile.ZipFile(vsix) as archive:
            for entry in _checked(archive):
                archive.extract(entry, folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise TaskPackageError(f"{vsix.name} cannot be unpacked: {error}") from error
    tasks = tuple(read_task(path) for path in _task_folders(folder))
    if not tasks:
        raise TaskPackageError(f"{vsix.name} contributes no task.")
    return tasks


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST:
        raise TaskPackageError("The extension is too large.")
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if _OUTSIDE.search(entry.orig_filename) or ".." in parts or not parts:
            raise TaskPackageError(f"The extension has a file outside of its folder: {entry.orig_filename!r}")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise TaskPackageError(f"The extension has a symbolic link: {entry.filename!r}")
    return entries


def _task_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of the tasks the extension contributes: one, or one per version below it."""
    for contribution in _json(folder / MANIFEST).get("contributions") or []:
        if contribution.get("type") != CONTRIBUTION:
            continue
        name = str((contribution.get("properties") or {}).get("name", ""))
        place = (folder / name).resolve()
        if not name or not place.is_relative_to(folder.resolve()):
            raise TaskPackageError(f"The extension's task {name!r} is outside of its folder.")
        manifests = [place / "task.json"] if (place / "task.json").is_file() else sorted(place.glob("*/task.json"))
        if not manifests:
            raise TaskPackageError(f"The extension has no task.json for its task {name!r}.")
        yield from (path.parent for path in manifests)


def read_task(folder: Path) -> Task:
    """Read the `task.json` of a folder.

    Raises:
        TaskPackageError: it lacks what an agent needs.
    """
    manifest = _json(folder / "task.json")
    try:
        return task_from(manifest, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TaskPackageError(f"{folder.name}/task.json is not a task's: {type(error).__name__}: {error}") from error


def task_from(manifest: Mapping[str, Any], folder: Path) -> Task:
    """Return the task that a `task.json` describes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it lacks something, or has it in the wrong shape.
    """
    version = ".".join(str(int(manifest["version"][part])) for part in ("Major", "Minor", "Patch"))
    return Task(
        folder=folder,
        reference=TaskReference(str(manifest["id"]), str(manifest["name"]), version),
        description=str(manifest.get("description", "")),
        author=str(manifest.get("author", "")),
        inputs=tuple(_input(given) for given in manifest.get("inputs", [])),
        handlers=_handlers(folder, manifest.get("execution", {})),
        outputs=frozenset(str(each["name"]).lower() for each in manifest.get("outputVariables", [])),
        restrictions=_restrictions(manifest.get("restrictions", {})),
        friendly_name=str(manifest.get("friendlyName", "")),
    )


def _input(given: Mapping[str, Any]) -> TaskInput:
    editable = str((given.get("properties") or {}).get("EditableOptions", "")).lower() == "true"
    choice = given["type"] in {"pickList", "radio"} and not editable
    default = given.get("defaultValue")
    return TaskInput(
        name=str(given["name"]),
        type=str(given["type"]),
        default=_default(default),
        required=given.get("required") in {True, "true"},
        aliases=tuple(map(str, given.get("aliases", []))),
        options=tuple(map(str, given.get("options") or {})) if choice else (),
        visible_rule=str(given.get("visibleRule") or ""),
    )


def _default(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _handlers(folder: Path, execution: Mapping[str, Any]) -> dict[str, Handler]:
    found = {}
    for name, handler in execution.items():
        target = (folder / str(handler["target"])).resolve()
        if not target.is_relative_to(folder.resolve()) or (name in HANDLERS and not target.is_file()):
            raise ValueError(f"the handler {name} has no file {handler['target']}")
        found[name] = Handler(name, str(target), str(handler.get("workingDirectory", "")))
    return found


def _restrictions(given: Mapping[str, Any]) -> Restrictions:
    mode = (given.get("commands") or {}).get("mode", "any")
    settable = given.get("settableVariables")
    allowed = None if settable is None else tuple(map(str, settable.get("allowed", [])))
    return Restrictions("restricted" if mode == "restricted" else "any", allowed)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise TaskPackageError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise TaskPackageError(f"{path.name} holds no JSON object.")
    return found
