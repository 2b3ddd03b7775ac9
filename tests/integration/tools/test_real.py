"""`make real`, run against the sandbox: every fact is settled, and nothing is left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecs_cd.support.clock import SystemClock
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import AzureDevOps, PipelineDefinition, Token
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from tests.support.sandbox_api import ANN_TOKEN, BOB_TOKEN
from tests.support.sandbox_pipelines import ANN, BOB
from tools.real import __main__ as program
from tools.real.check import settle_all
from tools.real.facts import FACTS, Fact, Found, Need, Verdict
from tools.real.settings import PREFIX, read_settings
from tools.real.world import World

PIPELINE = Path(program.__file__).with_name("pipeline.yml")
INTERVAL = 0.02


@pytest.fixture(scope="module")
def azure() -> Iterator[AzureDevOps]:
    project = Project("platform", "sandbox")
    repository = GitRepository("checks")
    repository.push("main", {"pipeline.yml": PIPELINE.read_text(encoding="utf-8")}, ANN, "Begin")
    file = YamlFile(repository, "pipeline.yml", TaskCatalog(), project, ())
    disabled = PipelineDefinition(2, "off", file=file, queue_status="disabled")
    restricted = Token(BOB_TOKEN.secret, BOB, may_tag=False)
    definitions = [PipelineDefinition(1, "checks", file=file), disabled]
    with AzureDevOps(definitions=definitions, tokens=[ANN_TOKEN, restricted], agents=4) as server:
        yield server


@pytest.fixture
def environ(aws: Aws, azure: AzureDevOps, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return {
        "ECS_CD_REAL_REGION": aws.region,
        "ECS_CD_REAL_ORGANIZATION": azure.url,
        "ECS_CD_REAL_PROJECT": "platform",
        "ECS_CD_REAL_PAT": ANN_TOKEN.secret,
        "ECS_CD_REAL_PIPELINE": "1",
        "ECS_CD_REAL_DISABLED_PIPELINE": "2",
        "ECS_CD_REAL_RESTRICTED_PAT": BOB_TOKEN.secret,
        "ECS_CD_REAL_AGREED": "yes",
    }


@pytest.fixture(autouse=True)
def _interrupts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_ignore_interrupts", lambda: None)


def left(aws: Aws, azure: AzureDevOps) -> list[str]:
    """Return what there still is of what the check makes."""
    ecs = aws.client("ecs")
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return [
        *[each["Name"] for each in aws.client("ssm").describe_parameters()["Parameters"]],
        *[each["repositoryName"] for each in aws.client("ecr").describe_repositories()["repositories"]],
        *[each["clusterArn"] for each in clusters if each["status"] != "INACTIVE"],
        *ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
        *map(str, azure._state.runs),
    ]


def test_every_fact_is_settled_and_nothing_is_left(
    aws: Aws, azure: AzureDevOps, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = program.main(environ, interval=INTERVAL)
    printed = capsys.readouterr()
    table, _, totals = printed.out.rpartition("\n\n")
    assert set(re.findall(r"^([a-z-]+) +\S", table, re.MULTILINE)) == set(FACTS)
    assert (code, totals.split(", ")[1::2]) == (0, ["0 DIFFERS", "0 not settled\n"]), printed.out
    assert "NOT REMOVED" not in printed.err
    assert left(aws, azure) == []
    for secret in (ANN_TOKEN.secret, BOB_TOKEN.secret):
        assert secret not in printed.out + printed.err


def made_with(settle: Callable[[World], Found], environ: dict[str, str]) -> Verdict:
    """Settle one fact of a test's own in a world of the sandbox."""
    settings = read_settings(environ)
    own = Fact("own", "nothing", Need.AWS, settle)
    with World(settings, SystemClock(), lambda _: None, interval=INTERVAL) as world:
        [row] = settle_all(world, settings, [own])
    return row.verdict


def test_an_interrupt_removes_what_was_made_so_far(aws: Aws, azure: AzureDevOps, environ: dict[str, str]) -> None:
    def interrupted(world: World) -> Found:
        for each in ("unchanged-write", "image-media-type", "missing-service", "tag-a-run"):
            FACTS[each].settle(world)
        assert len(left(aws, azure)) >= 4
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_with(interrupted, environ)
    assert left(aws, azure) == []


def test_what_cannot_be_removed_is_named_and_keeps_nothing_else(
    aws: Aws, azure: AzureDevOps, environ: dict[str, str]
) -> None:
    said: list[str] = []
    with World(read_settings(environ), SystemClock(), said.append, interval=INTERVAL) as world:
        FACTS["unchanged-write"].settle(world)
        FACTS["image-media-type"].settle(world)
        aws.inject("ecr", "DeleteRepository", ErrorAnswer("AccessDeniedException", status=400), times=10)
    [line] = said
    assert line.startswith(f"NOT REMOVED: repository {PREFIX}-") and "AccessDeniedException" in line
    assert [each for each in left(aws, azure) if each.startswith("/")] == []


def test_a_refusal_leaves_one_fact_open_and_no_other(
    aws: Aws, azure: AzureDevOps, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.inject("ssm", "PutParameter", ErrorAnswer("AccessDeniedException", status=400))
    del environ["ECS_CD_REAL_ORGANIZATION"]
    for name in ("PROJECT", "PAT", "PIPELINE"):
        del environ[f"ECS_CD_REAL_{name}"]
    assert program.main(environ, interval=INTERVAL) == 0
    printed = capsys.readouterr().out
    assert re.search(r"several-selectors +not settled\n.*\n.*AccessDeniedException", printed)
    assert re.search(r"selectors-are-named +as expected", printed)
    assert re.search(r"tag-a-run +not settled\n.*\n +found +set ECS_CD_REAL_ORGANIZATION", printed)
    assert left(aws, azure) == []


@pytest.mark.parametrize("answer", ["no", "", None])
def test_nothing_is_sent_unless_somebody_agrees(
    aws: Aws, azure: AzureDevOps, environ: dict[str, str], answer: str | None
) -> None:
    def ask(question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    aws.forget_requests()
    before = len(azure.recorder.exchanges)
    assert program.main({**environ, "ECS_CD_REAL_AGREED": ""}, ask=ask) == 2
    assert (aws.requests, len(azure.recorder.exchanges)) == ((), before)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "Nothing is configured: set ECS_CD_REAL_REGION for AWS"),
        ({"PAT": "x", "PROJECT": "p"}, "set ECS_CD_REAL_ORGANIZATION, ECS_CD_REAL_PIPELINE too"),
        (
            {"ORGANIZATION": "o", "PAT": "x", "PROJECT": "p", "PIPELINE": "deploy"},
            "ECS_CD_REAL_PIPELINE is not a pipeline's id",
        ),
    ],
)
def test_what_is_not_configured_is_named(
    variables: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main({f"ECS_CD_REAL_{name}": value for name, value in variables.items()}) == 2
    assert words in capsys.readouterr().err
