"""What a step's action sees of its run: log, issues, variables, artifacts, and the signal to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ecs_cd_sandbox.azure_devops.agent.job import Job, JobAccess
from ecs_cd_sandbox.azure_devops.model.cancellation import Cancellation
from ecs_cd_sandbox.azure_devops.model.definitions import Restrictions
from ecs_cd_sandbox.azure_devops.model.run import Artifact, Attachment, Log, Run
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record, RecordResult, merge_results
from ecs_cd_sandbox.azure_devops.model.variables import Variables

if TYPE_CHECKING:
    from ecs_cd_sandbox.azure_devops.model.state import State

__all__ = ["JobAccess", "StepContext", "StepFailedError"]


class StepFailedError(Exception):
    """Raised by `context.fail`: the step failed and has said why."""


class StepContext:
    """The running step. All methods may be called from any thread."""

    def __init__(
        self,
        state: State,
        run: Run,
        record: Record,
        job: Job,
        *,
        cancelled: Cancellation,
        ref_name: str = "",
        restrictions: Restrictions,
    ) -> None:
        """Bind the step to its job and timeline record; `ref_name` is what its output variables are found under."""
        self._state = state
        self._run = run
        self._record = record
        with state.lock:
            self._log: Log = run.new_log(state.clock())
            record.log_id = self._log.id
            run.timeline.touch(record)
        self.cancelled = cancelled
        """Set when the run, its stage, the job or the step itself is told to stop. An action should then end soon."""
        self.job = job
        self.ref_name = ref_name
        self.restrictions = [restrictions]
        """What limits the step's logging commands; all of them must allow one."""
        self.declared_outputs: frozenset[str] = frozenset()
        """Variables that are output variables without being set as such, in lower case: a task names them."""
        self.task_variables = Variables()
        self.result: RecordResult | None = None
        """The result that the step's program reported."""
        self.commands_failed = False
        """Whether a logging command could not be carried out, which fails the step."""
        self.done = False
        """Whether the step's program reported that it is done and need not be waited for."""

    @property
    def variables(self) -> Variables:
        """The job's variables; what one step sets, later steps of the job see."""
        return self.job.variables

    @property
    def access(self) -> JobAccess:
        """What the job may reach the server with."""
        return self.job.access

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

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a program of this step: the agent's, public variables, and the step's `own`."""
        with self._state.lock:
            return {
                **self.access.environment,
                **self.job.public_environment(),
                **own,
                "PATH": self.job.path(own),
            }

    def log(self, line: str) -> None:
        """Write a line (several, if it holds line ends) to the task's log, secrets masked."""
        with self._state.lock:
            for part in self.job.masker(line).splitlines() or [""]:
                self._log.append(part, self._state.clock())
            self._state.written()

    def debug(self, message: str) -> None:
        """Write a line that is only there when `System.Debug` is on."""
        if self.job.debug:
            self.log(f"##[debug]{message}")

    def error(self, message: str) -> None:
        """Record an error: an issue of the timeline record and a line of the log."""
        self.issue(Issue("error", message))

    def warning(self, message: str) -> None:
        """Record a warning: an issue of the timeline record and a line of the log."""
        self.issue(Issue("warning", message))

    def issue(self, issue: Issue) -> None:
        """Record an issue and write it to the log, secrets masked."""
        with self._state.lock:
            number = len(self._log.lines) + 1
            message = self.job.masker(issue.message)
            for part in message.splitlines() or [""]:
                self._log.append(f"##[{issue.type}]{part}", self._state.clock())
            data = {name: self.job.masker(value) for name, value in issue.data.items()}
            self._run.timeline.add_issue(self._record, Issue(issue.type, message, number, issue.category, data))
            self._state.changed()

    def fail(self, message: str) -> NoReturn:
        """Record an error and end the step as failed."""
        self.error(message)
        raise StepFailedError(message)

    def begin_again(self) -> None:
        """Forget what the step came to, for another try of it."""
        with self._state.lock:
            self.result, self.commands_failed, self.done = None, False, False

    def complete(self, result: RecordResult, operation: str = "") -> None:
        """Note what the step comes to; of several results the worst stays."""
        with self._state.lock:
            self.result = merge_results(self.result, result)
        self.progress(100, operation)

    def progress(self, percent: int, operation: str = "") -> None:
        """Show how far the step is, and with what; an empty operation leaves the last one."""
        with self._state.lock:
            self._record.percent_complete = percent
            self._record.current_operation = self.job.masker(operation) or self._record.current_operation
            self._run.timeline.touch(self._record)
            self._state.changed()

    def set_output(self, name: str, value: str, *, secret: bool = False) -> None:
        """Set an output variable: `<step>.<name>` for later steps, and kept with the record for later jobs."""
        with self._state.lock:
            self._record.outputs.set(name, value, secret=secret)
            self.variables.set(f"{self.ref_name}.{name}", value, secret=secret, read_only=True)

    def publish(self, name: str, path: str | Path) -> None:
        """Publish a file, or everything below a directory, as an artifact of the run."""
        self.change_run(lambda run: run.publish(name, _files(Path(path)), self._record.parent_id or self._record.id))

    def upload(self, name: str, path: str | Path) -> None:
        """Add a file, or everything below a directory, to a container of the run."""
        self.change_run(lambda run: run.extend(name, _files(Path(path)), self._record.parent_id or self._record.id))

    def attach(self, kind: str, name: str, content: bytes) -> None:
        """Attach a file to the task's timeline record."""
        self.change_run(lambda run: run.attachments.append(Attachment(kind, name, self._record.id, content)))

    def add_tag(self, tag: str) -> None:
        """Tag the run."""
        self.change_run(lambda run: None if tag in run.tags else run.tags.append(tag))

    def add_log(self, lines: list[str]) -> None:
        """Add a log of its own to the run, secrets masked."""
        with self._state.lock:
            log = self._run.new_log(self._state.clock())
            for line in lines:
                log.append(self.job.masker(line), self._state.clock())
            self._state.changed()

    def rename_run(self, number: str) -> None:
        """Give the run another number, in a classic release another name."""
        with self._state.lock:
            self._run.number = number
            self.job.system.set("Release.ReleaseName" if self.job.kind == "release" else "Build.BuildNumber", number)
            self._state.changed()

    def artifact(self, alias: str, name: str) -> dict[str, bytes]:
        """Return the files of an artifact of a pipeline resource's run, by their path.

        Raises:
            StepFailedError: there is no such resource, run or artifact.
        """
        with self._state.lock:
            source = self._state.runs.get(self._run.resources.get(alias, 0))
            artifacts = source.artifacts if source else []
            found = next((artifact for artifact in artifacts if artifact.name.lower() == name.lower()), None)
        if found is None:
            where = f"run {source.number} of {source.definition.name}" if source else f"the pipeline resource {alias}"
            self.fail(f"There is no artifact {name} in {where}.")
        return dict(found.files)

    def find_runs(self, wanted: Callable[[Run], bool]) -> list[Run]:
        """Return the runs of the project that are wanted, as they come; `wanted` is asked under the engine's lock."""
        with self._state.lock:
            return [run for run in self._state.runs.values() if wanted(run)]

    def artifacts(self, run_id: int) -> list[Artifact]:
        """Return the artifacts of a run; none if there is no such run."""
        with self._state.lock:
            run = self._state.runs.get(run_id)
            return list(run.artifacts) if run else []

    def change_run(self, change: Callable[[Run], object]) -> None:
        """Do something to the run under the engine's lock."""
        with self._state.lock:
            change(self._run)
            self._state.changed()

    def change_record(self, change: Callable[[Run, Record], object]) -> None:
        """Do something to the step's timeline record, or next to it, under the engine's lock."""
        self.change_run(lambda run: change(run, self._record))


def _files(root: Path) -> dict[str, bytes]:
    found = sorted(item for item in root.rglob("*") if item.is_file()) if root.is_dir() else [root]
    base = root if root.is_dir() else root.parent
    return {item.relative_to(base).as_posix(): item.read_bytes() for item in found}
