"""Recognises failures that pass by themselves: a state lock, or a lost agent (rule 9). Pure.

The wordings are Terraform's own (`internal/command/clistate/state.go`, `internal/states/statemgr/locker.go` and the
`client.go` of each backend under `internal/backend/remote-state`, the same in OpenTofu), and those of Azure DevOps as
its users report them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ecs_cd.model.state_lock import TERRAFORM_CLOUD, StateLock
from ecs_cd.run.log_lines import LogLine, read_lines

_REFUSED = re.compile(r"acquiring the state lock", re.IGNORECASE)
"""How Terraform's message begins whenever it could not lock its state, whatever the reason."""

_HELD = (
    ("GCS", r"conditionNotMet"),
    ("DynamoDB", r"ConditionalCheckFailedException"),
    ("S3", r"PreconditionFailed|ConditionalRequestConflict"),
    ("azurerm", r"state blob is already locked|LeaseAlreadyPresent|already a lease present"),
    ("HTTP", r"HTTP remote state already locked"),
    (TERRAFORM_CLOUD, r"workspace already locked|remote state already locked"),
    ("Kubernetes", r"already locked by another (?:terraform|tofu) client"),
    ("PostgreSQL", r"workspace is already locked|already locked for workspace creation"),
    ("Consul", r"state \S+ already locked"),
    ("local", r"resource temporarily unavailable"),
)
"""The backends, and the message of each when somebody else holds the lock."""

_STALE = re.compile(r"saved plan is stale", re.IGNORECASE)
"""Terraform's message where another had the lock between a run's plan and its apply (`backend_local.go`)."""

_DISCARDED = re.compile(r"saved plan is discarded", re.IGNORECASE)
"""HCP Terraform's message where another run was applied first, or the plan was discarded (`internal/cloud`)."""

_WAITED_IN_VAIN = re.compile(r"lock timeout exceeded, sending interrupt to cancel the remote operation", re.IGNORECASE)
"""HCP Terraform's message where a run waited for the lock of its workspace as long as it may (`internal/cloud`)."""

_END = re.compile(r"acquir(?:es|ing) (?:a |the )?state lock|^Error: |exited with code", re.IGNORECASE)
"""What follows the message: its advice, the same message once more, another error, or the end of the program."""
_MOST_LINES = 40
"""Lines of such a message."""

_NOT_A_LOCK = re.compile(
    r"Access ?Denied|forbidden|UnauthorizedOperation|ExpiredToken|InvalidClientTokenId|NoSuchBucket"
    r"|ResourceNotFoundException|AuthorizationPermissionMismatch|AuthorizationFailure",
    re.IGNORECASE,
)
"""Other causes for which locking can fail, where no backend says that the lock is held; waiting does not help."""

_FIELD = re.compile(r"^\s+(ID|Path|Operation|Who|Created):[ \t]*(.*?)\s*$")
_CREATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})")
_WORKSPACE = re.compile(r'\(lock ID: "([^"]+)"\)')

_LOST = re.compile(
    r"stopped hearing from agent"
    r"|lost communication with the server"
    r"|has been abandoned because agent"
    r"|agent has received a shutdown signal"
    r"|agent did not connect within the allot?ted time"
    r"|hosted runner encountered an error while running your job"
    r"|error occurred while provisioning resources"
    r"|request was cancell?ed by the remote provider"
    r"|remote provider was unable to process the request"
    r"|provisioning request delayed or failed to send",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"ran longer than the maximum time|exceeded the maximum (?:allowed time|execution time)", re.IGNORECASE
)


@dataclass(frozen=True)
class _Message:
    """One message that Terraform could not lock its state: what its backend said, and the lock's information."""

    said: str
    fields: Mapping[str, str]

    @property
    def backend(self) -> str:
        """Return the backend that says that the lock is held; empty if none does."""
        return next((name for name, pattern in _HELD if re.search(pattern, self.said, re.IGNORECASE)), "")

    @property
    def is_another_failure(self) -> bool:
        return not self.backend and bool(_NOT_A_LOCK.search(self.said))

    def lock(self) -> StateLock | None:
        """Return the lock; None where nothing says that it was held."""
        if not self.backend and not self.fields.get("ID"):
            return None
        if self.backend == TERRAFORM_CLOUD:  # it shows who asked for the lock, not who has it
            workspace = _WORKSPACE.search(self.said)
            return StateLock(TERRAFORM_CLOUD, id=workspace[1] if workspace else "")
        return StateLock(
            self.backend or "Terraform",
            id=self.fields.get("ID", ""),
            path=self.fields.get("Path", ""),
            operation=self.fields.get("Operation", ""),
            who=self.fields.get("Who", ""),
            created=_moment(self.fields.get("Created", "")),
        )


def read_state_lock(lines: Sequence[str]) -> StateLock | None:
    """Return the lock that a failed task met, from the errors and the end of the log; None if it failed otherwise.

    One message may be there several times, and not always as a whole: the one that names the holder counts. Where one
    of them has another cause, waiting does not help.
    """
    plain = read_lines(lines)
    messages = [_message(plain, at) for at, line in enumerate(plain) if _REFUSED.search(line.text)]
    if not messages:
        return _lock_without_a_message("\n".join(line.text for line in plain))
    if any(message.is_another_failure for message in messages):
        return None
    locks = [lock for message in messages if (lock := message.lock())]
    return next((lock for lock in locks if lock.who), locks[0] if locks else None)


def _lock_without_a_message(text: str) -> StateLock | None:
    if _STALE.search(text):
        return StateLock("Terraform", stale=True)
    if _DISCARDED.search(text):
        return StateLock(TERRAFORM_CLOUD, stale=True)
    return StateLock(TERRAFORM_CLOUD) if _WAITED_IN_VAIN.search(text) else None


def _message(lines: Sequence[LogLine], first: int) -> _Message:
    """Return the message that begins in a line; the lines of other units in between are left out."""
    own = [line.text for line in lines[first:] if line.unit in (lines[first].unit, "")][:_MOST_LINES]
    end = next((at for at, line in enumerate(own) if at and _END.search(line)), len(own))
    info = next((at for at, line in enumerate(own[:end]) if "Lock Info:" in line), end)
    return _Message(" ".join(" ".join(own[:info]).split()), _fields(own[info:end]))


def _fields(message: Sequence[str]) -> dict[str, str]:
    """Return the fields of the block `Lock Info:`."""
    found: dict[str, str] = {}
    for line in message:
        match = _FIELD.match(f" {line}")
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
    return next((line.text.strip() for line in read_lines(lines) if _LOST.search(line.text)), "")


def cancelled_by(lines: Sequence[str]) -> str:
    """Return who cancelled a run, where an issue of it says so; empty if none does."""
    found = (re.search(r"The (?:build|run|job) was cancell?ed by (.{1,200}?)\.?\s*$", line) for line in lines)
    return next((match[1].strip("'\"") for match in found if match), "")


def took_too_long(lines: Sequence[str]) -> bool:
    """Return whether a job was stopped because it ran longer than it may."""
    return any(_TOO_LONG.search(line) for line in lines)
