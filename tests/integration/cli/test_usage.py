"""What a command line may say, and which call of the library it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import ecs_cd
from ecs_cd import from_settings
from ecs_cd.cli import run
from ecs_cd.cli.main import _COMMANDS
from ecs_cd.client import Client
from ecs_cd.errors import WrongInput
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import SimulatedClouds

LEAVES = [
    ("deploy",), ("deploy-many",), ("promote",), ("verify",), ("rollback",), ("hold",), ("unhold",),
    ("status",), ("history",), ("tag", "read"), ("tag", "write"), ("parameter", "get"), ("parameter", "set"),
    ("pipeline", "queue"), ("pipeline", "wait"), ("schema",), ("sandbox", "up"), ("sandbox", "demo"),
    ("sandbox", "behave"), ("sandbox", "answer-hooks"), ("sandbox", "push"), ("sandbox", "alarm"),
    ("sandbox", "forget"),
]  # fmt: skip
CHANGING = [
    ("deploy",), ("deploy-many",), ("promote",), ("rollback",), ("hold",), ("unhold",), ("tag", "write"),
    ("parameter", "set"), ("pipeline", "queue"),
]  # fmt: skip


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out == f"ecs-cd, version {ecs_cd.__version__}\n"


def test_help_lists_every_command_with_what_it_does(cli: Cli) -> None:
    called = cli("--help")
    assert called.code == 0
    assert [line.split()[0] for line in called.out.partition("Commands:")[2].splitlines() if line.strip()] == list(
        _COMMANDS
    )


@pytest.mark.parametrize("words", [(), ("tag",), ("parameter",), ("pipeline",), ("sandbox",)], ids=" ".join)
def test_help_is_shown_once_where_a_subcommand_is_missing(cli: Cli, words: tuple[str, ...]) -> None:
    called = cli(*words)
    assert (called.code, called.out, called.err.count("Usage: ")) == (2, "", 1)
    assert called.err == cli(*words, "--help").out


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_help_that_fits_a_terminal(cli: Cli, words: tuple[str, ...]) -> None:
    called = cli(*words, "-h")
    assert called.code == 0
    assert max(map(len, called.out.splitlines())) <= 110
    assert ("--dry-run" in called.out) == (words in CHANGING)
    assert ("--output" in called.out) == ("[ECS_CD_SETTINGS]" in called.out) == (words[0] != "sandbox")
    assert "pat" not in [word.strip("-") for word in called.out.lower().split() if word.startswith("--")]


def test_the_help_of_schema_says_what_each_word_stands_for(cli: Cli) -> None:
    told = " ".join(cli("schema", "--help").out.split())
    assert "ecs-cd.yml (settings, the default), of a delivery's report (report), or of several (reports)." in told


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["deploi"], "No such command 'deploi'. Did you mean 'deploy'?"),
        (["tag", "raed"], "Did you mean 'read'?"),
        (["deploy", "--tga", "1"], "Did you mean '--tag'?"),
        (["deploy", "a", "b", "c"], "unexpected extra argument"),
        (["deploy", "--order", "newest"], "'newest' is not one of 'numeric', 'semver', 'none'"),
        (["deploy", "--rollback", "always"], "'always' is not one of 'never', 'on-failure'"),
        (["deploy", "--output", "xml"], "'xml' is not one of 'text', 'json'"),
        (["pipeline", "wait", "0"], "0 is not in the range x>=1"),
        (["pipeline", "wait"], "Missing argument 'RUN_ID'"),
        (["history", "--most", "101"], "101 is not in the range 1<=x<=100"),
        (["schema", "reprot"], "'reprot' is not one of 'report', 'reports', 'settings'"),
        (["sandbox", "up", "--agents", "0"], "0 is not in the range 1<=x<=16"),
    ],
)
def test_a_mistyped_command_line_is_explained(cli: Cli, clouds: SimulatedClouds, argv: list[str], says: str) -> None:
    called = cli(*argv)
    assert (called.code, called.out) == (2, "")
    assert says in called.err
    assert "--help" in called.err
    assert "\nerror: " in called.err and "Error: " not in called.err, "as every failure begins"
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


@pytest.mark.parametrize(
    "argv",
    [["##vso[task.complete result=Succeeded]"], ["deploy", "--##vso[x]y"], ["deploy", "--order", "\n##vso[x]y"]],
)
def test_a_hostile_command_line_is_quoted_harmlessly(cli: Cli, argv: list[str]) -> None:
    assert cli(*argv).code == 2


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["deploy", "my-apo", "development", "--tag", "1"], "Did you mean 'my-api'?"),
        (["deploy", "my-api", "devel", "--tag", "1"], "Did you mean 'development'?"),
        (["deploy", "my-api", "--tag", "1"], "Which environment? There are: development, production."),
        (["deploy", "--tag", "1"], "Which service? There are: my-api, my-worker."),
        (["deploy", "my-api", "development", "--tag", "1", "--tag-file", "x"], "Both a tag and a tag file"),
        (["deploy", "my-api", "development", "--tag", "1", "--timeout", "soon"], "timeout"),
        (["deploy", "my-api", "development", "--tag", "1", "--variable", "novalue"], "NAME=VALUE"),
        (["deploy", "my-api", "development", "--tag", "1", "--region", "nowhere"], "region"),
        (["deploy", "my-api", "development", "--tag", "v1"], "error: The tag 'v1' is not a number such as 226"),
        (["deploy-many", "development", "my-api=1", "my-worker=v1"], "error: The tag 'v1' is not a number such as 226"),
        (["verify", "my-api", "development", "--tag", "v1"], "error: The tag 'v1' is not a number such as 226"),
        (["rollback", "my-api", "devel"], "Did you mean 'development'?"),
        (["rollback", "my-api", "development", "--to", "no tag"], "not a Docker image tag"),
        (["hold", "my-apo", "development"], "Did you mean 'my-api'?"),
        (["unhold", "my-api"], "Which environment? There are: development, production."),
        (["status", "my-apo"], "Did you mean 'my-api'?"),
        (["parameter", "get", "my-api", "prodution"], "Did you mean 'production'?"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_sent(
    cli: Cli, clouds: SimulatedClouds, argv: list[str], says: str
) -> None:
    called = cli(*argv)
    assert called.code == 2, called.told
    assert says.lower() in called.sentence.lower() + called.err.lower()
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


def test_every_mistake_of_the_settings_is_named_at_once(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.file.write_text("servises: {}\nenvironments: {development: {brnch: x}}\n", encoding="utf-8")
    called = cli("deploy", "my-api", "development", "--tag", "102")
    assert called.code == 2
    assert "Did you mean 'services'?" in called.err
    assert "Did you mean 'branch'?" in called.err


def test_a_call_without_a_token_says_where_one_is_looked_for(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_CD_AZURE_DEVOPS_PAT")
    called = cli("deploy", "my-api", "development", "--tag", "102").refused(2, "no token for Azure DevOps")
    assert "ECS_CD_AZURE_DEVOPS_PAT" in called.advice
    assert clouds.aws.requests == ()


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_asked(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.forget_requests()
    called = cli("deploy", "my-api", "development", "--tag", "101", "--report", "ecs-cd.yml/report.json")
    called.refused(2, "ecs-cd.yml/report.json", "folder")
    assert clouds.aws.requests == ()


@pytest.mark.parametrize(
    ("argv", "name", "args", "kwargs"),
    [
        (["status"], "status", ((), ()), {}),
        (
            ["status", "a", "b", "--environment", "c", "--environment", "d", "--region", "eu-west-1"],
            "status",
            (("a", "b"), ("c", "d")),
            {"region": "eu-west-1"},
        ),
        (["history"], "history", ("", ""), {"most": 20}),
        (["history", "a", "b", "--most", "3"], "history", ("a", "b"), {"most": 3}),
        (["history", "a", "b", "--parameter", "/x", "--role-arn", "r"], "history", ("a", "b"),
         {"most": 20, "parameter": "/x", "role_arn": "r"}),
    ],
)  # fmt: skip
def test_a_command_line_becomes_one_call_of_the_client(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def called(_client: Client, *had: Any, **named: Any) -> tuple[()]:  # noqa: ANN401 - whatever the command gives
        calls.append((had, named))
        return ()

    monkeypatch.setattr(Client, name, called)
    assert run(argv) == 0
    [(had, named)] = calls
    assert had == args
    assert {key: value for key, value in named.items() if value not in (None, ())} == kwargs


def test_the_settings_file_named_by_a_flag_is_the_one_that_is_read(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.file.rename(clouds.folder / "f.yml")
    assert cli("history", "my-api", "development", "--settings", "f.yml").code == 0
    called = cli("history", "my-api", "development", "--settings", "missing.yml")
    assert (called.code, called.out) == (2, "")
    assert "missing.yml" in called.sentence


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--tag", "5"], {"tag": "5", "timeout": 1800.0, "dry_run": False, "verify": True}),
        (["--tag", "5", "--timeout", "90s", "--dry-run"], {"timeout": 90.0, "dry_run": True}),
        (["--tag", "v1.2.3", "--order", "semver", "--no-verify"], {"order": "semver", "verify": False}),
        (["--tag", "5", "--variable", "A=1", "--variable", "B=x=y"], {"variables": {"A": "1", "B": "x=y"}}),
        (["--tag", "5", "--template-parameter", "size=large"], {"template_parameters": {"size": "large"}}),
        (["--tag", "5", "--pipeline", "7", "--branch", "x"], {"pipeline": 7, "branch": "refs/heads/x"}),
        (["--tag", "5", "--wait-for-image", "5m", "--registry", "123456789012"],
         {"wait_for_image": 300.0, "registry": "123456789012"}),
        (["--tag", "5", "--parameter", "/{service}/x", "--create-parameter"],
         {"parameter": "/my-api/x", "create_parameter": True}),
        (["--tag", "5", "--container", "web", "--cluster", "c"], {"container": "web", "cluster": "c"}),
        (["--tag", "5", "--rollback", "on-failure"], {"rollback": "on-failure"}),
    ],
)  # fmt: skip
def test_flags_of_deploy_reach_the_delivery(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, argv: list[str], expected: dict[str, Any]
) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(from_settings, "delivery", _keep(calls))
    run(["deploy", "my-api", "development", *argv])
    [had] = calls
    assert {name: had[name] for name in expected} == expected


def _keep(calls: list[dict[str, Any]]) -> Callable[..., Any]:
    def delivery(settings: Any, entry: Any, *, dry_run: bool) -> None:  # noqa: ANN401 - a fake
        target = settings.target
        calls.append(
            {
                **vars(settings),
                "order": settings.order.value,
                "variables": dict(settings.variables),
                "template_parameters": dict(settings.template_parameters),
                "verify": target is not None,
                "cluster": target.cluster if target else "",
                "container": target.container if target else "",
                "tag": str(entry.tag),
                "dry_run": dry_run,
            }
        )

        raise WrongInput("That is enough.")

    return delivery


def test_an_interrupted_look_says_what_to_do_next(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "status", interrupted)
    called = cli("status")
    assert called.code == 130
    assert "error: Interrupted." in called.err
    assert "do next: " in called.err


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_status_says_in_flags_that_it_takes_why_runs_are_not_shown(
    cli: Cli, clouds: SimulatedClouds, output: str
) -> None:
    text = clouds.file.read_text(encoding="utf-8")
    project = re.search(r"^project: (.+)\n", text, re.MULTILINE)
    assert project
    clouds.file.write_text(text.replace(project[0], ""), encoding="utf-8")
    argv = ("status", "my-api", "--environment", "development", "--output", output)
    called = cli(*argv)
    assert called.code == 0
    assert "give --project, set ECS_CD_PROJECT" in called.out
    assert "give" not in cli(*argv, "--project", project[1].strip('"')).out
