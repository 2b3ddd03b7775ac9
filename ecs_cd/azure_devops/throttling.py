"""When the service asks to be asked less often, and how long that is.

Azure DevOps delays, then blocks, an identity that sends too many requests. It says so in headers that may come with any
answer, a 200 too: `Retry-After` (seconds, or by HTTP's rules a date), `X-RateLimit-Delay` (by how many seconds this
answer was held back), and `X-RateLimit-Remaining` with `X-RateLimit-Reset` (seconds since 1970).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

MAX_PAUSE = 30.0
"""Seconds that a request waits because an earlier answer asked for it: the longest delay the service documents."""

_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?")


def requested_pause(headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds the next request should wait; 0 when nothing was asked, or nothing that makes sense.

    `headers` must find a name whatever its case; `now` is the time in UTC.
    """
    asked = [_retry_after(headers.get("Retry-After", ""), now), _number(headers.get("X-RateLimit-Delay", ""))]
    if _number(headers.get("X-RateLimit-Remaining", "")) == 0:
        until_reset = _number(headers.get("X-RateLimit-Reset", "")) - now.timestamp()
        asked.append(min(until_reset, MAX_PAUSE))  # used up is not blocked yet: it only begins to delay
    return max([0.0, *(pause for pause in asked if not math.isnan(pause))])


def _number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text.strip()) else math.nan


def _retry_after(text: str, now: datetime) -> float:
    seconds = _number(text)
    if not math.isnan(seconds) or not text:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp() - now.timestamp()
