"""Single steps of a delivery, for those who do the others by other means."""

from __future__ import annotations

from ecs_cd.delivery.deploy import Delivery, checked_image, interrupted_error, recorded_tag
from ecs_cd.delivery.journal import Journal
from ecs_cd.errors import EcsCdError, SettingsError
from ecs_cd.image.check import Images
from ecs_cd.model.events import Phase, RolloutChanged, Watch, ignore_events
from ecs_cd.model.image import CheckedImage
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun
from ecs_cd.model.service import Serving
from ecs_cd.parameter.store import Parameters
from ecs_cd.report.report import Outcome, Report
from ecs_cd.rollout.follow import follow_rollout
from ecs_cd.rollout.judge import Wanted
from ecs_cd.rollout.services import Services
from ecs_cd.support.deadline import Deadline


def record_only(
    delivery: Delivery, images: Images, parameters: Parameters, *, deadline: Deadline
) -> tuple[CheckedImage, ParameterChange]:
    """Check the image and record its tag, and nothing else; for those who queue the run by other means.

    Raises:
        EcsCdError: as the two steps say.
    """
    delivery.order.check(str(delivery.tag))
    checked = checked_image(delivery, images, deadline)
    return checked, recorded_tag(delivery, checked, parameters, deadline)


def verify_rollout(
    delivery: Delivery, services: Services, *, deadline: Deadline, watch: Watch = ignore_events
) -> Report:
    """Watch until ECS serves the tag or is known not to, changing nothing; for those who applied by other means."""
    journal = Journal(delivery.service, delivery.environment, delivery.tag, deadline, watch)
    target = delivery.target
    try:
        if target is None:
            raise SettingsError(
                f"There is no ECS service named for {delivery.service} in {delivery.environment}.",
                hint="Name it in the settings under `ecs:`.",
            )
        with journal.phase(Phase.ROLLOUT, f"waiting for ECS service {target.service}") as phase:
            ended = follow_rollout(
                services,
                target,
                Wanted(CheckedImage(delivery.tag), delivery.order),
                FinishedRun(None),
                deadline=deadline,
                watch=lambda snapshot, verdict: watch(RolloutChanged(snapshot, verdict)),
            )
            phase.found = ended.verdict.sentence
            journal.prove_rollout(ended.snapshot, ended.verdict)
    except EcsCdError as error:
        return journal.failed(error)
    except KeyboardInterrupt:
        return journal.failed(interrupted_error(journal))
    return journal.ended(Outcome.SUPERSEDED if ended.verdict.serving is Serving.SUPERSEDED else Outcome.UNCHANGED)
