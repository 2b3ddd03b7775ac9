"""The inputs of the task: which there are, for which command, and what is wrong with them.

Most are settings, under the names that the table of settings gives them; `OWN` are of the task alone. A mistake names
the input. Blank is "not given".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ecs_cd.errors import InvalidTag, SettingsError
from ecs_cd.model.image import ImageTag
from ecs_cd.sanitize import comma_list, did_you_mean, quoted
from ecs_cd.settings import BY_NAME, Section, values
from ecs_cd.settings.commands import READS
from ecs_cd.settings.setting import camel_case
from ecs_cd.settings.table import TABLE

_PLACE = tuple(setting.name for setting in TABLE if setting.section is Section.CALL and not setting.secret)
_TAG = ("tag", "tag_file")

COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deploy": (*_PLACE, *READS["deploy"], *_TAG, "dry_run"),
        "verify": (*_PLACE, *READS["verify"], *_TAG, "or_newer"),
        "read-tag": ("service", "tag_file", "tag_variable"),
        "set-parameter": (*_PLACE, *READS["parameter set"], *_TAG, "dry_run"),
        "queue-pipeline": (*_PLACE, *READS["pipeline queue"], "wait", "dry_run"),
        "rollback": (*_PLACE, *READS["rollback"], "tag", "dry_run"),
        "promote": (*_PLACE, *READS["promote"], "dry_run"),
    }
)
"""What each command reads, by the names of the table of settings and of `OWN`."""

OWN = ("tag", "tag_file", "tag_variable", "or_newer", "wait", "dry_run")
OF_NODE = ("command", "awsCredentials", "azureDevOpsConnection", "pythonPath")
"""Inputs that the Node side has answered before the library is asked."""

_SWITCHES = ("or_newer", "wait", "dry_run")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,199}")
_RESERVED = re.compile(
    r"(agent|build|system|release|pipeline|endpoint|input|secret|path|securefile)(\.|_|$)", re.IGNORECASE
)


def input_name(name: str) -> str:
    """Return the name of the input for a setting, or for one of `OWN`."""
    return BY_NAME[name].input_name if name in BY_NAME else camel_case(name)


def names_by_command() -> dict[str, tuple[str, ...]]:
    """Return the names of the inputs that each command reads, without those of the Node side."""
    return {command: tuple(input_name(name) for name in names) for command, names in COMMANDS.items()}


@dataclass(frozen=True)
class Inputs:
    """What was given; `tag` is None where it is blank.

    `settings` are overrides as `Settings.resolve` takes them; `unused` names of other commands.
    """

    command: str
    service: str = ""
    environment: str = ""
    config_file: str = ""
    tag: str | None = None
    tag_file: str = ""
    tag_variable: str = ""
    or_newer: bool = False
    wait: bool = False
    dry_run: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


def read(raw: Mapping[str, str]) -> Inputs:
    """Return the inputs of a call.

    Raises:
        SettingsError: an unknown command or input, or every value that is wrong.
    """
    given = {name: value.strip() for name, value in raw.items() if value.strip()}
    command = given.pop("command", "")
    if command not in COMMANDS:
        raise SettingsError(
            f"input 'command': {quoted(command)} is not a command.{did_you_mean(command, list(COMMANDS))}",
            hint=f"There are: {comma_list(list(COMMANDS))}.",
        )
    problems: list[str] = []
    found: dict[str, str | bool] = {}
    unused: list[str] = []
    for name, value in given.items():
        setting = _SETTINGS.get(name)
        if setting is None:
            if name not in OF_NODE:
                problems.append(f"There is no input {quoted(name)}.{did_you_mean(name, list(_SETTINGS))}")
        elif setting in COMMANDS[command]:
            try:
                found[setting] = _checked(setting, value)
            except ValueError as error:
                problems.append(f"input '{name}': {error}")
        elif value.lower() not in ("false", _default(setting)):
            unused.append(name)
    problems = problems or _contradictions(command, found)
    if problems:
        raise _refusal(problems)
    return _built(command, found, tuple(unused))


def _built(command: str, found: Mapping[str, str | bool], unused: tuple[str, ...]) -> Inputs:
    own = {name: found[name] for name in (*OWN, "service", "environment") if name in found}
    settings = {name: str(value) for name, value in found.items() if name not in (*OWN, *_PLACE)}
    return Inputs(
        command,
        config_file=str(found.get("settings", "")),
        settings=settings,
        unused=unused,
        **own,  # type: ignore[arg-type]  # switches are bools and texts are texts, see _checked
    )


def _checked(name: str, value: str) -> str | bool:
    """Return the value of an input, a bool only for the task's own switches.

    Raises:
        ValueError: what is wrong with it.
    """
    if name in _SWITCHES:
        return values.switch(value)
    if name == "tag":
        try:
            return str(ImageTag(value))
        except InvalidTag as error:
            raise ValueError(error.message) from None
    if name == "tag_variable":
        if not _VARIABLE.fullmatch(value) or _RESERVED.match(value):
            raise ValueError(f"{quoted(value)} is not a name for a variable of one's own.")
    elif name in BY_NAME:
        setting = BY_NAME[name]
        values.read(setting, value)
        if setting.section is Section.CALL:
            values.check(setting, value)
    return value


def _contradictions(command: str, found: Mapping[str, str | bool]) -> list[str]:
    problems = []
    if "tag" in found and "tag_file" in found:
        problems.append("input 'tag' and input 'tagFile' are both given: give one of them.")
    if command == "read-tag" and "tag_variable" not in found:
        problems.append("input 'tagVariable' is not given: name the pipeline variable that is to hold the tag.")
    return problems


def _refusal(problems: list[str]) -> SettingsError:
    if len(problems) == 1:
        return SettingsError(problems[0])
    return SettingsError(f"The inputs have {len(problems)} mistakes.", details=tuple(problems))


def _default(setting: str) -> str:
    return BY_NAME[setting].default if setting in BY_NAME else ""


_SETTINGS = {input_name(name): name for names in COMMANDS.values() for name in names}
