"""Fixtures of the tests that need a server: an AWS on this machine, and real Terraform."""

from __future__ import annotations

from collections.abc import Iterator

import moto.backends
import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.terraform.installation import Terraform
from tests.support import cached_models

# moto's server lists its own folder at each request.
_services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: _services

__all__ = ["aws", "aws_server", "cached_models", "terraform"]


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Aws]:
    with Aws() as server:
        yield server


@pytest.fixture
def aws(aws_server: Aws) -> Aws:
    """An empty cloud with nothing recorded; moto's state is the process's, so tests share the server."""
    aws_server.reset()
    return aws_server


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Terraform:
    """Real Terraform with its provider unpacked once, for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    return Terraform((base if worker_id == "master" else base.parent) / "terraform")
