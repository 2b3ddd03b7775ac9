"""A client with clouds of its own, without waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_cd.client import Client
from tests.integration.cli.conftest import clouds
from tests.support.called_commands import Hurry
from tests.support.simulated_clouds import SimulatedClouds

__all__ = ["clouds"]


@pytest.fixture
def client(clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    Hurry().install(monkeypatch)
    with Client(clouds.file) as client:
        yield client
