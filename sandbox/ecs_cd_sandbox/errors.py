"""What keeps the sandbox from starting."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox could not be set up.

    `message` says what is wrong in one sentence, `hint` what to do about it, `details` are further lines of evidence.
    """

    def __init__(self, message: str, *, hint: str, details: tuple[str, ...] = ()) -> None:
        """Keep the parts; the text of the error has them all."""
        super().__init__("\n".join([f"{message} {hint}", *(f"  {line}" for line in details)]))
        self.message = message
        self.hint = hint
        self.details = details
