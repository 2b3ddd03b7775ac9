"""Check a file as read; every mistake is a sentence with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ecs_cd.sanitize import comma_list, did_you_mean, quoted, single_line
from ecs_cd.settings.document import Document, Location, Problem
from ecs_cd.settings.file import CONTAINERS, SettingsFile, from_data
from ecs_cd.settings.models import checked
from ecs_cd.settings.setting import Section
from ecs_cd.settings.table import BY_NAME, in_section

_SECRET_KEY = re.compile(r"pat|.*token|.*_pat|password|secret|.*access_?key.*", re.IGNORECASE)
_ECS = "ecs."


def check_file(document: Document) -> tuple[SettingsFile, list[str]]:
    """Return the file's settings, and its mistakes in the order in which they stand there."""
    data, findings = checked(document.data)
    problems = [*document.problems, *(_problem(document, finding) for finding in findings)]
    file = from_data(data)
    if not findings:
        problems += _wrong_references(document, file)
    return file, [problem.sentence for problem in sorted(problems)]


def _problem(document: Document, finding: Mapping[str, Any]) -> Problem:
    """Return one of pydantic's findings as a sentence with its place in the file."""
    about_key = "[key]" in finding["loc"]
    location = tuple(str(part) for part in finding["loc"] if part != "[key]")
    name = single_line(".".join(location[:-1] if about_key else location)) or "the file"
    if finding["type"] == "extra_forbidden":
        return document.problem(location, _unknown_key(location), key=True)
    if finding["type"] == "value_error":
        return document.problem(location, f"{name}: {finding['ctx']['error']}", key=about_key)
    # All that is left: something else stands where a mapping must.
    return document.problem(location, f"{name}: must hold keys and values.")


def _unknown_key(location: Location) -> str:
    *parents, key = location
    within = f" in {single_line('.'.join(parents))}" if parents else ""
    if _SECRET_KEY.fullmatch(key):
        return (
            f"{quoted(key)} may not be in the file: a token belongs in the environment, as "
            f"{BY_NAME['azure_devops_pat'].variable}. If this file was committed, revoke the token."
        )
    known = _keys_at(parents)
    sentence = f"unknown key {quoted(key)}{within}."
    return sentence + (did_you_mean(key, known) or _right_place(key) or f" Known here: {comma_list(known, most=20)}.")


def _keys_at(parents: list[str]) -> list[str]:
    """Return the keys that may stand in a part of the file."""
    if parents and parents[-1] == _ECS.rstrip("."):
        return _keys_of_ecs()
    if not parents:
        return _keys(Section.TOP)
    in_environment = parents[0] == "environments" and "services" not in parents[2:]
    return _keys(Section.ENVIRONMENT if in_environment else Section.SERVICE)


def _keys(section: Section) -> list[str]:
    return [*(path for path in in_section(section) if "." not in path), *CONTAINERS[section]]


def _keys_of_ecs() -> list[str]:
    return [path.removeprefix(_ECS) for path in in_section(Section.SERVICE) if path.startswith(_ECS)]


def _right_place(key: str) -> str:
    """Return where a key that is known elsewhere belongs; nothing for one that is known nowhere."""
    if key in _keys(Section.TOP):
        return f" `{key}` belongs at the top of the file."
    if key in _keys(Section.ENVIRONMENT):
        return f" `{key}` belongs to an environment, under environments.<name>."
    if key in _keys(Section.SERVICE):
        return f" `{key}` belongs to a service, under services.<name> or defaults."
    return f" `{key}` belongs under ecs." if key in _keys_of_ecs() else ""


def _wrong_references(document: Document, file: SettingsFile) -> Iterator[Problem]:
    """Yield what names a service or an environment that is not there."""
    environments, services = list(file.environments), list(file.services)
    for name, environment in file.environments.items():
        origin = environment.own.get("promote_from")
        if origin is not None and (wrong := _wrong_origin(name, str(origin), environments)):
            yield document.problem(("environments", name, "promote_from"), f"promote_from: {wrong}")
        for service in environment.services:
            if service not in services:
                hint = did_you_mean(service, services) or " Add it under services, at the top."
                sentence = f"there is no service {quoted(service)}.{hint}"
                yield document.problem(("environments", name, "services", service), sentence, key=True)


def _wrong_origin(environment: str, origin: str, known: list[str]) -> str:
    if origin == environment:
        return "an environment cannot follow itself."
    if origin in known:
        return ""
    return (
        f"there is no environment {quoted(origin)}.{did_you_mean(origin, known) or f' There are: {comma_list(known)}.'}"
    )
