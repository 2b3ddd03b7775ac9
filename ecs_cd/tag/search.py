"""Where a tag file is, and its bytes: the part of step 1 that touches the disk.

A downloaded artifact may hold links, devices or huge files. Nothing outside the directory that was searched is read,
and what is checked is the file that was opened, not its name.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from ecs_cd.errors import TagFileError
from ecs_cd.messages import ArgumentRef, Message
from ecs_cd.sanitize import comma_list, single_line

FILE_NAME = ".buildId"
MOST_BYTES = 64 * 1024
_MAGIC = re.compile(r"[*?\[]")


def locate_tag_file(where: str, root: Path | None) -> tuple[Path, Path]:
    """Return the one file that `where` names and the directory it must lie in. See `tagfile.find`.

    Raises:
        TagFileError: none, several, or one that leads out of the directory.
    """
    if not where.strip() or "\0" in where:
        raise TagFileError("No tag file was named.", hint=f"Give the path of the file, such as drop/{FILE_NAME}.")
    path = Path(os.path.abspath(Path(root or ".") / where))  # noqa: PTH100 - without following links, as resolve would
    literal = os.path.lexists(path)
    if literal and not path.is_dir():
        base, found = path.parent, [path]
    elif literal:
        base, found = path, _in_directory(path)
    elif _MAGIC.search(where):
        base, pattern = _split(path)
        found = _matching(base, pattern)
    else:
        raise TagFileError(f"There is no tag file '{single_line(where)}'.", hint=_NOT_THERE)
    base = Path(os.path.abspath(root)) if root else base  # noqa: PTH100 - as above
    found = [file for file in found if _inside(file.parent, base)]
    if len(found) == 1:
        _refuse_link_out(found[0], base)
        return found[0], base
    if not found:
        raise TagFileError(
            f"There is no tag file at '{single_line(where)}' within '{single_line(str(base))}'.", hint=_NOT_THERE
        )
    shown = comma_list([str(file) for file in found])
    raise TagFileError(f"'{single_line(where)}' names {len(found)} tag files: {shown}.", hint="Name one of them.")


_NOT_THERE = Message(
    "Check that the build published it as an artifact and that this job downloads that artifact first; or give the tag "
    "itself with ",
    ArgumentRef("tag"),
    ".",
)


def read_content(path: Path, base: Path) -> bytes:
    """Return the bytes of a file that lies in `base`; it is opened once and that opening is checked.

    Raises:
        TagFileError: it cannot be opened, is no ordinary file, is too large, or really lies elsewhere.
    """
    shown = single_line(str(path))
    # O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever. O_BINARY: Windows would translate.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            opened = os.fstat(file.fileno())
            if not stat.S_ISREG(opened.st_mode):
                raise TagFileError(f"Tag file '{shown}' is not an ordinary file.")
            _refuse_link_out(path, base)
            if not os.path.samestat(opened, os.lstat(os.path.realpath(path))):
                raise TagFileError(f"Tag file '{shown}' was replaced while it was read.", hint="Try again.")
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TagFileError(f"Cannot read tag file '{shown}': {error.strerror}.") from error
    if len(data) > MOST_BYTES:
        raise TagFileError(f"Tag file '{shown}' is larger than {MOST_BYTES // 1024} KiB, so it is not a tag file.")
    return data


def _refuse_link_out(path: Path, base: Path) -> None:
    if not _inside(path, base):
        raise TagFileError(
            f"Tag file '{single_line(str(path))}' is a link that leads out of '{single_line(str(base))}'.",
            hint="Publish the file itself, not a link to it.",
        )


def _inside(path: Path, base: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base))


def _in_directory(directory: Path) -> list[Path]:
    direct = directory / FILE_NAME
    return [direct] if os.path.lexists(direct) and not direct.is_dir() else _matching(directory, ["**", FILE_NAME])


def _split(path: Path) -> tuple[Path, list[str]]:
    """Return the leading directories without a wildcard, and the rest as parts."""
    parts = path.parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    return Path(*parts[:first]), list(parts[first:])


def _matching(base: Path, pattern: list[str]) -> list[Path]:
    """Return the files (not directories) below `base` that match, sorted; linked directories are not entered."""
    return [base / file for file in sorted(_files(base)) if _fits(file.split("/"), pattern)]


def _fits(names: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return _fits(names, pattern[1:]) or (bool(names) and _fits(names[1:], pattern))
    return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and _fits(names[1:], pattern[1:])


def _files(base: Path) -> Iterator[str]:
    for directory, _, files in os.walk(base):
        inner = Path(directory).relative_to(base).as_posix()
        yield from (name if inner == "." else f"{inner}/{name}" for name in files)
