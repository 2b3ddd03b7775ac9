"""Deliveries are composed of steps: each can be used by itself, and none is changed by overriding another's insides."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import ecs_cd.delivery
from ecs_cd.delivery.context import Clouds, DeliveryContext
from ecs_cd.delivery.deploy import deploy_into
from ecs_cd.delivery.on_failure import with_rollback
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.steps import Carry, apply, check, mark_as_verified, record, verify, verify_without_run
from ecs_cd.errors import NotApplied, RolloutFailed
from ecs_cd.model.delivery import Delivery
from ecs_cd.model.events import Event, PhaseStarted, RunChanged, RunChosen, Warned, Watch
from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import VERIFIED, Mark
from ecs_cd.model.parameter import ParameterChange, Recorded
from ecs_cd.model.run import FinishedRun, Run, RunOrigin, RunProgress, RunState
from ecs_cd.report.facts import HoldFact, Outcome
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import DIGEST, NAME, TARGET, World, serving

WANTED = Wanted(ImageTag("102"))
RUN = Run(5, "20260101.5", "https://dev/5", RunState.SUCCEEDED, 7)


@pytest.fixture
def world() -> World:
    return World()


def context_of(world: World, delivery: Delivery | None = None) -> DeliveryContext:
    delivery = delivery or world.delivery()
    report = ReportBuilder(delivery.place, Deadline.after(600, world.clock), world.events.append, delivery.tag)
    return DeliveryContext(Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs), report)


def carrier(finished: FinishedRun, *events: Event) -> Carry:
    def carry(change: ParameterChange, note: Watch) -> FinishedRun:
        for event in events:
            note(event)
        return finished

    return carry


def test_no_class_of_a_delivery_inherits_from_another() -> None:
    inheriting = [
        f"{path.name}: {node.name}"
        for path in Path(ecs_cd.delivery.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.bases
    ]
    assert inheriting == []


def test_a_check_changes_nothing_and_returns_what_the_next_steps_need(world: World) -> None:
    checked = check(world.delivery(), context_of(world))
    assert (checked.image.digest, checked.pipeline.id) == (DIGEST, 7)
    assert checked.parameter.parameter and checked.parameter.parameter.value == "101"
    assert world.changed == []


def test_recording_writes_the_parameter_and_queues_nothing(world: World) -> None:
    context = context_of(world)
    checked = check(world.delivery(), context)
    change = record(world.delivery(), checked.image, context, checked.parameter)
    assert (change.recorded, change.version) == (Recorded.WRITTEN, 2)
    assert context.report.change == change
    assert world.changed == ["write"]


def test_a_carrier_decides_what_is_shown_of_a_run_and_the_report_notes_it_either_way(world: World) -> None:
    context = context_of(world)
    checked = check(world.delivery(), context)
    change = record(world.delivery(), checked.image, context)
    world.events.clear()
    events = (RunChosen(RUN, RunOrigin.JOINED, 2), RunChanged(RunProgress(RUN)), Warned("Slow."))
    carry = carrier(FinishedRun(RUN, origin=RunOrigin.JOINED, attempts=2), *events)
    applied = apply(
        carry, change, context, pipeline=checked.pipeline, target=TARGET, wanted=WANTED, before=checked.service
    )
    assert applied.joined
    assert applied.before == serving("101")
    assert world.services.calls == ["brief"]
    assert not any(isinstance(event, RunChosen | RunChanged | Warned) for event in world.events)
    report = context.report.succeeded(Outcome.DEPLOYED)
    assert report.run and (report.run.id, report.run.origin, report.run.attempts) == (5, "joined", 2)
    assert report.warnings == ("Slow.",)


def test_verifying_needs_no_run_before_it(world: World) -> None:
    world.services.play(serving("102", "IN_PROGRESS"), serving("102"))
    verified = verify(world.delivery().place, WANTED, context_of(world))
    assert (verified.outcome, verified.serves) == (Outcome.DEPLOYED, True)
    assert world.pipelines.calls == []


@pytest.mark.parametrize(("state", "outcome"), [("COMPLETED", Outcome.UNCHANGED), ("IN_PROGRESS", Outcome.DEPLOYED)])
def test_what_serves_or_is_rolling_out_needs_no_run(world: World, state: str, outcome: Outcome) -> None:
    world.services.play(serving("102", state), serving("102", state), serving("102"))
    verified = verify_without_run(world.delivery().place, WANTED, context_of(world))
    assert verified and (verified.outcome, verified.serves) == (outcome, True)


def test_what_does_not_serve_needs_a_run(world: World) -> None:
    context = context_of(world)
    assert verify_without_run(world.delivery().place, WANTED, context) is None
    assert verify_without_run(vary(world.delivery(), target=None).place, WANTED, context) is None
    with pytest.raises(NotApplied):
        verify(world.delivery().place, Wanted(ImageTag("999")), context)


def test_only_what_was_seen_to_serve_is_marked(world: World) -> None:
    context = context_of(world)
    marks = world.parameters.standing(NAME).marks
    seen = verify(vary(world.delivery(), target=None).place, WANTED, context)
    mark_as_verified(seen, NAME, marks, Mark(1, "101"), context)
    assert world.parameters.labelled(NAME, VERIFIED) == []
    mark_as_verified(replace(seen, serves=True), NAME, marks, Mark(1, "101"), context)
    assert world.parameters.labelled(NAME, VERIFIED) == [1]


def test_the_report_of_a_failure_keeps_its_facts_and_gains_those_of_its_rollback(world: World) -> None:
    failed = replace(context_of(world).report.failed(RolloutFailed("No.", hint="Fix it.")), warnings=("Slow.",))
    back = world.deploy()
    hold = HoldFact("held", "101", 3, "102")
    both = with_rollback(failed, replace(back, outcome=Outcome.ROLLED_BACK, tag="101", hold=hold))
    assert (both.outcome, both.exit_code, both.tag, both.run) == (Outcome.FAILED, 1, "102", None)
    assert both.summary == f"{failed.summary} It was rolled back to 101 and is held there."
    assert (both.hold, both.evidence, both.phases) == (hold, back.evidence, back.phases)
    assert both.failure and both.failure.hint.startswith("Fix it. Then run ")
    assert both.warnings == ("Slow.",)


def test_a_rollback_that_failed_as_well_is_said_once_with_the_one_next_step(world: World) -> None:
    failed = context_of(world).report.failed(RolloutFailed("No.", hint="Fix it."))
    back = world.deploy(world.delivery("999"))
    assert back.failure
    both = with_rollback(failed, back)
    assert "Rolling it back failed, too: " in both.summary
    assert both.failure and both.failure.hint == f"Fix it. {back.failure.hint}"
    assert both.to_text().count(back.failure.message) == 1
    assert both.warnings == ()


def test_a_next_step_that_both_have_is_said_once(world: World) -> None:
    failed = context_of(world).report.failed(RolloutFailed("No.", hint="Fix it."))
    assert failed.failure
    both = with_rollback(failed, replace(failed, failure=replace(failed.failure, message="Nor this.")))
    assert both.failure and both.failure.hint == "Fix it."


def test_a_promotion_s_report_goes_on_where_its_look_at_the_origin_ended(world: World) -> None:
    context = context_of(world)
    context.report.add_evidence("Stage serves 102.")
    world.clock.advance(30)
    report = deploy_into(world.delivery(), context)
    assert report.evidence[0] == "Stage serves 102."
    assert report.seconds >= 30


def test_an_earlier_attempt_that_died_in_its_rollback_is_finished_without_advice_to_do_so(world: World) -> None:
    world.services.play(serving("101"), serving("102", "FAILED", "tasks failed to start"), serving("101"))
    world.parameters.label(NAME, 1, VERIFIED)
    world.parameters.meanwhile("write", lambda: None, _stop)
    wanted = vary(world.delivery(), rollback_on_failure=True)
    world.deploy(wanted)
    assert world.parameters.standing(NAME).marks.rolling_back
    world.events.clear()
    report = world.deploy(wanted)
    assert "rolled back to 101" in report.summary
    assert not [event for event in world.events if isinstance(event, Warned)]
    assert [event.phase.value for event in world.events if isinstance(event, PhaseStarted)].count("parameter") == 2


def _stop() -> None:
    raise KeyboardInterrupt
