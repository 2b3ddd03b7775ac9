"""Merge values by their precedence, then fill in the names of service and environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ecs_cd.errors import SettingsError
from ecs_cd.messages import Message, SettingRef, sentences
from ecs_cd.sanitize import did_you_mean, quoted
from ecs_cd.settings import values
from ecs_cd.settings.document import Location
from ecs_cd.settings.file import EnvironmentPart, Part, SettingsFile
from ecs_cd.settings.setting import Section
from ecs_cd.settings.table import BY_NAME
from ecs_cd.settings.values import Value


@dataclass(frozen=True)
class Given:
    """A value, and where it comes from in words: the keyword, a variable, or a place in the file."""

    value: Value
    origin: str


@dataclass(frozen=True)
class FileValue:
    """A value of the file, or None for `null`, and the keys that lead to it."""

    name: str
    value: Value | None
    location: Location


def refusal(problems: list[str], note: str = "") -> SettingsError:
    """Return the error for one or several problems, each a sentence; `note` is a sentence about all of them."""
    if len(problems) == 1:
        return SettingsError(sentences(problems[0], note))
    return SettingsError(sentences(f"The settings have {len(problems)} mistakes.", note), details=tuple(problems))


def from_keywords(keywords: Mapping[str, object]) -> dict[str, Given]:
    """Return the values given with a call; None and empty text mean "not given".

    Raises:
        SettingsError: an unknown name, or every value that is wrong.
    """
    found: dict[str, Given] = {}
    problems: list[str] = []
    for name, raw in keywords.items():
        setting = BY_NAME.get(name)
        if setting is None or setting.section is Section.CALL:
            problems.append(_no_keyword(name))
        elif raw is not None and raw not in ("", (), []):
            origin = Message(SettingRef(name))
            try:
                found[name] = Given(values.read(setting, raw), origin)
            except ValueError as error:
                problems.append(Message(origin, ": ", *error.args))
    if problems:
        raise refusal(problems)
    return found


def _no_keyword(name: str) -> str:
    setting = BY_NAME.get(name)
    if setting and setting.secret:
        return f"{quoted(name)} comes from the environment only: set {setting.variable}."
    known = [setting.name for setting in BY_NAME.values() if setting.section is not Section.CALL]
    return f"There is no setting {quoted(name)}.{did_you_mean(name, known)}"


def file_values(file: SettingsFile, service: str, environment: str) -> Iterator[FileValue]:
    """Yield the values of the file for a service in an environment; later ones take precedence."""
    here = file.environments.get(environment, EnvironmentPart())
    parts: tuple[tuple[Location, Part], ...] = (
        ((), file.top),
        (("defaults",), file.defaults),
        (("services", service), file.services.get(service, {})),
        (("environments", environment), here.own),
        (("environments", environment, "services", service), here.services.get(service, {})),
    )
    for location, part in parts:
        for name, value in part.items():
            yield FileValue(name, value, (*location, *BY_NAME[name].path.split(".")))


def put(found: dict[str, Given], name: str, given: Given) -> None:
    """Put a value over what is there: a map adds to the map below it, all else replaces."""
    below = found.get(name)
    if isinstance(given.value, dict) and below and isinstance(below.value, dict):
        given = Given(below.value | given.value, given.origin)
    found[name] = given


def filled(found: Mapping[str, Given], names: Mapping[str, str], problems: list[str]) -> dict[str, Value]:
    """Return the values with `{service}` and `{environment}` filled, and the texts checked; add what is wrong."""
    result: dict[str, Value] = {}
    for name, given in found.items():
        result[name] = given.value  # one that is wrong is there all the same: not to be called missing too
        try:
            result[name] = _filled_value(name, given.value, names)
        except ValueError as error:
            problems.append(Message(given.origin, ": ", *error.args))
    for name, setting in BY_NAME.items():
        if name not in result and setting.default.startswith("{"):
            with suppress(ValueError):  # a default that does not fit (no service, a name ECR refuses) is none
                result[name] = _filled_value(name, setting.default, names)
    return result


def _filled_value(name: str, value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, dict):
        return {key: values.fill(text, names) for key, text in value.items()}
    if isinstance(value, str):
        value = values.fill(value, names)
        values.check(BY_NAME[name], value)
    return value
