"""The number (name) of a run, made from the format that `name:` of the pipeline's file gives.

Source: https://learn.microsoft.com/azure/devops/pipelines/process/run-number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from ecs_cd_sandbox.azure_devops.model.variables import Variables

DEFAULT_FORMAT = "$(Date:yyyyMMdd).$(Rev:r)"
LONGEST = 255

_MACRO = re.compile(r"\$\(([^()]+)\)")
_REVISION = re.compile(r"\$\(Rev:([^()r]*)(r+)\)", re.IGNORECASE)
_DATE_PART = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,6}|tt")


class RunNumberError(Exception):
    """The format yields no usable number; the message says why."""


def run_number(
    pattern: str, variables: Variables, now: datetime, next_revision: Callable[[str], int]
) -> tuple[str, int]:
    """Return the number of a new run, and its revision.

    `next_revision` counts how often it was given a text: the number but for its revision.

    Raises:
        RunNumberError: the number would be empty or too long, or holds what no name may.
    """
    text = _expand(pattern or DEFAULT_FORMAT, variables, now)
    revision = next_revision(text) if _REVISION.search(text) else 1
    number = _REVISION.sub(lambda match: f"{match[1]}{revision:0{len(match[2])}d}", text)
    if not number.strip() or len(number) > LONGEST:
        raise RunNumberError(f"The run name '{number}' is empty or longer than {LONGEST} characters.")
    if number.endswith(".") or set(number) & set('"/:<>\\|?@*'):
        raise RunNumberError(
            f"The run name '{number}' is not valid: it must not end with a dot or hold one of \" / : < > \\ | ? @ *."
        )
    return number, revision


def _expand(pattern: str, variables: Variables, now: datetime) -> str:
    tokens = _tokens(variables, now)

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        kind, colon, rest = name.partition(":")
        if colon and kind.lower() in {"date", "year"}:
            return _date(rest, now)
        if name.lower() in tokens:
            return tokens[name.lower()]
        return variables.expand(match[0])

    return _MACRO.sub(value, pattern)


def _tokens(variables: Variables, now: datetime) -> Mapping[str, str]:
    """Return the short tokens that are no variables."""
    short = {
        "builddefinitionname": "Build.DefinitionName",
        "buildid": "Build.BuildId",
        "sourcebranchname": "Build.SourceBranchName",
        "teamproject": "System.TeamProject",
    }
    return {
        **{name: variables.get(variable, "") for name, variable in short.items()},
        "dayofmonth": str(now.day),
        "dayofyear": str(now.timetuple().tm_yday),
        "hours": str(now.hour),
        "minutes": str(now.minute),
        "month": str(now.month),
        "seconds": str(now.second),
    }


def _date(pattern: str, now: datetime) -> str:
    values = {
        "yyyy": f"{now:%Y}",
        "yy": f"{now:%y}",
        "MMMM": f"{now:%B}",
        "MMM": f"{now:%b}",
        "MM": f"{now:%m}",
        "M": str(now.month),
        "dddd": f"{now:%A}",
        "ddd": f"{now:%a}",
        "dd": f"{now:%d}",
        "d": str(now.day),
        "HH": f"{now:%H}",
        "H": str(now.hour),
        "hh": f"{now:%I}",
        "h": str(int(f"{now:%I}")),
        "mm": f"{now:%M}",
        "m": str(now.minute),
        "ss": f"{now:%S}",
        "s": str(now.second),
        "tt": f"{now:%p}",
    }
    fraction = f"{now:%f}"
    return _DATE_PART.sub(lambda match: values.get(match[0], fraction[: len(match[0])]), pattern)
