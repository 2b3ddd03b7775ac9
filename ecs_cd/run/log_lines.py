"""Reads the lines of a log without what the programs around Terraform put before them. Pure.

An agent puts `##[error]` before a line, Terraform draws a frame, and Terragrunt names the unit in front of each line,
in any of its formats (https://terragrunt.gruntwork.io/docs/features/logging/). With `-json`, Terraform prints one
object for each message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MOST_READ = 20_000
"""Characters of a line that are looked at."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_AGENT = re.compile(r"^\s*(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?(?:##\[\w+\])?")
_PRETTY = re.compile(
    r"^\d\d:\d\d:\d\d(?:\.\d+)?\s+(?:STDERR|STDOUT|ERROR|WARN|INFO|DEBUG|TRACE)\s+(?:\[(?P<unit>[^\]]{0,300})\]\s)?"
    r"(?:\S{0,200}(?:terraform|tofu)(?:\.exe)?: ?)?"
)
_BRACKETS = re.compile(r"^\[(?P<unit>[^\]\s]{1,300})\] (?=\s*(?:[│╷╵|]|Error\b))")
_KEY_VALUE = re.compile(r'^time=\S+ level=\S+ (?:.{0,600}? )?msg=(?P<said>"(?:[^"\\]|\\.)*"|.*)$')
_UNIT = re.compile(r'\bprefix=("(?:[^"\\]|\\.){0,300}"|\S{0,300})')
_FRAME = re.compile(r"^(?:\s*[│╷╵|]\s?)?")


@dataclass(frozen=True)
class LogLine:
    """What one line says, with its indentation; `unit` is Terragrunt's name of what said it, else empty."""

    text: str
    unit: str = ""


def read_lines(lines: Iterable[str]) -> list[LogLine]:
    """Return what the lines of a log say, with those that hold several taken apart."""
    return [read for line in lines for part in line.splitlines() for read in _read(part[:_MOST_READ])]


def _read(line: str) -> Iterator[LogLine]:
    said = _AGENT.sub("", _COLOURS.sub("", line), count=1)
    structured = _structured(said)
    if structured:
        yield from (LogLine(_FRAME.sub("", part, count=1), structured.unit) for part in structured.text.splitlines())
        return
    unit = ""
    for prefix in (_PRETTY, _BRACKETS):
        match = prefix.match(said)
        if match:
            unit, said = match["unit"] or unit, said[match.end() :]
    yield LogLine(_FRAME.sub("", said, count=1), unit)


def _structured(line: str) -> LogLine | None:
    """Return what an object in JSON or a line of `key=value` says; None if it is neither."""
    inner = _FRAME.sub("", line, count=1).lstrip()
    if inner.startswith("{"):
        try:
            return _object(json.loads(inner))
        except (ValueError, RecursionError):
            return None
    match = _KEY_VALUE.match(line)
    if match is None:
        return None
    unit = _UNIT.search(line, 0, match.start("said"))
    return LogLine(_unquoted(match["said"]), _unquoted(unit[1]) if unit else "")


def _object(message: object) -> LogLine | None:
    """Return what a message of Terragrunt (`msg`) or of Terraform (`diagnostic`) says."""
    if not isinstance(message, dict):
        return None
    found = message.get("diagnostic")
    if isinstance(found, dict):
        return LogLine(f"Error: {found.get('summary') or ''}\n{found.get('detail') or ''}")
    said, unit = message.get("msg"), message.get("prefix")
    return LogLine(said, unit if isinstance(unit, str) else "") if isinstance(said, str) else None


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value
    except ValueError:
        return value.strip('"')
