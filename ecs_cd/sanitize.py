"""Makes untrusted text safe to print.

What a build, an API or a log gives us can hold `##vso[` (a command to the Azure agent that prints it), terminal
escape sequences, or line breaks that forge a line of ours. Everything printed goes through `sanitize`; a value that
was refused is shown through `quoted`, so that the reader sees which characters were wrong.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)
# Controls, and what is invisible or turns the reading direction: format characters (Unicode category Cf), line and
# paragraph separators, tag characters and lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MOST_SHOWN = 80
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|[A-Za-z0-9+/=]{80,}")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_KEYWORDS = "(?:passw(?:or)?d|pwd|secret|token|api[_-]?key)"
_ASSIGNED = re.compile(
    rf"""(?ix) ( {_KEYWORDS} [\w-]{{0,40}} ["']? \s{{0,9}} = \s{{0,9}}
               | ["'] [\w-]{{0,40}} {_KEYWORDS} [\w-]{{0,40}} ["'] \s{{0,9}} : \s{{0,9}} (?=["'])
               | \b authorization ["']? \s{{0,9}} [:=] \s{{0,9}} ["']? (?:bearer|basic) \s{{1,9}} )
         ( "[^"]*"? | '[^']*'? | [^\s"',;&)}}\]]+ )"""
)
_LISTED = re.compile(
    r"\b([A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY)[A-Z0-9_]{0,40}\s{0,9}:\s{1,9})(\S+)"
)
"""Environment variables as YAML and many logs list them; in lower case the word before a colon is mostly prose."""


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code > 0xFFFF:  # noqa: PLR2004 - the largest four-digit code
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - the largest two-digit code


def sanitize(text: str) -> str:
    """Return `text` with nothing in it that an agent or a terminal would obey.

    Control and bidirectional characters become visible escapes (tab and line feed stay), and the `##` of a logging
    command (Azure agent, `Command.cs`: parsed anywhere in a line) is taken apart.
    """
    return _COMMAND.sub("# #", _UNPRINTABLE.sub(_escape, text))


def single_line(text: str) -> str:
    """Return `text` sanitized and on a single line: line feeds and tabs become visible escapes too."""
    return sanitize(text).replace("\n", "\\n").replace("\t", "\\t")


def without_credentials(text: str) -> str:
    """Return `text` without what looks like a credential: keys of AWS, tokens, `password=...`, users in addresses."""
    assigned = _LISTED.sub(r"\1(removed)", _ASSIGNED.sub(r"\1(removed)", text))
    return _USERINFO.sub("", _TOKEN.sub("(removed)", _KEY_ID.sub("(a key id)", assigned)))


def quoted(value: str) -> str:
    """Return a refused value between quotes, escaped and cut to a length a person reads."""
    shown = single_line(value[:_MOST_SHOWN])
    more = f" ... ({len(value)} characters)" if len(value) > _MOST_SHOWN else ""
    return f"'{shown}'{more}"


def comma_list(names: list[str] | tuple[str, ...], most: int = 10) -> str:
    """Return names as a comma list for a message, at most `most` of them, escaped."""
    shown = ", ".join(single_line(name) for name in names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown


def did_you_mean(name: str, known: list[str] | tuple[str, ...]) -> str:
    """Return ` Did you mean 'x'?` for the known name most like `name`, or an empty string."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message about a mistake

    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean {quoted(close[0])}?" if close else ""
