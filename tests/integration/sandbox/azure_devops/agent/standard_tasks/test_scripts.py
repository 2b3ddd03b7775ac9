from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import Restrictions, StepDefinition
from ecs_cd_sandbox.azure_devops.agent.process import Program
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import scripts
from tests.integration.sandbox.azure_devops.agent.standard_tasks.outcomes import Outcome, carry_out
from tests.support.node_tasks import job
from tests.support.sandbox_api import Serve, log_lines
from tests.support.standard_task_steps import files, script, step

STARTED = "========================== Starting Command Output ==========================="


def output(outcome: Outcome, number: int = 1) -> list[str]:
    """Return what a script printed."""
    log = outcome.log(number)
    return log[log.index(STARTED) + 2 :]


def test_a_script_runs_from_a_file_of_the_temp_folder_in_the_sources(serve: Serve) -> None:
    outcome = carry_out(serve, step("CmdLine@2", {"script": "echo $0; pwd"}))
    assert outcome.result == "succeeded"
    path, folder = output(outcome)
    assert outcome.log()[:4] == ["Generating script.", "Script contents:", "echo $0; pwd", STARTED]
    assert outcome.log()[4].endswith(f"--noprofile --norc {path}")
    assert (Path(path).parent.name, Path(path).suffix, Path(folder).name) == ("_temp", ".sh", "s")


def test_a_task_introduces_itself(serve: Serve) -> None:
    assert carry_out(serve, script("true")).header() == [
        "=" * 78,
        "Task         : Bash",
        "Description  : Run a Bash script on macOS, Linux, or Windows",
        "Version      : 3.278.0",
        "Author       : Microsoft Corporation",
        "=" * 78,
    ]


def test_macros_are_expanded_in_inputs_and_environment(serve: Serve) -> None:
    outcome = carry_out(
        serve,
        script('echo "$(tag) $(unknown) $FROM_STEP $TAG"', env={"FROM_STEP": "<$(hidden)>"}),
        variables={"tag": "226"},
        secrets={"hidden": "hush-hush"},
    )
    assert output(outcome)[-1] == "226  <***> 226"
    assert outcome.result == "succeeded"


def test_a_secret_is_in_no_environment_unless_it_is_mapped(serve: Serve) -> None:
    outcome = carry_out(serve, script('echo "[$HIDDEN]"; env | grep -c hush-hush'), secrets={"hidden": "hush-hush"})
    assert output(outcome)[:2] == ["[]", "0"]


def test_a_script_with_an_exit_code_fails_with_it(serve: Serve) -> None:
    outcome = carry_out(serve, script("exit 3"))
    assert (outcome.result, outcome.issues()) == ("failed", ["Bash exited with code '3'."])
    assert "ran out of memory" in carry_out(serve, script("exit 137")).issues()[0]


@pytest.mark.parametrize("task", ["Bash@3", "CmdLine@2"])
def test_errors_fail_a_script_only_where_that_is_asked_for(serve: Serve, task: str) -> None:
    given = {"script": "echo out; echo oh >&2; echo no >&2", **({"targetType": "inline"} if task == "Bash@3" else {})}
    lenient = carry_out(serve, step(task, given))
    assert (lenient.result, sorted(output(lenient))) == ("succeeded", ["no", "oh", "out"])
    strict = carry_out(serve, step(task, {**given, "failOnStderr": "true"}))
    assert strict.result == "failed"
    assert strict.issues() == ["Bash wrote one or more lines to the standard error stream.", "oh\nno"]
    assert {"out", "oh", "no"} <= set(output(strict))


def test_a_script_in_a_file_gets_its_arguments_and_folder(serve: Serve) -> None:
    given = {"filePath": "tools/it's.sh", "arguments": "one 'two three' $(tag)", "workingDirectory": "tools"}
    content = 'printf "%s|" "$@"; basename "$PWD"'
    outcome = carry_out(serve, files({"s/tools/it's.sh": content}), step("Bash@3", given), variables={"tag": "226"})
    assert outcome.result == "succeeded"
    assert output(outcome, 2) == ["one|two three|226|tools"]
    assert outcome.log(2)[1].startswith("Formatted command: exec bash '/")


def test_logging_commands_of_a_script_are_carried_out(serve: Serve) -> None:
    first = script('echo "##vso[task.setvariable variable=tag;isOutput=true]226"', ref_name="build")
    outcome = carry_out(serve, first, script('echo "$(build.tag)"'))
    assert output(outcome, 2) == ["226"]
    assert "Script contents:" not in outcome.log(1), "a script with a logging command is not shown, lest it is obeyed"


def test_restrictions_of_a_step_hold_for_its_script(serve: Serve) -> None:
    first = script('echo "##vso[task.setvariable variable=tag]226"', restrictions=Restrictions(settable_variables=()))
    outcome = carry_out(serve, first, script("echo '$(tag)'"))
    assert output(outcome, 2) == ["$(tag)"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"filePath": "missing.sh"}, "Invalid file path"),
        ({"targetType": "inline", "script": "true", "workingDirectory": "missing"}, "Not found workingDirectory: /"),
    ],
)
def test_what_a_script_needs_must_be_there(serve: Serve, given: dict[str, str], message: str) -> None:
    outcome = carry_out(serve, step("Bash@3", given))
    assert outcome.result == "failed" and outcome.issues()[0].startswith(message)


def test_a_startup_file_is_read_before_the_script(serve: Serve) -> None:
    given = {"bashEnvValue": "$(Pipeline.Workspace)/start.sh"}
    outcome = carry_out(serve, files({"start.sh": "greeting=hello"}), script('echo "$greeting"', given=given))
    assert output(outcome, 2) == ["hello"]


def test_without_powershell_the_step_says_so(serve: Serve, tmp_path: Path) -> None:
    given = {"targetType": "inline", "script": "Get-Date"}
    outcome = carry_out(serve, step("PowerShell@2", given), server={"agent_environment": {"PATH": str(tmp_path)}})
    assert outcome.result == "failed"
    assert outcome.issues()[0].startswith("Unable to locate executable file: 'pwsh'.")


def test_powershell_is_given_a_script_with_preferences_before_it(serve: Serve, tmp_path: Path) -> None:
    fake = tmp_path / "pwsh"
    fake.write_text('#!/bin/sh\nset -- ${5#??}\neval cat "$1"\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    given = {"targetType": "inline", "script": "Get-Date", "warningPreference": "continue"}
    outcome = carry_out(serve, step("PowerShell@2", given), server={"agent_environment": environment})
    assert output(outcome) == [
        "\ufeff$ErrorActionPreference = 'stop'",
        "$WarningPreference = 'continue'",
        "$ProgressPreference = 'silentlyContinue'",
        "Get-Date",
        "if (Test-Path -LiteralPath variable:LASTEXITCODE) { exit $LASTEXITCODE }",
    ]


PROGRAM = """
import signal, sys
def told(number, frame):
    print('stopping in good order', flush=True)
    sys.exit(1)
signal.signal(signal.SIGINT, told)
print('program runs', flush=True)
signal.pause()
"""


def cancelled(serve: Serve, command: StepDefinition) -> list[str]:
    """Cancel a run once its program runs, and return its log."""
    api = serve(job(command, variables={"AWS.AccessKeyID": "AKIA", "AWS.SecretAccessKey": "any"}))
    run = api.run()
    api.server.wait_until(
        run, lambda run: bool(run.logs) and any(line.endswith("Z program runs") for line in run.logs[0].lines)
    )
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    return log_lines(api, run)


def test_a_cancel_reaches_a_program_that_takes_the_place_of_the_shell(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = f"{sys.executable} {tmp_path / 'program.py'}"
    assert "stopping in good order" in cancelled(serve, script(f"exec {command}"))


def test_a_script_of_the_aws_toolkit_hears_of_no_cancel(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    given = {"scriptType": "inline", "inlineScript": f"exec {sys.executable} {tmp_path / 'program.py'}"}
    log = cancelled(serve, step("AWSShellScript@1", given))
    assert "stopping in good order" not in log and log[-1] == "##[error]The operation was canceled."


def test_powershell_hears_of_no_cancel(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    fake = tmp_path / "pwsh"
    fake.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path / 'program.py'}\n")
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = step("PowerShell@2", {"targetType": "inline", "script": "terraform apply"}, env={"PATH": path})
    log = cancelled(serve, command)
    assert "stopping in good order" not in log and log[-1] == "##[error]The operation was canceled."


@pytest.mark.usefixtures("hasty")
def test_a_cancel_does_not_reach_a_program_that_the_shell_waits_for(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    log = cancelled(serve, script(f"{sys.executable} {tmp_path / 'program.py'}\necho afterwards"))
    assert "stopping in good order" not in log and "afterwards" not in log
    assert log[-1] == "##[error]The operation was canceled."


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the agent lose its patience at once."""
    hasty_program = partial(Program, interrupt_grace=0.05, terminate_grace=0.05, output_grace=0.05)
    monkeypatch.setattr(scripts, "Program", hasty_program)
