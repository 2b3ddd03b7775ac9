"""What all steps of one delivery share."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.image.check import Images
from ecs_cd.parameter.store import Parameters
from ecs_cd.rollout.logs import Logs
from ecs_cd.rollout.services import Services
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Clouds:
    """The other sides of a delivery, each behind the Protocol of the step that uses it."""

    images: Images
    parameters: Parameters
    pipelines: Pipelines
    services: Services
    logs: Logs


@dataclass(frozen=True)
class DeliveryContext:
    """The clouds, and the report that is being written, which has the one deadline (rule 16)."""

    clouds: Clouds
    report: ReportBuilder

    @property
    def deadline(self) -> Deadline:
        """Return the deadline of the whole delivery."""
        return self.report.deadline
