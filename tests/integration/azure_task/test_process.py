"""A process of its own, as the Node side starts it: the agent's cancel, and what can be seen of its secrets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.azure_task.library_side import DIRECT, JOB_TOKEN, Task, aws_connection
from tests.support.simulated_clouds import SimulatedClouds

PATIENCE = 60
"""Seconds; no test depends on how much less it is."""

KEY_SECRET = "connection-secret-0123456789abcdefghijkl"
SESSION = "connection-session-0123456789abcdefghijkl"
PROXY_PASSWORD = "proxy-p@ssword/0123456789"
EXTERNAL = "external-id-0123456789"
SECRETS = (JOB_TOKEN, KEY_SECRET, SESSION, PROXY_PASSWORD, "proxy-p%40ssword%2F0123456789", EXTERNAL)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")


def reach(process: subprocess.Popen[str], line: str) -> str:
    told = ""
    assert process.stdout
    for read in process.stdout:
        told += read
        if line in read:
            return told
    raise AssertionError(f"never told: {line}\n{told}")


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)])
def test_a_cancelled_delivery_leaves_its_result_and_the_clouds_alone(
    task: Task, clouds: SimulatedClouds, signals: tuple[signal.Signals, ...]
) -> None:
    clouds.during_apply = lambda _: clouds.released.wait()
    with task.process("deploy", {**DIRECT, "tag": "102"}) as process:
        told = reach(process, "task 'Terraform apply' started")
        for number in signals:
            process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    ran = task.left(process.returncode, told + out)
    ran.ended("Failed", "Interrupted while following run")
    assert (ran.code, ran.outputs["outcome"], ran.outputs["runId"]) == (0, "interrupted", "1")
    assert clouds.azure.recorder.find("PATCH") == []
    assert "Traceback" not in ran.told
    clouds.released.set()
    assert clouds.azure.wait(1) == "succeeded"


def test_a_cancelled_step_leaves_its_result(task: Task, clouds: SimulatedClouds) -> None:
    clouds.during_apply = lambda _: clouds.released.wait()
    with task.process("queue-pipeline", {**DIRECT, "wait": "true"}) as process:
        told = reach(process, "Queued run")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    ran = task.left(process.returncode, told + out).ended("Failed", "Interrupted")
    assert ran.outputs["outcome"] == "interrupted"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("debug", ["true", "false"])
def test_no_secret_is_seen_anywhere(task: Task, clouds: SimulatedClouds, debug: str) -> None:
    """Whatever the clouds echo: both repeat every secret in an error."""
    echo = " ".join(SECRETS)
    task.environ["SYSTEM_DEBUG"] = debug
    clouds.during_apply = lambda context: (clouds.released.wait(), context.fail(f"Error: {echo}"))
    role = "arn:aws:iam::123456789012:role/deploy"
    connection = aws_connection(
        username="AKIACONNECTION123456",
        password=KEY_SECRET,
        sessionToken=SESSION,
        assumeRoleArn=role,
        externalId=EXTERNAL,
    )
    proxy = {"url": "http://127.0.0.1:9", "username": "agent", "password": PROXY_PASSWORD, "bypass": []}
    clouds.aws.inject("ecr", None, ErrorAnswer("ThrottlingException", echo))
    with task.process("deploy", {**DIRECT, "tag": "102"}, aws=connection, proxy=proxy) as process:
        told = reach(process, "task 'Terraform apply' started")
        seen = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        clouds.released.set()
        out, _ = process.communicate(timeout=PATIENCE)
    ran = task.left(process.returncode, told + out).ended("Failed")
    assert "ecs_cd.azure_task" in seen
    assert "***" in ran.out
    assert ("task.debug" in ran.out) == (debug == "true")
    if debug == "true":
        assert "request: PutParameter" in ran.out
        assert "POST" in ran.out
    files = "".join(path.read_text() for path in task.temp.iterdir())
    for secret in SECRETS:
        for place in (seen, ran.told, files, json.dumps(ran.answer)):
            assert secret not in place


NEEDLESS = ("click", "rich", "msrest", "requests", "azure.devops")


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        ("read-tag", (*NEEDLESS, "boto3", "botocore")),
        ("set-parameter", NEEDLESS),
        ("queue-pipeline", ("click", "rich", "boto3", "botocore")),
        ("deploy", ("click", "rich")),
    ],
)
def test_a_command_loads_only_what_it_uses(task: Task, command: str, needless: tuple[str, ...]) -> None:
    task.publish("102")
    program = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('LOADED', sorted(set({needless!r}) & set(sys.modules))))\n"
        "from ecs_cd.azure_task.__main__ import main; main()\n"
    )
    given = {"tagVariable": "tag"} if command == "read-tag" else DIRECT
    with task.process(command, given, program=program) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    assert task.left(process.returncode, out).answer["result"] != "Failed", out
    assert "LOADED []" in out
