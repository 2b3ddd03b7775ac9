"""Hold what is recorded, and lift the hold (rule 12)."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import ParameterRefused
from ecs_cd.messages import CommandRef, Message
from ecs_cd.model.delivery import Place
from ecs_cd.parameter.hold import lift_hold, place_hold, previous_value
from ecs_cd.parameter.store import Parameters
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class HoldResult:
    """What came of `hold` or `unhold`.

    `held`: a hold is in force now. `changed`: something was written for it; in a dry run, would have been. `tag` and
    `version` are what is on top; `previous_tag` is the one that was on top before a rollback, if that made the hold.
    """

    service: str
    environment: str
    parameter: str
    tag: str
    version: int
    held: bool
    changed: bool
    previous_tag: str = ""
    dry_run: bool = False

    def to_text(self) -> str:
        """Return it in a sentence."""
        would = "would be" if self.dry_run else "is"
        place = f"{self.service} in {self.environment}"
        if self.held:
            already = "" if self.changed else " already"
            held = f"{place} {would} held at {self.tag}{already} (version {self.version})."
            unhold = CommandRef("unhold", self.service, self.environment)
            return Message(f"{held} Nothing else is delivered until ", unhold, ".")
        if not self.changed:
            return f"{place} is not held; it is at {self.tag} (version {self.version})."
        previous = self.previous_tag
        since = f", rolled back from {previous}" if previous not in ("", self.tag) else ""
        no_longer = "would no longer be" if self.dry_run else "is no longer"
        now = f"it is at {self.tag} (version {self.version}){since}"
        return f"{place} {no_longer} held; {now}. Deliveries go on from there."


def hold_now(place: Place, parameters: Parameters, *, deadline: Deadline, dry_run: bool = False) -> HoldResult:
    """Hold what is recorded now: no delivery writes over it until the hold is lifted.

    Raises:
        EcsCdError: the parameter cannot be read or written.
    """
    held = place_hold(parameters, place.parameter, deadline=deadline, dry_run=dry_run)
    if held is None or held.overruled:
        raise ParameterRefused(
            f"Somebody else is holding or rolling back {quoted(place.parameter)} at this moment.",
            hint=Message(
                "Look at ", CommandRef("history"), ", and run the same command again if that is not what you want."
            ),
        )
    there = held.parameter
    stands = there.marks.gate_stands and there.marks.held.value == there.value
    return HoldResult(
        place.service,
        place.environment,
        there.name,
        there.value,
        there.version,
        held=True,
        changed=not stands if dry_run else held.changed,
        previous_tag=held.previous,
        dry_run=dry_run,
    )


def unhold_now(place: Place, parameters: Parameters, *, deadline: Deadline, dry_run: bool = False) -> HoldResult:
    """Lift the hold, or what a rollback that died has left of one; what is recorded stays.

    Raises:
        EcsCdError: the parameter cannot be read or labelled.
    """
    lifted = lift_hold(parameters, place.parameter, deadline=deadline, dry_run=dry_run)
    there = lifted.parameter
    return HoldResult(
        place.service,
        place.environment,
        there.name,
        there.value,
        there.version,
        held=False,
        changed=lifted.changed,
        previous_tag=previous_value(there) if lifted.changed else "",
        dry_run=dry_run,
    )
