"""A whole sandbox with real Terraform.

One for a module and no longer: moto's state is the process's, and the next module's tests empty it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ecs_cd_sandbox.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def in_sandbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, with the environment of this process leading to it."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ECS_CD_", "AZURE_DEVOPS_", "SYSTEM_"))]:
        monkeypatch.delenv(name)
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return sandbox
