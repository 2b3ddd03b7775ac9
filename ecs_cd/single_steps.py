"""Single steps of a delivery, for those who do the others by other means."""

from __future__ import annotations

from ecs_cd import image, parameter, rollout
from ecs_cd.delivery import Delivery, checked_image, interrupted, recorded_tag
from ecs_cd.errors import EcsCdError, SettingsError
from ecs_cd.journal import Journal
from ecs_cd.model import CheckedImage, FinishedRun, ParameterChange, Serving
from ecs_cd.progress import Phase, RolloutChanged, Watch, unwatched
from ecs_cd.report import Outcome, Report
from ecs_cd.waiting import Deadline


def record(
    delivery: Delivery, images: image.Images, parameters: parameter.Parameters, *, deadline: Deadline
) -> tuple[CheckedImage, ParameterChange]:
    """Check the image and record its tag, and nothing else; for those who queue the run by other means.

    Raises:
        EcsCdError: as the two steps say.
    """
    delivery.order.check(str(delivery.tag))
    checked = checked_image(delivery, images, deadline)
    return checked, recorded_tag(delivery, checked, parameters, deadline)


def verify(delivery: Delivery, services: rollout.Services, *, deadline: Deadline, watch: Watch = unwatched) -> Report:
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
            ended = rollout.follow(
                services,
                target,
                rollout.Wanted(CheckedImage(delivery.tag), delivery.order),
                FinishedRun(None),
                deadline=deadline,
                watch=lambda snapshot, verdict: watch(RolloutChanged(snapshot, verdict)),
            )
            phase.found = ended.verdict.sentence
            journal.prove_rollout(ended.snapshot, ended.verdict)
    except EcsCdError as error:
        return journal.failed(error)
    except KeyboardInterrupt:
        return journal.failed(interrupted(journal))
    return journal.ended(Outcome.SUPERSEDED if ended.verdict.serving is Serving.SUPERSEDED else Outcome.UNCHANGED)
