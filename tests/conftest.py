"""What holds for every test. It imports no server and no SDK, so that unit tests start at once."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

import hypothesis
import pytest

# No test asserts a time; and a build that is red must be red again when it is run again.
hypothesis.settings.register_profile("ecs-cd", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("ecs-cd")

# urllib keeps the proxies of the moment it is first used, which may be a test's own.
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
LONGEST_FIRST = (
    "end_to_end/test_sandbox_processes.py",
    "end_to_end/test_releases_at_once.py",
    "end_to_end/test_docs.py",
    "integration/templates/test_loop.py",
    "integration/azure_task/test_whole.py",
    "integration/templates/test_runs.py",
    "integration/templates/terraform/test_module.py",
    "integration/azure_task/test_bundle.py",
    "end_to_end/test_delivery.py",
    "unit/parameter/test_hold_interleavings.py",
    "unit/run/test_sharing_interleavings.py",
    "integration/cli/test_killed.py",
    "integration/templates/terraform/test_example.py",
    "integration/overview/test_requests.py",
)
"""Each of these takes as long as hundreds of others; begun last, one would keep a worker while the others are idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: a file's tests are one worker's, as its fixtures are."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST_FIRST)}
    assert all(path.exists() for path in places), "LONGEST_FIRST names a file that there is no more"
    items.sort(key=lambda item: places.get(item.path, len(places)))
