from __future__ import annotations

from typing import Any

import pytest
from moto.ecs.exceptions import InvalidParameterException

from ecs_cd_sandbox.aws.ecs_configuration import configure, default_configuration, threshold
from tests.integration.sandbox.aws.test_strategies import calling, early, pausing


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"strategy": "BLUE_GREEN", "earlySuccessCriteria": early("BLOCKING", 100)}, "ROLLING deployment strategy"),
        ({"earlySuccessCriteria": early("BLOCKING", 50)}, "healthyPercent must be between 100 and 100"),
        ({"earlySuccessCriteria": {"enable": True, "healthyPercent": 100}}, "sourceServiceRevisionCleanup"),
        ({"bakeTimeInMinutes": 1441}, "bakeTimeInMinutes must be between 0 and 1440"),
        ({"lifecycleHooks": [pausing("PRODUCTION_TRAFFIC_SHIFT")]}, "Invalid lifecycle stage provided for Pause Hook"),
        ({"lifecycleHooks": [pausing("BAKE_TIME")]}, "lifecycleStages should be some of"),
        ({"lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]}, "hookTargetArn is required"),
        ({"lifecycleHooks": [{**calling(), "targetType": "SQS"}]}, "Valid values are: AWS_LAMBDA, PAUSE"),
        ({"lifecycleHooks": [pausing(minutes=20161)]}, "timeoutInMinutes must be between 1 and 20160"),
        ({"strategy": "BLUE"}, "strategy should be one of"),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2}}, "stepPercent must be between 3 and 100"),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0}}, "canaryPercent must be between 0.1"),
    ],
)
def test_a_configuration_that_aws_refuses_is_refused(configuration: dict[str, Any], message: str) -> None:
    known = default_configuration()
    with pytest.raises(InvalidParameterException, match=message):
        configure(known, configuration)
    assert known == default_configuration()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"type": "COUNT", "value": 1}, 1),
        ({"type": "UNBOUNDED_PERCENT", "value": 20}, 2),
        ({"type": "BOUNDED_PERCENT", "value": 20}, 3),
        ({"type": "BOUNDED_PERCENT", "value": 100}, 10),
    ],
)
def test_the_threshold_follows_the_rule(rule: dict[str, Any], expected: int) -> None:
    found = configure(default_configuration(), {"deploymentCircuitBreaker": {"thresholdConfiguration": rule}})
    assert threshold(found, 10) == expected


@pytest.mark.parametrize(("desired", "expected"), [(0, 3), (1, 3), (7, 4), (1000, 200)])
def test_the_threshold_is_half_the_desired_count_within_bounds(desired: int, expected: int) -> None:
    assert threshold(default_configuration(), desired) == expected


def test_what_is_given_replaces_what_was_known_and_nothing_else() -> None:
    known = configure(default_configuration(), {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5})
    found = configure(known, {"maximumPercent": 150})
    assert (found["strategy"], found["bakeTimeInMinutes"], found["maximumPercent"]) == ("BLUE_GREEN", 5, 150)
