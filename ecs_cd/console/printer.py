"""A stream on which nothing dangerous, secret or unprintable appears, and whose reader may leave."""

from __future__ import annotations

import errno
import os
from typing import TextIO

from ecs_cd.console.mask import Mask
from ecs_cd.sanitize import sanitize, single_line

_GONE = (errno.EPIPE, errno.EINVAL, errno.EIO, errno.ESHUTDOWN)
"""A reader that left: EPIPE, Windows' EINVAL for the same, EIO from a terminal that was closed."""


class Printer:
    """A text stream made safe.

    `optional`: what is printed here is extra, so that no failure to print it may end a delivery. Else a full
    disk is an error (OSError); a reader that left never is one.
    """

    def __init__(self, stream: TextIO, mask: Mask, *, optional: bool = False) -> None:
        """Print on `stream`, hiding what `mask` hides."""
        self._stream = stream
        self._mask = mask
        self._optional = optional
        self._gone = False

    @property
    def encoding(self) -> str:
        """Return the stream's encoding."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def unicode(self) -> bool:
        """Return whether every character can be printed."""
        return self.encoding.lower().startswith(("utf", "cp65001"))

    def safe(self, text: str) -> str:
        """Return the text without secrets and sanitized, in whatever characters."""
        return self._mask.hide(sanitize(self._mask.hide(text)))

    def clean(self, text: str) -> str:
        """Return the text without secrets, sanitized, in characters the stream has. Line feeds and tabs stay."""
        return self._mask.hide(self._encodable(self.safe(text)))

    def clean_line(self, text: str) -> str:
        """Return the text clean, on one line."""
        return self._mask.hide(self._encodable(single_line(self._mask.hide(text))))

    def print(self, text: str) -> None:
        """Print a text, clean, and end its line if it does not."""
        shown = self.clean(text)
        self.write(shown if shown.endswith("\n") else f"{shown}\n")
        self.flush()

    def command(self, command: str) -> None:
        """Print one of our own commands to an agent; all that came from outside in it is clean already."""
        self.write(f"{self._encodable(command)}\n")
        self.flush()

    def write(self, text: str) -> int:
        """Write as it is, in characters the stream has; ignore a reader that left."""
        if not self._gone:
            try:
                self._stream.write(self._encodable(text))
            except (OSError, ValueError) as error:
                self._reader_left(error)
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        if not self._gone:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._reader_left(error)

    def isatty(self) -> bool:
        """Return whether a terminal shows the stream."""
        try:
            return self._stream.isatty()
        except ValueError:  # closed
            return False

    def fileno(self) -> int:
        """Return the stream's file descriptor, as `TextIO.fileno`."""
        return self._stream.fileno()

    def _encodable(self, text: str) -> str:
        try:
            return text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        except LookupError:
            return text.encode("ascii", "backslashreplace").decode("ascii")

    def _reader_left(self, error: OSError | ValueError) -> None:
        if isinstance(error, OSError) and error.errno not in _GONE and not self._optional:
            raise error
        self._gone = True
        self._drain()

    def _drain(self) -> None:
        """Discard what is still buffered: at its exit Python would try to write it, and complain."""
        try:
            descriptor = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except (OSError, ValueError):
            return
        try:
            os.dup2(nowhere, descriptor)
        finally:
            os.close(nowhere)
