"""Recognises failures that pass by themselves: a state lock, or a lost agent (rule 9). Pure.

The wordings are Terraform's own (`internal/command/clistate/state.go`, `internal/states/statemgr/locker.go` and the
`client.go` of each backend under `internal/backend/remote-state`, the same in OpenTofu), and those of Azure DevOps as
its users report them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

from ecs_cd.model.state_lock import StateLock

_REFUSED = re.compile(r"acquiring the state lock", re.IGNORECASE)
"""How Terraform's message begins whenever it could not lock its state, whatever the reason."""

_HELD = (
    ("GCS", r"conditionNotMet"),
    ("DynamoDB", r"ConditionalCheckFailedException"),
    ("S3", r"PreconditionFailed|ConditionalRequestConflict"),
    ("azurerm", r"state blob is already locked|LeaseAlreadyPresent|already a lease present"),
    ("HTTP", r"HTTP remote state already locked"),
    ("Terraform Cloud", r"workspace already locked|remote state already locked"),
    ("Kubernetes", r"already locked by another terraform client"),
    ("PostgreSQL", r"workspace is already locked|already locked for workspace creation"),
    ("Consul", r"state \S+ already locked"),
)
"""The backends, and the message of each when somebody else holds the lock."""

_STALE = re.compile(r"saved plan is stale", re.IGNORECASE)
"""Terraform's message where another had the lock between a run's plan and its apply (`backend_local.go`)."""

_NOT_A_LOCK = re.compile(
    r"AccessDenied|UnauthorizedOperation|ExpiredToken|InvalidClientTokenId|NoSuchBucket|ResourceNotFoundException"
    r"|AuthorizationPermissionMismatch|AuthorizationFailure",
    re.IGNORECASE,
)
"""Other causes for which locking can fail; waiting does not help against these."""

_FRAME = re.compile(r"^\s*(?:##\[\w+\])?\s*[│╷╵|]?\s?")
"""The frame that Terraform draws, and the prefix that the agent puts, before a line of an error."""

_FIELD = re.compile(r"^\s+(ID|Path|Operation|Who|Created):[ \t]*(.*?)\s*$")
_CREATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})")
_WORKSPACE = re.compile(r'\(lock ID: "([^"]+)"\)')

_LOST = re.compile(
    r"stopped hearing from agent"
    r"|lost communication with the server"
    r"|has been abandoned because agent"
    r"|agent has received a shutdown signal"
    r"|agent did not connect within the allot?ted time"
    r"|error occurred while provisioning resources"
    r"|remote provider was unable to process the request"
    r"|provisioning request delayed or failed to send"
    r"|no agent could be (?:found|assigned)",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"ran longer than the maximum time|exceeded the maximum (?:allowed time|execution time)", re.IGNORECASE
)


def read_state_lock(lines: Sequence[str]) -> StateLock | None:
    """Return the lock that a failed task met, from the errors and the end of the log; None if it failed otherwise."""
    plain = [_FRAME.sub("", part, count=1) for line in lines for part in line.splitlines()]
    first = next((at for at, line in enumerate(plain) if _REFUSED.search(line)), None)
    if first is None:
        return StateLock("Terraform", stale=True) if any(_STALE.search(line) for line in plain) else None
    message = plain[first:]
    text = " ".join(" ".join(message).split())
    if _NOT_A_LOCK.search(text):
        return None
    fields = _fields(message)
    backend = next((name for name, pattern in _HELD if re.search(pattern, text, re.IGNORECASE)), "")
    if not backend and not fields.get("ID"):
        return None
    workspace = _WORKSPACE.search(text)
    if backend == "Terraform Cloud":  # it shows who asked for the lock, not who has it
        return StateLock(backend, id=workspace[1] if workspace else "")
    return StateLock(
        backend or "Terraform",
        id=fields.get("ID", ""),
        path=fields.get("Path", ""),
        operation=fields.get("Operation", ""),
        who=fields.get("Who", ""),
        created=_moment(fields.get("Created", "")),
    )


def _fields(message: Sequence[str]) -> dict[str, str]:
    """Return the fields of the block `Lock Info:`."""
    found: dict[str, str] = {}
    inside = False
    for line in message:
        inside = inside or "Lock Info:" in line
        match = _FIELD.match(f" {line}") if inside else None
        if match and match[1] not in found:
            found[match[1]] = match[2]
    return found


def _moment(created: str) -> datetime | None:
    match = _CREATED.match(created)
    if not match:
        return None
    try:
        read = datetime.strptime(" ".join(match.groups()), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return read.astimezone(timezone.utc)


def lost_agent(lines: Sequence[str]) -> str:
    """Return the line that says that Azure DevOps lost the agent, or never found one; empty if none does.

    A job that took too long has not lost its agent, though that is stopped, too: it would take as long again.
    """
    if any(_TOO_LONG.search(line) for line in lines):
        return ""
    return next((_FRAME.sub("", line, count=1).strip() for line in lines if _LOST.search(line)), "")


def cancelled_by(lines: Sequence[str]) -> str:
    """Return who cancelled a run, where an issue of it says so; empty if none does."""
    found = (re.search(r"The (?:build|run|job) was cancell?ed by (.{1,200}?)\.?\s*$", line) for line in lines)
    return next((match[1].strip("'\"") for match in found if match), "")


def took_too_long(lines: Sequence[str]) -> bool:
    """Return whether a job was stopped because it ran longer than it may."""
    return any(_TOO_LONG.search(line) for line in lines)
