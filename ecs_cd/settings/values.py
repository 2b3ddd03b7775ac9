"""Read one value as its setting wants it, and fill placeholders.

Every function here refuses with a ValueError; its only argument, perhaps a `Message`, is the rest of a sentence about
the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Union

from ecs_cd.messages import Message, SettingRef
from ecs_cd.sanitize import comma_list, did_you_mean, quoted
from ecs_cd.settings.setting import Kind, Setting

Value = Union[str, bool, float, "dict[str, str]"]
"""What a setting can be, once read: text, switch, seconds, map."""

PLACEHOLDERS = ("service", "environment")
MOST_SECONDS = 7 * 24 * 3600.0
DURATION = re.compile(r"(?=[0-9])(?:(?P<h>[0-9]{1,6})h)?(?:(?P<m>[0-9]{1,6})m)?(?:(?P<s>[0-9]{1,6})s?)?")
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read(setting: Setting, raw: object) -> Value:
    """Return `raw` (from the file, a flag or a variable) as this setting's kind of value.

    Text without placeholders is also checked; text with them is checked when they are filled.

    Raises:
        ValueError: what is wrong with it.
    """
    if setting.kind is Kind.SWITCH:
        return switch(raw)
    if setting.kind is Kind.DURATION:
        if (length := seconds(raw)) < setting.least:
            raise ValueError(f"must be at least {setting.least}s.")
        return length
    if setting.kind is Kind.MAP:
        return _map(raw)
    value = _text(raw)
    if fill(value, dict.fromkeys(PLACEHOLDERS, "x")) == value:
        check(setting, value)
    return value


def check(setting: Setting, value: str) -> None:
    """Refuse a filled text that is not what the setting names.

    Raises:
        ValueError: what is wrong with it.
    """
    if setting.choices and value not in setting.choices:
        raise ValueError(
            f"{quoted(value)} is not one of {comma_list(setting.choices)}.{did_you_mean(value, setting.choices)}"
        )
    wrong = setting.check(value) if setting.check else ""
    if wrong:
        shown = "the address" if "://" in value and "@" in value else quoted(value)  # it may hold a password
        raise ValueError(f"{shown} {wrong}.")


def fill(text: str, known: Mapping[str, str]) -> str:
    """Return `text` with `{service}` and `{environment}` replaced; `{{` and `}}` stand for braces.

    Raises:
        ValueError: another placeholder, a stray brace, or one whose name was not given (empty in `known`).
    """

    def piece(match: re.Match[str]) -> str:
        name = match["name"]
        if match.group() in ("{{", "}}"):
            return match.group()[0]
        if name is None:
            raise ValueError(f"has a stray '{match.group()}'; write it twice for a brace that is meant.")
        if name not in known:
            raise ValueError(
                f"has an unknown placeholder {quoted('{' + name + '}')}; there are {{service}} and {{environment}}."
                f"{did_you_mean(name, PLACEHOLDERS)}"
            )
        if not known[name]:
            hint = Message("name it with ", SettingRef(name), ".")
            raise ValueError(Message(f"has the placeholder {{{name}}}, and no {name} was named: ", hint))
        return known[name]

    return _PIECE.sub(piece, text)


def seconds(raw: object) -> float:
    """Return a duration in seconds: a number of seconds, or text such as `90`, `90s`, `5m`, `1h30m`.

    Raises:
        ValueError: it is not a duration, or longer than a week.
    """
    length: float = -1
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        length = raw
    elif isinstance(raw, str) and (match := DURATION.fullmatch(raw.strip().removesuffix(".0"))):
        length = int(match["h"] or 0) * 3600 + int(match["m"] or 0) * 60 + int(match["s"] or 0)
    if length > MOST_SECONDS:
        raise ValueError(f"{_shown(raw)} is longer than a week.")
    if length >= 0:  # which NaN is not
        return float(length)
    raise ValueError(f"{_shown(raw)} is not a duration; write 90s, 5m or 1h30m.")


def _text(raw: object) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if not isinstance(raw, str):
        # Not a TypeError: pydantic would let it escape.
        raise ValueError(f"must be a string, not {_described(raw)}.")  # noqa: TRY004
    if not raw.strip():
        raise ValueError("is empty.")
    return raw.strip()


def switch(raw: object) -> bool:
    """Return true or false, as a bool or in one of its spellings: yes, no, on, off, 1, 0.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _SWITCH:
        return _SWITCH[raw.strip().lower()]
    raise ValueError(f"{_shown(raw)} is neither true nor false.")


def _map(raw: object) -> dict[str, str]:
    """Return a map from a mapping, from NAME=VALUE texts, or from lines of them (an environment variable)."""
    pairs: Iterable[tuple[object, object]]
    if isinstance(raw, Mapping):
        pairs = raw.items()
    else:
        lines = raw.splitlines() if isinstance(raw, str) else raw
        if not isinstance(lines, (list, tuple)):
            raise ValueError(f"must be names and values, not {_described(raw)}.")  # noqa: TRY004 - see _text
        pairs = [_pair(line) for line in lines if str(line).strip()]
    found: dict[str, str] = {}
    for name, value in pairs:
        if not isinstance(name, str) or not name.strip():
            raise ValueError("has an empty name.")
        if not isinstance(value, str):
            raise ValueError(f"needs a string as the value of {quoted(name)}.")  # noqa: TRY004 - see _text
        fill(value, dict.fromkeys(PLACEHOLDERS, "x"))
        found[name.strip()] = value
    return found


def _pair(line: object) -> tuple[str, str]:
    name, equals, value = str(line).partition("=")
    if not equals:
        raise ValueError("must be given as NAME=VALUE.")  # not shown: a line of a secret may be what is wrong
    return name, value


def _shown(raw: object) -> str:
    """Return a refused value as a sentence shows it; only simple ones are repeated."""
    return quoted(str(raw)) if isinstance(raw, (str, int, float)) else _described(raw)


def _described(raw: object) -> str:
    """Return what kind of thing a refused value is."""
    if isinstance(raw, Mapping):
        return "a mapping"
    return {list: "a list", tuple: "a tuple", bool: "true or false", type(None): "nothing"}.get(
        type(raw), type(raw).__name__
    )
