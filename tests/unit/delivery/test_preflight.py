"""Which refusals count: those of a delivery that goes on to a run, and before it changes anything (rule 1)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ecs_cd.errors import QueueRefused
from ecs_cd.model.labels import GATE, HELD, VERIFIED
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter
from ecs_cd.model.run import Pipeline, QueueStatus
from ecs_cd.report.facts import Outcome
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import NAME, World, serving

Arrange = Callable[[World], None]


@pytest.fixture
def world() -> World:
    return World()


def pause(world: World) -> None:
    world.pipelines.known = (Pipeline(7, "infra", "\\platform", queue_status=QueueStatus.PAUSED),)


def remove_service(world: World) -> None:
    world.services.scripts.clear()


def record(world: World, value: str, *labels: str) -> None:
    world.parameters.put(Parameter(NAME, value, 0))
    for label in labels:
        world.parameters.label(NAME, len(world.parameters.values(NAME)), label)
    world.parameters.calls.clear()


def serve(world: World, tag: str) -> None:
    record(world, tag)
    world.services.play(serving(tag))


def test_everything_is_asked_at_the_same_time(world: World) -> None:
    together = threading.Barrier(5)

    def wait() -> None:
        together.wait(5)

    world.images.meanwhile("find", wait)
    world.parameters.meanwhile("read", wait)
    world.pipelines.meanwhile("find", wait)
    world.pipelines.meanwhile("preview", wait)
    world.services.meanwhile("brief", wait)
    assert world.deploy(vary(world.delivery(), pipeline="7", dry_run=True)).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("arrange", [pause, remove_service])
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_would_fail_is_refused_and_nothing_is_changed(world: World, arrange: Arrange, dry_run: bool) -> None:
    arrange(world)
    report = world.deploy(vary(world.delivery(), dry_run=dry_run, rollback_on_failure=True))
    assert report.failure and report.failure.reason in ("queue-refused", "service-missing")
    assert [phase.phase for phase in report.phases] == ["check"]
    assert world.changed == []


@pytest.mark.parametrize(
    ("arrange", "outcome"),
    [
        pytest.param(lambda w: record(w, "103"), Outcome.SUPERSEDED, id="superseded"),
        pytest.param(lambda w: record(w, "101", GATE, HELD), Outcome.HELD, id="held"),
        pytest.param(lambda w: serve(w, "102"), Outcome.UNCHANGED, id="unchanged"),
    ],
)
def test_a_delivery_that_needs_no_run_is_not_refused(world: World, arrange: Arrange, outcome: Outcome) -> None:
    arrange(world)
    pause(world)
    assert world.deploy().outcome is outcome


def test_a_recorded_tag_that_does_not_serve_needs_a_run(world: World) -> None:
    record(world, "102")
    pause(world)
    report = world.deploy()
    assert report.failure and report.failure.reason == "queue-refused"


@pytest.mark.parametrize(
    ("value", "labels", "order", "goes_on"),
    [
        ("none", (), Order.NUMERIC, True),
        ("none", (), Order.NONE, False),
        ("101", (), Order.NUMERIC, False),
        ("102", (), Order.NUMERIC, True),
        ("102", (VERIFIED,), Order.NUMERIC, False),
    ],
)
def test_a_missing_service_is_expected_at_the_first_delivery_alone(
    world: World, value: str, labels: tuple[str, ...], order: Order, goes_on: bool
) -> None:
    """Terraform may create the service in the delivery's own run; a name that is wrong must not cost one."""
    record(world, value, *labels)
    remove_service(world)
    world.pipelines.meanwhile("queue", lambda: world.services.play(serving("102")))
    world.deploy(vary(world.delivery(), order=order))
    assert ("queue" in world.pipelines.calls) is goes_on


def test_a_parameter_that_is_created_shows_the_first_delivery(world: World) -> None:
    remove_service(world)
    world.pipelines.meanwhile("queue", lambda: world.services.play(serving("102")))
    delivery = vary(world.delivery(), parameter="/new", create_parameter=True)
    assert world.deploy(delivery).outcome is Outcome.DEPLOYED


def test_a_missing_service_can_be_allowed(world: World) -> None:
    remove_service(world)
    world.pipelines.meanwhile("queue", lambda: world.services.play(serving("102")))
    assert world.deploy(vary(world.delivery(), allow_missing_service=True)).outcome is Outcome.DEPLOYED


def test_of_two_refusals_the_second_is_a_detail_of_the_first(world: World) -> None:
    pause(world)
    remove_service(world)
    failure = world.deploy().failure
    assert failure and failure.reason == "queue-refused"
    assert failure.details == ("ECS cluster 'development' has no service 'my-api'.",)


def test_the_refusal_that_several_services_share_is_not_added_to(world: World) -> None:
    refusal = QueueRefused("No.")
    world.pipelines.fail("preview", refusal)
    remove_service(world)
    assert world.deploy().failure
    assert refusal.details == ()


def test_the_service_as_it_was_checked_is_what_later_events_are_told_apart_from(world: World) -> None:
    assert world.deploy().outcome is Outcome.DEPLOYED
    assert world.services.calls == ["brief", "snapshot", "snapshot"]


def test_a_check_that_outlasts_the_deadline_changes_nothing(world: World) -> None:
    world.services.meanwhile("brief", lambda: world.clock.advance(601))
    report = world.deploy(seconds=600)
    assert report.outcome is Outcome.TIMED_OUT
    assert report.failure and "while checking that 102 can be delivered" in report.failure.message
    assert world.changed == []
