"""A scheduled task has no ECS service: what is seen is the latest revision of its task definition."""

from __future__ import annotations

from collections import deque

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.delivery.single_steps import verify_rollout
from ecs_cd.model.delivery import Delivery
from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import VERIFIED
from ecs_cd.model.service import Container, TaskDefinition, TaskTarget
from ecs_cd.report.facts import Outcome
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import DIGEST, NAME, World

FAMILY = "my-report"


def revision(number: int, image: str) -> TaskDefinition:
    return TaskDefinition(f"arn:aws:ecs:::task-definition/{FAMILY}:{number}", (Container("api", image),))


@pytest.fixture
def world() -> World:
    made = World()
    made.services.families[FAMILY] = deque([revision(12, "r.io/my-api:102")])
    return made


def to_task(world: World, tag: str = "102") -> Delivery:
    return vary(world.delivery(tag), target=None, task=TaskTarget(FAMILY, repository="my-api"))


def test_a_tag_that_the_latest_revision_has_is_applied_and_verified(world: World) -> None:
    report = world.deploy(to_task(world))
    assert report.outcome is Outcome.APPLIED
    assert report.run
    assert report.summary == (
        f"my-api 102 in development: applied by run {report.run.name}; the next task of my-report runs it."
    )
    assert "The latest revision, my-report:12, has r.io/my-api:102." in report.evidence
    assert world.parameters.labelled(NAME, VERIFIED) == [2]


def test_the_latest_revision_is_judged_by_digest_where_it_names_one(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(12, f"r.io/my-api@{DIGEST}")])
    assert world.deploy(to_task(world)).outcome is Outcome.APPLIED


def test_a_revision_that_shows_a_moment_late_is_waited_for(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(11, "r.io/my-api:101"), revision(12, "r.io/my-api:102")])
    assert world.deploy(to_task(world)).outcome is Outcome.APPLIED


def test_a_run_that_made_no_new_revision_is_a_failure_and_verifies_nothing(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(11, "r.io/my-api:101")])
    report = world.deploy(to_task(world))
    assert report.failure
    assert (report.failure.reason, report.exit_code) == ("not-applied", 1)
    assert "The latest revision, my-report:11, has r.io/my-api:101." in report.failure.message
    assert world.parameters.labelled(NAME, VERIFIED) == []


def test_a_newer_tag_in_the_latest_revision_supersedes(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(13, "r.io/my-api:103")])
    assert world.deploy(to_task(world)).outcome is Outcome.SUPERSEDED


def test_a_recorded_tag_that_the_latest_revision_has_needs_no_run(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(11, "r.io/my-api:101")])
    report = world.deploy(to_task(world, "101"))
    assert (report.outcome, world.changed) == (Outcome.UNCHANGED, [])


def test_a_rollback_says_what_was_seen_of_the_task_definition(world: World) -> None:
    world.services.families[FAMILY] = deque([revision(12, "r.io/my-api:100")])
    clouds = Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs)
    place = to_task(world).place
    report = roll_back(place, clouds, to=ImageTag("100"), deadline=Deadline.after(600, world.clock))
    assert report.outcome is Outcome.ROLLED_BACK
    assert report.summary.endswith("the next task of my-report runs it. It is held there.")


@pytest.mark.parametrize(
    ("image", "outcome", "code", "text"),
    [
        ("r.io/my-api:102", Outcome.UNCHANGED, 0, "the next task of my-report runs it"),
        ("r.io/my-api:103", Outcome.FAILED, 1, "does not have 102. The latest revision, my-report:12, has"),
        (f"r.io/my-api@{DIGEST}", Outcome.UNCHANGED, 0, "the next task of my-report runs it"),
        ("", Outcome.FAILED, 1, "There is no task definition 'my-report'."),
    ],
)
def test_verify_looks_at_the_latest_revision(world: World, image: str, outcome: Outcome, code: int, text: str) -> None:
    world.services.families[FAMILY] = deque([revision(12, image)] if image else [])
    report = verify_rollout(
        to_task(world), world.images, world.services, world.logs, deadline=Deadline.after(60, world.clock)
    )
    assert (report.outcome, report.exit_code) == (outcome, code)
    assert text in report.summary


def test_a_digest_that_a_newer_tag_has_supersedes_in_a_task_definition_too(world: World) -> None:
    newer = f"sha256:{'b' * 64}"
    world.images.push("my-api", "103", newer)
    world.services.families[FAMILY] = deque([revision(12, f"r.io/my-api@{newer}")])
    deadline = Deadline.after(60, world.clock)
    report = verify_rollout(to_task(world), world.images, world.services, world.logs, or_newer=True, deadline=deadline)
    assert report.outcome is Outcome.SUPERSEDED
    assert verify_rollout(to_task(world), world.images, world.services, world.logs, deadline=deadline).exit_code == 1
