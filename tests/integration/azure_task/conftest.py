"""Simulated clouds, and the task beside them as an agent would call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecs_cd.aws import session
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.azure_devops import Identity, Token
from tests.integration.azure_task.library_side import JOB_TOKEN, Task
from tests.support.called_commands import Hurry
from tests.support.simulated_clouds import SimulatedClouds


@pytest.fixture
def clouds(aws: Aws, tmp_path: Path) -> Iterator[SimulatedClouds]:
    """Both clouds, where the job's token is known."""
    (tmp_path / "clouds").mkdir()
    with SimulatedClouds(aws, tmp_path / "clouds") as clouds:
        clouds.azure.tokens.add(Token(JOB_TOKEN, Identity("platform Build Service (sandbox)"), kind="job"))
        yield clouds
    aws.forget_requests()


@pytest.fixture
def task(clouds: SimulatedClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Call the task without waits: time is hurried, and AWS is asked once, not four times."""
    Hurry().install(monkeypatch)
    config = session._config
    monkeypatch.setattr(session, "_config", lambda _: config(1))
    return Task(clouds, tmp_path)
