"""Parts that many tests share: an AWS on this machine, and real Terraform."""

from __future__ import annotations

import functools
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from botocore.loaders import JSONFileLoader

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.terraform.installation import Terraform

# No test asserts a time; and a build that is red must be red again when it is run again.
hypothesis.settings.register_profile("ecs-cd", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("ecs-cd")

# urllib keeps the proxies of the moment it is first used, which may be a test's own.
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Every command makes a session of its own, and every session reads the models of its services: ever the same files.
_model = functools.cache(JSONFileLoader().load_file)
setattr(JSONFileLoader, "load_file", lambda _, path: _model(path))  # noqa: B010 - the stubs want its very signature

TESTS = Path(__file__).parent
LONGEST_FIRST = (
    "end_to_end/test_sandbox_processes.py",
    "test_docs.py",
    "end_to_end/test_releases_at_once.py",
    "test_carriage_interleavings.py",
    "templates/test_loop.py",
    "cli/test_killed.py",
    "task/test_whole.py",
    "test_hold_interleavings.py",
    "end_to_end/test_delivery.py",
    "templates/terraform/test_module.py",
    "test_overview.py",
    "templates/terraform/test_example.py",
    "templates/test_runs.py",
)
"""Each of these takes as long as hundreds of others; begun last, one would keep a worker while the others are idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: a file's tests are one worker's, as its fixtures are."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


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
