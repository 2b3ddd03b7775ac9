"""Step 3: record the tag in its parameter: never backwards, nothing lost, everything else left as it is (rules 3-5).

Parameter Store has no conditional write, so `record` looks after it has written: if a version came in between the one
it read and the one it wrote, the newest tag among them goes back on top. A delivery that finds nothing to write looks
over the last versions for the same reason: an earlier attempt may have died between its write and its look.

Under a hold (rule 12; `ecs_cd.model.labels` has the signs, `ecs_cd.parameter.hold` makes and lifts them) nothing newer
is recorded: the delivery yields, and puts the held value back where it finds or has written another one on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ecs_cd.errors import EcsCdError, ParameterRefused, Throttled
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import FLOOR, GATE, HELD, HOLD_LABELS, Marks
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, ParameterVersion, Recorded
from ecs_cd.parameter.store import ManyParameters, Parameters
from ecs_cd.parameter.version_limit import write_version
from ecs_cd.sanitize import quoted
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=0.5, factor=2.0, most=8.0)
"""Between attempts while Parameter Store throttles writes: PutParameter has a low rate of its own."""

_FRESH = 5.0
"""Seconds after which a value that was read is read again before it is written over (rule 4 a)."""

_LOOK_BACK = 10
"""Versions that are searched for a newer tag where there is nothing to write (rule 4 c)."""

_TYPES = ("String", "SecureString")


@dataclass(frozen=True)
class ParameterSnapshot:
    """A parameter as it was at a moment of the delivery's clock; None when there was none of that name."""

    parameter: Parameter | None
    at: float


def snapshot_parameter(parameters: Parameters, name: str, clock: Clock) -> ParameterSnapshot:
    """Read the parameter, while other things are asked for; `record_tag` uses it as long as it is fresh."""
    at = clock.now()
    return ParameterSnapshot(parameters.read(name), at)


def record_tag(
    parameters: Parameters,
    name: str,
    image: CheckedImage,
    *,
    deadline: Deadline,
    order: Order = Order.NUMERIC,
    create: bool = False,
    dry_run: bool = False,
    seen: ParameterSnapshot | None = None,
) -> ParameterChange:
    """Record the image's tag, unless a newer one is there already, or a hold stands against it.

    Whatever other writers do meanwhile, and whichever of them die, the parameter ends on the newest tag (rule 4), or on
    the held one (rule 12). Recording the very tag that is held is in agreement with the hold: UNCHANGED.

    Raises:
        ParameterRefused: it does not exist (and `create` was not asked for), or is of a kind that holds no tag.
        DeadlineReached: Parameter Store kept refusing for lack of rate until the deadline.
    """
    order.check(str(image.tag))
    recording = _Recording(parameters, name, image.tag, order, create=create, dry_run=dry_run)
    known = [seen] if seen else []

    def attempt() -> ParameterChange | NotYet:
        now = known.pop() if known else snapshot_parameter(parameters, name, deadline.clock)
        if deadline.clock.now() - now.at > _FRESH:  # (a)
            now = snapshot_parameter(parameters, name, deadline.clock)
        change = recording.attempt(now.parameter)
        return NOT_YET if change is None else change

    doing = f"writing parameter {name}"
    return wait_for(attempt, deadline=deadline, backoff=BACKOFF, doing=doing, tolerate=Throttled)


def read_parameter(parameters: Parameters, name: str) -> Parameter:
    """Return a parameter that can hold a tag.

    Raises:
        ParameterRefused: there is none, or it is a StringList.
    """
    return holding_a_tag(parameters.read(name), name)


class ChangeState(Enum):
    """What became of a recorded change later. OVERTAKEN: an older tag is in its place (rule 4 d)."""

    STANDS = "stands"
    OVERTAKEN = "overtaken"
    TAKEN_BACK = "taken back"


@dataclass(frozen=True)
class ChangeStatus:
    """What became of a change, and the parameter as read for that; None where it is gone."""

    state: ChangeState
    parameter: Parameter | None


def change_status(parameters: Parameters, change: ParameterChange, order: Order) -> ChangeStatus:
    """Return what became of the change: TAKEN_BACK where a rollback or a hold put another tag in its place.

    A step back without an order does not overtake it, since it was meant.
    """
    now = parameters.read(change.name)
    if now is None:
        return ChangeStatus(ChangeState.OVERTAKEN, None)
    if now.value == change.new:
        return ChangeStatus(ChangeState.STANDS, now)
    if now.marks.holds or now.marks.rolling_back:
        return ChangeStatus(ChangeState.TAKEN_BACK, now)
    if not order.newer(change.new, now.value) or now.marks.floor.version > change.version:
        return ChangeStatus(ChangeState.STANDS, now)
    return ChangeStatus(ChangeState.OVERTAKEN, now)


def are_readable(parameters: ManyParameters, changes: Sequence[ParameterChange]) -> bool:
    """Return whether Parameter Store shows what was written, or something newer; also where it cannot be asked.

    Its reads are eventually consistent: right after a write one may still answer as before.
    """
    written = {change.name: change.version for change in changes if change.recorded is Recorded.WRITTEN}
    try:
        found = parameters.read_many(list(written)) if written else {}
    except EcsCdError:
        return True
    return all(name in found and found[name].version >= version for name, version in written.items())


_HINT_READING = "Create it with Terraform, which then owns its existence."
_HINT_RECORDING = Message(
    "Create it with Terraform, which then owns its existence, or have it created with ",
    SettingRef("create_parameter"),
    ".",
)


def holding_a_tag(found: Parameter | None, name: str, hint: str = _HINT_READING) -> Parameter:
    """Return the parameter, if it can hold a tag; `hint` says what to do where there is none.

    Raises:
        ParameterRefused: there is none, or it is a StringList.
    """
    if found is None:
        raise ParameterRefused(f"There is no parameter {quoted(name)} in this account and region.", hint=hint)
    if found.type not in _TYPES:
        raise ParameterRefused(
            f"Parameter {quoted(name)} is a {found.type}; a tag needs a String or a SecureString.",
            hint="Check the parameter's name in the settings.",
        )
    return found


@dataclass(frozen=True)
class _Recording:
    """Rules 4 and 12; the letters in comments are rule 4's."""

    parameters: Parameters
    name: str
    wanted: ImageTag
    order: Order
    create: bool
    dry_run: bool

    def attempt(self, found: Parameter | None) -> ParameterChange | None:
        """Return the change, or None when all must be read again because of what somebody did meanwhile."""
        tag = str(self.wanted)
        if found is None and self.create:
            return self._create()
        seen = holding_a_tag(found, self.name, _HINT_RECORDING)
        if seen.marks.rolling_back or seen.marks.holds:
            return self._under_hold(seen)
        if seen.value == tag:
            return self._nothing_to_write(seen, Recorded.UNCHANGED)
        if self.order.newer(seen.value, tag):
            return self._nothing_to_write(seen, Recorded.SUPERSEDED)
        if self.dry_run:
            return self._change(seen.value, replace(seen, value=tag), Recorded.WRITTEN)
        return self._write(seen)

    def _create(self) -> ParameterChange | None:
        tag = str(self.wanted)
        version = 0 if self.dry_run else self.parameters.create(self.name, tag)
        return None if version is None else self._change(None, Parameter(self.name, tag, version), Recorded.WRITTEN)

    def _write(self, seen: Parameter) -> ParameterChange | None:
        tag = str(self.wanted)
        top = self._put_on_top(seen, tag)
        if top is None:
            return None
        if top.marks.rolling_back or top.marks.holds:
            return self._yielded(seen.value, top, restored=top.value != tag)
        if top.value != tag:
            # Either a newer one was put back, or a hold that came and went has left ours below.
            newer = self.order.newer(top.value, tag)
            return self._change(seen.value, top, Recorded.SUPERSEDED, restored=True) if newer else None
        if self.order is Order.NONE and _steps_back(seen.value, top.value):
            self.parameters.label(self.name, top.version, FLOOR)
        return self._change(seen.value, top, Recorded.WRITTEN)

    def _nothing_to_write(self, seen: Parameter, found: Recorded) -> ParameterChange | None:
        """(c): an earlier attempt may have died between its write and its look, or before its label."""
        unchanged = self._change(seen.value, seen, found)
        recent = self._recent_versions(seen)
        if self.order is Order.NONE:
            if any(_steps_back(v.value, seen.value) for v in recent) and not self.dry_run:
                self.parameters.label(self.name, seen.version, FLOOR)
            return unchanged
        newest = self.order.newest([v.value for v in recent])
        if newest is None or not self.order.newer(newest, seen.value) or self.dry_run:
            return unchanged
        top = self._put_on_top(seen, newest)
        if top is None:
            return None
        if top.marks.rolling_back or top.marks.holds:
            return self._yielded(seen.value, top)
        return self._change(seen.value, top, Recorded.SUPERSEDED, restored=True)

    def _under_hold(self, seen: Parameter) -> ParameterChange | None:
        """Yield; where something else than the held value is on top, put that back first."""
        held = seen.marks.held.value
        if seen.marks.rolling_back or seen.value == held or self.dry_run:
            return self._yielded(seen.value, seen)
        top = self._put_on_top(seen, held)
        if top is None:
            return None
        still = top.marks.rolling_back or top.marks.holds
        return self._yielded(seen.value, top, restored=True) if still else None

    def _yielded(self, old: str, top: Parameter, *, restored: bool = False) -> ParameterChange:
        agreed = top.marks.holds and top.value == str(self.wanted)
        return self._change(old, top, Recorded.UNCHANGED if agreed else Recorded.HELD, restored=restored)

    def _put_on_top(self, seen: Parameter, value: str) -> Parameter | None:
        """Write over `seen`, then look (b) until what belongs on top is there: the newest, or what is held.

        None: nothing is certain, and all must be read again.
        """
        while True:
            number = self._put(seen, value)
            if number is None:
                return None
            top = replace(seen, value=value, version=number)
            since = self._versions_between(seen, number)
            if not since:
                return top
            top = replace(top, marks=Marks.of(since))
            if top.marks.rolling_back:
                return top
            belongs = top.marks.held.value if top.marks.holds else self._newest(since, top)
            if belongs == value:
                return top
            seen, value = top, belongs

    def _put(self, seen: Parameter, value: str) -> int | None:
        number = write_version(self.parameters, seen, value)
        return number if number is not None else self._renew_hold(value)

    def _renew_hold(self, value: str) -> int | None:
        """Put the held value back where the held version itself must go for it: as a rollback does, with a gate.

        None where it is not, or not any more, the value that is held.
        """
        now = holding_a_tag(self.parameters.read(self.name), self.name, _HINT_RECORDING)
        if not now.marks.holds or now.marks.held.value != value:
            return None
        self.parameters.label(self.name, now.version, GATE)
        number = write_version(self.parameters, now, value)
        if number is not None:
            self.parameters.label(self.name, number, HELD)
        return number

    def _versions_between(self, seen: Parameter, number: int) -> tuple[ParameterVersion, ...]:
        """Return what came between, with the marks of a hold; nothing where nothing did.

        What was written over by putting a held value back counts too: the hold may have been lifted meanwhile.
        """
        first = seen.version + (0 if seen.marks.holds else 1)
        if first == number:
            return ()
        return self.parameters.versions(self.name, range(first, number), HOLD_LABELS)

    def _newest(self, since: Sequence[ParameterVersion], top: Parameter) -> str:
        """Return the newest tag of those that may be restored and of the one on top."""
        floor = top.marks.floor.version
        missed = [v.value for v in since if floor <= v.version < top.version]
        newest = self.order.newest(missed)
        return newest if newest is not None and self.order.newer(newest, top.value) else top.value

    def _recent_versions(self, seen: Parameter) -> tuple[ParameterVersion, ...]:
        """Return the versions before `seen` that may be restored: few, and none before the floor."""
        earlier = range(max(seen.version - _LOOK_BACK + 1, 1), seen.version)
        if not earlier:
            return ()
        recent = self.parameters.versions(self.name, earlier, (FLOOR,))
        floor = Marks.of(recent).floor.version
        return tuple(v for v in recent if v.version >= floor)

    def _change(
        self, old: str | None, top: Parameter, recorded: Recorded, *, restored: bool = False
    ) -> ParameterChange:
        return ParameterChange(
            self.name, self.wanted, old, top.value, top.version, recorded, restored, self.dry_run, top.marks
        )


def _steps_back(before: str, after: str) -> bool:
    """Return whether `after` is older by any order there is."""
    return any(order.newer(before, after) for order in (Order.NUMERIC, Order.SEMVER))


def describe_change(change: ParameterChange) -> str:
    """Return what became of the parameter, as a sentence."""
    would = "would be " if change.dry_run else ""
    if change.recorded is Recorded.SUPERSEDED:
        back = ", put back after another writer lost it" if change.restored else ""
        return f"{change.name} holds {change.new}, newer than {change.wanted}{back} (version {change.version})."
    if change.recorded is Recorded.HELD:
        why = "is held at" if change.marks.holds else "is being rolled back, and holds"
        return f"{change.name} {why} {change.new}, so {change.wanted} was not recorded (version {change.version})."
    if change.recorded is Recorded.UNCHANGED:
        return f"{change.name} already holds {change.new} (version {change.version})."
    was = (
        f"{would}changed from {change.old!s} to {change.new}"
        if change.old is not None
        else f"{would}created with {change.new}"
    )
    return f"{change.name} {was}." if change.dry_run else f"{change.name} {was} (version {change.version})."
