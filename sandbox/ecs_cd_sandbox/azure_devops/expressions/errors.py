"""What goes wrong with an expression, in the words of the service."""

from __future__ import annotations

HELP = "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"


class ExpressionError(Exception):
    """An expression cannot be read or evaluated; the message is the service's own sentence."""


def at_position(problem: str, raw: str, position: int, expression: str) -> ExpressionError:
    """Return an error that points into the expression; `position` counts from 1."""
    return ExpressionError(
        f"{problem}: '{raw}'. Located at position {position} within expression: '{expression}'. {HELP}"
    )
