"""The delivery over in-memory clouds: the order of its acts, its outcomes, and what it leaves alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.deploy import deploy_service
from ecs_cd.errors import AccessDenied, Throttled, Unreachable
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.events import Event, LockMet, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.image import ImageRepository, ImageTag
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter
from ecs_cd.model.run import Pipeline, Run, RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.azure_in_memory import LOCK_ERROR
from tests.support.deliveries import vary
from tests.support.fakes import FakeClock, FakeImages, FakeLogs, FakeParameters, FakePipelines, FakeServices

NAME = "/my-api/development/docker-image-tag"
TARGET = ServiceTarget("development", "my-api", "api", "my-api")
DIGEST = f"sha256:{'a' * 64}"


def serving(tag: str, state: str = "COMPLETED", reason: str = "") -> ServiceSnapshot:
    definition = TaskDefinition(
        f"arn:aws:ecs:::task-definition/my-api:{tag}", (Container("api", f"r.io/my-api:{tag}"),)
    )
    primary = Deployment("ecs-svc/1", "PRIMARY", definition, state, reason, desired=1, running=1)
    return ServiceSnapshot(TARGET, "ACTIVE", 1, 1, deployments=(primary,))


@dataclass
class World:
    """Everything a delivery talks to, as it is before: 101 is recorded and serves, 102 has been pushed."""

    clock: FakeClock = field(default_factory=FakeClock)
    images: FakeImages = field(default_factory=FakeImages)
    parameters: FakeParameters = field(default_factory=FakeParameters)
    pipelines: FakePipelines = field(default_factory=lambda: FakePipelines(Pipeline(7, "infra", "\\platform")))
    services: FakeServices = field(default_factory=FakeServices)
    logs: FakeLogs = field(default_factory=FakeLogs)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        for tag in ("100", "101", "102", "103"):
            self.images.push("my-api", tag, DIGEST)
        self.parameters.put(Parameter(NAME, "101", 1))
        self.services.play(serving("101"), serving("102", "IN_PROGRESS"), serving("102"))

    def delivery(self, tag: str = "102") -> Delivery:
        place = Place(
            service="my-api",
            environment="development",
            parameter=NAME,
            pipeline="infra",
            branch="develop",
            target=TARGET,
            repository=ImageRepository("my-api"),
        )
        return Delivery(place, ImageTag(tag))

    def deploy(self, delivery: Delivery | None = None, *, seconds: float = 600) -> Report:
        clouds = Clouds(self.images, self.parameters, self.pipelines, self.services, self.logs)
        deadline = Deadline.after(seconds, self.clock)
        return deploy_service(delivery or self.delivery(), clouds, deadline=deadline, watch=self.events.append)

    @property
    def changed(self) -> list[str]:
        """What was changed anywhere, the marks of proof aside."""
        return [call for call in self.parameters.written() if call != "label"] + [
            call for call in self.pipelines.calls if call == "queue"
        ]


@pytest.fixture
def world() -> World:
    return World()


def test_a_newer_tag_goes_through_parameter_run_and_rollout(world: World) -> None:
    report = world.deploy()
    assert (report.outcome, report.exit_code) == (Outcome.DEPLOYED, 0)
    assert world.parameters.values(NAME) == ["101", "102"]
    assert world.changed == ["write", "queue"]
    assert world.pipelines.requests[0].branch == "refs/heads/develop"
    assert report.image and report.image.digest == DIGEST
    assert report.parameter and (report.parameter.old, report.parameter.new, report.parameter.version) == (
        "101",
        "102",
        2,
    )
    assert report.run and report.run.state == "succeeded"
    assert report.rollout and report.rollout.image == "r.io/my-api:102"
    assert [phase.phase for phase in report.phases] == ["check", "parameter", "run", "rollout"]
    assert len(report.evidence) == 5
    assert "judged by its tag alone" in report.evidence[-1]


def test_each_phase_is_told_when_it_begins_and_when_it_ends_well(world: World) -> None:
    world.deploy()
    told = [(type(e), e.phase) for e in world.events if isinstance(e, (PhaseStarted, PhaseEnded))]
    assert told == [(kind, phase) for phase in Phase for kind in (PhaseStarted, PhaseEnded)]
    assert any(isinstance(event, RunChanged) for event in world.events)
    assert any(isinstance(event, RolloutChanged) for event in world.events)


def test_a_missing_image_stops_before_anything_is_changed(world: World) -> None:
    report = world.deploy(world.delivery("999"))
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 1)
    assert report.failure and report.failure.reason == "image-missing"
    assert world.changed == []


def test_an_unknown_pipeline_stops_before_anything_is_changed(world: World) -> None:
    report = world.deploy(vary(world.delivery(), pipeline="infa"))
    assert report.failure and report.failure.reason == "pipeline-not-found"
    assert world.changed == []


def test_a_tag_that_has_no_place_in_the_order_stops_before_any_request(world: World) -> None:
    report = world.deploy(world.delivery("v1.2"))
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 2)
    assert world.images.calls == world.parameters.calls == world.pipelines.calls == []


def test_an_older_tag_is_superseded_which_is_success_and_queues_nothing(world: World) -> None:
    report = world.deploy(world.delivery("100"))
    assert (report.outcome, report.exit_code) == (Outcome.SUPERSEDED, 0)
    assert world.changed == []


def test_a_recorded_tag_that_serves_is_left_as_it_is(world: World) -> None:
    world.services.play(serving("101"))
    report = world.deploy(world.delivery("101"))
    assert report.outcome is Outcome.UNCHANGED
    assert world.changed == []
    assert report.rollout and report.rollout.serving == "deployed"


def test_a_recorded_tag_that_does_not_serve_gets_its_run_as_after_a_death_between_write_and_queue(world: World) -> None:
    world.services.play(serving("100"), serving("100"), serving("101"))
    report = world.deploy(world.delivery("101"))
    assert report.outcome is Outcome.DEPLOYED
    assert world.changed == ["queue"]


def test_a_recorded_tag_that_is_rolling_out_is_watched_without_another_run(world: World) -> None:
    world.services.play(serving("101", "IN_PROGRESS"), serving("101", "IN_PROGRESS"), serving("101"))
    report = world.deploy(world.delivery("101"))
    assert report.outcome is Outcome.DEPLOYED
    assert world.changed == []


def test_a_recorded_tag_of_a_service_that_does_not_exist_yet_gets_a_run(world: World) -> None:
    world.services.play(serving("101"))
    appear = world.services.scripts.pop(TARGET)
    world.pipelines.meanwhile("run", lambda: world.services.scripts.update({TARGET: appear}))
    assert world.deploy(world.delivery("101")).outcome is Outcome.DEPLOYED
    assert world.changed == ["queue"]


def test_without_an_ecs_service_a_recorded_tag_is_run_again_and_only_what_was_seen_is_said(world: World) -> None:
    report = world.deploy(vary(world.delivery("101"), target=None))
    assert report.outcome is Outcome.APPLIED
    assert world.changed == ["queue"]
    assert world.services.calls == []
    assert report.run
    assert report.summary == (
        f"my-api 101 in development: applied by run {report.run.name}; whether it runs was not looked at, because no "
        "ECS service is named."
    )


def test_an_older_tag_written_over_ours_during_the_run_is_put_right_and_run_again(world: World) -> None:
    stale = lambda: world.parameters.put(Parameter(NAME, "100", 0))  # noqa: E731 - one act of another writer
    world.pipelines.meanwhile("queue", stale)
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert world.parameters.values(NAME) == ["101", "102", "100", "102"]
    assert world.changed == ["write", "write", "queue", "queue"]
    assert any(isinstance(event, Warned) for event in world.events)


def test_a_newer_tag_that_serves_supersedes_ours(world: World) -> None:
    world.services.play(serving("101"), serving("103"))
    assert world.deploy().outcome is Outcome.SUPERSEDED


def test_a_dry_run_checks_all_and_changes_nothing(world: World) -> None:
    report = world.deploy(vary(world.delivery(), dry_run=True))
    assert (report.outcome, report.dry_run) == (Outcome.UNCHANGED, True)
    assert world.changed == []
    assert "would be changed from 101 to 102" in report.evidence[1]
    assert report.evidence[2] == "Would join or queue a run of \\platform\\infra on refs/heads/develop."


def test_a_dry_run_of_a_recorded_tag_says_what_would_be_looked_at(world: World) -> None:
    report = world.deploy(vary(world.delivery("101"), dry_run=True))
    assert world.changed == []
    assert "Would look whether ECS serves 101" in report.evidence[-1]


def test_a_missing_parameter_is_created_when_asked_for(world: World) -> None:
    name = "/my-api/development/other"
    report = world.deploy(vary(world.delivery(), parameter=name, create_parameter=True))
    assert report.outcome is Outcome.DEPLOYED
    assert world.parameters.values(name) == ["102"]
    assert f"{name} created with 102 (version 1)." in report.evidence


def test_the_image_check_can_be_left_out(world: World) -> None:
    report = world.deploy(vary(world.delivery(), repository=None))
    assert report.outcome is Outcome.DEPLOYED
    assert world.images.calls == []
    assert report.image is None


def test_a_service_that_cannot_be_seen_for_the_moment_does_not_stop_the_delivery(world: World) -> None:
    world.services.fail("brief", Throttled("Rate exceeded."))
    world.services.fail("snapshot", Throttled("Rate exceeded."))
    assert world.deploy().outcome is Outcome.DEPLOYED


def test_a_service_that_may_not_be_seen_stops_it_before_anything_is_changed(world: World) -> None:
    world.services.fail("brief", AccessDenied("No ecs:DescribeServices."))
    report = world.deploy()
    assert report.failure and report.failure.reason == "access-denied"
    assert world.changed == []


def test_a_run_with_issues_is_success_with_a_warning(world: World) -> None:
    def partly() -> None:
        run = world.pipelines.scripts[101][0].run
        world.pipelines.scripts[101][-1] = RunProgress(replace(run, state=RunState.PARTIALLY_SUCCEEDED))

    world.pipelines.meanwhile("run", partly)
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert "with issues" in report.warnings[0]


def test_what_cannot_be_judged_is_applied_with_a_warning(world: World) -> None:
    world.services.play(ServiceSnapshot(TARGET, "ACTIVE", 1, 1, controller="EXTERNAL"))
    report = world.deploy()
    assert report.outcome is Outcome.APPLIED
    assert "nothing can be judged" in report.warnings[0]


def test_a_tag_superseded_by_one_that_is_numbered_in_another_way_is_warned_about(world: World) -> None:
    world.parameters.put(Parameter(NAME, "20260317.1", 0))
    report = world.deploy()
    assert report.outcome is Outcome.SUPERSEDED
    assert "are numbered in different ways" in report.warnings[0]


# Runs shared with others


def test_a_waiting_run_is_joined_and_the_report_says_so(world: World) -> None:
    joined = Run(5, "20260101.5", "https://dev/5", RunState.WAITING, 7)
    world.pipelines.listed.append(joined)
    world.pipelines.play(RunProgress(joined), RunProgress(replace(joined, state=RunState.SUCCEEDED)))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert world.changed == ["write"]
    assert report.run and (report.run.id, report.run.origin, report.run.attempts) == (5, "joined", 1)
    assert "Run 20260101.5, which was joined and began after version 2 was written" in report.evidence[2]


def test_a_run_of_our_own_is_said_to_be_queued(world: World) -> None:
    report = world.deploy()
    assert report.run and (report.run.origin, report.run.attempts) == ("queued", 1)
    assert "Run 20260101.101, queued after version 2 was written, succeeded." in report.evidence


FAILED_TASK = TimelineRecord(
    "t", "j", "Task", "terraform apply", "completed", "failed", 1, 1, ("Error: other-service",)
)


def fail_the_run(world: World, *log: str, number: int = 101) -> None:
    """Let the next run fail, as Terraform does for whatever service."""

    def fail() -> None:
        run = world.pipelines.scripts[number][0].run
        failed = RunProgress(replace(run, state=RunState.FAILED), (FAILED_TASK,))
        world.pipelines.scripts[number] = deque([failed])

    world.pipelines.logs[1] = log
    world.pipelines.meanwhile("run", fail)


def test_a_run_that_met_a_state_lock_is_tried_again_and_the_report_counts_it(world: World) -> None:
    fail_the_run(world, *LOCK_ERROR)
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert world.changed == ["write", "queue", "queue"]
    assert report.run and (report.run.id, report.run.attempts) == (102, 2)
    assert any(isinstance(event, LockMet) for event in world.events)


def test_ctrl_c_in_the_wait_for_a_state_lock_says_what_was_waited_for(world: World) -> None:
    fail_the_run(world, *LOCK_ERROR)
    sleep = world.clock.sleep

    def interrupted(seconds: float) -> None:
        if any(isinstance(event, LockMet) for event in world.events):
            raise KeyboardInterrupt
        sleep(seconds)

    world.clock.sleep = interrupted  # type: ignore[method-assign]  # it is in that wait that Ctrl-C comes
    report = world.deploy()
    assert report.outcome is Outcome.INTERRUPTED
    assert report.failure and "while waiting for Terraform's state lock: " in report.failure.message


@pytest.mark.parametrize(
    "snapshots",
    [
        pytest.param((serving("101"), serving("102")), id="serves"),
        pytest.param((serving("101"), serving("102", "IN_PROGRESS"), serving("102")), id="rolls out"),
        pytest.param((serving("101"), serving("101"), serving("101"), serving("102")), id="seen a little later"),
    ],
)
def test_a_run_that_failed_for_another_services_sake_is_success_with_a_warning(
    world: World, snapshots: tuple[ServiceSnapshot, ...]
) -> None:
    fail_the_run(world, "Error: creating other-service")
    world.services.play(*snapshots)
    report = world.deploy()
    assert (report.outcome, report.exit_code) == (Outcome.DEPLOYED, 0)
    assert "failed in task 'terraform apply'" in report.warnings[0] and "brought 102 to ECS" in report.warnings[0]
    assert report.run and report.run.state == "failed"


def test_a_newer_tag_that_serves_after_a_failed_run_supersedes_ours(world: World) -> None:
    fail_the_run(world)
    world.services.play(serving("101"), serving("103"))
    assert world.deploy().outcome is Outcome.SUPERSEDED


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(serving("101"), id="the old tag"),
        pytest.param(serving("101", "IN_PROGRESS", "ECS deployment circuit breaker: rolling back to 101"), id="undone"),
    ],
)
def test_a_run_that_failed_while_ecs_does_not_serve_ours_is_the_failure(world: World, after: ServiceSnapshot) -> None:
    fail_the_run(world, "Refreshing", "Error: no such subnet")
    world.services.play(serving("101"), after)
    report = world.deploy()
    assert report.failure and report.failure.reason == "run-failed"
    assert report.failure.details == ("Error: no such subnet",)
    assert sum(world.clock.slept) < 30


def test_without_an_ecs_service_a_failed_run_is_the_failure(world: World) -> None:
    fail_the_run(world)
    report = world.deploy(vary(world.delivery(), target=None))
    assert report.failure and report.failure.reason == "run-failed"


def test_why_a_run_failed_is_told_though_ecs_cannot_be_asked(world: World) -> None:
    fail_the_run(world, "Error: no such subnet")
    world.services.fail("snapshot", AccessDenied("No ecs:DescribeServices."), AccessDenied("No."))
    report = world.deploy()
    assert report.failure and report.failure.details == ("Error: no such subnet",)


def test_a_run_cancelled_by_a_person_is_a_failure_though_ecs_serves_the_tag(world: World) -> None:
    def cancel() -> None:
        run = world.pipelines.scripts[101][0].run
        world.pipelines.scripts[101] = deque([RunProgress(replace(run, state=RunState.CANCELLED, changed_by="Ann"))])

    world.pipelines.meanwhile("run", cancel)
    world.services.play(serving("102"))
    report = world.deploy()
    assert report.failure and report.failure.reason == "run-cancelled"
    assert "cancelled by Ann" in report.failure.message


def test_a_missing_right_to_share_runs_is_a_warning(world: World) -> None:
    older = Run(5, "20260101.5", "https://dev/5", RunState.WAITING, 7)
    world.pipelines.play(RunProgress(older), RunProgress(replace(older, state=RunState.SUCCEEDED)))
    world.pipelines.meanwhile("queue", lambda: world.pipelines.listed.append(older))
    world.pipelines.fail("tag", AccessDenied("'Ann' may not do this: Edit build quality is missing."))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert "Edit build quality is missing" in report.warnings[0]


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_unknown_id_of_a_pipeline_stops_before_anything_is_changed(world: World, dry_run: bool) -> None:
    report = world.deploy(vary(world.delivery(), pipeline="99", dry_run=dry_run))
    assert report.failure and report.failure.reason == "pipeline-not-found"
    assert world.changed == []


Arrange = Callable[[World], None]


def _forget_the_end(world: World) -> None:
    world.pipelines.scripts[101].pop()


def _never_starts(world: World) -> None:
    world.pipelines.meanwhile("run", lambda: _forget_the_end(world))


def _never_settles(world: World) -> None:
    world.services.play(serving("101"), serving("102", "IN_PROGRESS"))


@pytest.mark.parametrize(
    ("arrange", "change", "waited_for"),
    [
        pytest.param(
            lambda _: None,
            {"wait_for_image": 9e9, "tag": ImageTag("999")},
            "appear in ECR",
            id="check",
        ),
        pytest.param(_never_starts, {}, "following run", id="run"),
        pytest.param(_never_settles, {}, "waiting for ECS service", id="rollout"),
    ],
)
def test_the_deadline_ends_every_phase_and_names_it(
    world: World, arrange: Arrange, change: dict[str, object], waited_for: str
) -> None:
    arrange(world)
    report = world.deploy(vary(world.delivery(), **change), seconds=90)
    assert (report.outcome, report.exit_code) == (Outcome.TIMED_OUT, 3)
    assert report.failure and waited_for in report.failure.message and "1 min 30 s" in report.failure.message
    assert sum(world.clock.slept) == pytest.approx(90)


def _stop() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("arrange", "doing"),
    [
        pytest.param(lambda w: w.images.meanwhile("find", _stop), "checking", id="check"),
        pytest.param(lambda w: w.parameters.meanwhile("write", _stop), "recording", id="parameter"),
        pytest.param(lambda w: w.pipelines.meanwhile("queue", _stop), "queueing", id="queue"),
        pytest.param(lambda w: w.pipelines.meanwhile("run", _stop), "following run", id="run"),
        pytest.param(lambda w: w.services.meanwhile("snapshot", _stop), "waiting for ECS", id="rollout"),
    ],
)
def test_an_interrupt_in_any_phase_ends_in_a_report_and_stops_nothing(
    world: World, arrange: Arrange, doing: str
) -> None:
    arrange(world)
    report = world.deploy()
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130)
    assert report.failure and doing in report.failure.message
    asking = {"find", "preview", "check_queue_right"}
    assert set(world.pipelines.calls) <= {*asking, "active", "queue", "run", "records"}


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(lambda w: w.images.meanwhile("find", _stop), id="check"),
        pytest.param(lambda w: w.parameters.meanwhile("write", _stop), id="parameter"),
        pytest.param(lambda w: w.pipelines.meanwhile("active", _stop), id="first look"),
        pytest.param(lambda w: w.pipelines.meanwhile("queue", _stop), id="queue"),
        pytest.param(lambda w: w.pipelines.meanwhile("active", lambda: None, _stop), id="second look"),
        pytest.param(lambda w: w.pipelines.meanwhile("run", _stop), id="run"),
        pytest.param(lambda w: w.services.meanwhile("snapshot", _stop), id="rollout"),
    ],
)
def test_a_delivery_stopped_anywhere_and_started_again_ends_deployed(world: World, arrange: Arrange) -> None:
    arrange(world)
    world.deploy()
    assert world.deploy().outcome in (Outcome.DEPLOYED, Outcome.UNCHANGED)
    assert world.parameters.standing(NAME).value == "102"


def test_an_error_is_reported_with_what_was_done_before_it(world: World) -> None:
    world.pipelines.fail("active", Unreachable("dev.azure.com does not answer."))
    report = world.deploy()
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 3)
    assert report.failure and report.failure.retryable
    assert report.parameter and report.parameter.recorded == "written"
    assert "dev.azure.com does not answer." in report.summary


def test_an_obstacle_does_not_wait_for_an_image_that_may_yet_appear(world: World) -> None:
    still_looking = threading.Event()

    def look_long() -> None:
        still_looking.wait(60)

    world.images.meanwhile("find", look_long)
    world.parameters.fail("read", AccessDenied("no ssm"))
    report = world.deploy()
    still_looking.set()
    assert report.failure and report.failure.message == "no ssm"


def test_a_mistake_of_our_own_is_not_dressed_up_as_a_report(world: World) -> None:
    world.images.find = None  # type: ignore[assignment,method-assign]  # a bug, as it were
    with pytest.raises(TypeError):
        world.deploy()


def test_tags_without_order_are_delivered_whatever_was_there(world: World) -> None:
    world.services.play(serving("101"), serving("100"))
    report = world.deploy(vary(world.delivery("100"), order=Order.NONE))
    assert report.outcome is Outcome.DEPLOYED
    assert world.parameters.values(NAME) == ["101", "100"]
