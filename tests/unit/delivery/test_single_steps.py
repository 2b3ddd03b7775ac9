"""Single steps over in-memory clouds: each does what it says and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.delivery.single_steps import record_only, verify_rollout
from ecs_cd.errors import ImageMissing, WrongInput
from ecs_cd.model.service import ServiceSnapshot
from ecs_cd.report.facts import Outcome
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import DIGEST, NAME, TARGET, World, serving


@pytest.fixture
def world() -> World:
    return World()


def test_verify_changes_nothing_and_tells_what_serves(world: World) -> None:
    world.services.play(serving("102", "IN_PROGRESS"), serving("102"))
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert (report.outcome, report.summary) == (Outcome.UNCHANGED, "my-api 102 is served in development.")
    assert report.rollout and report.rollout.image == "r.io/my-api:102"


def test_verify_fails_where_a_newer_tag_serves(world: World) -> None:
    world.services.play(serving("103"))
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert report.failure
    assert (report.failure.reason, report.exit_code) == ("not-served", 1)
    assert report.failure.message == "'my-api' does not serve 102. The service runs r.io/my-api:103."
    assert report.failure.details == ()


def test_verify_does_not_take_an_old_rollback_for_that_of_a_tag_that_nothing_shows(world: World) -> None:
    put_back = replace(serving("101").deployments[0], rollout_reason="ECS circuit breaker: rolling back to ecs-svc/1.")
    world.services.play(replace(serving("101"), deployments=(put_back,)))
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert report.failure and report.failure.reason == "not-served"
    assert report.failure.message.startswith("'my-api' does not serve 102.")


def test_verify_or_newer_says_that_a_newer_tag_serves(world: World) -> None:
    world.services.play(serving("103"))
    deadline = Deadline.after(60, world.clock)
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, or_newer=True, deadline=deadline
    )
    assert report.outcome is Outcome.SUPERSEDED
    assert report.summary == "my-api 102 in development is superseded: a newer tag takes its place."


def test_verify_fails_where_nothing_can_be_judged(world: World) -> None:
    world.services.play(ServiceSnapshot(TARGET, "ACTIVE", 1, 1, controller="EXTERNAL"))
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert report.rollout and report.rollout.serving == "not-judged"
    assert (report.failure and report.failure.reason, report.exit_code) == ("not-served", 1)


def test_verify_fails_where_no_ecs_service_is_named(world: World) -> None:
    report = verify_rollout(
        vary(world.delivery(), target=None),
        world.images,
        world.services,
        world.logs,
        deadline=Deadline.after(60, world.clock),
    )
    assert (report.failure and report.failure.reason, report.exit_code) == ("settings", 2)


def test_verify_fails_where_something_else_serves(world: World) -> None:
    report = verify_rollout(
        world.delivery("999"), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert (report.failure and report.failure.reason, report.exit_code) == ("not-served", 1)


def test_verify_interrupted_says_so(world: World) -> None:

    def stop() -> None:
        raise KeyboardInterrupt

    world.services.meanwhile("snapshot", stop)
    report = verify_rollout(
        world.delivery(), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert report.outcome is Outcome.INTERRUPTED


def test_record_writes_the_tag_of_an_image_that_exists_and_nothing_else(world: World) -> None:
    deadline = Deadline.after(60, world.clock)
    checked, change = record_only(world.delivery(), world.images, world.parameters, deadline=deadline)
    assert (checked.digest, change.new) == (DIGEST, "102")
    assert world.parameters.values(NAME) == ["101", "102"]
    assert (world.pipelines.calls, world.services.calls) == ([], [])
    with pytest.raises(ImageMissing):
        record_only(world.delivery("999"), world.images, world.parameters, deadline=deadline)
    with pytest.raises(WrongInput):
        record_only(world.delivery("v1"), world.images, world.parameters, deadline=deadline)
    assert world.parameters.values(NAME) == ["101", "102"]
