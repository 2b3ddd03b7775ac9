from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable

import pytest

from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings, connect
from ecs_cd.errors import EcsCdError
from ecs_cd.model.run import Pipeline, RunRequest
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import JOB_TOKEN, MAIN, PAT
from tests.support.fakes import FakeClock

BASIC = base64.b64encode(f":{PAT}".encode()).decode()
SECRETS = (PAT, JOB_TOKEN, BASIC)
ECHO = f"You sent {PAT} {JOB_TOKEN} {BASIC}"


def everything_about(error: BaseException) -> str:
    """Return all a reporter could find: the chain with the frames' local variables, and the error's own fields."""
    report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format(chain=True))
    hidden = error.__context__ or error.__cause__
    return report + repr(vars(error)) + (everything_about(hidden) if hidden else "")


def failure(azure: AzureDevOps) -> EcsCdError:
    """Return the error of a call; made here, where no local variable holds a secret of the test's own."""
    try:
        azure.find("infrastructure")
    except EcsCdError as error:
        return error
    raise AssertionError("it went well")


def echo(server: Server) -> None:
    for status in (400, 401, 403, 404, 500):
        server.faults.answer("GET", "Definitions", status=status, body={"message": ECHO, "typeKey": ECHO})
    server.faults.answer("GET", "Definitions", status=302, headers={"Location": f"https://x.example/{PAT}{JOB_TOKEN}"})
    server.faults.answer("GET", "Definitions", status=200, body={"count": 1, "value": [{"id": ECHO, "name": ECHO}]})
    server.faults.answer("GET", "Definitions", status=200, body=ECHO, headers={"Content-Type": "text/plain"})


def lose(server: Server) -> None:
    server.faults.reset("GET", "Definitions", times=99)


def cut(server: Server) -> None:
    server.faults.truncate("GET", "Definitions", times=99)


@pytest.mark.parametrize("trouble", [echo, lose, cut])
@pytest.mark.parametrize("credential", ["pat", "token"])
def test_no_secret_is_in_what_goes_wrong(
    server: Server,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    trouble: Callable[[Server], None],
    credential: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = AzureDevOpsSettings(server.url, "platform", **{credential: PAT if credential == "pat" else JOB_TOKEN})
    trouble(server)
    told = ""
    with connect(settings, clock) as azure:
        for _ in range(8):
            error = failure(azure)
            assert error.__context__ is None  # a library's error leads to the request, and that to its headers
            told += everything_about(error)
        told += repr(azure) + repr(vars(azure))
    own = (PAT, BASIC) if credential == "pat" else (JOB_TOKEN,)
    for secret in own:
        assert secret not in told
        assert secret not in caplog.text


def test_no_secret_is_in_what_goes_well(azure: AzureDevOps, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run = azure.queue(RunRequest(Pipeline(7, "infrastructure"), MAIN))
    server.wait(run.id)
    server.faults.answer("GET", "logs/1", status=200, body={"count": 1, "value": [ECHO]})
    told = repr((azure.run(run.id), azure.records(run.id), azure.log_tail(run.id, 1, 5)))
    for secret in (PAT, BASIC):
        assert secret not in told
        assert secret not in caplog.text
