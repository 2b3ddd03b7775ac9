"""The inputs of the task: which there are, for which command, and what they say.

An input is a setting under the name `task.json` gives it: `wait_for_image` is `waitForImage`, by the one rule of
`input_name`. What is wrong with one is told by that name. Blank is "not given".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ecs_cd.errors import InvalidTag, SettingsError
from ecs_cd.model.image import ImageTag
from ecs_cd.sanitize import comma_list, did_you_mean, quoted
from ecs_cd.settings import BY_NAME, Kind, Option, Section, values
from ecs_cd.settings.options import AWS, IMAGE, PARAMETER, PIPELINE, PROMOTION, ROLLOUT

_SPECIAL = {"settings": "configFile", "region": "regionName"}
"""Settings whose input has a name of its own; `regionName` is that of the AWS Toolkit's tasks."""

_PLACE = ("settings", "service", "environment")
_TAG = ("tag", "tag_file")
_RECORDING = ("create_parameter", "order")
_WHOLE = (*_PLACE, "parameter", *IMAGE, *PIPELINE, "verify", *ROLLOUT, *AWS, "timeout", "dry_run")

COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deploy": (*_WHOLE, *_RECORDING, "rollback", *_TAG),
        "verify": (*_PLACE, *_TAG, "order", *ROLLOUT, "repository", *AWS, "timeout"),
        "read-tag": ("service", "tag_file", "tag_variable"),
        "set-parameter": (*_PLACE, *_TAG, *PARAMETER, *IMAGE, *AWS, "timeout", "dry_run"),
        "queue-pipeline": (*_PLACE, *PIPELINE, "timeout", "wait", "dry_run"),
        "rollback": (*_WHOLE, "tag"),
        "promote": (*_WHOLE, *_RECORDING, *PROMOTION),
    }
)
"""What each command reads, by the names of the settings table; `OWN` are of the task alone."""

OWN = ("tag", "tag_file", "tag_variable", "wait", "dry_run")
OF_NODE = ("command", "awsCredentials", "azureDevOpsConnection", "pythonPath")
"""Inputs that the Node side has answered before the library is asked."""

_SWITCHES = ("wait", "dry_run")
_CALL = ("settings", "service", "environment")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,199}")
_RESERVED = re.compile(
    r"(agent|build|system|release|pipeline|endpoint|input|secret|path|securefile)(\.|_|$)", re.IGNORECASE
)


def input_name(name: str) -> str:
    """Return the name of the input for a setting: camel case, with few exceptions."""
    first, *rest = name.split("_")
    return _SPECIAL.get(name) or first + "".join(word.capitalize() for word in rest)


def names_by_command() -> dict[str, tuple[str, ...]]:
    """Return the names of the inputs that each command reads, without those of the Node side."""
    return {command: tuple(input_name(name) for name in names) for command, names in COMMANDS.items()}


@dataclass(frozen=True)
class Inputs:
    """What was given. `settings` are overrides as `Settings.resolve` takes them; `unused` names of other commands."""

    command: str
    service: str = ""
    environment: str = ""
    config_file: str = ""
    tag: str = ""
    tag_file: str = ""
    tag_variable: str = ""
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
    settings = {name: str(value) for name, value in found.items() if name not in (*OWN, *_CALL)}
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
        return bool(values.read(Option(name, Section.CALL, "", Kind.SWITCH), value))
    if name == "tag":
        try:
            return str(ImageTag(value))
        except InvalidTag as error:
            raise ValueError(error.message) from None
    if name == "tag_variable":
        if not _VARIABLE.fullmatch(value) or _RESERVED.match(value):
            raise ValueError(f"{quoted(value)} is not a name for a variable of one's own.")
    elif name in BY_NAME:
        option = BY_NAME[name]
        values.read(option, value)
        if option.section is Section.CALL:
            values.check(option, value)
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
