"""Rollback, hold and unhold over in-memory clouds: what is gone back to, what stays, and who yields (rule 12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.deploy import deploy_service
from ecs_cd.delivery.hold import HoldResult, hold_now, unhold_now
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.errors import AccessDenied, ParameterRefused, Throttled
from ecs_cd.model.image import ImageTag
from ecs_cd.model.labels import FLOOR, GATE, HELD, VERIFIED, VERIFIED_BEFORE
from ecs_cd.model.parameter import Parameter
from ecs_cd.model.service import ServiceSnapshot
from ecs_cd.parameter.hold import place_hold
from ecs_cd.parameter.record import read_parameter
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.support.fakes import FakeParameters
from tests.unit.delivery.test_deploy import DIGEST, NAME, TARGET, serving
from tests.unit.delivery.test_deploy import World as DeliveryWorld


class World(DeliveryWorld):
    """102 was delivered over 101; both were verified."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.images.push("my-api", "104", DIGEST)
        self.parameters.put(Parameter(NAME, "102", 0))
        self.parameters.label(NAME, 1, VERIFIED_BEFORE)
        self.parameters.label(NAME, 2, VERIFIED)
        self.forget()
        self.services.play(serving("102"), serving("101", "IN_PROGRESS"), serving("101"))

    def forget(self) -> None:
        self.parameters.calls.clear()
        self.pipelines.calls.clear()

    @property
    def clouds(self) -> Clouds:
        return Clouds(self.images, self.parameters, self.pipelines, self.services, self.logs)

    def rollback(self, to: str = "", *, only_over: str = "", dry_run: bool = False) -> Report:
        return roll_back(
            self.delivery().place,
            self.clouds,
            to=ImageTag(to) if to else None,
            only_over=only_over,
            dry_run=dry_run,
            deadline=Deadline.after(600, self.clock),
            watch=self.events.append,
        )

    def try_to(self, tag: str, *then: ServiceSnapshot, on_failure: bool = True) -> Report:
        """Deliver a tag, with what ECS shows from then on."""
        if then:
            self.services.play(*then)
        wanted = vary(self.delivery(tag), rollback_on_failure=on_failure)
        deadline = Deadline.after(600, self.clock)
        return deploy_service(wanted, self.clouds, deadline=deadline, watch=self.events.append)

    def hold(self, *, dry_run: bool = False) -> HoldResult:
        deadline = Deadline.after(60, self.clock)
        return hold_now(self.delivery().place, self.parameters, deadline=deadline, dry_run=dry_run)

    def unhold(self, *, dry_run: bool = False) -> HoldResult:
        deadline = Deadline.after(60, self.clock)
        return unhold_now(self.delivery().place, self.parameters, deadline=deadline, dry_run=dry_run)

    def by_another(self, *tags: str) -> None:
        for tag in tags:
            self.parameters.put(Parameter(NAME, tag, 0))

    @property
    def holds(self) -> str:
        """What the parameter holds, and whether it is held there."""
        there = self.parameters.standing(NAME)
        return f"{there.value} held" if there.marks.holds else there.value


@pytest.fixture
def world() -> World:
    return World()


# Rollback


def test_a_rollback_goes_to_the_version_proved_before_the_one_that_serves(world: World) -> None:
    report = world.rollback()
    assert (report.outcome, report.exit_code, report.tag) == (Outcome.ROLLED_BACK, 0, "101")
    assert world.holds == "101 held"
    assert world.changed == ["write", "unlabel", "queue"]
    assert report.hold and (report.hold.state, report.hold.tag, report.hold.previous_tag) == ("held", "101", "102")
    assert report.summary == "my-api in development is rolled back to 101 and held there."
    assert report.rollout and report.rollout.image == "r.io/my-api:101"
    assert [phase.phase for phase in report.phases] == ["check", "parameter", "run", "rollout"]
    assert report.image and report.image.digest == DIGEST


def test_what_was_left_is_verified_no_more_and_what_was_gone_back_to_is(world: World) -> None:
    world.rollback()
    assert world.parameters.labelled(NAME, VERIFIED) == [3]
    assert world.parameters.standing(NAME).marks.verified.value == "101"
    assert world.parameters.standing(NAME).marks.verified_before.value in ("", "101")


def test_a_version_that_was_never_proved_is_left_for_the_one_proved_last(world: World) -> None:
    world.by_another("103")
    world.services.play(serving("103"), serving("102"))
    assert world.rollback().tag == "102"
    assert world.parameters.standing(NAME).marks.verified_before.value == "101"


def test_a_rollback_may_go_to_any_tag_whose_image_is_there(world: World) -> None:
    world.services.play(serving("102"), serving("100"))
    report = world.rollback("100")
    assert (report.outcome, world.holds) == (Outcome.ROLLED_BACK, "100 held")


@pytest.mark.parametrize("to", ["", "999"])
def test_a_rollback_to_an_image_that_is_gone_changes_nothing(world: World, to: str) -> None:
    del world.images.repositories["my-api"]["101"]
    report = world.rollback(to)
    assert report.failure and report.failure.reason == "image-missing"
    assert world.changed == []


def test_nothing_verified_to_go_back_to_is_said_with_what_to_do(world: World) -> None:
    world.parameters.unlabel(NAME, 1, VERIFIED_BEFORE)
    world.forget()
    report = world.rollback()
    assert (report.outcome, report.exit_code, report.tag) == (Outcome.FAILED, 1, "")
    assert report.failure and report.failure.reason == "nothing-verified"
    assert "`to=`" in report.failure.hint
    assert report.summary.startswith("my-api in development: No version of")
    assert world.changed == []


def test_only_the_version_that_was_verified_is_said_to_have_served(world: World) -> None:
    world.parameters.unlabel(NAME, 1, VERIFIED_BEFORE)
    report = world.rollback()
    assert report.failure
    assert report.failure.message.startswith(f"No version of '{NAME}' but 102 is known to have served")
    world.parameters.unlabel(NAME, 2, VERIFIED)
    report = world.rollback()
    assert report.failure
    assert report.failure.message.startswith(f"No version of '{NAME}' is known to have served")


def test_a_rollback_on_failure_with_nothing_verified_names_no_argument_that_a_delivery_has_not(world: World) -> None:
    world.parameters.unlabel(NAME, 1, VERIFIED_BEFORE)
    world.parameters.unlabel(NAME, 2, VERIFIED)
    report = world.rollback(only_over="102")
    assert report.failure
    assert report.failure.message.startswith(f"No version of '{NAME}' is known to have served")
    assert report.failure.hint == "Deliver a tag that works, or roll back to a tag by hand."


@pytest.mark.parametrize("call", ["rollback", "hold", "unhold", "read"])
def test_a_missing_parameter_is_not_said_to_be_created_where_nothing_can_ask_for_it(world: World, call: str) -> None:
    world.parameters = FakeParameters()
    if call == "rollback":
        failure = world.rollback().failure
        assert failure
        hint = failure.hint
    else:
        calls: dict[str, Callable[[], object]] = {
            "hold": world.hold,
            "unhold": world.unhold,
            "read": lambda: read_parameter(world.parameters, NAME),
        }
        with pytest.raises(ParameterRefused) as caught:
            calls[call]()
        hint = caught.value.hint
    assert hint == "Create it with Terraform, which then owns its existence."


def test_a_dry_run_of_a_rollback_says_where_it_would_go_and_changes_nothing(world: World) -> None:
    report = world.rollback(dry_run=True)
    assert (report.outcome, report.tag) == (Outcome.UNCHANGED, "101")
    assert world.changed == []
    assert f"{NAME} would be changed from 102 to 101 and held there." in report.evidence
    assert "Would join or queue a run of \\platform\\infra on refs/heads/develop." in report.evidence


def test_a_rollback_that_was_done_is_not_done_again(world: World) -> None:
    world.rollback()
    world.forget()
    report = world.rollback()
    assert (report.outcome, report.tag, world.changed) == (Outcome.UNCHANGED, "101", [])


def test_a_held_version_that_was_not_verified_is_applied_and_verified_by_the_next_rollback(world: World) -> None:
    world.services.play(serving("102"))
    assert world.rollback().failure
    world.forget()
    world.services.play(serving("101"))
    report = world.rollback()
    assert (report.outcome, world.changed) == (Outcome.ROLLED_BACK, ["queue"])
    assert world.parameters.labelled(NAME, VERIFIED) == [3]


def test_a_rollback_to_the_tag_that_is_recorded_does_not_take_its_verified_mark_off(world: World) -> None:
    world.pipelines.fail("queue", AccessDenied("Not allowed."))
    report = world.rollback("102")
    assert (report.outcome, world.holds) == (Outcome.FAILED, "102 held")
    assert world.parameters.labelled(NAME, VERIFIED) == [2]
    assert world.parameters.labelled(NAME, VERIFIED_BEFORE) == [1]


def test_after_an_unhold_a_second_rollback_never_goes_to_what_the_first_one_left(world: World) -> None:
    world.rollback()
    world.unhold()
    report = world.rollback()
    assert report.failure and report.failure.reason == "nothing-verified"


def test_an_older_image_that_serves_is_not_taken_for_superseded(world: World) -> None:
    """A rollback has no order: that the newer one still serves does not mean that it took our place."""
    world.services.play(serving("102"), serving("102"), serving("101"))
    assert world.rollback().outcome is Outcome.ROLLED_BACK


def test_a_rollback_whose_run_does_nothing_is_not_success(world: World) -> None:
    world.services.play(serving("102"))
    report = world.rollback()
    assert report.failure and report.failure.reason == "not-applied"
    assert world.holds == "101 held"


def test_an_unhold_during_a_rollback_s_run_lets_the_newer_one_take_its_place(world: World) -> None:
    def released() -> None:
        world.unhold()
        world.by_another("103")

    world.pipelines.meanwhile("queue", released)
    report = world.rollback()
    assert (report.outcome, report.hold) == (Outcome.SUPERSEDED, None)
    assert "lifted during the rollback, and 103 was recorded" in report.warnings[0]


def test_another_rollback_during_the_run_is_yielded_to(world: World) -> None:
    def again() -> None:
        place_hold(world.parameters, NAME, value="100", deadline=Deadline.after(60, world.clock))

    world.pipelines.meanwhile("queue", again)
    report = world.rollback()
    assert report.outcome is Outcome.HELD
    assert report.hold and report.hold.tag == "100"


def stop() -> None:
    raise KeyboardInterrupt


CALLS = {
    "parameters": ["read", "read", "label", "write", "label", "read", "unlabel", "read", "label"],
    "pipelines": ["find", "preview", "check_queue_right", "queue", "run", "records", "run", "records"],
    "services": ["brief", "snapshot", "snapshot"],
}


@pytest.mark.parametrize(("side", "nth"), [(side, nth) for side, calls in CALLS.items() for nth in range(len(calls))])
def test_a_rollback_stopped_anywhere_and_started_again_ends_rolled_back(world: World, side: str, nth: int) -> None:
    cloud, methods = getattr(world, side), CALLS[side]
    earlier = methods[:nth].count(methods[nth])
    cloud.meanwhile(methods[nth], *[lambda: None] * earlier, stop)
    first = world.rollback()
    assert first.outcome is Outcome.INTERRUPTED
    world.services.play(serving("102"), serving("101"))
    again = world.rollback()
    assert again.outcome in (Outcome.ROLLED_BACK, Outcome.UNCHANGED)
    assert (again.tag, world.holds) == ("101", "101 held")
    assert world.parameters.labelled(NAME, VERIFIED)


# Deliveries under a hold


def test_a_delivery_yields_to_a_hold_which_is_success_with_a_warning(world: World) -> None:
    world.rollback()
    world.forget()
    report = world.try_to("103")
    assert (report.outcome, report.exit_code, report.succeeded) == (Outcome.HELD, 0, True)
    assert report.summary == "my-api 103 to development: not delivered, because of a hold."
    assert report.to_text().startswith("HELD  ")
    assert "held at 101 since it was rolled back from 102" in report.warnings[0]
    assert "`ecs_cd.unhold('my-api', 'development')`" in report.warnings[0]
    assert report.hold and (report.hold.state, report.hold.tag) == ("held", "101")
    assert world.changed == []


def test_a_delivery_yields_to_a_rollback_that_died_and_says_how_to_go_on(world: World) -> None:
    world.parameters.label(NAME, 2, GATE)
    report = world.try_to("103")
    assert (report.outcome, report.exit_code) == (Outcome.HELD, 0)
    assert report.hold and (report.hold.state, report.hold.previous_tag) == ("under-way", "102")
    assert "`ecs_cd.rollback('my-api', 'development')` again finishes it" in report.warnings[0]
    assert "`ecs_cd.unhold('my-api', 'development')` gives it up" in report.warnings[0]


def test_the_very_tag_that_is_held_is_delivered_and_stays_held(world: World) -> None:
    world.rollback()
    world.forget()
    world.services.play(serving("102"), serving("102"), serving("101"))
    report = world.try_to("101")
    assert (report.outcome, world.changed, world.holds) == (Outcome.DEPLOYED, ["queue"], "101 held")


def test_a_delivery_that_is_rolled_back_while_its_run_goes_on_yields(world: World) -> None:
    world.services.play(serving("102"), serving("103"))
    world.pipelines.meanwhile("queue", lambda: _hold_at(world, "101"))
    report = world.try_to("103")
    assert report.outcome is Outcome.HELD
    assert world.holds == "101 held"


def test_a_delivery_that_is_rolled_back_while_it_rolls_out_yields(world: World) -> None:
    world.services.play(serving("102"), serving("102"))
    world.services.meanwhile("snapshot", lambda: None, lambda: _hold_at(world, "101"))
    report = world.try_to("103")
    assert report.outcome is Outcome.HELD
    assert world.parameters.labelled(NAME, VERIFIED) == [2]


def _hold_at(world: World, tag: str) -> None:
    place_hold(world.parameters, NAME, value=tag, deadline=Deadline.after(60, world.clock))


# What was verified is marked


def test_a_proved_delivery_moves_the_mark_and_the_former_one_is_kept(world: World) -> None:
    world.try_to("103", serving("102"), serving("103"))
    marks = world.parameters.standing(NAME).marks
    assert (marks.verified.value, marks.verified_before.value) == ("103", "102")
    assert world.parameters.calls.count("label") == 2


def test_a_delivery_that_is_proved_again_marks_nothing_again(world: World) -> None:
    world.services.play(serving("102"))
    assert world.try_to("102").outcome is Outcome.UNCHANGED
    assert world.parameters.written() == []


def test_an_attempt_that_died_before_its_mark_is_made_good_by_the_next(world: World) -> None:
    world.by_another("103")
    world.services.play(serving("103"))
    assert world.try_to("103").outcome is Outcome.UNCHANGED
    assert world.parameters.standing(NAME).marks.verified.value == "103"


def test_a_mark_that_cannot_be_set_is_a_warning_and_no_failure(world: World) -> None:
    world.parameters.fail("label", AccessDenied("Not allowed."))
    report = world.try_to("103", serving("102"), serving("103"))
    assert (report.outcome, report.exit_code) == (Outcome.DEPLOYED, 0)
    assert report.warnings == ("103 serves, but could not be marked as verified: Not allowed.",)


@pytest.mark.parametrize("then", [serving("104"), ServiceSnapshot(TARGET, "ACTIVE", 1, 1, controller="EXTERNAL")])
def test_what_was_not_proved_is_not_marked(world: World, then: ServiceSnapshot) -> None:
    world.try_to("103", serving("102"), then)
    assert world.parameters.labelled(NAME, VERIFIED) == [2]


def test_a_newer_tag_recorded_meanwhile_is_not_marked_for_ours(world: World) -> None:
    world.pipelines.meanwhile("queue", lambda: world.by_another("104"))
    world.try_to("103", serving("102"), serving("103"))
    assert world.parameters.labelled(NAME, VERIFIED) == [2]


# Rollback on failure

FAILED = (serving("102"), serving("103", "FAILED", "tasks failed to start"))
REVERTED = (serving("102"), serving("103", "IN_PROGRESS"), serving("102", "IN_PROGRESS", "rolling back to my-api:102"))
BACK = serving("102")


def fails_and_comes_back(world: World, *failing: ServiceSnapshot) -> None:
    world.services.play(*failing, BACK)


@pytest.mark.parametrize("failing", [FAILED, REVERTED], ids=["failed", "reverted"])
def test_a_failed_rollout_goes_back_to_what_was_verified_and_still_fails(
    world: World, failing: tuple[ServiceSnapshot, ...]
) -> None:
    fails_and_comes_back(world, *failing)
    report = world.try_to("103")
    assert (report.outcome, report.exit_code, report.tag) == (Outcome.FAILED, 1, "103")
    assert report.summary.endswith("It was rolled back to 102 and is held there.")
    assert report.hold and (report.hold.tag, report.hold.previous_tag) == ("102", "103")
    assert report.failure and "Then run `ecs_cd.unhold('my-api', 'development')`" in report.failure.hint
    assert world.holds == "102 held"
    assert len(world.pipelines.requests) == 2


def test_the_time_of_a_failed_delivery_includes_its_rollback(world: World) -> None:
    began = world.clock.now()
    fails_and_comes_back(world, *FAILED)
    report = world.try_to("103")
    assert report.seconds == pytest.approx(world.clock.now() - began, abs=0.01)
    assert [phase.phase for phase in report.phases].count("rollout") == 2


def test_a_failed_delivery_and_its_rollback_have_one_deadline(world: World) -> None:
    began = world.clock.now()
    world.services.play(*FAILED, serving("102", "IN_PROGRESS"))
    report = world.try_to("103")
    assert (report.outcome, world.holds) == (Outcome.FAILED, "102 held")
    assert "Rolling it back failed, too: Gave up after 10 min" in report.summary
    assert world.clock.now() - began == pytest.approx(600)


def test_a_dry_run_of_a_delivery_whose_rollback_died_writes_nothing(world: World) -> None:
    world.by_another("103")
    world.parameters.label(NAME, 3, GATE)
    world.forget()
    world.services.play(BACK)
    wanted = vary(world.delivery("103"), rollback_on_failure=True, dry_run=True)
    report = world.deploy(wanted)
    assert report.outcome is Outcome.FAILED
    assert f"{NAME} would be changed from 103 to 102 and held there." in report.evidence
    assert world.parameters.written() == []
    assert world.pipelines.requests == []


def test_without_being_asked_nothing_is_rolled_back(world: World) -> None:
    fails_and_comes_back(world, *FAILED)
    report = world.try_to("103", on_failure=False)
    assert (report.outcome, report.hold, world.holds) == (Outcome.FAILED, None, "103")


def test_a_rollout_that_was_never_applied_is_not_rolled_back(world: World) -> None:
    report = world.try_to("103", serving("102"))
    assert report.failure and report.failure.reason == "not-applied"
    assert world.holds == "103"


@pytest.mark.parametrize("tag", ["104", "100"])
def test_a_failed_rollout_leaves_what_somebody_else_recorded(world: World, tag: str) -> None:
    fails_and_comes_back(world, *FAILED)
    world.services.meanwhile("snapshot", lambda: world.by_another(tag))
    report = world.try_to("103")
    assert (report.outcome, world.holds) == (Outcome.FAILED, tag)
    assert any(f"holds {tag} by now" in warning for warning in report.warnings)
    assert report.summary.endswith("It was not rolled back.")


def test_what_another_delivery_records_while_a_failure_is_rolled_back_goes_back_on_top(world: World) -> None:
    fails_and_comes_back(world, *FAILED)
    world.parameters.meanwhile("write", lambda: None, lambda: world.by_another("104"))
    report = world.try_to("103")
    assert (report.outcome, world.holds) == (Outcome.FAILED, "104")
    assert not world.parameters.standing(NAME).marks.rolling_back


def test_a_failure_with_nothing_to_go_back_to_says_both(world: World) -> None:
    world.parameters.unlabel(NAME, 1, VERIFIED_BEFORE)
    world.parameters.unlabel(NAME, 2, VERIFIED)
    report = world.try_to("103", *FAILED)
    assert report.outcome is Outcome.FAILED
    assert "Rolling it back failed, too: No version" in report.summary
    assert report.failure and report.failure.hint.endswith("Deliver a tag that works, or roll back to a tag by hand.")
    assert report.warnings == ()
    assert world.holds == "103"


@pytest.mark.parametrize("method", ["label", "write", "label again"])
def test_a_rollback_on_failure_that_died_is_finished_by_the_same_delivery(world: World, method: str) -> None:
    fails_and_comes_back(world, *FAILED)
    nothing = [lambda: None] * (1 if method in ("write", "label again") else 0)
    world.parameters.meanwhile(method.partition(" ")[0], *nothing, stop)
    world.try_to("103")
    world.services.play(*((BACK, *FAILED) if method == "label" else ()), BACK)
    report = world.try_to("103")
    assert (report.outcome, report.exit_code, world.holds) == (Outcome.FAILED, 1, "102 held")
    assert "rolled back to 102" in report.summary


# Hold and unhold


def test_a_hold_keeps_what_is_recorded_until_it_is_unheld(world: World) -> None:
    held = world.hold()
    assert (held.tag, held.held, held.changed) == ("102", True, True)
    assert world.try_to("103").outcome is Outcome.HELD
    unheld = world.unhold()
    assert (unheld.tag, unheld.held, unheld.changed) == ("102", False, True)
    assert world.try_to("103", serving("102"), serving("103")).outcome is Outcome.DEPLOYED


def test_holding_twice_changes_nothing_and_says_so(world: World) -> None:
    world.hold()
    world.forget()
    held = world.hold()
    assert (held.changed, world.changed) == (False, [])
    assert "is held at 102 already" in held.to_text()


def test_a_rollback_from_a_hold_leaves_what_was_held(world: World) -> None:
    world.hold()
    assert world.rollback().tag == "101"
    assert world.holds == "101 held"


def test_releasing_what_is_not_held_changes_nothing_and_says_so(world: World) -> None:
    unheld = world.unhold()
    assert (unheld.changed, world.changed) == (False, [])
    assert unheld.to_text() == "my-api in development is not held; it is at 102 (version 2)."


def test_an_unhold_takes_off_the_labels_that_mean_nothing_any_more(world: World) -> None:
    world.rollback()
    unheld = world.unhold()
    assert world.parameters.labelled(NAME, HELD) == world.parameters.labelled(NAME, GATE) == []
    assert world.parameters.labelled(NAME, FLOOR) == [3]
    assert "is no longer held; it is at 101 (version 3), rolled back from 102" in unheld.to_text()


def test_after_an_unhold_what_was_left_is_not_put_back(world: World) -> None:
    world.rollback()
    world.unhold()
    assert world.try_to("100").outcome is Outcome.SUPERSEDED
    assert world.holds == "101"


def test_a_rollback_that_died_can_be_given_up(world: World) -> None:
    world.parameters.label(NAME, 2, GATE)
    assert world.unhold().changed
    assert world.try_to("103", serving("102"), serving("103")).outcome is Outcome.DEPLOYED


@pytest.mark.parametrize("act", [World.hold, World.unhold])
def test_dry_runs_say_what_would_be_and_write_nothing(world: World, act: Callable[..., HoldResult]) -> None:
    if act is World.unhold:
        world.hold()
        world.forget()
    found = act(world, dry_run=True)
    assert (found.changed, found.dry_run, world.changed) == (True, True, [])
    assert ("would no longer be held" if act is World.unhold else "would be held") in found.to_text()


def test_too_many_requests_are_waited_out(world: World) -> None:
    world.parameters.fail("label", Throttled("Slow down."))
    world.parameters.fail("write", Throttled("Slow down."))
    world.hold()
    world.parameters.fail("label", Throttled("Slow down."))
    assert world.unhold().changed


def test_a_rollback_may_go_to_a_tag_that_has_no_place_in_any_order(world: World) -> None:
    world.images.push("my-api", "blue", DIGEST)
    world.services.play(serving("102"), serving("blue"))
    report = world.rollback("blue")
    assert (report.outcome, world.holds) == (Outcome.ROLLED_BACK, "blue held")
