"""Fixtures of the tests that need a server: an AWS on this machine, and real Terraform."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from botocore.loaders import JSONFileLoader

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.terraform.installation import Terraform

# Every command makes a session of its own, and every session reads the same models of its services.
_model = functools.cache(JSONFileLoader().load_file)
setattr(JSONFileLoader, "load_file", lambda _, path: _model(path))  # noqa: B010 - the stubs want its very signature


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
