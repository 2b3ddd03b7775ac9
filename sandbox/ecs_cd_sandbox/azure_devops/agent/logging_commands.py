"""The lines by which a program tells the agent to do something: `##vso[area.event key=value;]data`.

Syntax and escapes are those of the official agent (`Command.cs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "##vso["
KEYWORD = "##vso"
_COMMAND = re.compile(
    r"##vso\[\s*(?P<area>[^\s.\]]+)\.(?P<event>[^\s.\]]+)(?:\s(?P<properties>[^\]]*))?\](?P<data>.*)", re.DOTALL
)
_ESCAPES = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"}
_ESCAPED = re.compile("|".join(_ESCAPES), re.IGNORECASE)


@dataclass(frozen=True)
class LoggingCommand:
    """One command; area, event and the names of properties are lower case, values unescaped."""

    area: str
    event: str
    properties: dict[str, str]
    data: str

    @property
    def name(self) -> str:
        """Area and event together, as in `task.logissue`."""
        return f"{self.area}.{self.event}"

    def switch(self, name: str) -> bool:
        """Return a property that is on only if it is `true`."""
        return self.properties.get(name, "").strip().lower() == "true"


def parse_logging_command(line: str) -> LoggingCommand | None:
    """Return the logging command a line holds, anywhere in it, or None."""
    start = line.find(PREFIX)
    match = _COMMAND.match(line, start) if start >= 0 else None
    if match is None:
        return None
    pairs = (part.partition("=") for part in (match["properties"] or "").strip().split(";") if "=" in part)
    properties = {key.strip().lower(): unescape(value) for key, _, value in pairs}
    return LoggingCommand(match["area"].lower(), match["event"].lower(), properties, unescape(match["data"]))


def unescape(text: str) -> str:
    """Undo the escapes, each once."""
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0].upper()], text)


def escape(text: str) -> str:
    """Return a text as it is written in a command, its percent signs first."""
    for character in ("%", ";", "\r", "\n", "]"):
        text = text.replace(character, next(code for code, plain in _ESCAPES.items() if plain == character))
    return text
