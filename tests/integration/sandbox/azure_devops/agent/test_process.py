from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import ProcessAction
from tests.support.sandbox_api import Api, Serve
from tests.support.sandbox_pipelines import pipeline


def python(code: str, **more: float) -> ProcessAction:
    return ProcessAction([sys.executable, "-u", "-c", code], **more)  # type: ignore[arg-type]  # only the graces


def log_lines(api: Api, run: int) -> list[str]:
    return [line.partition("Z ")[2] for line in api.json("GET", f"build/builds/{run}/logs/1")["value"]]


def wait_for_line(api: Api, run: int, line: str) -> None:
    api.server.wait_until(
        run, lambda run: bool(run.logs) and any(text.endswith(f"Z {line}") for text in run.logs[0].lines)
    )


def test_output_of_both_streams_goes_to_the_log(serve: Serve) -> None:
    api = serve(pipeline(python("import sys; print('out'); print('err', file=sys.stderr); print('\\xe4')")))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert log_lines(api, run)[-3:] == ["out", "err", "ä"]


def test_a_program_that_fails_fails_its_step_with_its_exit_code(serve: Serve) -> None:
    api = serve(pipeline(python("raise SystemExit(3)")))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert [issue["message"] for issue in api.records(run, "Task")[0]["issues"]] == ["Bash exited with code '3'."]
    assert log_lines(api, run)[-1] == "##[error]Bash exited with code '3'."


def test_a_program_that_is_not_there_fails_its_step(serve: Serve, tmp_path: Path) -> None:
    api = serve(pipeline(ProcessAction([tmp_path / "nothing"])))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert "FileNotFoundError" in api.records(run, "Task")[0]["issues"][0]["message"]


def test_logging_commands_become_issues_and_variables(serve: Serve) -> None:
    code = (
        "print('##vso[task.logissue type=error]state%0Alocked');"
        "print('##vso[task.logissue type=warning;code=a%3Bb]slow');"
        "print('##vso[task.setvariable variable=tag]226');"
        "print('##[error]only red')"
    )
    seen: list[str] = []
    api = serve(pipeline(python(code), lambda context: seen.append(context.variables["tag"])))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    record = api.records(run, "Task")[0]
    assert [(issue["type"], issue["message"]) for issue in record["issues"]] == [
        ("error", "state\nlocked"),
        ("warning", "slow"),
    ]
    assert record["errorCount"] == 1
    assert log_lines(api, run)[1:] == ["##[error]state", "##[error]locked", "##[warning]slow", "##[error]only red"]
    assert seen == ["226"]


def test_environment_and_directory_are_passed_on(serve: Serve, tmp_path: Path) -> None:
    code = "import os; print(os.environ['TAG'], os.getcwd())"
    api = serve(pipeline(ProcessAction([sys.executable, "-c", code], cwd=tmp_path, env={"TAG": "226"})))
    run = api.run()
    api.server.wait(run)
    assert log_lines(api, run)[-1] == f"226 {tmp_path}"


@pytest.mark.parametrize(
    ("deaf_to", "ends_by"),
    [
        ([], "SIGINT"),
        (["SIGINT"], "SIGTERM"),
        (["SIGINT", "SIGTERM"], "nothing"),
    ],
)
def test_cancelling_interrupts_then_terminates_then_kills(serve: Serve, deaf_to: list[str], ends_by: str) -> None:
    code = f"""
import signal, sys, threading
def end(number, frame):
    name = signal.Signals(number).name
    print('got', name)
    if name not in {deaf_to!r}:
        sys.exit(1)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
print('ready')
while True:
    signal.pause()
"""
    patient = {"interrupt_grace": 0.05 if deaf_to else 20.0, "terminate_grace": 0.05 if ends_by == "nothing" else 20.0}
    api = serve(pipeline(python(code, **patient)))
    run = api.run()
    wait_for_line(api, run, "ready")
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert api.records(run, "Task")[0]["result"] == "canceled"
    got = [line.removeprefix("got ") for line in log_lines(api, run) if line.startswith("got")]
    assert got == [*deaf_to, *([ends_by] if ends_by != "nothing" else [])]


def test_cancelling_reaches_the_whole_process_group(serve: Serve) -> None:
    child = "import signal; print('child ready', flush=True); signal.pause()"
    code = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-u', '-c', {child!r}]))"
    api = serve(pipeline(python(code)))
    run = api.run()
    wait_for_line(api, run, "child ready")
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert "KeyboardInterrupt" in log_lines(api, run)


def test_an_output_that_outlives_the_program_is_cut(serve: Serve, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = f"open({str(fifo)!r}).read()"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)"
    api = serve(pipeline(python(code, output_grace=0.05)))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    fifo.write_text("now the child ends")


def test_what_a_program_leaves_running_in_its_group_is_ended_with_it(serve: Serve) -> None:
    child = "import signal; signal.pause()"
    code = (
        "import subprocess, sys;"
        f"subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print('parent ends')"
    )
    api = serve(pipeline(python(code)))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
