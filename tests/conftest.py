"""Parts that many tests share: an AWS on this machine, and real Terraform."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator

import hypothesis
import pytest

from ecs_cd.sandbox.aws import Aws
from ecs_cd.sandbox.terraform import Terraform

# No test asserts a time; and a build that is red must be red again when it is run again.
hypothesis.settings.register_profile("ecs-cd", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("ecs-cd")

# urllib keeps the proxies of the moment it is first used, which may be a test's own.
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))


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
