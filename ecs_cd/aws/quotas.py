"""How many requests AWS grants an account in a region, and how many of them a look at everything takes.

Both services count by token buckets, each shared by a few operations:

- ECS: Developer Guide, "Request throttling for the Amazon ECS API": service reads 100 at once and 20 a second, task
  definition reads 50 and 20, service revision reads 50 and 20.
- Parameter Store: AWS General Reference, "AWS Systems Manager endpoints and quotas": GetParameter, GetParameters and
  GetParametersByPath 40 a second together, at the default throughput; the burst is not documented.

The rest is left to the deliveries that go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecs_cd.support.clock import Clock
from ecs_cd.support.rate_limit import RateLimit


@dataclass(frozen=True)
class Share:
    """What is taken of one bucket: `burst` requests at once, and `per_second` from then on."""

    operations: tuple[str, ...]
    per_second: float
    burst: int


SHARES: tuple[Share, ...] = (
    Share(("GetParameter", "GetParameters"), per_second=30, burst=20),
    Share(("DescribeServices",), per_second=18, burst=80),
    Share(("DescribeTaskDefinition",), per_second=18, burst=40),
    Share(("DescribeServiceRevisions",), per_second=18, burst=40),
)


def rates(clock: Clock) -> Mapping[str, RateLimit]:
    """Return the rates, by operation, that keep to these shares of one account and region."""
    return {
        operation: rate
        for share in SHARES
        for rate in [RateLimit(share.per_second, share.burst, clock)]
        for operation in share.operations
    }
