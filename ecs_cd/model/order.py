"""Which of two tags is newer (rule 3)."""

from __future__ import annotations

import re
from enum import Enum

from ecs_cd.errors import WrongInput
from ecs_cd.messages import Message, SettingRef
from ecs_cd.sanitize import quoted

_NUMBER = r"0|[1-9][0-9]*"
_PRE_RELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"  # point 9: a numeric identifier has no leading zero
_NUMERIC = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_SEMVER = re.compile(
    rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>{_PRE_RELEASE}(?:\.{_PRE_RELEASE})*))?"
)


class Order(str, Enum):
    """How tags are compared.

    `numeric`: whole numbers, as build ids are: 226 is newer than 26; or several with dots between them, as in Azure's
    run numbers: 20260317.10 is newer than 20260317.9, and 226.1 than 226. `semver`: Semantic Versioning 2.0.0, with or
    without a leading `v` (a Docker tag cannot carry build metadata). `none`: tags have no order; the last writer wins.
    """

    NUMERIC = "numeric"
    SEMVER = "semver"
    NONE = "none"

    def newer(self, one: str, other: str) -> bool:
        """Return whether `one` is strictly newer than `other`.

        A value outside the order (the `latest` or `none` a parameter was created with) is older than any inside it.
        """
        left, right = self._rank(one), self._rank(other)
        if left is None:
            return False
        return right is None or left > right

    def newest(self, tags: list[str]) -> str | None:
        """Return the newest tag, the first of equals; None when none of them is inside the order."""
        best: str | None = None
        for tag in tags:
            if self._rank(tag) is not None and (best is None or self.newer(tag, best)):
                best = tag
        return best

    def places(self, tag: str) -> bool:
        """Return whether the tag is inside this order; `none` has none inside."""
        return self._rank(tag) is not None

    def check(self, tag: str) -> None:
        """Refuse a tag that this order cannot place.

        Raises:
            WrongInput: the tag is not a number, or not a semantic version.
        """
        if self is not Order.NONE and not self.places(tag):
            wanted = "a number such as 226 or 20260317.1" if self is Order.NUMERIC else "a semantic version"
            fitting = [order for order in Order if order is Order.NONE or order.places(tag)]
            settings = [part for order in fitting for part in (" or ", SettingRef("order", order.value))][1:]
            raise WrongInput(
                f"The tag {quoted(tag)} is not {wanted}, so it cannot be ordered by '{self.value}'.",
                hint=Message("If the tags of this service are of another kind, set ", *settings, "."),
            )

    def numbers_alike(self, one: str, other: str) -> bool:
        """Return whether two tags of `numeric` have as many numbers each; in another order they always do."""
        return self is not Order.NUMERIC or one.count(".") == other.count(".")

    def _rank(self, tag: str) -> tuple[object, ...] | None:
        if self is Order.NUMERIC:
            return tuple(map(_number, tag.split("."))) if _NUMERIC.fullmatch(tag) else None
        if self is Order.SEMVER:
            return _semver_rank(tag)
        return None


def _number(digits: str) -> tuple[int, str]:
    """Return a key that sorts digits by their value.

    Not `int`: a parameter may hold thousands of digits, which `int` refuses to read.
    """
    significant = digits.lstrip("0")
    return len(significant), significant


def _semver_rank(tag: str) -> tuple[object, ...] | None:
    """Return a key that sorts as Semantic Versioning 2.0.0, point 11, says."""
    match = _SEMVER.fullmatch(tag)
    if not match:
        return None
    core = tuple(_number(match[part]) for part in ("major", "minor", "patch"))
    if match["pre"] is None:
        return (core, 1, ())
    parts = tuple((0, _number(part)) if part.isdigit() else (1, part) for part in match["pre"].split("."))
    return (core, 0, parts)
