from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import AzureDevOps, PipelineDefinition
from tests.support.sandbox_api import ANN_TOKEN, BOB_TOKEN, Api, Serve


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server with some pipelines, and return Ann's client of it; all end with the test."""
    with ExitStack() as stack:

        def start(*definitions: PipelineDefinition, **more: Any) -> Api:  # noqa: ANN401 - passed on
            tokens = [ANN_TOKEN, BOB_TOKEN, *more.pop("tokens", ())]
            return Api(stack.enter_context(AzureDevOps(definitions=definitions, tokens=tokens, **more)))

        yield start
