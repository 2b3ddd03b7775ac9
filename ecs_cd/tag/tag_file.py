r"""Step 1: read and write the tag file, the build's artifact that carries the tag.

The plain form is the tag and nothing else, as `echo $(Build.BuildId) > .buildId` writes it on any system: a byte-order
mark, UTF-16 and CRLF are fine. The JSON form carries several images, each under the name of its service:

    {
      "version": 1,
      "images": {
        "my-api": {
          "tag": "12345",                  Docker tag; the only key that must be there
          "repository": "my-api",          ECR repository
          "digest": "sha256:<64 hex>",     what was pushed; checked against ECR
          "buildId": "12345",              up to 64 letters, digits, '.', '_' and '-'
          "buildUrl": "https://...",       where a person reads about the build
          "commit": "0123abc"              up to 64 letters and digits
        }
      }
    }

All values are strings. A key that is not listed here is refused, and so is a file of more than 64 KiB.
The file comes from a build and is untrusted: what is wrong with it is told with every character escaped.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from ecs_cd.errors import InvalidTag, TagFileError
from ecs_cd.messages import ArgumentRef, Message
from ecs_cd.model.image import ImageTag, TagEntry, TagFile, is_digest
from ecs_cd.sanitize import comma_list, did_you_mean, quoted, single_line
from ecs_cd.support import naming_rules
from ecs_cd.support.files import write_atomically
from ecs_cd.tag.search import locate_tag_file, read_content

VERSION = 1
_BLANKS = " \t\r\n"
_KEYS = {
    "tag": "tag",
    "repository": "repository",
    "digest": "digest",
    "buildId": "build_id",
    "buildUrl": "build_url",
    "commit": "commit",
}
_URL = re.compile(r"https?://[\x21-\x7e]{1,2000}")
_BUILD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_COMMIT = re.compile(r"[A-Za-z0-9]{1,64}")
_CHECKS: dict[str, Callable[[str], object]] = {
    "repository": lambda value: not naming_rules.repository(value),
    "digest": is_digest,
    "buildId": _BUILD_ID.fullmatch,
    "buildUrl": _URL.fullmatch,
    "commit": _COMMIT.fullmatch,
}


def read_tag(where: str, service: str = "", root: Path | None = None) -> TagEntry:
    """Return the image of `service` from the tag file at `where` (see `find`).

    Raises:
        TagFileError: there is no such file, more than one, or it is not a tag file, or has no such service.
        InvalidTag: what stands in it is not a tag.
    """
    return entry_for(read_tag_file(where, root), service)


def read_tag_file(where: str, root: Path | None = None) -> TagFile:
    """Return all images of the tag file at `where` (see `find`).

    Raises:
        TagFileError: there is no such file, more than one, or it is not a tag file.
        InvalidTag: what stands in it is not a tag.
    """
    path, base = locate_tag_file(where, root)
    return parse_tag_file(read_content(path, base), str(path))


def find_tag_file(where: str, root: Path | None = None) -> Path:
    """Return the one tag file that `where` names: a file, a directory with a `.buildId`, or a pattern.

    A directory is searched for `.buildId` in it, then anywhere below. In a pattern `*` and `?` stay within one name
    and `**` spans directories; hidden ones are seen. `root` (default: the working directory) is where a relative
    `where` starts, and when given, what nothing may lead out of.

    Raises:
        TagFileError: none was found, several were (the message lists them), or a link leads out.
    """
    return locate_tag_file(where, root)[0]


def entry_for(tagfile: TagFile, service: str = "") -> TagEntry:
    """Return the image of a service. The plain form has one for any; no service means the only one there is.

    Raises:
        TagFileError: the file has images, but not this one; or several, and no service was said.
    """
    for entry in tagfile.entries:
        if entry.service in ("", service):
            return entry
    if not service and len(tagfile.entries) == 1:
        return tagfile.entries[0]
    known = [entry.service for entry in tagfile.entries]
    if not service:
        raise TagFileError(
            f"Tag file '{single_line(tagfile.path)}' has several images: {comma_list(known)}.",
            hint=Message("Name the service with ", ArgumentRef("service"), "."),
        )
    raise TagFileError(
        f"Tag file '{single_line(tagfile.path)}' has no image for service {quoted(service)}."
        f"{did_you_mean(service, known)}",
        hint=f"It has: {comma_list(known)}.",
    )


def entries_for(tagfile: TagFile, services: Sequence[str] = ()) -> tuple[TagEntry, ...]:
    """Return the images of these services, or all that the file names; the plain form has its one tag for any.

    Raises:
        TagFileError: the file names no service and none was said, or it has no image for one that was.
    """
    if services:
        return tuple(replace(entry_for(tagfile, service), service=service) for service in services)
    if not all(entry.service for entry in tagfile.entries):
        raise TagFileError(
            f"Tag file '{single_line(tagfile.path)}' has a tag and names no service.",
            hint="Say which services have it, or publish the JSON form, which names each.",
        )
    return tagfile.entries


def parse_tag_file(text: bytes | str, where: str) -> TagFile:
    """Return what a tag file says; `where` is the path to name in messages.

    Raises:
        TagFileError: it is neither of the two forms.
        InvalidTag: what stands where a tag should is not one.
    """
    shown = f"Tag file '{single_line(where)}'"
    content = (_decoded(text, shown) if isinstance(text, bytes) else text.removeprefix("\ufeff")).strip(_BLANKS)
    if not content:
        raise TagFileError(f"{shown} is empty.", hint="It should hold the image's tag.")
    if content.startswith("{"):
        return TagFile(where, _images(content, shown))
    return TagFile(where, (TagEntry(_tag(content, shown)),))


def write_tag(path: Path, entries: Sequence[TagEntry], *, as_json: bool = False, dry_run: bool = False) -> None:
    """Write a tag file, whole or not at all; missing directories are made. `dry_run`: check everything, write nothing.

    One image is written in the plain form (its tag alone) unless `as_json`; several are always JSON.

    Raises:
        TagFileError: the entries do not make a tag file, or the file cannot be written.
    """
    text = _json_form(entries) if as_json or len(entries) != 1 else f"{entries[0].tag}\n"
    parse_tag_file(text, str(path))
    if dry_run:
        return
    try:
        write_atomically(path, text)
    except OSError as error:
        raise TagFileError(f"Cannot write tag file '{single_line(str(path))}': {error.strerror}.") from error


def _json_form(entries: Sequence[TagEntry]) -> str:
    named = [entry.service for entry in entries]
    if not all(named) or len(set(named)) != len(named):
        raise TagFileError("Each image of a JSON tag file needs the name of a service of its own.")
    images = {
        entry.service: {key: str(getattr(entry, field)) for key, field in _KEYS.items() if getattr(entry, field)}
        for entry in entries
    }
    return json.dumps({"version": VERSION, "images": images}, indent=2) + "\n"


def _decoded(data: bytes, shown: str) -> str:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise TagFileError(f"{shown} is not a text file.", hint="It should hold the image's tag, as UTF-8.")
    return text


def _tag(text: str, shown: str) -> ImageTag:
    try:
        return ImageTag(text)
    except InvalidTag as error:
        raise InvalidTag(f"{shown}: {error.message}", hint=error.hint) from None


def _images(content: str, shown: str) -> tuple[TagEntry, ...]:
    def refuse(message: str) -> NoReturn:
        raise TagFileError(f"{shown} {message}.")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                refuse(f"has the key {quoted(key)} twice")
            found[key] = value
        return found

    try:
        whole = json.loads(content, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        refuse(f"is not JSON: {single_line(error.msg)} at line {error.lineno}, column {error.colno}")
    except (ValueError, RecursionError):  # an integer of thousands of digits; brackets nested a thousand deep
        refuse("is JSON beyond reason")
    _only(whole, ("version", "images"), shown)
    if type(whole.get("version")) is not int or whole["version"] != VERSION:  # not `true`, which equals 1
        refuse(f'is not of a version known here; it must say "version": {VERSION}')
    images = whole.get("images")
    if not isinstance(images, dict) or not images:
        refuse('has no images; "images" must be an object with one key per service')
    return tuple(_entry(service, image, shown) for service, image in images.items())


def _entry(service: str, image: object, shown: str) -> TagEntry:
    if wrong := naming_rules.place(service):
        raise TagFileError(f"{shown}: the service {quoted(service)} {wrong}.")
    shown = f"{shown}, service {quoted(service)}"
    if not isinstance(image, dict):
        raise TagFileError(f'{shown}: an object with a "tag" is wanted here.')
    _only(image, tuple(_KEYS), shown)
    for key, value in image.items():
        if not isinstance(value, str):
            raise TagFileError(f'{shown}: "{key}" must be a string; write it between quotes.')
        if key in _CHECKS and not _CHECKS[key](value):
            raise TagFileError(f'{shown}: "{key}" cannot be {quoted(value)}.')
    if "tag" not in image:
        raise TagFileError(f'{shown}: "tag" is missing.')
    details = {_KEYS[key]: value for key, value in image.items() if key != "tag"}
    return TagEntry(_tag(image["tag"], shown), service, **details)


def _only(given: dict[str, object], known: tuple[str, ...], shown: str) -> None:
    for key in given:
        if key not in known:
            raise TagFileError(
                f"{shown} has an unknown key {quoted(key)}.{did_you_mean(key, known)}",
                hint=f"Known: {comma_list(known)}.",
            )
