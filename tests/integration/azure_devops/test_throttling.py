from __future__ import annotations

from datetime import datetime, timezone

import pytest
from requests.structures import CaseInsensitiveDict

from ecs_cd.azure_devops.throttling import MAX_PAUSE, requested_pause

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:09 GMT"}, 9),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:09 -0000"}, 9),
        ({"Retry-After": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0),
        ({"X-RateLimit-Delay": "2.5"}, 2.5),
        ({"Retry-After": "3", "X-RateLimit-Delay": "2.5"}, 3),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(SECONDS + 11)}, 11),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(SECONDS + 999)}, MAX_PAUSE),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(SECONDS - 5)}, 0),
        ({"X-RateLimit-Remaining": "0"}, 0),
        ({"X-RateLimit-Remaining": "9", "X-RateLimit-Reset": str(SECONDS + 11)}, 0),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "nan"}, 0),
        ({"Retry-After": "inf"}, 0),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "9" * 400}, 0),
    ],
)
def test_reads_how_long_the_service_wants_to_be_left_alone(headers: dict[str, str], pause: float) -> None:
    assert requested_pause(CaseInsensitiveDict(headers), NOW) == pause
