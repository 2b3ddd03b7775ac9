"""The name under which AWS records what a delivery does: who reads a history finds the run that wrote a version."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OURS = "ecs-cd."
_NOT_IN_SESSION_NAMES = re.compile(r"[^A-Za-z0-9_+=,.@-]+")
_LONGEST_SESSION_NAME = 64
_LONGEST_TAG, _LONGEST_RUN = 24, 28
_RUN = re.compile(r"(build|release)-([0-9]+)")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:(?P<kind>[a-z-]+)/?(?P<name>.*)")


def session_name(service: str, tag: str, run: str) -> str:
    """Return the name of a role's session: service, tag and run, 64 characters at most.

    Tag and run are kept whole where they can be; the service gives way first.
    """
    service, tag, run = (_NOT_IN_SESSION_NAMES.sub("-", part) for part in (service, tag, run))
    rest = ".".join(filter(None, (tag[:_LONGEST_TAG], run[:_LONGEST_RUN])))
    room = _LONGEST_SESSION_NAME - len(_OURS) - 1 - len(rest)
    return ".".join(filter(None, (_OURS[:-1], service[:room], rest)))


@dataclass(frozen=True)
class Author:
    """Who wrote something: a user or role, and the run it was done by (`build 55`) where the session's name says so."""

    who: str
    run: str = ""


def author_of(arn: str) -> Author:
    """Return who is behind the ARN of a principal; the text itself where it is no such ARN."""
    match = _PRINCIPAL.fullmatch(arn)
    if not match:
        return Author(arn)
    kind, name = match["kind"], match["name"]
    if kind != "assumed-role":
        return Author(name or kind)
    role, _, session = name.rpartition("/")
    if not session.startswith(_OURS):
        return Author(name)
    run = _RUN.fullmatch(session.rpartition(".")[2])
    return Author(role, f"{run[1]} {run[2]}" if run else "")
