"""Hold a parameter at a value against every delivery, and lift the hold again (rule 12).

A value and a label are written by two calls, and others act between them. So the version to be replaced is labelled
`gate` first, then the value is written, then its version is labelled `held`; whoever reads a gate alone yields. At the
end all is read once more: where something came in between, the three are done again. `ecs_cd.model.labels` says what
the labels mean together, `ecs_cd.parameter.record` what deliveries do about them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_cd.errors import Throttled
from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import FLOOR, GATE, HELD, VERIFIED, VERIFIED_BEFORE, Mark, Marks
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.parameter.record import BACKOFF, read_parameter
from ecs_cd.parameter.store import Parameters
from ecs_cd.parameter.version_limit import write_version
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, NotYet, wait_for


@dataclass(frozen=True)
class Held:
    """A parameter under a hold.

    `previous` is the value that the held one replaced; the same where the value stayed. `changed`: something was
    written for it. `overruled`: another hold came later, and stands instead of the one asked for.
    """

    parameter: Parameter
    previous: str
    changed: bool = False
    overruled: bool = False

    @property
    def value(self) -> str:
        """Return the value that is held."""
        return self.parameter.marks.held.value

    def change(self, wanted: ImageTag, *, dry_run: bool) -> ParameterChange:
        """Return what holding it at this tag has changed, or, in a dry run, would."""
        there = self.parameter
        recorded = Recorded.WRITTEN if self.changed or dry_run else Recorded.UNCHANGED
        return ParameterChange(
            there.name,
            wanted,
            self.previous,
            str(wanted),
            there.version,
            recorded,
            dry_run=dry_run,
            marks=there.marks,
        )


def place_hold(
    parameters: Parameters,
    name: str,
    *,
    deadline: Deadline,
    value: str = "",
    only_over: str = "",
    dry_run: bool = False,
) -> Held | None:
    """Hold the parameter at a value; at the one it has, where none is named.

    Done again after a death anywhere, it finishes; where the value is held already, nothing is changed. `only_over`:
    only where this is the value to be replaced; None where another one is on top, or comes there meanwhile (it stays).

    Raises:
        ParameterRefused: the parameter does not exist, or is of a kind that holds no tag.
        DeadlineReached: Parameter Store kept refusing for lack of rate until the deadline.
    """
    seen = read_parameter(parameters, name)
    if dry_run:
        return Held(seen, previous_value(seen))
    holding = _Holding(parameters, name, value or seen.value, only_over)
    doing = f"holding parameter {name}"
    return wait_for(holding.attempt, deadline=deadline, backoff=BACKOFF, doing=doing, tolerate=Throttled)


def previous_value(seen: Parameter) -> str:
    """Return the value that the hold in force, or the rollback under way, replaces; without one, the value on top."""
    marks = seen.marks
    return marks.gate.value if marks.rolling_back or marks.gate_stands else seen.value


@dataclass
class _Holding:
    """One call of `place_hold`. `ours` is the version it has written, `previous` the value that it found to replace."""

    parameters: Parameters
    name: str
    value: str
    only_over: str = ""
    previous: str = ""
    ours: int = 0

    def attempt(self) -> Held | NotYet | None:
        """Return the hold once it stands, None where another value is to stay; not yet when all must be done again."""
        seen = read_parameter(self.parameters, self.name)
        self.previous = self.previous or previous_value(seen)
        if self._stands(seen):
            return Held(seen, self.previous, changed=bool(self.ours))
        if self._overruled(seen):
            return Held(seen, self.previous, changed=True, overruled=True)
        if self.only_over and not self._may_leave(seen):
            return None
        self.parameters.label(self.name, seen.version, GATE)
        number = write_version(self.parameters, seen, self.value)
        if number is None:
            return NOT_YET
        if self.only_over and self._restored_newer(seen, number):
            return None
        self.parameters.label(self.name, number, HELD)
        self.ours = number
        now = read_parameter(self.parameters, self.name)
        return Held(now, self.previous, changed=True) if self._stands(now) else NOT_YET

    def _stands(self, now: Parameter) -> bool:
        """Return whether the hold is in force, its value on top, and no writer is left that has not seen it coming."""
        return now.marks.gate_stands and now.marks.held.value == self.value == now.value

    def _overruled(self, seen: Parameter) -> bool:
        """Return whether another rollback came after ours, and sees to it that a hold is in force.

        Two that both insist would write for ever. But whoever put the hold's label on its version last answers for it:
        where that is us, and something was written over ours, the other may have been done when we took the label away
        from it, and nobody else would put right what a late writer leaves on top.
        """
        held = seen.marks.held
        labelled = held.version not in (0, self.ours) and held.value != self.value
        about_to_write = seen.marks.gate.version >= self.ours and seen.version == self.ours
        return bool(self.ours) and (labelled or about_to_write)

    def _may_leave(self, seen: Parameter) -> bool:
        if seen.marks.rolling_back:  # an earlier attempt of our own may have died in it
            return seen.marks.gate.value == self.only_over and seen.value in (self.only_over, self.value)
        return seen.value == self.only_over and not seen.marks.holds

    def _restored_newer(self, seen: Parameter, number: int) -> bool:
        """Put back what another delivery recorded between our look and our write, and open the gate again."""
        between = range(seen.version + 1, number)
        others = self.parameters.versions(self.name, between) if between else ()
        values = [v.value for v in others if v.value not in (self.only_over, self.value)]
        if not values:
            return False
        write_version(self.parameters, replace(seen, version=number), values[-1])
        self.parameters.unlabel(self.name, seen.version, GATE)
        return True


def describe_hold(held: Held, tag: str, *, dry_run: bool) -> str:
    """Return what became of the parameter, as a sentence; `tag` is the one to be held."""
    name, previous = held.parameter.name, held.previous
    if dry_run:
        return f"{name} would be changed from {previous} to {tag} and held there."
    if not held.changed:
        return f"{name} is held at {tag} already (version {held.parameter.version})."
    came = f"changed from {previous} to {tag}" if previous != tag else f"holds {tag}"
    return f"{name} {came} and is held there (version {held.parameter.version})."


@dataclass(frozen=True)
class Lifted:
    """A parameter as it was when its hold was lifted; `changed`: there was a hold, or a rollback that never ended."""

    parameter: Parameter
    changed: bool


def lift_hold(parameters: Parameters, name: str, *, deadline: Deadline, dry_run: bool = False) -> Lifted:
    """Lift the hold, whatever is left of it. What is on top stays, and nothing before it is restored.

    Moving the floor is what lifts it, in one call; the labels that mean nothing any more are then taken off.

    Raises:
        ParameterRefused: the parameter does not exist, or is of a kind that holds no tag.
        DeadlineReached: Parameter Store kept refusing for lack of rate until the deadline.
    """

    def attempt() -> Lifted:
        seen = read_parameter(parameters, name)
        marks = seen.marks
        if not (marks.holds or marks.rolling_back):
            return Lifted(seen, changed=False)
        if dry_run:
            return Lifted(seen, changed=True)
        parameters.label(name, seen.version, FLOOR)
        for mark, label in ((marks.held, HELD), (marks.gate, GATE)):
            if mark.version:
                parameters.unlabel(name, mark.version, label)
        return Lifted(seen, changed=True)

    doing = f"lifting the hold on parameter {name}"
    return wait_for(attempt, deadline=deadline, backoff=BACKOFF, doing=doing, tolerate=Throttled)


def mark_verified(parameters: Parameters, name: str, marks: Marks, served: Mark) -> None:
    """Mark the version that ECS was seen to serve; the one marked before it, if it has another tag, keeps a mark too.

    `marks` are those last seen. Nothing is written where it is marked already, or a later version is.
    """
    if served.version <= marks.verified.version:
        return
    if marks.verified.version and marks.verified.value != served.value:
        parameters.label(name, marks.verified.version, VERIFIED_BEFORE)
    parameters.label(name, served.version, VERIFIED)


def unmark_verified(parameters: Parameters, name: str, marks: Marks, value: str) -> None:
    """Take the marks off the versions with this value, which a rollback replaced: no later one goes back to it."""
    for mark, label in ((marks.verified, VERIFIED), (marks.verified_before, VERIFIED_BEFORE)):
        if mark.version and mark.value == value:
            parameters.unlabel(name, mark.version, label)
