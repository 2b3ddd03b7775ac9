"""A sandbox organization, and a connection to it whose clock does not wait.

After each test the recorded exchanges must hold no discovery, and be as Microsoft's OpenAPI documents say.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings, connect
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from ecs_cd_sandbox.azure_devops.model.definitions import (
    JobDefinition,
    Parameter,
    PipelineDefinition,
    StageDefinition,
    StepDefinition,
)
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from tests.integration.sandbox.contract.schema import check_exchange
from tests.support.fakes import FakeClock

PAT = "pat-0123456789abcdefghijklmnopqrstuvwxyz"
JOB_TOKEN = "job-token-0123456789abcdefghijklmnopqrst"
PERSON = Identity("Ann Author")
MAIN = "refs/heads/main"


def chatter(context: StepContext) -> None:
    for number in range(50):
        context.log(f"line {number}")


def fail(context: StepContext) -> None:
    context.log("\x1b[31mError: \x1b[0mno such module")
    context.fail("Terraform exited with code 1.")


def pipeline(number: int = 7, name: str = "infrastructure", folder: str = "\\") -> PipelineDefinition:
    steps = (StepDefinition("Plan", chatter), StepDefinition("Apply", fail))
    return PipelineDefinition(
        number,
        name,
        (StageDefinition("Deploy", (JobDefinition("terraform", steps),)),),
        folder=folder,
        branches={MAIN: "a" * 40},
        parameters={"environment": Parameter("development")},
        settable_variables=frozenset({"PLAN_ONLY"}),
    )


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server() -> Iterator[Server]:
    tokens = [Token(PAT, PERSON), Token(JOB_TOKEN, Identity("platform Build Service (sandbox)"), kind="job")]
    with Server(definitions=[pipeline()], tokens=tokens) as running:
        yield running
        assert not running.recorder.find("OPTIONS")
        assert not running.recorder.find(path="ResourceAreas|connectionData")
        if not running.faults._faults:  # what a fault answers need not be what the documents say
            for exchange in running.recorder.exchanges:
                assert check_exchange(exchange) == []


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(server: Server) -> AzureDevOpsSettings:
    return AzureDevOpsSettings(server.url, "platform", pat=PAT)


@pytest.fixture
def azure(settings: AzureDevOpsSettings, clock: FakeClock) -> Iterator[AzureDevOps]:
    with connect(settings, clock) as connected:
        yield connected
