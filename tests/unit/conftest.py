"""Unit tests need no server and no SDK; a run of them alone proves it."""

from __future__ import annotations

import sys

import pytest

FORBIDDEN = ("azure.devops", "boto3", "botocore", "flask", "moto", "msrest", "requests")


@pytest.fixture(scope="session", autouse=True)
def no_sdk_is_imported(request: pytest.FixtureRequest) -> None:
    """Refuse a unit test that brings in an SDK, unless tests that may do so run in the same process."""
    here = request.config.rootpath / "tests" / "unit"
    if all(here in item.path.parents for item in request.session.items):
        assert not [name for name in FORBIDDEN if name in sys.modules]
