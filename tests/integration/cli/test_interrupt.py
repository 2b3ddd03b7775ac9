"""Ctrl-C and the agent's cancel, at a process of its own in each phase of a delivery (rule 16)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.support.called_commands import Called, command
from tests.support.simulated_clouds import SECRETS, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102", "--report", "report.json")
PATIENCE = 60
"""Seconds; how long a process may take that ends by itself. No test depends on how much less it is."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")


class Delivering:
    """A delivery in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._err = ""

    def reach(self, line: str) -> None:
        """Read the progress until this is told."""
        assert self.process.stderr
        for told in self.process.stderr:
            self._err += told
            if line in told:
                return
        raise AssertionError(f"never told: {line}\n{self._err}")

    def stop(self, number: signal.Signals) -> Called:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return Called(self.process.returncode, out, self._err + err).check()


@contextmanager
def delivering(clouds: SimulatedClouds, *argv: str) -> Iterator[Delivering]:
    with subprocess.Popen(
        command(*(argv or DEPLOY)),
        cwd=clouds.folder,
        env=clouds.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Delivering(process)
        finally:
            process.kill()


def interrupted(called: Called, doing: str, clouds: SimulatedClouds) -> None:
    called.refused(130, "Interrupted while", doing)
    report = json.loads((clouds.folder / "report.json").read_text(encoding="utf-8"))
    assert (report["outcome"], report["exit_code"]) == ("interrupted", 130)
    assert "Nothing was stopped in the clouds" in called.advice


def held_at_check(clouds: SimulatedClouds) -> str:
    clouds.azure.faults.hold("GET", "definitions")
    return "checking that 102 can be delivered"


def held_at_parameter(clouds: SimulatedClouds) -> str:
    clouds.aws.inject("ssm", "PutParameter", ErrorAnswer("ThrottlingException"), times=10_000)
    return "recording 102 in"


def held_at_run(clouds: SimulatedClouds) -> str:
    clouds.during_apply = lambda _: clouds.released.wait()
    return "task 'Terraform apply' started"


def held_at_rollout(clouds: SimulatedClouds) -> str:
    clouds.scheduler.behave("stuck", service="my-api", tag="102")
    return "waiting for ECS service my-api"


@pytest.mark.parametrize(
    ("number", "hold", "doing"),
    [
        (signal.SIGINT, held_at_check, "checking"),
        (signal.SIGINT, held_at_parameter, "recording"),
        (signal.SIGINT, held_at_run, "following run"),
        (signal.SIGTERM, held_at_run, "following run"),
        (signal.SIGINT, held_at_rollout, "waiting for ECS service"),
    ],
)
def test_an_interrupted_delivery_ends_with_a_report_and_leaves_the_clouds_alone(
    clouds: SimulatedClouds, number: signal.Signals, hold: Callable[[SimulatedClouds], str], doing: str
) -> None:
    line = hold(clouds)
    with delivering(clouds) as delivery:
        delivery.reach(line)
        called = delivery.stop(number)
    interrupted(called, doing, clouds)
    assert clouds.azure.recorder.find("PATCH") == []
    if hold is held_at_run:
        assert "buildId=1" in called.out
        clouds.released.set()
        assert clouds.azure.wait(1) == "succeeded"
    else:
        assert clouds.azure.recorder.find("POST", "/runs") == [] or hold is held_at_rollout


def test_interrupting_the_wait_for_a_run_leaves_it_running(clouds: SimulatedClouds) -> None:
    line = held_at_run(clouds)
    with delivering(clouds, "pipeline", "queue", "my-api", "development", "--wait") as waiting:
        waiting.reach(line)
        called = waiting.stop(signal.SIGINT)
    assert called.code == 130
    assert "Interrupted" in called.sentence
    clouds.released.set()
    assert clouds.azure.wait(1) == "succeeded"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_no_secret_is_in_the_words_of_the_process(clouds: SimulatedClouds) -> None:
    line = held_at_run(clouds)
    with delivering(clouds) as delivery:
        delivery.reach(line)
        words = Path(f"/proc/{delivery.process.pid}/cmdline").read_bytes().decode().split("\0")
        environment = Path(f"/proc/{delivery.process.pid}/environ").read_bytes().decode()
        delivery.stop(signal.SIGINT)
    assert "deploy" in words
    assert not any(secret in word for word in words for secret in SECRETS)
    assert all(secret in environment for secret in SECRETS)


def test_a_reader_that_goes_away_ends_no_delivery(clouds: SimulatedClouds) -> None:
    """Progress is a courtesy: a closed stderr is no reason to stop."""
    line = held_at_run(clouds)
    with delivering(clouds) as delivery:
        delivery.reach(line)
        assert delivery.process.stderr
        delivery.process.stderr.close()
        clouds.released.set()
        assert delivery.process.wait(PATIENCE) == 0
    assert (clouds.folder / "report.json").exists()
    assert clouds.serves() == "102"
