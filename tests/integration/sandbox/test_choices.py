from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner, Result

from ecs_cd_sandbox.aws import Aws, EcsScheduler
from ecs_cd_sandbox.aws.commands import commands
from ecs_cd_sandbox.cli import sandbox
from tests.integration.sandbox.aws.fleet import Fleet

OTHER = "hostile\nlines ##vso[task.complete]"


@pytest.fixture
def fleet(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    found = Fleet(aws)
    aws.commands.update(commands(aws, found.scheduler))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    return found


def choose(*words: str) -> Result:
    return CliRunner().invoke(sandbox, list(words))


def test_a_rollout_is_chosen_from_another_process(fleet: Fleet) -> None:
    fleet.create()
    fleet.aws.client("logs").create_log_group(logGroupName="/ecs/my-api")
    chosen = choose("behave", "crash-loop", "--service", "my-api", "--tag", "102", "--log", OTHER, "--exit-code", "3")
    assert (chosen.exit_code, chosen.output) == (0, "Deployments of service my-api of tag 102 now go: crash-loop.\n")
    fleet.update("102")
    fleet.tick(3)
    codes = {one["name"]: one["exitCode"] for one in fleet.tasks("STOPPED")[0]["containers"]}
    assert codes["api"] == 3
    assert choose("forget").exit_code == 0
    fleet.tick(5)
    assert fleet.deployment()["status"] == "SUCCESSFUL"


def test_an_image_is_pushed_again_under_its_tag(fleet: Fleet) -> None:
    before = fleet.aws.push_image("my-api", "102")
    again = choose("push", "my-api", "102", "--content", "another build")
    assert again.exit_code == 0
    assert again.output.startswith("my-api:102 is sha256:")
    assert before not in again.output
    index = choose("push", "my-api", "200", "--index")
    assert [line.split()[0] for line in index.output.splitlines()[1:]] == ["linux/amd64", "linux/arm64"]


def test_hooks_and_alarms_are_chosen(fleet: Fleet) -> None:
    assert choose("answer-hooks", "FAILED", "--stage", "PRE_SCALE_UP").exit_code == 0
    states = []
    for words in (["alarm", "errors-5xx"], ["alarm", "errors-5xx", "--ok"]):
        assert choose(*words).exit_code == 0
        states.append(fleet.aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["StateValue"])
    assert states == ["ALARM", "OK"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["behave", "explode"], "The sandbox refuses: unknown rollout 'explode': choose one of success, slow"),
        (["answer-hooks", "MAYBE"], "unknown answer 'MAYBE'"),
        (["push", "nope", "1"], "there is no repository 'nope': choose one of my-api"),
        (["behave", "slow", "--ticks", "-1"], "ticks must not be negative"),
    ],
)
def test_what_cannot_be_chosen_is_said(fleet: Fleet, words: list[str], message: str) -> None:
    chosen = choose(*words)
    assert chosen.exit_code == 2
    assert message in chosen.output


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "AWS_ENDPOINT_URL names no sandbox. Load the variables"),
        ("https://ecs.eu-west-1.amazonaws.com", "is no sandbox on this machine"),
        ("http://127.0.0.1:1", "No sandbox answers at http://127.0.0.1:1."),
    ],
)
def test_without_a_sandbox_it_is_said_how_to_reach_one(
    monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    chosen = choose("forget")
    assert chosen.exit_code != 0
    assert message in chosen.output


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("forget", "text/plain", b"{}", 400),
        ("nope", "application/json", b"{}", 404),
        ("forget", "application/json", b"[", 400),
        ("forget", "application/json", b'{"a": 1}', 400),
    ],
)
def test_no_other_request_is_a_command(fleet: Fleet, path: str, kind: str, body: bytes, status: int) -> None:
    request = urllib.request.Request(
        f"{fleet.aws.url}/_sandbox/{path}", data=body, headers={"Content-Type": kind}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value:
        assert caught.value.code == status
        assert "error" in json.load(caught.value)


def test_commands_are_not_requests_to_aws(fleet: Fleet) -> None:
    fleet.aws.forget_requests()
    choose("forget")
    assert fleet.aws.requests == ()
    assert isinstance(fleet.scheduler, EcsScheduler)
