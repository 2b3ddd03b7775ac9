from __future__ import annotations

import json

import pytest
import requests

from ecs_cd.azure_task.oidc import IdentityTokens
from ecs_cd.errors import AccessDenied, EcsCdError, ServiceUnavailable, Throttled, UnexpectedAnswer, Unreachable
from tests.support.fakes import FakeClock

URL = "https://dev.azure.com/acme/oidctoken"


class _Endpoint:
    """Answers given one after another: a status with a body, or an error. The last is given for ever."""

    def __init__(self, *answers: tuple[int, object] | Exception) -> None:
        self.answers = answers
        self.count = 0

    def post(self, _url: str, **_how: object) -> requests.Response:
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code = answer[0]
        response._content = json.dumps(answer[1]).encode()
        return response


def endpoint(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, object] | Exception) -> _Endpoint:
    there = _Endpoint(*answers)
    monkeypatch.setattr(requests, "post", there.post)
    return there


def test_a_token_is_given_and_reported_to_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint(monkeypatch, (200, {"oidcToken": "a.b.c"}))
    hidden: list[str] = []
    assert IdentityTokens(URL, "job", FakeClock(), hidden.append)() == "a.b.c"
    assert hidden == ["a.b.c"]


def test_what_may_pass_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint(monkeypatch, requests.ConnectionError(), (503, {}), (429, {}), (200, {"oidcToken": "a.b.c"}))
    clock = FakeClock()
    assert IdentityTokens(URL, "job", clock, lambda _token: None)() == "a.b.c"
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(requests.ConnectionError(), Unreachable), ((500, {}), ServiceUnavailable), ((429, {}), Throttled)],
)
def test_after_five_attempts_the_last_obstacle_is_reported(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, object] | Exception, kind: type[EcsCdError]
) -> None:
    asked = endpoint(monkeypatch, answer)
    with pytest.raises(kind):
        IdentityTokens(URL, "job", FakeClock(), lambda _token: None)()
    assert asked.count == 5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, {}), AccessDenied),
        ((403, {}), AccessDenied),
        ((404, {}), UnexpectedAnswer),
        ((200, {}), UnexpectedAnswer),
        ((200, {"oidcToken": 7}), UnexpectedAnswer),
    ],
)
def test_what_will_not_pass_is_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, object], kind: type[EcsCdError]
) -> None:
    asked = endpoint(monkeypatch, answer)
    clock = FakeClock()
    with pytest.raises(kind):
        IdentityTokens(URL, "job", clock, lambda _token: None)()
    assert asked.count == 1
    assert clock.slept == []
