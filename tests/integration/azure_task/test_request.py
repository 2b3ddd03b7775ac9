"""The request: read to the last key, and silent about what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_cd.azure_task.request import parse
from ecs_cd.errors import WrongInput
from tests.integration.azure_task.library_side import JOB_TOKEN, aws_connection, request

SECRET = "a-secret-0123456789"


def asked(**more: object) -> str:
    return json.dumps(request(Path("result.json"), {"command": "deploy"}) | more)


def test_a_whole_request_is_read() -> None:
    found = parse(
        asked(
            aws=aws_connection(username=" KEY ", password=SECRET, useOIDC="True"),
            azureDevOps={"url": "https://dev.azure.com/x", "token": SECRET, "scheme": "Token"},
            proxy={"url": "http://proxy:3128", "username": "", "password": SECRET, "bypass": ["a", "b"]},
        )
    )
    assert found.aws
    assert (found.aws.username, found.aws.use_oidc) == ("KEY", True)
    assert found.proxy
    assert found.proxy.bypass == ("a", "b")
    assert found.aws_variables.region == ""
    assert set(found.secrets()) == {SECRET, JOB_TOKEN}
    assert SECRET not in repr(found)
    assert JOB_TOKEN not in repr(found)


@pytest.mark.parametrize("blank", ["", "  ", "$(service)", " $(My.Service) "])
def test_what_is_blank_or_not_expanded_is_not_given(blank: str) -> None:
    found = parse(json.dumps(request(Path("r"), {"command": "deploy", "service": blank})))
    assert found.inputs["service"] == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"version": "1"},
        {"unknown": SECRET},
        {"resultFile": ""},
        {"accessToken": [SECRET]},
        {"inputs": {"tag": 5}},
        {"inputs": SECRET},
        {"aws": {"connection": "x", "parameters": {"surprise": SECRET}}},
        {"aws": {"other": SECRET}},
        {"azureDevOps": {"url": "", "token": SECRET}},
        {"proxy": {"url": "http://x", "bypass": [5]}},
        {"skipCertificateValidation": SECRET},
    ],
)
def test_anything_else_is_refused_without_being_quoted(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongInput) as caught:
        parse(asked(**wrong))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", f'{{"accessToken": "{SECRET}"'])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(WrongInput) as caught:
        parse(text)
    assert SECRET not in str(caught.value)
