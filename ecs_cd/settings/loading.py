"""Load the settings: the file, the environment, and every mistake in them at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ecs_cd.errors import SettingsError
from ecs_cd.settings import values
from ecs_cd.settings.document import Document, find
from ecs_cd.settings.file import SettingsFile
from ecs_cd.settings.layers import Given, refusal
from ecs_cd.settings.resolved import Token
from ecs_cd.settings.resolving import Settings
from ecs_cd.settings.table import BY_NAME, TABLE

_NOT_EXPANDED = re.compile(r"\$\([^()]*\)")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_OF_THE_JOB = "SYSTEM_ACCESSTOKEN"


def load(
    path: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """Return the settings of the file at `path` (or `ECS_CD_SETTINGS`, or found upwards from `start`) and of `environ`.

    Without a file everything may come from the environment and from the calls.

    Raises:
        SettingsError: something in them is wrong; every mistake is named with its place.
    """
    environ = os.environ if environ is None else environ
    if path is not None and not isinstance(path, (str, Path)):
        raise SettingsError(f"The settings file must be given as a path, not as {type(path).__name__}.")
    start = start or Path.cwd()
    found = path or _named(environ) or find(start)
    document, file, problems = _from_file(found)
    given, fallback = _from_environment(environ, problems)
    token = _token(environ, problems)
    if problems:
        raise refusal(problems)
    return Settings(file, document, given, fallback, token, searched=None if found else start.absolute())


def _named(environ: Mapping[str, str]) -> str:
    return _value(environ, BY_NAME["settings"].variable)


def _from_file(path: str | Path | None) -> tuple[Document | None, SettingsFile, list[str]]:
    """Return the file as read, its settings, and its mistakes."""
    if path is None:
        return None, SettingsFile(), []
    # Only a file needs these: pydantic and yaml take longer to import than all the rest of a start.
    from ecs_cd.settings import yaml_file  # noqa: PLC0415 - see above
    from ecs_cd.settings.mistakes import check_file  # noqa: PLC0415 - see above

    document = yaml_file.read(Path(path))
    return document, *check_file(document)


def _value(environ: Mapping[str, str], name: str) -> str:
    """Return a variable's value; nothing for one that is blank or that an Azure agent did not expand (`$(name)`)."""
    value = environ.get(name, "").strip()
    return "" if _NOT_EXPANDED.fullmatch(value) else value


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> tuple[dict[str, Given], dict[str, Given]]:
    """Return the values of the `ECS_CD_*` variables, and those of the agent's variables, which the file overrides."""
    given: dict[str, Given] = {}
    fallback: dict[str, Given] = {}
    for setting in TABLE:
        if setting.secret or setting.name == "settings":
            continue
        for into, variable in ((given, setting.variable), *((fallback, other) for other in setting.fallbacks)):
            if setting.name in into or not (raw := _value(environ, variable)):
                continue
            try:
                into[setting.name] = Given(values.read(setting, raw), variable)
            except ValueError as error:
                problems.append(f"{variable}: {error}")
    return given, fallback


def _token(environ: Mapping[str, str], problems: list[str]) -> Token | None:
    setting = BY_NAME["azure_devops_pat"]
    for variable in (setting.variable, *setting.fallbacks):
        if value := _value(environ, variable):
            if not _TOKEN.fullmatch(value):
                problems.append(f"{variable}: the token has a character that no token has, such as a space.")
            return Token(value, variable, bearer=variable == _OF_THE_JOB)
    return None
