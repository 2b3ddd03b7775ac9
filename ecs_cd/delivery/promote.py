"""Promotion: deliver to one environment what another one serves (rule 13).

What counts in the other environment, the origin, is what its ECS serves healthily: the tag in the primary deployment,
whose rollout completed and whose tasks all run. It is delivered as any other tag, and the image in the registry it is
delivered from must have the digest of the one that the origin's tasks run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ecs_cd.delivery.context import Clouds, DeliveryContext
from ecs_cd.delivery.deploy import deploy_into
from ecs_cd.delivery.origin import Origin, Source, find_served
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.errors import EcsCdError
from ecs_cd.model.delivery import Delivery, DeliveryOptions, Place
from ecs_cd.model.events import Watch, WatchRaised, ignore_events
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Promotion:
    """What is promoted: what the origin serves, to `place`, on these conditions."""

    origin: Origin
    place: Place
    options: DeliveryOptions = field(default_factory=DeliveryOptions)


def promote_served(
    promotion: Promotion, source: Source, clouds: Clouds, *, deadline: Deadline, watch: Watch = ignore_events
) -> Report:
    """Deliver what the origin serves, and return what happened; a promotion that fails is a report too.

    A rollout that is going on in the origin is waited for, and so is the rest of the time that it must have served,
    if the deadline leaves it.
    """
    place, options = promotion.place, promotion.options
    report = ReportBuilder(place, deadline, watch, dry_run=options.dry_run)
    try:
        found = find_served(promotion.origin, source, report)
    except (EcsCdError, WatchRaised) as error:
        return report.failed(error)
    except KeyboardInterrupt:
        return report.interrupted()
    report.tag, report.origin = found.tag, found.fact
    delivery = Delivery(place, found.tag, found.fact.digest, options)
    return deploy_into(delivery, DeliveryContext(clouds, report))
