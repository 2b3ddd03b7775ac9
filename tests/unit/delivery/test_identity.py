"""Deliveries judged by the image that runs: tags pushed again, digests that are pinned, and what is asked for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.origin import Origin, Source
from ecs_cd.delivery.promote import Promotion, promote_served
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.delivery.single_steps import verify_rollout
from ecs_cd.errors import AccessDenied
from ecs_cd.model.delivery import DeliveryOptions
from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import VERIFIED
from ecs_cd.model.parameter import ParameterVersion
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, TaskDefinition
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.support.fakes import EPOCH
from tests.unit.delivery.test_deploy import NAME, TARGET, World, fail_the_run

OLD, NEW, NEWER, CHILD = (f"sha256:{digit * 64}" for digit in "1234")
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api"


def running(image: str, *digests: str, state: str = "COMPLETED", unseen: tuple[str, ...] = ()) -> ServiceSnapshot:
    definition = TaskDefinition("arn:aws:ecs:::task-definition/my-api:1", (Container("api", f"{REPOSITORY}{image}"),))
    primary = Deployment("ecs-svc/1", "PRIMARY", definition, state, desired=1, running=1, digests=digests)
    return ServiceSnapshot(TARGET, "ACTIVE", 1, 1, deployments=(primary,), unseen=unseen)


@pytest.fixture
def world() -> World:
    """102 was pushed twice: NEW is under the tag now, OLD was before."""
    world = World()
    for tag, digest in (("101", OLD), ("102", NEW), ("103", NEWER)):
        world.images.push("my-api", tag, digest)
    return world


def recorded(world: World) -> None:
    """Let 102 have been delivered before."""
    world.parameters.write(world.parameters.standing(NAME), "102")
    world.parameters.calls.clear()


def verified(world: World, *, digest: str = "", or_newer: bool = False, **changes: object) -> Report:
    delivery = vary(world.delivery(), digest=digest, **changes)
    deadline = Deadline.after(600, world.clock)
    return verify_rollout(delivery, world.images, world.services, world.logs, or_newer=or_newer, deadline=deadline)


def marks(world: World) -> list[int]:
    return world.parameters.labelled(NAME, VERIFIED)


def test_a_tag_that_was_pushed_again_is_no_success_and_no_run_is_queued_for_it(world: World) -> None:
    recorded(world)
    world.services.play(running(":102", OLD))
    report = world.deploy()
    assert report.failure
    assert (report.failure.reason, report.exit_code) == ("another-image", 1)
    assert OLD in report.failure.message
    assert NEW in report.failure.message
    assert (world.changed, marks(world)) == ([], [])


def test_a_digest_that_the_task_definition_pins_is_replaced_by_a_run(world: World) -> None:
    recorded(world)
    pinned = running(f":102@{OLD}", OLD)
    world.services.play(pinned, pinned, running(f":102@{NEW}", NEW))
    report = world.deploy()
    assert (report.outcome, world.changed) == (Outcome.DEPLOYED, ["queue"])
    assert f"The digest that runs is {NEW}." in report.evidence


def test_a_run_that_does_not_replace_it_is_a_failure(world: World) -> None:
    recorded(world)
    world.services.play(running(f":102@{OLD}", OLD))
    report = world.deploy()
    assert report.failure and report.failure.reason == "another-image"
    assert "have Terraform read it anew" in report.failure.hint
    assert marks(world) == []


def test_a_pinned_digest_is_overtaken_as_a_tag_is(world: World) -> None:
    world.services.play(running(f"@{OLD}", OLD), running(f"@{NEWER}", NEWER))
    report = world.deploy()
    assert report.outcome is Outcome.SUPERSEDED
    assert report.rollout and report.rollout.sentence == f"A newer image serves: {REPOSITORY}@{NEWER} (103 in ECR)."
    assert world.images.calls.count("find_digest") <= 2


def test_a_platform_of_the_image_is_the_image(world: World) -> None:
    world.images.push("my-api", "102", NEW, platforms=[CHILD])
    world.services.play(running(":101", OLD), running(":102", CHILD))
    assert world.deploy().outcome is Outcome.DEPLOYED


def test_a_build_may_have_given_the_digest_of_a_platform(world: World) -> None:
    world.images.push("my-api", "102", NEW, platforms=[CHILD])
    world.services.play(running(":102", NEW))
    assert world.deploy(vary(world.delivery(), digest=CHILD)).outcome is Outcome.DEPLOYED


def test_a_tag_that_is_pushed_again_while_it_is_delivered_is_delivered_with_a_warning(world: World) -> None:
    world.services.play(running(":101", OLD), running(":102", NEWER))
    world.services.meanwhile("snapshot", lambda: world.images.push("my-api", "102", NEWER))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert any("pushed again after it was checked" in warning for warning in report.warnings)


def test_where_the_image_is_not_checked_the_tag_decides(world: World) -> None:
    world.services.play(running(":101"), running(":102", OLD))
    report = world.deploy(vary(world.delivery(), repository=None))
    assert (report.outcome, world.images.calls) == (Outcome.DEPLOYED, [])


def test_where_the_image_is_not_checked_the_builds_digest_still_counts(world: World) -> None:
    world.services.play(running(":101"), running(":102", OLD))
    report = world.deploy(vary(world.delivery(), repository=None, digest=NEW))
    assert report.failure and report.failure.reason == "another-image"
    assert f"the build gave {NEW}" in report.failure.message


def test_what_could_not_be_seen_is_said_once(world: World) -> None:
    refusal = "You are not allowed to perform ecs:DescribeServiceRevisions."
    going = running(":102", state="IN_PROGRESS", unseen=(refusal,))
    world.services.play(running(":101", OLD), going, going, running(":102", unseen=(refusal,)))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert list(report.warnings).count(refusal) == 1
    assert sum("judged by its tag alone" in line for line in report.evidence) == 1


def test_a_failed_run_is_not_excused_by_another_image_under_the_tag(world: World) -> None:
    fail_the_run(world)
    world.services.play(running(":102", OLD))
    report = world.deploy()
    assert report.failure and report.failure.reason == "run-failed"


def test_a_failed_run_is_excused_by_a_newer_image_that_is_named_by_its_digest(world: World) -> None:
    fail_the_run(world)
    world.services.play(running(f"@{OLD}", OLD), running(f"@{NEWER}", NEWER))
    assert world.deploy().outcome is Outcome.SUPERSEDED


# verify


def test_verify_looks_the_tag_up_in_ecr(world: World) -> None:
    world.services.play(running(":102", NEW))
    report = verified(world)
    assert (report.exit_code, report.image and report.image.digest) == (0, NEW)
    world.services.play(running(":102", OLD))
    again = verified(world)
    assert again.failure and again.failure.reason == "another-image"
    assert again.failure.details == ()


def test_verify_holds_to_the_digest_that_the_build_gave(world: World) -> None:
    world.services.play(running(":102", OLD))
    report = verified(world, digest=OLD)
    assert report.exit_code == 0
    assert report.warnings == (
        f"ECR has another image under 102 by now: its digest is {NEW}, and the build gave {OLD}.",
    )
    world.services.play(running(":102", NEW))
    assert verified(world, digest=OLD).exit_code == 1


def test_verify_goes_on_by_the_tag_where_ecr_does_not_tell(world: World) -> None:
    world.services.play(running(":102", OLD))
    world.images.fail("find", AccessDenied("You are not allowed to perform ecr:DescribeImages."))
    report = verified(world)
    assert report.exit_code == 0
    assert "not judged by ECR's digest: You are not allowed" in report.warnings[0]
    del world.images.repositories["my-api"]["102"]
    assert "has no image with this tag any more" in verified(world).warnings[0]


def test_verify_takes_a_newer_digest_only_where_it_may_be_newer(world: World) -> None:
    world.services.play(running(f"@{NEWER}", NEWER))
    assert verified(world, or_newer=True).outcome is Outcome.SUPERSEDED
    assert verified(world).exit_code == 1


# Rollback


def rolled_back(world: World) -> Report:
    clouds = Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs)
    place, deadline = world.delivery().place, Deadline.after(600, world.clock)
    return roll_back(place, clouds, to=ImageTag("101"), deadline=deadline, watch=world.events.append)


def test_a_rollback_says_that_the_tag_was_pushed_again_since(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(world)
    world.services.play(running(":102", NEW), running(":101", OLD))
    at = EPOCH - timedelta(hours=1)
    history = (ParameterVersion(NAME, "101", 1, modified_at=at), ParameterVersion(NAME, "102", 2, modified_at=EPOCH))
    monkeypatch.setattr(world.parameters, "history", lambda _name: history)
    report = rolled_back(world)
    assert report.outcome is Outcome.ROLLED_BACK
    assert "ECR's image 101 was pushed at 2026-01-01 00:00 UTC, after the tag was recorded last" in report.warnings[0]


def test_a_rollback_says_nothing_of_an_image_that_is_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(world)
    world.services.play(running(":102", NEW), running(":101", OLD))
    later = (ParameterVersion(NAME, "101", 1, modified_at=EPOCH + timedelta(hours=1)),)
    monkeypatch.setattr(world.parameters, "history", lambda _name: later)
    assert rolled_back(world).warnings == ()


def test_a_rollback_to_a_tag_that_runs_with_another_digest_is_a_failure(world: World) -> None:
    recorded(world)
    world.services.play(running(":101", NEWER))
    world.images.push("my-api", "103", NEW)
    report = rolled_back(world)
    assert report.failure and report.failure.reason == "another-image"


# Promotion


def promoted(world: World, origin: ServiceSnapshot, **changes: object) -> Report:
    world.services.play(origin)
    there = replace(world.delivery().place, environment="stage", parameter="")
    source = Source(world.images, world.parameters, world.services)
    clouds = Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs)
    place = vary(world.delivery(), **changes).place
    promotion = Promotion(Origin(there), place, DeliveryOptions(dry_run=True))
    return promote_served(promotion, source, clouds, deadline=Deadline.after(600, world.clock))


def test_a_promotion_copies_the_digest_that_runs_and_not_the_one_that_the_tag_has_by_now(world: World) -> None:
    report = promoted(world, running(":102", OLD))
    assert report.failure and report.failure.reason == "image-missing"
    assert OLD in report.failure.message and NEW in report.failure.message
    assert report.origin and report.origin.digest == OLD


def test_a_promotion_finds_the_platform_that_runs_in_the_index_of_the_other_registry(world: World) -> None:
    world.images.push("my-api", "102", NEW, platforms=[CHILD])
    report = promoted(world, running(":102", CHILD))
    assert (report.exit_code, report.origin and report.origin.digest) == (0, CHILD)


def test_a_promotion_takes_the_newest_tag_of_an_image_that_is_named_by_its_digest(world: World) -> None:
    world.images.push("my-api", "99", NEWER)
    report = promoted(world, running(f"@{NEWER}", NEWER))
    assert (report.exit_code, report.tag) == (0, "103")


def test_tasks_with_several_images_under_one_tag_are_not_promoted(world: World) -> None:
    report = promoted(world, running(":102", OLD, NEW))
    assert report.failure and report.failure.reason == "nothing-to-promote"
    assert f"several images under 102: {OLD}" in report.failure.message
