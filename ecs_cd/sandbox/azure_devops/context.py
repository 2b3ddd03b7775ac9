"""What a step's action sees of its run: log, issues, variables, artifacts, and the signal to stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ecs_cd.sandbox.azure_devops.run import Attachment, Cancellation, Log, Run
from ecs_cd.sandbox.azure_devops.timeline import Issue, Record

if TYPE_CHECKING:
    from ecs_cd.sandbox.azure_devops.state import State


class StepFailedError(Exception):
    """Raised by `context.fail`: the step failed and has said why."""


@dataclass(frozen=True)
class JobAccess:
    """What a running job may reach the server with."""

    token: str
    organization_url: str
    oidc_request_url: str
    """Where the job asks for an OIDC token (`SYSTEM_OIDCREQUESTURI`)."""


class StepContext:
    """The running step. All methods may be called from any thread."""

    def __init__(self, state: State, run: Run, record: Record, *, variables: dict[str, str], access: JobAccess) -> None:
        """Bind the step to its run and timeline record."""
        self._state = state
        self._run = run
        self._record = record
        with state.lock:
            self._log: Log = run.new_log(state.clock())
            record.log_id = self._log.id
            run.timeline.touch(record)
            self.cancelled: Cancellation = run.cancelled
            """Set when the run, or the stage the step is in, is told to stop. An action should then end soon."""
        self.variables = variables
        """The job's variables; what one step sets, later steps of the job see."""
        self.access = access

    @property
    def run_id(self) -> int:
        """The run's id, which is the build's."""
        return self._run.id

    @property
    def run_number(self) -> str:
        """The run's name, such as `20260101.1`."""
        return self._run.number

    @property
    def branch(self) -> str:
        """The full name of the branch the run was queued on."""
        return self._run.request.source.branch

    @property
    def commit(self) -> str:
        """The commit the run was queued on."""
        return self._run.request.source.commit

    @property
    def parameters(self) -> dict[str, str]:
        """The template parameters, defaults filled in."""
        return dict(self._run.request.parameters)

    def log(self, line: str) -> None:
        """Write a line (several, if it holds line ends) to the task's log."""
        with self._state.lock:
            for part in line.splitlines() or [""]:
                self._log.append(part, self._state.clock())
            self._state.changed()

    def error(self, message: str) -> None:
        """Record an error: an issue of the timeline record and a line of the log."""
        self._issue(Issue("error", message), "##[error]")

    def warning(self, message: str) -> None:
        """Record a warning: an issue of the timeline record and a line of the log."""
        self._issue(Issue("warning", message), "##[warning]")

    def fail(self, message: str) -> NoReturn:
        """Record an error and end the step as failed."""
        self.error(message)
        raise StepFailedError(message)

    def publish(self, name: str, path: str | Path) -> None:
        """Publish a file, or everything below a directory, as an artifact of the run."""
        root = Path(path)
        found = sorted(item for item in root.rglob("*") if item.is_file()) if root.is_dir() else [root]
        base = root if root.is_dir() else root.parent
        files = {item.relative_to(base).as_posix(): item.read_bytes() for item in found}
        with self._state.lock:
            self._run.publish(name, files, self._record.parent_id or self._record.id)
            self._state.changed()

    def attach(self, kind: str, name: str, content: bytes) -> None:
        """Attach a file to the task's timeline record."""
        with self._state.lock:
            self._run.attachments.append(Attachment(kind, name, self._record.id, content))
            self._state.changed()

    def add_tag(self, tag: str) -> None:
        """Tag the run."""
        with self._state.lock:
            if tag not in self._run.tags:
                self._run.tags.append(tag)
            self._state.changed()

    def _issue(self, issue: Issue, prefix: str) -> None:
        with self._state.lock:
            number = len(self._log.lines) + 1
            for part in issue.message.splitlines() or [""]:
                self._log.append(f"{prefix}{part}", self._state.clock())
            self._run.timeline.add_issue(self._record, Issue(issue.type, issue.message, number))
            self._state.changed()
