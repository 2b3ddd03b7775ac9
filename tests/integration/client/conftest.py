"""A client in a world of its own, without waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_cd.client import Client
from tests.integration.cli.conftest import world
from tests.integration.cli.world import Hurry, World

__all__ = ["world"]


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    Hurry().install(monkeypatch)
    with Client(world.file) as client:
        yield client
