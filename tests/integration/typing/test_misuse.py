"""A script that misuses the library is told so by mypy and by pyright, both strict; one that uses it well is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.typing.checkers import CHECKERS, Checker

USES = """\
import datetime
from pathlib import Path

import boto3

import ecs_cd
from ecs_cd import Client, Event, ImageTag, Outcome, PhaseEnded, RunChanged, Settings, Watch


def watch(event: Event) -> None:
    if isinstance(event, PhaseEnded):
        print(event.service, event.phase.value, event.found)
    elif isinstance(event, RunChanged):
        print(event.pipeline, event.progress.run.state.value)


gate: Watch = watch
settings: Settings = ecs_cd.load_settings("ecs-cd.yml")
report = ecs_cd.deploy("my-api", "development", tag=101, timeout="10m", variables={"A": "1"}, watch=gate)
good: bool = report.outcome is Outcome.DEPLOYED and report.succeeded
image: str = report.image.digest if report.image else ""
began: datetime.datetime = report.started_at
ecs_cd.deploy("my-api", "development", tag_file=Path("drop"), settings=settings, order="semver", timeout=600)
reports = ecs_cd.deploy_many("development", {"my-api": 1, "my-worker": ImageTag("2")}, rollback="on-failure")
ecs_cd.deploy_many("development", {"my-api": None, "my-worker": 1})
ecs_cd.deploy_many("development", ["my-api"], tag_file="drop", environ={}, clock=ecs_cd.SystemClock())
summaries: list[str] = [one.summary for one in reports.deliveries]
ecs_cd.promote("my-api", "production", promote_from="development", promote_after="24h")
ecs_cd.rollback("my-api", "development", to=100, dry_run=True, timeout=60.5)
ecs_cd.rollback("my-api", "development", to=None)
held: bool = ecs_cd.hold("my-api", "development", clock=ecs_cd.SystemClock()).held
ecs_cd.unhold("my-api", "development", region="eu-west-1")
ecs_cd.verify("my-api", "development", tag="101", cluster="development")
drift: list[bool] = [place.drift for place in ecs_cd.status("my-api", ["development"], marks=True)]
tags: list[str] = [version.tag for version in ecs_cd.history("my-api", "development", most=3)]
with Client(settings, session=boto3.Session(profile_name="build")) as client:
    client.deploy("my-api", "development", tag=ecs_cd.read_tag("drop").tag)
    ecs_cd.Outcome(client.verify("my-api", "development", tag=1).outcome)
version: str = ecs_cd.__version__
"""

MISUSES = """\
import ecs_cd

ecs_cd.deploy("my-api", "development", tag="1", tiemout="5m")
ecs_cd.deploy("my-api", "development", tag=1.5)
ecs_cd.deploy(["my-api"], "development", tag="1")
ecs_cd.deploy("my-api", "development", "1")
ecs_cd.deploy("my-api", "development", tag="1", settings={"region": "eu-west-1"})
ecs_cd.deploy("my-api", "development", tag="1", rollback="sometimes")
ecs_cd.deploy("my-api", "development", tag="1", create_parameter="yes")
ecs_cd.deploy("my-api", "development", tag="1", watch=lambda event, service: None)
ecs_cd.deploy("my-api", "development", tag="1").sucess
ecs_cd.deploy_many({"my-api": "1"}, "development")
ecs_cd.deploy_many("development", {"my-api": 1.5})
ecs_cd.deploy_many("development", tags={"my-api": "1"})
ecs_cd.promote("my-api", "production", promot_from="development")
ecs_cd.promote("my-api", "production", promote_from=5)
ecs_cd.rollback("my-api", "development", tag="1")
ecs_cd.rollback("my-api", "development", to=1.5)
ecs_cd.hold("my-api", "development", watch=print)
ecs_cd.hold("my-api", "development", clock=5)
ecs_cd.unhold("my-api", environments="development")
ecs_cd.release("my-api", "development")
ecs_cd.verify("my-api", "development", tag=["1"])
ecs_cd.verify("my-api", "development", dry_run=True)
ecs_cd.status(environment="development")
ecs_cd.status(5)
ecs_cd.history("my-api", "development", most="3")
ecs_cd.history("my-api", "development", 3)
ecs_cd.Client("ecs-cd.yml", session="build")
ecs_cd.Client({"region": "eu-west-1"})
ecs_cd.Client("ecs-cd.yml", sesion=None)
ecs_cd.Client().deploy("my-api", "development", tag="1", tiemout="5m")
ecs_cd.Client().status(environment="development")
ecs_cd.deplyo("my-api", "development", tag="1")
"""
"""Every line after the second is a mistake."""


SCRIPTS = {"use.py": USES, "misuse.py": MISUSES}


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_mistake_of_a_script_is_found_and_nothing_in_one_that_makes_none(
    tmp_path: Path, checker: Checker, request: pytest.FixtureRequest
) -> None:
    cache = request.config.cache.mkdir("mypy")
    mistakes = {("misuse.py", line) for line in range(3, len(MISUSES.splitlines()) + 1)}
    assert set(checker(SCRIPTS, tmp_path, cache)) == mistakes
