"""A deployment that waits for somebody: what is said of it, and how it is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from ecs_cd.delivery.continue_rollout import ContinueResult, continue_now
from ecs_cd.errors import AccessDenied, NothingWaits, RolloutFailed, SettingsError
from ecs_cd.model.events import RolloutChanged
from ecs_cd.model.service import ServiceSnapshot
from ecs_cd.model.service_deployment import LifecycleHook
from ecs_cd.report.facts import Outcome
from tests.unit.delivery.test_deploy import World, serving
from tests.unit.delivery.test_deploy_with_record import recorded

NOON = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
HOOK = LifecycleHook("hook-1", "PAUSE", "AWAITING_ACTION", expires_at=NOON, timeout_action="ROLLBACK", since=NOON)
IN_PROGRESS = serving("102", "IN_PROGRESS")
WAITING = recorded(IN_PROGRESS, "IN_PROGRESS", stage="PRE_SCALE_UP", hooks=(HOOK,))


@pytest.fixture
def world() -> World:
    return World()


def answer(world: World, snapshot: ServiceSnapshot, **how: bool) -> ContinueResult:
    world.services.play(snapshot)
    return continue_now(world.delivery().place, world.services, **how)


@pytest.mark.parametrize(
    ("how", "answered", "text"),
    [
        ({}, [("arn:sd/102", "hook-1", False)], "my-api in development goes on: its deployment 102 has waited at"),
        ({"rollback": True}, [("arn:sd/102", "hook-1", True)], "my-api in development is rolled back: its"),
        ({"dry_run": True}, [], "my-api in development would go on: its deployment"),
        ({"dry_run": True, "rollback": True}, [], "my-api in development would be rolled back: its deployment"),
    ],
)
def test_a_deployment_that_waits_is_answered(
    world: World, how: dict[str, bool], answered: list[tuple[str, str, bool]], text: str
) -> None:
    found = answer(world, WAITING, **how)
    assert world.services.answered == answered
    assert found.to_text().startswith(text)
    assert found.to_text().endswith("has waited at PRE_SCALE_UP since 2026-11-28 12:00 UTC.")
    assert (found.stage, found.hooks) == ("PRE_SCALE_UP", ("hook-1",))


def test_every_hook_that_waits_is_answered(world: World) -> None:
    record = WAITING.service_deployment
    assert record
    second = replace(HOOK, id="hook-2")
    answer(world, replace(WAITING, service_deployment=replace(record, hooks=(HOOK, second))))
    assert [hook for _, hook, _ in world.services.answered] == ["hook-1", "hook-2"]


def two_waiting() -> ServiceSnapshot:
    assert WAITING.service_deployment
    hooks = (HOOK, replace(HOOK, id="hook-2"))
    return replace(WAITING, service_deployment=replace(WAITING.service_deployment, hooks=hooks))


def test_one_answer_rolls_back_whatever_waits(world: World) -> None:
    assert answer(world, two_waiting(), rollback=True).hooks == ("hook-1",)
    assert world.services.answered == [("arn:sd/102", "hook-1", True)]


def test_an_answer_that_is_refused_says_which_was_given_before(world: World) -> None:
    refuse = lambda: world.services.fail("answer_hook", AccessDenied("Nobody waits there."))  # noqa: E731 - one act
    world.services.meanwhile("answer_hook", lambda: None, refuse)
    with pytest.raises(AccessDenied) as caught:
        answer(world, two_waiting())
    assert caught.value.details == ("hook 'hook-1' was answered before",)


@pytest.mark.parametrize(
    ("snapshot", "message"),
    [
        (recorded(IN_PROGRESS, "IN_PROGRESS", stage="BAKE_TIME"), "its latest one is IN_PROGRESS at BAKE_TIME."),
        (recorded(serving("102"), "SUCCESSFUL", stage="CLEAN_UP"), "waits for somebody: its latest one is SUCCESSFUL."),
        (recorded(serving("101"), "ROLLBACK_SUCCESSFUL", hooks=(HOOK,)), "its latest one is ROLLBACK_SUCCESSFUL."),
        (serving("102"), "It has no deployment that ECS keeps a record of."),
        (replace(serving("102"), unseen=("Not allowed.",)), "Nothing is known to wait in ECS service 'my-api' in"),
    ],
)
def test_where_nothing_waits_one_sentence_says_so(world: World, snapshot: ServiceSnapshot, message: str) -> None:
    with pytest.raises(NothingWaits) as caught:
        answer(world, snapshot)
    assert message in caught.value.message
    assert world.services.answered == []


def test_a_missing_service_and_a_missing_name_are_told_apart(world: World) -> None:
    world.services.scripts.clear()
    with pytest.raises(RolloutFailed, match="has no service 'my-api'"):
        continue_now(world.delivery().place, world.services)
    with pytest.raises(SettingsError, match="There is no ECS service named"):
        continue_now(replace(world.delivery().place, target=None), world.services)


def test_what_aws_refuses_is_told(world: World) -> None:
    world.services.fail("answer_hook", AccessDenied("Cannot continue."))
    with pytest.raises(AccessDenied):
        answer(world, WAITING)


# While a delivery follows it


def test_a_delivery_says_who_is_waited_for_and_how_to_answer_and_goes_on_after_that(world: World) -> None:
    world.services.play(
        serving("101"), WAITING, recorded(IN_PROGRESS, "IN_PROGRESS"), recorded(serving("102"), "SUCCESSFUL")
    )
    assert world.deploy().outcome is Outcome.DEPLOYED
    told = [event.verdict.sentence for event in world.events if isinstance(event, RolloutChanged)]
    assert "It waits at PRE_SCALE_UP since 2026-11-28 12:00 UTC for somebody to let it continue" in told[0]
    assert "at 2026-11-28 12:00 UTC it is rolled back by itself." in told[0]
    assert told[0].endswith("`ecs_cd.continue_rollout('my-api', 'development')` lets it go on.")
    assert "continue" not in told[1]


def test_a_deadline_at_a_pause_says_what_is_waited_for_and_how_to_answer(world: World) -> None:
    world.services.play(serving("101"), WAITING)
    report = world.deploy(seconds=60)
    assert report.outcome is Outcome.TIMED_OUT
    assert report.failure
    assert "It waits at PRE_SCALE_UP" in report.failure.details[0]
    assert report.failure.hint.startswith("`ecs_cd.continue_rollout('my-api', 'development')` lets it go on.")
