"""The command line with clouds of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecs_cd.aws import session
from ecs_cd_sandbox.aws import Aws
from tests.support.called_commands import Cli, Hurry
from tests.support.simulated_clouds import SimulatedClouds


@pytest.fixture
def clouds(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedClouds]:
    """Both clouds, and a process that can reach nothing else and knows nothing of the machine's own accounts."""
    with SimulatedClouds(aws, tmp_path) as clouds:
        environment = clouds.environment()
        for name in set(os.environ) - set(environment):
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield clouds
    aws.forget_requests()


@pytest.fixture
def cli(clouds: SimulatedClouds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Call the command line without waits: time is hurried, and AWS is asked once, not four times."""
    Hurry().install(monkeypatch)
    config = session._config
    monkeypatch.setattr(session, "_config", lambda _: config(1))
    return Cli(capsys)
