"""docs/verdict.md: every row of its table is what a delivery comes to when ECS shows that (rule 10)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

from ecs_cd.delivery.single_steps import verify_rollout
from ecs_cd.model.image import FoundImage
from ecs_cd.model.run import Run, RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import Container, ServiceSnapshot, TaskDefinition, TaskTarget
from ecs_cd.model.service_deployment import DeploymentMonitor, LifecycleHook, RolloutUntil
from ecs_cd.model.stopped_task import StoppedTask
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.support.repository import ROOT
from tests.unit.delivery.test_deploy import World, fail_the_run, serving
from tests.unit.delivery.test_deploy_with_record import OURS, baking, recorded, rejected

NOON = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
OLD, NEW = serving("101"), serving("102")
GOING_ON = serving("102", "IN_PROGRESS")
BACK = "ROLLBACK_SUCCESSFUL"
PAUSE = LifecycleHook("h", "PAUSE", "AWAITING_ACTION", expires_at=NOON + timedelta(hours=1), timeout_action="ROLLBACK")
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:smoke-test"
Case = Callable[[World], Report]


def shown(*after: ServiceSnapshot, seconds: float = 120, **changes: object) -> Case:
    """Return a delivery of 102 to a service that shows this after 101."""

    def deliver(world: World) -> Report:
        world.services.stopped[OURS] = (StoppedTask(OURS, "Essential container in task exited"),)
        world.services.play(OLD, *after)
        return world.deploy(vary(world.delivery(), **changes), seconds=seconds)

    return deliver


def after_failed_run(*after: ServiceSnapshot) -> Case:
    """Return a delivery whose run fails, and what ECS shows then."""

    def deliver(world: World) -> Report:
        fail_the_run(world, "Error: waiting for ECS service to become stable")
        return shown(*after)(world)

    return deliver


def served_before(world: World) -> Report:
    world.services.play(NEW)
    world.deploy()
    return world.deploy()


def retagged(world: World, digest: str = "c") -> Report:
    world.images.repositories["my-api"]["102"] = FoundImage(f"sha256:{'b' * 64}", None)
    primary = replace(NEW.deployments[0], digests=(f"sha256:{digest * 64}",))
    return shown(replace(NEW, deployments=(primary,)))(world)


def no_service(world: World) -> Report:
    world.services.scripts.clear()
    return world.deploy(seconds=120)


SKIPPED = TimelineRecord("s", "", "Stage", "Apply", "completed", "skipped")
APPROVAL = (
    TimelineRecord("c", "s", "Checkpoint", "Checkpoint", "completed", "skipped"),
    TimelineRecord("a", "c", "Checkpoint.Approval", "Checkpoint.Approval", "completed", "skipped"),
)


def skipping(*more: TimelineRecord, **changes: Any) -> Case:  # noqa: ANN401 - fields by name
    """Return a delivery whose run succeeds and skips its stage."""

    def deliver(world: World) -> Report:
        run = Run(101, "20260101.101", "https://dev/101", RunState.WAITING, 7)
        ended = RunProgress(replace(run, state=RunState.SUCCEEDED), (SKIPPED, *more))
        world.pipelines.play(RunProgress(run), ended)
        return shown(OLD, **changes)(world)

    return deliver


def verified(world: World, *, or_newer: bool = False) -> Report:
    world.services.play(serving("103"))
    deadline = Deadline.after(120, world.clock)
    return verify_rollout(
        world.delivery(), world.images, world.services, world.logs, or_newer=or_newer, deadline=deadline
    )


def task_definition(world: World) -> Report:
    latest = TaskDefinition("arn:task-definition/my-api:7", (Container("api", "r.io/my-api:102"),))
    world.services.families["my-api"] = deque([latest])
    return world.deploy(vary(world.delivery(), target=None, task=TaskTarget("my-api")))


def few(running: int) -> ServiceSnapshot:
    return replace(NEW, deployments=(replace(NEW.deployments[0], running=running),))


def task_sets(*tags: str, controller: str, primary: bool = True) -> ServiceSnapshot:
    sets = tuple(
        replace(
            serving(tag).deployments[0],
            id=f"ecs-svc/{tag}",
            rollout_state="",
            steady=True,
            status="PRIMARY" if primary and at == 0 else "ACTIVE",
        )
        for at, tag in enumerate(tags)
    )
    return replace(NEW, controller=controller, deployments=sets)


CASES: dict[str, Case] = {
    # It serves
    "Its deployment is SUCCESSFUL or COMPLETED, and all desired tasks run": shown(recorded(NEW, "SUCCESSFUL")),
    "The same before anything was done": served_before,
    "It is COMPLETED, and the desired count is 0": shown(
        replace(NEW, desired=0, deployments=(replace(NEW.deployments[0], desired=0, running=0),))
    ),
    "A newer image serves": shown(serving("103")),
    "BAKE_TIME, with `rollout_until: production-traffic`": shown(
        baking(), rollout_until=RolloutUntil.PRODUCTION_TRAFFIC
    ),
    "CODE_DEPLOY or EXTERNAL: its task set is primary and stable": shown(task_sets("102", controller="EXTERNAL")),
    # It does not serve yet
    "It is IN_PROGRESS until the deadline": shown(
        recorded(GOING_ON, "IN_PROGRESS", stage="SCALE_UP", strategy="BLUE_GREEN")
    ),
    "BAKE_TIME until the deadline": shown(baking()),
    "A PAUSE hook waits for somebody until the deadline": shown(
        recorded(GOING_ON, "IN_PROGRESS", stage="PRE_SCALE_UP", hooks=(PAUSE,))
    ),
    "SUCCESSFUL by its early success criteria, and fewer than the desired tasks run until the deadline": shown(
        recorded(few(0), "SUCCESSFUL", early_success_percent=50)
    ),
    # ECS took it back, or gave up
    "ROLLBACK_…: the circuit breaker is TRIGGERED": shown(rejected(OLD)),
    "ROLLBACK_…: an alarm is TRIGGERED": shown(
        recorded(OLD, BACK, alarms=DeploymentMonitor("TRIGGERED", names=("quiet", "errors"), triggered=("errors",)))
    ),
    "ROLLBACK_…: a Lambda hook failed": shown(
        recorded(OLD, BACK, stage="PRE_SCALE_UP", hooks=(LifecycleHook("h", "AWS_LAMBDA", "FAILED", LAMBDA),))
    ),
    "ROLLBACK_…: nobody answered a PAUSE hook in time": shown(
        recorded(OLD, BACK, reason="Service deployment rolled back because PRE_SCALE_UP pause hook timed out.")
    ),
    "ROLLBACK_…: StopServiceDeployment, or ContinueServiceDeployment with ROLLBACK": shown(recorded(OLD, BACK)),
    "ROLLBACK_…: anything else": shown(recorded(OLD, BACK, reason="Invalid networking configuration.")),
    "ROLLBACK_FAILED": shown(
        recorded(GOING_ON, "ROLLBACK_FAILED", reason="No rollback candidate was found to run the rollback.")
    ),
    "STOPPED, and no newer deployment: the circuit breaker is TRIGGERED": shown(rejected(GOING_ON, "STOPPED")),
    "STOPPED, and no newer deployment: nothing is TRIGGERED": shown(recorded(GOING_ON, "STOPPED")),
    "No record: the primary deployment is FAILED": shown(serving("102", "FAILED", "tasks failed to start.")),
    'No record: the primary deployment is another, "rolling back"': shown(
        GOING_ON, serving("101", "IN_PROGRESS", "ECS deployment circuit breaker: rolling back to deploymentId 101.")
    ),
    "The service is DRAINING or INACTIVE": shown(replace(OLD, status="DRAINING")),
    "There is no such service": no_service,
    # It is another image
    "The old image still serves after the run": shown(OLD),
    "The old image still serves, and the run skipped its stage": skipping(),
    "The old image still serves, and an approval of the run was not given": skipping(*APPROVAL),
    "The tag, with another digest than in ECR": retagged,
    "Another digest, which ECR has under a newer tag": lambda world: retagged(world, "a"),
    "A newer image, which failed": shown(serving("103", "FAILED", "No luck.")),
    "`verify`: another image serves, a newer one too": verified,
    "`verify --or-newer`: a newer image serves": lambda world: verified(world, or_newer=True),
    # The run failed
    "The run failed, and ECS serves the image or rolls it out": after_failed_run(NEW),
    "The run failed, and ECS has rejected the image since it began": after_failed_run(rejected(OLD)),
    "The run failed, and ECS shows nothing of the image": after_failed_run(OLD),
    # Nothing to judge
    "EXTERNAL: no task set is primary": shown(task_sets("102", controller="EXTERNAL", primary=False)),
    "No ECS service is named (`ecs: null`)": shown(OLD, target=None),
    "No ECS service is named, and the run skipped its stage": skipping(target=None),
    "The latest revision of the task definition has the image (`ecs: {task_definition: …}`)": task_definition,
}  # fmt: skip


class Row(NamedTuple):
    """A row of the table; in `said`, … stands for anything."""

    shows: str
    said: str
    outcome: str
    code: str
    task: str


def rows() -> list[Row]:
    lines = (ROOT / "docs/verdict.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [Row(*row) for row in cells if len(row) == len(Row._fields) and row[0] != "ECS shows"]


def test_the_table_has_every_case_once() -> None:
    assert [row.shows for row in rows()] == list(CASES)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.shows)
def test_what_the_table_says_is_what_a_delivery_comes_to(row: Row) -> None:
    report = CASES[row.shows](World())
    told = " ".join(report.to_text().split())
    assert re.search(".*?".join(map(re.escape, row.said.split("…"))), told), told
    ended = f"`{report.outcome.value}`" + (f" ({report.failure.reason})" if report.failure else "")
    done = "SucceededWithIssues" if report.warnings else "Succeeded"
    assert (row.outcome, row.code, row.task) == (
        ended,
        str(report.exit_code),
        done if report.succeeded else "Failed",
    )
