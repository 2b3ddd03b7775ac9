"""`CmdLine@2`, `Bash@3` and `PowerShell@2`: a script is written to a file and run by its shell.

How a cancel reaches a script on Linux and macOS. The agent sends SIGINT, and 7.5 seconds later SIGTERM, to the one
process it started, which is the task's node, and to no group (`ProcessInvoker.cs`, `ProcessInvoker.MacLinux.cs`).
`CmdLine@2` and `Bash@3` catch both in node and pass each on to the one bash they started (`cmdline.ts`, `bash.ts`:
`killChildProcess`). So **the signals reach bash, and no program that bash runs**. bash acts on a SIGINT only after the
program in its foreground has ended, and goes on with the script if that ended well. A plain `terraform apply` in a
script therefore hears of no cancel: after 7.5 seconds bash is terminated, 2.5 seconds later node is killed, and
Terraform goes on until the agent kills what the job left behind. `exec terraform apply` takes the place of bash and is
told at once; it has 7.5 seconds until the SIGTERM, which Terraform takes as the second interrupt, and exits.

`PowerShell@2` and the AWS toolkit's script task catch nothing: SIGINT ends their node, and the script is told nothing
before it is killed at the end of the job. The stand-ins are alike, with one difference: what is left is killed when the
step ends, not when the job does.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.process import Program, Reach
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun
from ecs_cd_sandbox.azure_devops.agent.step_context import StepFailedError

_RULER = "========================== Starting Command Output ==========================="
_OUT_OF_MEMORY = 137
"""What a shell ends with when the kernel killed its program."""


@dataclass(frozen=True)
class Script:
    """A program that runs a script for a task; `title` is what its errors call it."""

    title: str
    argv: tuple[str, ...]
    folder: Path
    fail_on_stderr: bool = False
    reach: Reach = "process"
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, run: TaskRun) -> None:
        """Run it to its end; an exit code other than 0 fails the step, and so do errors on stderr where asked for."""
        context = run.context
        context.log(f"[command]{' '.join(self.argv)}")
        stderr_lines: list[str] = []
        on_stderr = stderr_lines.append if self.fail_on_stderr else None
        program = Program(self.argv, self.folder, run.environment(self.env), reach=self.reach, on_stderr=on_stderr)
        code = program.run(context)
        errors = [self._exit_message(code)] if code != 0 else []
        if stderr_lines:
            errors += [f"{self.title} wrote one or more lines to the standard error stream.", "\n".join(stderr_lines)]
        for error in errors:
            context.error(error)
        if errors:
            raise StepFailedError(errors[0])

    def _exit_message(self, code: int) -> str:
        if code == _OUT_OF_MEMORY and self.title == "Bash":
            hint = "Make sure the agent (container) host has sufficient memory configured."
            return f"Bash exited with code 137, which means it ran out of memory. {hint}"
        return f"{self.title} exited with code '{code if code >= 0 else 'null'}'."


def find_program(run: TaskRun, *names: str) -> str:
    """Return the path of the first program that is on the job's PATH.

    Raises:
        TaskFailed: none is.
    """
    path = run.environment()["PATH"]
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise TaskFailed(
        f"Unable to locate executable file: '{names[0]}'. Please verify either the file path exists or the file can be "
        "found within a directory specified by the PATH environment variable."
    )


def write_script(run: TaskRun, content: str, suffix: str) -> Path:
    """Write a script to a new file in `Agent.TempDirectory`, and return its path."""
    path = run.context.job.workspace.temp / f"{uuid.uuid4()}{suffix}"
    path.write_text(content, encoding="utf-8")
    return path


def command_line(run: TaskRun) -> None:
    """Do what `CmdLine@2` (`script:`) does on Linux and macOS."""
    folder = run.existing_path("workingDirectory")
    content = run.text("script")
    if content and "\n" not in content and (run.context.job.working_directory / content).exists():
        content = f"exec {content}"
    run.context.log("Generating script.")
    path = write_script(run, content, ".sh")
    _show(run, content)
    argv = (find_program(run, "bash"), "--noprofile", "--norc", str(path))
    _start(run)
    Script("Bash", argv, folder, run.switch("failOnStderr")).run(run)


def bash(run: TaskRun) -> None:
    """Do what `Bash@3` (`bash:`) does on Linux and macOS."""
    folder = run.existing_path("workingDirectory")
    in_file = run.text("targetType").lower() == "filepath"
    if in_file and not run.path("filePath").is_file():
        raise TaskFailed(f"Invalid file path '{run.text('filePath')}'.")
    run.context.log("Generating script.")
    program = find_program(run, "bash")
    if in_file:
        content = _call_of_file(run)
        run.context.log(f"Formatted command: {content}")
    else:
        content = run.text("script")
        _show(run, content)
    path = write_script(run, content, ".sh")
    _start(run)
    Script("Bash", (program, str(path)), folder, run.switch("failOnStderr"), env=_startup_file(run)).run(run)


def _call_of_file(run: TaskRun) -> str:
    """Return a line that runs the script as a program of its own, or, where the old way is asked for, sources it."""
    quoted = run.text("filePath").replace("'", "'\\''")
    how = "." if run.environment().get("AZP_BASHV3_OLD_SOURCE_BEHAVIOR") else "exec bash"
    return f"{how} '{quoted}' {run.text('arguments')}".strip()


def _startup_file(run: TaskRun) -> dict[str, str]:
    value = run.text("bashEnvValue")
    known = run.environment().get("BASH_ENV")
    if value and known:
        run.context.log(
            f"The BASH_ENV environment variable has already been set to a '{known}', the task will override it with "
            f"'{value}'"
        )
    return {"BASH_ENV": value} if value else {}


def _show(run: TaskRun, content: str) -> None:
    """Write a script of one line to the log, but none with a logging command in it."""
    if "\n" not in content and "##vso[" not in content.lower():
        run.context.log("Script contents:")
        run.context.log(content)


def _start(run: TaskRun) -> None:
    run.context.log(_RULER)


_PREFERENCES = {
    "errorActionPreference": "ErrorActionPreference",
    "warningPreference": "WarningPreference",
    "informationPreference": "InformationPreference",
    "verbosePreference": "VerbosePreference",
    "debugPreference": "DebugPreference",
    "progressPreference": "ProgressPreference",
}


def powershell(run: TaskRun) -> None:
    """Do what `PowerShell@2` (`pwsh:`, `powershell:`) does on Linux and macOS, where PowerShell is installed.

    What `showWarnings` asks for, issues out of warnings, is not done; they are in the log.
    """
    folder = run.existing_path("workingDirectory")
    program = find_program(run, "pwsh", "powershell")
    run.context.log("Generating script.")
    script = _call_of_powershell_file(run) if run.text("targetType").lower() == "filepath" else run.text("script")
    lines = [
        f"${variable} = '{run.text(name)}'"
        for name, variable in _PREFERENCES.items()
        if run.text(name).lower() not in {"", "default"}
    ]
    lines.append(script)
    if not run.switch("ignoreLASTEXITCODE"):
        lines.append("if (Test-Path -LiteralPath variable:LASTEXITCODE) { exit $LASTEXITCODE }")
    path = write_script(run, "\ufeff" + "\n".join(lines), ".ps1")
    _start(run)
    operator = "&" if run.switch("runScriptInSeparateScope") else "."
    argv = (program, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", f"{operator} '{path}'")
    Script("PowerShell", argv, folder, run.switch("failOnStderr"), reach="nobody").run(run)


def _call_of_powershell_file(run: TaskRun) -> str:
    path = run.path("filePath")
    if not path.is_file() or path.suffix.lower() != ".ps1":
        raise TaskFailed(f"Invalid file path '{path}'. A path to a .ps1 file is required.")
    quoted = str(path).replace("'", "''")
    return f". '{quoted}' {run.text('arguments')}".strip()
