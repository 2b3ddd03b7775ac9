"""What is asked of Azure DevOps, Parameter Store and ECS before anything is changed, and what is made of the answers.

All of it at the same time (rule 1). A refusal counts only where the delivery goes on to a run: one that finds a newer
tag recorded, a hold, or its own tag serving already, has nothing to fear of a paused pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

from ecs_cd.delivery.context import Clouds
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.image import ImageTag
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter
from ecs_cd.parameter.record import ParameterSnapshot, snapshot_parameter
from ecs_cd.rollout.preflight import RolloutPreflight, check_target
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.run.preflight import RunPreflight, check_run
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import run_together


@dataclass(frozen=True)
class Preflight:
    """The answers."""

    parameter: ParameterSnapshot
    run: RunPreflight
    rollout: RolloutPreflight


CheckRun = Callable[[Place, Clouds], RunPreflight]
"""Looks up the place's pipeline and asks whether it would take a run, as `check_place_run` does."""


def check_place_run(place: Place, clouds: Clouds) -> RunPreflight:
    """Look up the place's pipeline and ask whether it would take the run of a delivery to the place."""
    return check_run(
        clouds.pipelines,
        place.pipeline,
        place.branch,
        template_parameters=place.template_parameters,
        variables=place.variables,
    )


def ask_all(place: Place, clouds: Clouds, clock: Clock, ask_run: CheckRun = check_place_run) -> Preflight:
    """Ask everything at once: as long as the longest of it, which takes two round trips.

    Raises:
        EcsCdError: parameter or pipeline cannot be read, or there is no such pipeline.
    """
    parameter, run, rollout = run_together(
        lambda: snapshot_parameter(clouds.parameters, place.parameter, clock),
        lambda: ask_run(place, clouds),
        lambda: check_target(clouds.services, place.task or place.target),
    )
    return Preflight(parameter, run, rollout)


def refuse_in_vain(delivery: Delivery, found: Preflight) -> None:
    """Refuse a delivery whose run or rollout is known to fail.

    Raises:
        EcsCdError: the reason; its details have the other one where there are two.
    """
    parameter, order = found.parameter.parameter, delivery.options.order
    if not _needs_run(delivery, found):
        return
    expected = delivery.options.allow_missing_service or parameter is None or _is_first(parameter, delivery.tag, order)
    raise_refusals(found, expected_missing=expected)


def raise_refusals(found: Preflight, *, expected_missing: bool) -> None:
    """Raise what speaks against a run. `expected_missing`: the run may be about to create service or container.

    Raises:
        EcsCdError: as `refuse_in_vain` says.
    """
    rollout = found.rollout
    of_rollout = None if rollout.missing and expected_missing else rollout.refusal
    refusals = [refusal for refusal in (found.run.refusal, of_rollout) if refusal]
    if refusals:
        refusal = copy(refusals[0])  # several services may have the same
        refusal.add(tuple(other.message for other in refusals[1:]))
        raise refusal


def _needs_run(delivery: Delivery, found: Preflight) -> bool:
    """Return whether the delivery will want a run, as far as is known before the tag is recorded."""
    seen, tag, order = found.parameter.parameter, str(delivery.tag), delivery.options.order
    if seen is None:
        return True
    if seen.value == tag:
        place = delivery.place
        return not found.rollout.has(place.task or place.target, Wanted(delivery.tag, order=order))
    if seen.marks.holds or seen.marks.rolling_back:
        return False
    return not order.newer(seen.value, tag)


def _is_first(seen: Parameter, tag: ImageTag, order: Order) -> bool:
    """Return whether this is the first delivery, by whose run Terraform may create the service.

    The parameter has a value that is no tag of the order, such as `none`; or this very tag, which nobody has seen to
    serve: an earlier attempt may have recorded it.
    """
    if seen.value == str(tag):
        return not seen.marks.verified.version
    return order is not Order.NONE and not order.places(seen.value)
