"""What is taken of the requests that AWS grants."""

from __future__ import annotations

import pytest

from ecs_cd.aws import AwsSettings, connect, quotas
from ecs_cd.model.service import ServiceTarget
from ecs_cd.support.rate_limit import RateLimit
from ecs_cd_sandbox.aws import Aws as Cloud
from tests.support.fakes import FakeClock

GRANTED = {
    "GetParameter": (40, 40),
    "GetParameters": (40, 40),
    "DescribeServices": (20, 100),
    "DescribeTaskDefinition": (20, 50),
    "DescribeServiceRevisions": (20, 50),
}
"""Requests per second, and at once, as AWS publishes them (Parameter Store's burst is not published)."""


@pytest.mark.parametrize("operation", GRANTED)
def test_less_is_taken_than_is_granted(operation: str) -> None:
    [share] = [share for share in quotas.SHARES if operation in share.operations]
    per_second, burst = GRANTED[operation]
    assert share.per_second < per_second
    assert share.burst < burst


def test_operations_of_one_bucket_share_a_rate_and_no_others_do() -> None:
    rates = quotas.rates(FakeClock())
    assert rates["GetParameter"] is rates["GetParameters"]
    assert len({id(rate) for rate in rates.values()}) == len(quotas.SHARES)


def test_each_operation_keeps_to_its_own_rate(aws: Cloud) -> None:
    aws.create_cluster("development")
    clock = FakeClock()
    rates = {"DescribeServices": RateLimit(1, 1, clock)}
    amazon = connect(AwsSettings(region=aws.region, endpoint_url=aws.url), rates=rates)
    for _ in range(3):
        assert amazon.services.snapshot(ServiceTarget("development", "none")) is None
        assert amazon.parameters.read_many(["/none"]) == {}
    amazon.close()
    assert [round(wait, 1) for wait in clock.slept] == [1.0, 1.0]
