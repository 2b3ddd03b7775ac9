"""Step 3: record the tag in its parameter: never backwards, nothing lost, everything else left as it is (rules 3-5).

Parameter Store has no conditional write, so `record` looks after it has written: if a version came in between the one
it read and the one it wrote, the newest tag among them goes back on top. A delivery that finds nothing to write looks
over the last versions for the same reason: an earlier attempt may have died between its write and its look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ecs_cd.errors import ParameterRefused, Throttled
from ecs_cd.model import CheckedImage, ImageTag, Parameter, ParameterChange, ParameterVersion, Recorded
from ecs_cd.order import Order
from ecs_cd.text import quoted
from ecs_cd.waiting import Clock, Deadline, Pace, wait_for

FLOOR = "ecs-cd.floor"
"""The label on the version of the last deliberate step back: nothing before it is restored."""

PACE = Pace(first=0.5, factor=2.0, most=8.0)
_FRESH = 5.0
_LOOK_BACK = 10
_TYPES = ("String", "SecureString")


class Parameters(Protocol):
    """A parameter store with versions and labels, and no conditional write."""

    def read(self, name: str) -> Parameter | None:
        """Return the parameter, or None when there is none of that name."""

    def write(self, parameter: Parameter, value: str) -> int:
        """Write a new value, leaving every other attribute of `parameter` as it is; return the new version.

        Raises:
            Throttled: too many updates at once; nothing was written.
        """

    def create(self, name: str, value: str) -> int | None:
        """Create a parameter of type String; return its version, or None when somebody else just did."""

    def versions(self, name: str, numbers: Sequence[int], label: str = "") -> tuple[ParameterVersion, ...]:
        """Return those of the given versions that still exist, and the one that carries `label`, if any does."""

    def label(self, name: str, version: int, label: str) -> None:
        """Put the label on this version, taking it off any other."""

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        """Return all versions there still are, oldest first, with labels and who wrote them."""


@dataclass(frozen=True)
class Seen:
    """A parameter as read at a moment of the delivery's clock; None when there is none of that name."""

    parameter: Parameter | None
    at: float


def look(parameters: Parameters, name: str, clock: Clock) -> Seen:
    """Read the parameter, so that other things may be asked for meanwhile; `record` takes it while it is fresh."""
    at = clock.now()
    return Seen(parameters.read(name), at)


def record(
    parameters: Parameters,
    name: str,
    image: CheckedImage,
    *,
    deadline: Deadline,
    order: Order = Order.NUMERIC,
    create: bool = False,
    dry_run: bool = False,
    seen: Seen | None = None,
) -> ParameterChange:
    """Record the image's tag, unless a newer one is there already.

    Whatever other writers do meanwhile, and whichever of them die, the parameter ends on the newest tag (rule 4).

    Raises:
        ParameterRefused: it does not exist (and `create` was not asked for), or is of a kind that holds no tag.
        DeadlineReached: Parameter Store kept refusing for lack of rate until the deadline.
    """
    order.check(str(image.tag))
    recording = _Recording(parameters, name, image.tag, order, create=create, dry_run=dry_run)
    known = [seen] if seen else []

    def attempt() -> ParameterChange | None:
        now = known.pop() if known else look(parameters, name, deadline.clock)
        if deadline.clock.now() - now.at > _FRESH:  # (a)
            now = look(parameters, name, deadline.clock)
        return recording.attempt(now.parameter)

    doing = f"writing parameter {name}"
    return wait_for(attempt, deadline=deadline, pace=PACE, doing=doing, tolerate=Throttled)


def read(parameters: Parameters, name: str) -> Parameter:
    """Return a parameter that can hold a tag.

    Raises:
        ParameterRefused: there is none, or it is a StringList.
    """
    return _holding_a_tag(parameters.read(name), name)


def overtaken(parameters: Parameters, change: ParameterChange, order: Order) -> bool:
    """Return whether the parameter now holds something older than the change left there (rule 4 d).

    Not where somebody stepped back on purpose since.
    """
    now = parameters.read(change.name)
    if now is None:
        return True
    if not order.newer(change.new, now.value):
        return False
    later = parameters.versions(change.name, (now.version,), FLOOR)
    return _floor(later) <= change.version


def _floor(versions: Sequence[ParameterVersion]) -> int:
    """Return the number of the labelled version; 0 where none of these carries the label."""
    return max((v.version for v in versions if FLOOR in v.labels), default=0)


def _holding_a_tag(found: Parameter | None, name: str) -> Parameter:
    if found is None:
        raise ParameterRefused(
            f"There is no parameter {quoted(name)} in this account and region.",
            hint="Create it with Terraform (it owns its existence), or once with `ecs-cd parameter set "
            "--create-parameter`.",
        )
    if found.type not in _TYPES:
        raise ParameterRefused(
            f"Parameter {quoted(name)} is a {found.type}; a tag needs a String or a SecureString.",
            hint="Check the parameter's name in the settings.",
        )
    return found


@dataclass(frozen=True)
class _Recording:
    """Rule 4; its comments are the rule's letters."""

    parameters: Parameters
    name: str
    wanted: ImageTag
    order: Order
    create: bool
    dry_run: bool

    def attempt(self, found: Parameter | None) -> ParameterChange | None:
        """Return the change, or None when somebody created the parameter meanwhile and all must be read again."""
        tag = str(self.wanted)
        if found is None and self.create:
            return self._create()
        seen = _holding_a_tag(found, self.name)
        if seen.value == tag:
            return self._nothing_to_write(seen, Recorded.UNCHANGED)
        if self.order.newer(seen.value, tag):
            return self._nothing_to_write(seen, Recorded.SUPERSEDED)
        if self.dry_run:
            return self._change(seen.value, tag, seen.version, Recorded.WRITTEN)
        return self._write(seen)

    def _create(self) -> ParameterChange | None:
        version = 0 if self.dry_run else self.parameters.create(self.name, str(self.wanted))
        return None if version is None else self._change(None, str(self.wanted), version, Recorded.WRITTEN)

    def _write(self, seen: Parameter) -> ParameterChange:
        top = self._put_on_top(seen, str(self.wanted))
        if top.value != str(self.wanted):
            return self._change(seen.value, top.value, top.version, Recorded.SUPERSEDED, restored=True)
        if self.order is Order.NONE and _steps_back(seen.value, top.value):
            self.parameters.label(self.name, top.version, FLOOR)
        return self._change(seen.value, top.value, top.version, Recorded.WRITTEN)

    def _nothing_to_write(self, seen: Parameter, found: Recorded) -> ParameterChange:
        """(c): an earlier attempt may have died between its write and its look, or before its label."""
        unchanged = self._change(seen.value, seen.value, seen.version, found)
        lately = self._lately(seen)
        if self.order is Order.NONE:
            if any(_steps_back(v.value, seen.value) for v in lately) and not self.dry_run:
                self.parameters.label(self.name, seen.version, FLOOR)
            return unchanged
        newest = self.order.newest([v.value for v in lately])
        if newest is None or not self.order.newer(newest, seen.value) or self.dry_run:
            return unchanged
        top = self._put_on_top(seen, newest)
        return self._change(seen.value, top.value, top.version, Recorded.SUPERSEDED, restored=True)

    def _put_on_top(self, seen: Parameter, value: str) -> Parameter:
        """Write over `seen`; then (b): whatever newer came in between goes back on top, until nothing has."""
        while True:
            top = replace(seen, value=value, version=self.parameters.write(seen, value))
            between = range(seen.version + 1, top.version)
            found = self.parameters.versions(self.name, between, FLOOR) if between else ()
            missed = (v for v in found if v.version in between and v.version >= _floor(found))
            newest = self.order.newest([v.value for v in missed])
            if newest is None or not self.order.newer(newest, top.value):
                return top
            seen, value = top, newest

    def _lately(self, seen: Parameter) -> tuple[ParameterVersion, ...]:
        """Return the versions before `seen` that may be restored: few, and none before the floor."""
        earlier = range(max(seen.version - _LOOK_BACK + 1, 1), seen.version)
        if not earlier:
            return ()
        lately = self.parameters.versions(self.name, earlier, FLOOR)
        return tuple(v for v in lately if v.version >= _floor(lately))

    def _change(
        self, old: str | None, new: str, version: int, recorded: Recorded, *, restored: bool = False
    ) -> ParameterChange:
        return ParameterChange(self.name, self.wanted, old, new, version, recorded, restored, self.dry_run)


def _steps_back(before: str, after: str) -> bool:
    """Return whether `after` is older by any order there is."""
    return any(order.newer(before, after) for order in (Order.NUMERIC, Order.SEMVER))
