from __future__ import annotations

import inspect
import json
from types import ModuleType

import azure.core.exceptions
import azure.devops.exceptions
import msrest.exceptions
import pytest
import requests.exceptions

from ecs_cd.azure_devops import AzureDevOpsSettings
from ecs_cd.azure_devops.error_response import ErrorResponse, NoResponse, ResponseError
from ecs_cd.azure_devops.errors import BY_CLASS, Operation, map_error
from ecs_cd.errors import EcsCdError, QueueRefused, ServiceUnavailable, Throttled, UnexpectedAnswer, WrongInput
from tests.integration.azure_devops.conftest import PAT

SETTINGS = AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT)
LOOKING = Operation(SETTINGS, "looking at run 5")
QUEUEING = Operation(SETTINGS, "queueing pipeline 'x'", branch="refs/heads/main")


def errors_of(module: ModuleType) -> set[type[Exception]]:
    found = (value for _, value in inspect.getmembers(module, inspect.isclass))
    return {each for each in found if issubclass(each, Exception) and not issubclass(each, Warning)}


@pytest.mark.parametrize("module", [azure.devops.exceptions, msrest.exceptions, requests.exceptions])
def test_every_error_of_the_libraries_has_a_meaning_of_its_own(module: ModuleType) -> None:
    unmapped = errors_of(module) - set(BY_CLASS) - {json.JSONDecodeError}  # another module's, imported there
    assert not unmapped


@pytest.mark.parametrize("kind", sorted(BY_CLASS, key=str), ids=str)
def test_every_error_says_what_where_and_what_to_do(kind: type[Exception]) -> None:
    error = map_error(NoResponse(kind), LOOKING)
    assert isinstance(error, EcsCdError)
    assert LOOKING.settings.organization in error.message or "dev.azure.com" in error.message
    assert "looking at run 5" in error.message
    assert error.hint
    assert kind.__name__ in error.details[0]


def test_an_error_nobody_knows_is_still_ours() -> None:
    assert isinstance(map_error(ZeroDivisionError("x"), LOOKING), UnexpectedAnswer)


def test_an_error_that_is_ours_stays() -> None:
    ours = WrongInput("x")
    assert map_error(ours, LOOKING) is ours


@pytest.mark.parametrize("status", [*range(200, 210), *range(300, 309), *range(400, 452), *range(500, 512), 599])
@pytest.mark.parametrize("operation", [LOOKING, QUEUEING], ids=["looking", "queueing"])
def test_every_status_means_something(status: int, operation: Operation) -> None:
    error = map_error(ResponseError(ErrorResponse(status)), operation)
    assert error.message
    assert error.hint
    assert "{" not in str(error)


@pytest.mark.parametrize("status", [429, 503])
def test_says_how_long_to_wait(status: int) -> None:
    error = map_error(ResponseError(ErrorResponse(status, retry_after=42)), LOOKING)
    assert isinstance(error, (Throttled, ServiceUnavailable))
    assert error.after == 42


def test_words_of_the_service_are_never_a_template() -> None:
    error = map_error(
        ResponseError(ErrorResponse(400, "X", "{settings.pat} {0} parameter ##vso[task.complete]\n\x1b[2J")), QUEUEING
    )
    assert isinstance(error, QueueRefused)
    assert "{settings.pat}" in error.message
    assert "##vso[" not in str(error)
    assert "\x1b" not in f"{error}{error.details}"


def test_only_queueing_is_refused_as_queueing() -> None:
    assert isinstance(map_error(ResponseError(ErrorResponse(400, "X", "bad parameter")), LOOKING), UnexpectedAnswer)
