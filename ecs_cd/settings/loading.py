"""Load the settings: the file, the environment, and every mistake in them at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ecs_cd.sanitize import comma_list, did_you_mean, quoted, single_line
from ecs_cd.settings import values, yamlfile
from ecs_cd.settings.models import EcsPart, EnvironmentPart, ServicePart, SettingsFile
from ecs_cd.settings.options import BY_NAME, OPTIONS
from ecs_cd.settings.resolving import Given, Settings, Token, refusal

_NOT_EXPANDED = re.compile(r"\$\([^()]*\)")
_SECRET_KEY = re.compile(r"pat|.*token|.*_pat|password|secret|.*access_?key.*", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PARTS: dict[str, type[BaseModel]] = {
    "ecs": EcsPart,
    "service": ServicePart,
    "environment": EnvironmentPart,
    "top": SettingsFile,
}


def load(path: Path | None = None, environ: Mapping[str, str] | None = None, start: Path | None = None) -> Settings:
    """Return the settings of the file at `path` (or `ECS_CD_SETTINGS`, or found upwards from `start`) and of `environ`.

    Without a file everything may come from the environment and from flags.

    Raises:
        SettingsError: something in them is wrong; every mistake is named with its place.
    """
    environ = os.environ if environ is None else environ
    named = path or (Path(environ["ECS_CD_SETTINGS"]) if _set(environ, "ECS_CD_SETTINGS") else None)
    found = named or yamlfile.find(start or Path.cwd())
    document = yamlfile.read(found) if found else None
    file, problems = _validated(document) if document else (SettingsFile(), [])
    given, fallback = _from_environment(environ, problems)
    token = _token(environ, problems)
    if problems:
        raise refusal(problems)
    return Settings(file, document, given, fallback, token)


def _validated(document: yamlfile.Document) -> tuple[SettingsFile, list[str]]:
    """Return the file's settings, and its mistakes in the order in which they stand there."""
    file = SettingsFile()
    problems = list(document.problems)
    try:
        file = SettingsFile.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(document, dict(mistake)) for mistake in error.errors(include_url=False)]
    else:
        problems += _wrong_references(document, file)
    return file, [problem.sentence for problem in sorted(problems)]


def _set(environ: Mapping[str, str], name: str) -> str:
    """Return a variable's value; nothing for one that is blank or that an Azure agent did not expand (`$(name)`)."""
    value = environ.get(name, "").strip()
    return "" if _NOT_EXPANDED.fullmatch(value) else value


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> tuple[dict[str, Given], dict[str, Given]]:
    """Return what the `ECS_CD_*` variables say, and what the agent's own variables say where nothing else does."""
    given: dict[str, Given] = {}
    fallback: dict[str, Given] = {}
    for option in OPTIONS:
        if option.secret or option.name == "settings":
            continue
        for into, variable in ((given, option.variable), *((fallback, other) for other in option.fallbacks)):
            if option.name in into or not (raw := _set(environ, variable)):
                continue
            try:
                into[option.name] = Given(values.read(option, raw), variable)
            except ValueError as error:
                problems.append(f"{variable}: {error}")
    return given, fallback


def _token(environ: Mapping[str, str], problems: list[str]) -> Token | None:
    option = BY_NAME["azure_devops_pat"]
    for variable in (option.variable, *option.fallbacks):
        if value := _set(environ, variable):
            if not _TOKEN.fullmatch(value):
                problems.append(f"{variable}: the token has a character that no token has, such as a space.")
            return Token(value, variable, bearer=variable == "SYSTEM_ACCESSTOKEN")
    return None


def _problem(document: yamlfile.Document, mistake: dict[str, Any]) -> yamlfile.Problem:
    """Return one of pydantic's findings as a sentence with its place in the file."""
    about_key = "[key]" in mistake["loc"]
    location = tuple(str(part) for part in mistake["loc"] if part != "[key]")
    name = single_line(".".join(location[:-1] if about_key else location)) or "the file"
    if mistake["type"] == "extra_forbidden":
        return document.problem(location, _unknown_key(location), key=True)
    if mistake["type"] == "value_error":
        return document.problem(location, f"{name}: {mistake['ctx']['error']}", key=about_key)
    # All that is left: something else stands where a mapping must.
    return document.problem(location, f"{name}: must hold keys and values.")


def _unknown_key(location: tuple[str, ...]) -> str:
    *parents, key = location
    within = f" in {single_line('.'.join(parents))}" if parents else ""
    if _SECRET_KEY.fullmatch(key):
        return (
            f"{quoted(key)} may not be in the file: a token belongs in the environment, as ECS_CD_AZURE_DEVOPS_PAT. "
            "If this file was committed, revoke the token."
        )
    part = _PARTS[_part_at(parents)]
    known = list(part.model_fields)
    says = f"unknown key {quoted(key)}{within}.{did_you_mean(key, known)}"
    if says.endswith("."):
        says += _home(key) or f" Known here: {comma_list(known, most=20)}."
    return says


def _home(key: str) -> str:
    """Return where a key that is known elsewhere belongs; nothing for one that is known nowhere."""
    if key in SettingsFile.model_fields:
        return f" `{key}` belongs at the top of the file."
    if key in EnvironmentPart.model_fields:
        return f" `{key}` belongs to an environment, under environments.<name>."
    if key in ServicePart.model_fields:
        return f" `{key}` belongs to a service, under services.<name> or defaults."
    return f" `{key}` belongs under ecs." if key in EcsPart.model_fields else ""


def _part_at(parents: list[str]) -> str:
    if parents and parents[-1] == "ecs":
        return "ecs"
    if not parents:
        return "top"
    return "environment" if parents[0] == "environments" and "services" not in parents[2:] else "service"


def _wrong_references(document: yamlfile.Document, file: SettingsFile) -> Iterator[yamlfile.Problem]:
    """Yield what names a service or an environment that is not there."""
    environments = file.environments or {}
    services = list(file.services or {})
    for name, part in environments.items():
        here = ("environments", name)
        origin = part.promote_from if part else None
        if origin == name:
            yield document.problem((*here, "promote_from"), "promote_from: an environment cannot follow itself.")
        elif origin is not None and origin not in environments:
            says = did_you_mean(origin, list(environments)) or f" There are: {comma_list(list(environments))}."
            sentence = f"promote_from: there is no environment {quoted(origin)}.{says}"
            yield document.problem((*here, "promote_from"), sentence)
        for service in (part.services or {}) if part else {}:
            if service not in services:
                says = did_you_mean(service, services) or " Add it under services, at the top."
                sentence = f"there is no service {quoted(service)}.{says}"
                yield document.problem((*here, "services", service), sentence, key=True)
