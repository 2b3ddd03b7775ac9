"""Pages of a list: opaque continuation tokens that stay right while the list grows."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from ecs_cd_sandbox.azure_devops.http.errors import ServiceError

Item = TypeVar("Item")
Key = list[str | int]


def page(
    items: Sequence[Item], key: Callable[[Item], Key], *, order: str, descending: bool, top: int, token: str | None
) -> tuple[list[Item], str | None]:
    """Sort items by a unique key and return the page after `token`, and the token of the next one (or None).

    Raises:
        ServiceError: 400, the token is none of ours, or belongs to another order.
    """
    ordered = sorted(items, key=key, reverse=descending)
    if token is not None:
        last = _decode(token, order)
        ordered = [item for item in ordered if (key(item) < last if descending else key(item) > last)]
    shown = ordered[:top]
    more = len(ordered) > len(shown) and shown
    return shown, _encode(order, key(shown[-1])) if more else None


def _encode(order: str, key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, key]).encode()).decode()


def _decode(token: str, order: str) -> Key:
    try:
        token_order, key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise _unknown(token) from error
    if token_order != order or not isinstance(key, list):
        raise _unknown(token)
    return key


def _unknown(token: str) -> ServiceError:
    return ServiceError(400, "InvalidContinuationTokenException", f"The continuation token '{token}' is not valid.")
