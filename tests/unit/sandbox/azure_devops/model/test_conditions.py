from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops.model.conditions import GraphStatus, StepStatus


@pytest.mark.parametrize(
    ("results", "cancelled", "expected"),
    [
        ({}, False, (True, False, True)),
        ({"a": "succeeded", "b": "succeededWithIssues"}, False, (True, False, True)),
        ({"a": "succeeded", "b": "failed"}, False, (False, True, True)),
        ({"a": "succeeded", "b": "skipped"}, False, (False, False, True)),
        ({"a": "canceled"}, False, (False, False, False)),
        ({"a": "succeeded"}, True, (False, False, False)),
        ({"a": "failed"}, True, (False, False, False)),
    ],
)
def test_status_functions_of_jobs_and_stages(
    results: dict[str, Any], cancelled: bool, expected: tuple[bool, ...]
) -> None:
    status = GraphStatus(results, cancelled=cancelled)
    assert (status.succeeded(()), status.failed(()), status.succeededOrFailed(())) == expected
    assert (status.always(), status.canceled()) == (True, cancelled)


def test_status_functions_of_jobs_look_at_those_named_alone() -> None:
    status = GraphStatus({"A": "succeeded", "b": "failed", "c": "skipped"})
    assert status.succeeded(["a"])
    assert not status.succeeded(["a", "b"])
    assert status.failed(["B"])
    assert not status.failed(["a", "c"])
    assert status.succeededOrFailed(["b", "c"])
    assert not status.succeededOrFailed(["c"])
    assert not status.succeeded(["nobody"])


def test_a_stage_somebody_chose_to_skip_is_as_if_it_were_not_there() -> None:
    assert GraphStatus({"A": "skipped"}, left_out=frozenset({"a"})).succeeded(())


@pytest.mark.parametrize(
    ("results", "cancelled", "expected"),
    [
        ([], False, (True, False, True, False)),
        (["succeeded", "skipped"], False, (True, False, True, False)),
        (["failed", "succeeded"], False, (False, True, True, False)),
        (["succeeded"], True, (False, False, False, True)),
    ],
)
def test_status_functions_of_steps(results: list[Any], cancelled: bool, expected: tuple[bool, ...]) -> None:
    status = StepStatus(results, cancelled=cancelled)
    found = (status.succeeded(()), status.failed(()), status.succeededOrFailed(()), status.canceled())
    assert found == expected
