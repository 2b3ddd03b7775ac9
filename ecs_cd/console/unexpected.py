"""A mistake of our own, as an error that a person can report."""

from __future__ import annotations

import traceback
from pathlib import Path

from ecs_cd.errors import EcsCdError


def unexpected_error(error: Exception, *, details: str) -> EcsCdError:
    """Return the error for an exception that nothing expected.

    `details` says how to see more of it, as the front end words it: `Run again with --debug`.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    told = EcsCdError(
        f"BUG: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {error}",
        hint=f"This is a mistake of ecs-cd's own. {details}, and report what it prints.",
    )
    told.__traceback__ = error.__traceback__
    return told
