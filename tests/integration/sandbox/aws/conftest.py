from __future__ import annotations

import pytest

from ecs_cd_sandbox.aws import Aws
from tests.integration.sandbox.aws.fleet import Fleet


@pytest.fixture
def fleet(aws: Aws) -> Fleet:
    return Fleet(aws)
