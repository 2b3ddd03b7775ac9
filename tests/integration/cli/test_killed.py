"""A delivery that is killed after any of its requests, and started again, finishes the work (rule 15).

The servers do what was asked and keep the answer to themselves; then the process is killed. So a kill between a request
and its answer is among these, which is the worst moment there is.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from flask import Response

from ecs_cd_sandbox.aws.faults import Environ, Recorder, StartResponse
from tests.support.called_commands import Called, Cli
from tests.support.forked_commands import ForkedCommand
from tests.support.simulated_clouds import PARAMETER, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
BEYOND = 25
"""More requests than this delivery makes, those of one look at ECS counted once."""
SAME_LOOK = (
    "DescribeTaskDefinition",
    "DescribeServiceRevisions",
    "ListServiceDeployments",
    "DescribeServiceDeployments",
)
"""Reads that follow DescribeServices at once: killed after one of them is killed after that."""
CHECKING = 7
"""Requests before the first write, in any order: of those, a death at the first and at the last stands for all."""
PATIENCE = 60
"""Seconds; how long a process may take to get there. No test depends on how much less it is."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


class Gate:
    """Counts the requests of a delivery on which the clouds have acted, and withholds the answer to one and all after.

    That one is the `number`th, or the first whose name has these `words` in it.
    """

    def __init__(self, number: int = 0, words: str = "") -> None:
        self.passed: list[str] = []
        self.shut = threading.Event()
        self.beyond = False
        self._opened = threading.Event()
        self._number = number
        self._words = words
        self._lock = threading.Lock()

    def open(self) -> None:
        self._opened.set()

    def watch(self, process: ForkedCommand) -> None:
        """Wait for the delivery's end, which it may reach without ever coming here."""
        if process.wait(PATIENCE) == 0:
            self.beyond = True
            self.shut.set()

    def install(self, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> None:
        answer, apply = Recorder.__call__, clouds.azure.faults.apply

        def aws(recorder: Recorder, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            answered = answer(recorder, environ, start_response)
            if "ecs-cd/" in environ["HTTP_USER_AGENT"]:  # the others are of the pipeline, and of this test
                self._pass(environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2])
            return answered

        def azure(method: str, path: str, proceed: Any) -> Response:  # noqa: ANN401 - as the method has it
            answered = apply(method, path, proceed)
            self._pass(f"{method} {path.rpartition('/')[2]}")
            return answered

        monkeypatch.setattr(Recorder, "__call__", aws)
        monkeypatch.setattr(clouds.azure.faults, "apply", azure)

    def _pass(self, name: str) -> None:
        if self._opened.is_set():
            return
        with self._lock:
            if name not in SAME_LOOK:
                self.passed.append(name)
            if len(self.passed) == self._number or (self._words and self._words in name):
                self.shut.set()
        if self.shut.is_set():
            self._opened.wait()


Kill = Callable[[Gate], Gate]


@pytest.fixture
def killed(clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Start a delivery and kill it at a gate; return the gate. It ends by itself where it never comes to it."""

    def kill(gate: Gate) -> Gate:
        gate.install(clouds, monkeypatch)
        with ForkedCommand(DEPLOY, folder=clouds.folder, environment=clouds.environment()) as process:
            waiting = threading.Thread(target=gate.watch, args=(process,))
            waiting.start()
            assert gate.shut.wait(PATIENCE)
            process.kill()
            waiting.join()
        gate.open()
        return gate

    return kill


def runs(clouds: SimulatedClouds) -> int:
    return len(clouds.azure._state.runs)


def assert_deployed(clouds: SimulatedClouds, called: Called) -> None:
    """The tag serves; it was written once, and nothing was lost."""
    assert called.code == 0, called.told
    assert clouds.serves() == clouds.value() == "102"
    history = clouds.aws.client("ssm").get_parameter_history(Name=PARAMETER)["Parameters"]
    assert [version["Value"] for version in history] == ["101", "102"]


@pytest.mark.parametrize("number", [1, *range(CHECKING, BEYOND + 1)])
def test_killed_after_any_request_it_is_finished_by_the_next_with_one_run_in_all(
    clouds: SimulatedClouds, cli: Cli, killed: Kill, number: int
) -> None:
    gate = killed(Gate(number))
    assert gate.beyond or number < BEYOND, f"BEYOND is too small: {gate.passed}"
    assert not any(name.startswith("Put") for name in gate.passed[:CHECKING]), f"CHECKING is too large: {gate.passed}"
    if runs(clouds):
        clouds.azure.wait(1)
    assert_deployed(clouds, cli(*DEPLOY))
    assert runs(clouds) == 1


@pytest.mark.parametrize("words", ["PutParameter", "POST runs", "GET 1"])
def test_killed_while_its_run_waits_the_next_joins_that_run(
    clouds: SimulatedClouds, cli: Cli, killed: Kill, words: str
) -> None:
    clouds.azure.define(replace(clouds.pipeline(1), parameters={}))
    with clouds.azure.agents_offline():
        killed(Gate(words=words))
        assert cli(*DEPLOY, "--timeout", "30s").code == 3  # the run still waits
        assert runs(clouds) == 1
    clouds.azure.wait(1)  # of a run that has just started nobody could tell what it has read
    assert_deployed(clouds, cli(*DEPLOY))
    assert runs(clouds) == 1


def test_killed_while_its_run_is_under_way_the_next_queues_one_more_and_no_third(
    clouds: SimulatedClouds, cli: Cli, killed: Kill
) -> None:
    """Of a run that has started nobody who did not see it wait can tell what it has read."""
    clouds.during_apply = lambda context: clouds.released.wait() if context.run_id == 1 else None
    killed(Gate(words="POST runs"))
    clouds.azure.wait_until(1, lambda run: run.phase == "running")
    assert_deployed(clouds, cli(*DEPLOY))
    clouds.released.set()
    assert clouds.azure.wait(1) == "succeeded"
    assert_deployed(clouds, cli(*DEPLOY))
    assert runs(clouds) == 2
