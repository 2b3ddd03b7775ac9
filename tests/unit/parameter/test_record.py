from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import AccessDenied, DeadlineReached, ParameterRefused, Throttled, Unreachable, WrongInput
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.labels import FLOOR
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.parameter.record import (
    ChangeState,
    ParameterSnapshot,
    are_readable,
    change_status,
    read_parameter,
    record_tag,
    snapshot_parameter,
)
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock, FakeParameters

NAME = "/api/dev/tag"
WHOLE = Parameter(
    NAME,
    "5",
    0,
    type="SecureString",
    data_type="aws:ec2:image",
    tier="Advanced",
    key_id="alias/tags",
    description="The tag of api",
    allowed_pattern="^[0-9]+$",
    policies='[{"Type":"Expiration"}]',
)


class Store(FakeParameters):
    """One parameter and the time it is written in."""

    def __init__(self, *values: str) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.by_another(*values)

    def by_another(self, *values: str) -> None:
        for value in values:
            self.put(Parameter(NAME, value, 0))

    def record(
        self,
        tag: str,
        order: Order = Order.NUMERIC,
        *,
        create: bool = False,
        dry_run: bool = False,
        seen: ParameterSnapshot | None = None,
    ) -> ParameterChange:
        return record_tag(
            self,
            NAME,
            CheckedImage(ImageTag(tag)),
            deadline=Deadline.after(60, self.clock),
            order=order,
            create=create,
            dry_run=dry_run,
            seen=seen,
        )


def changed(
    tag: str, old: str | None, new: str, version: int, what: Recorded, *, restored: bool = False, dry_run: bool = False
) -> ParameterChange:
    return ParameterChange(NAME, ImageTag(tag), old, new, version, what, restored, dry_run)


# Rule 3: never backwards


def test_a_newer_tag_is_written() -> None:
    store = Store("26")
    assert store.record("226") == changed("226", "26", "226", 2, Recorded.WRITTEN)
    assert store.values(NAME) == ["26", "226"]


def test_an_older_tag_does_not_overwrite_a_newer_one() -> None:
    store = Store("226")
    assert store.record("26") == changed("26", "226", "226", 1, Recorded.SUPERSEDED)
    assert store.values(NAME) == ["226"]


@pytest.mark.parametrize("bootstrap", ["latest", "none", "-", "v1.2.3"])
def test_the_value_a_parameter_was_created_with_is_older_than_any_number(bootstrap: str) -> None:
    store = Store(bootstrap)
    assert store.record("1").recorded is Recorded.WRITTEN
    assert store.written() == ["write"]


def test_semantic_versions_are_ordered_as_such() -> None:
    store = Store("1.10.0")
    assert store.record("1.9.0", Order.SEMVER).recorded is Recorded.SUPERSEDED
    assert store.record("1.10.1", Order.SEMVER).recorded is Recorded.WRITTEN


@pytest.mark.parametrize(("tag", "order"), [("main-abc", Order.NUMERIC), ("226", Order.SEMVER)])
def test_a_tag_that_the_order_cannot_place_is_refused_before_any_call(tag: str, order: Order) -> None:
    store = Store("5")
    with pytest.raises(WrongInput, match="cannot be ordered"):
        store.record(tag, order)
    assert store.calls == []


# Rule 5: a lossless write


def test_a_write_leaves_everything_but_the_value_as_it_is() -> None:
    store = Store()
    store.put(WHOLE)
    store.record("7")
    assert store.standing(NAME) == replace(WHOLE, value="7", version=2)


def test_what_is_put_back_keeps_everything_too() -> None:
    store = Store()
    store.put(WHOLE)
    store.meanwhile("write", lambda: store.put(replace(WHOLE, value="9")))
    store.record("7")
    assert store.standing(NAME) == replace(WHOLE, value="9", version=4)


def test_an_unchanged_value_is_not_written() -> None:
    store = Store("5", "226")
    assert store.record("226") == changed("226", "226", "226", 2, Recorded.UNCHANGED)
    assert store.written() == []


def test_a_missing_parameter_is_an_error() -> None:
    store = Store()
    with pytest.raises(ParameterRefused, match=f"no parameter '{NAME}'") as caught:
        store.record("5")
    assert "`create_parameter=`" in caught.value.hint
    assert store.written() == []


def test_a_missing_parameter_is_created_where_asked_for() -> None:
    store = Store()
    assert store.record("5", create=True) == changed("5", None, "5", 1, Recorded.WRITTEN)


def test_creation_asked_for_writes_to_a_parameter_that_exists() -> None:
    store = Store("4")
    assert store.record("5", create=True) == changed("5", "4", "5", 2, Recorded.WRITTEN)
    assert store.written() == ["write"]


def test_a_parameter_created_by_another_meanwhile_is_read_again() -> None:
    store = Store()
    store.meanwhile("create", lambda: store.by_another("9"))
    assert store.record("5", create=True) == changed("5", "9", "9", 1, Recorded.SUPERSEDED)


@pytest.mark.parametrize("create", [False, True])
def test_a_list_is_refused(create: bool) -> None:
    store = Store()
    store.put(Parameter(NAME, "4,5", 0, type="StringList"))
    with pytest.raises(ParameterRefused, match="is a StringList"):
        store.record("6", create=create)
    with pytest.raises(ParameterRefused, match="is a StringList"):
        read_parameter(store, NAME)
    assert store.written() == []


def test_reading_returns_what_stands_or_says_that_nothing_does() -> None:
    assert read_parameter(Store("5"), NAME).value == "5"
    with pytest.raises(ParameterRefused, match="no parameter"):
        read_parameter(Store(), NAME)


# Dry runs


@pytest.mark.parametrize(
    ("values", "tag", "order", "expected"),
    [
        (["5"], "7", Order.NUMERIC, changed("7", "5", "7", 1, Recorded.WRITTEN, dry_run=True)),
        (["5"], "5", Order.NUMERIC, changed("5", "5", "5", 1, Recorded.UNCHANGED, dry_run=True)),
        (["9"], "5", Order.NUMERIC, changed("5", "9", "9", 1, Recorded.SUPERSEDED, dry_run=True)),
        (["9", "5"], "5", Order.NUMERIC, changed("5", "5", "5", 2, Recorded.UNCHANGED, dry_run=True)),
        (["9"], "5", Order.NONE, changed("5", "9", "5", 1, Recorded.WRITTEN, dry_run=True)),
        (["9", "5"], "5", Order.NONE, changed("5", "5", "5", 2, Recorded.UNCHANGED, dry_run=True)),
        ([], "5", Order.NUMERIC, changed("5", None, "5", 0, Recorded.WRITTEN, dry_run=True)),
    ],
)
def test_a_dry_run_says_what_would_be_and_writes_nothing(
    values: list[str], tag: str, order: Order, expected: ParameterChange
) -> None:
    store = Store(*values)
    assert store.record(tag, order, create=True, dry_run=True) == expected
    assert store.written() == []


def test_a_dry_run_finds_the_missing_parameter_too() -> None:
    with pytest.raises(ParameterRefused):
        Store().record("5", dry_run=True)


# Rule 4 (a): a write follows its read


def test_what_was_read_beforehand_is_used_while_it_is_fresh() -> None:
    store = Store("5")
    seen = snapshot_parameter(store, NAME, store.clock)
    store.clock.advance(5)
    store.record("7", seen=seen)
    assert store.calls == ["read", "write"]


def test_what_was_read_beforehand_is_read_again_when_it_is_stale() -> None:
    store = Store("5")
    seen = snapshot_parameter(store, NAME, store.clock)
    store.by_another("9")
    store.clock.advance(5.1)
    assert store.record("7", seen=seen).recorded is Recorded.SUPERSEDED
    assert store.calls.count("read") == 2


def test_a_read_that_took_long_is_as_old_as_its_beginning() -> None:
    store = Store("5")
    store.meanwhile("read", lambda: store.clock.advance(6))
    seen = snapshot_parameter(store, NAME, store.clock)
    store.record("7", seen=seen)
    assert store.calls == ["read", "read", "write"]


def test_the_common_case_is_one_read_and_one_write() -> None:
    store = Store("5")
    store.record("7")
    assert store.calls == ["read", "write"]


# Rule 4 (b): what came in between


def test_a_newer_tag_written_in_between_goes_back_on_top() -> None:
    store = Store("5")
    store.meanwhile("write", lambda: store.by_another("9"))
    assert store.record("7") == changed("7", "5", "9", 4, Recorded.SUPERSEDED, restored=True)
    assert store.values(NAME) == ["5", "9", "7", "9"]


def test_the_newest_of_several_in_between_goes_back_on_top() -> None:
    store = Store("5")
    store.meanwhile("write", lambda: store.by_another("8", "10", "9", "6"))
    assert store.record("7").new == "10"
    assert store.values(NAME)[-1] == "10"


def test_an_older_tag_written_in_between_stays_below() -> None:
    store = Store("5")
    store.meanwhile("write", lambda: store.by_another("6"))
    assert store.record("7") == changed("7", "5", "7", 3, Recorded.WRITTEN)
    assert store.values(NAME) == ["5", "6", "7"]


def test_putting_back_looks_again_itself() -> None:
    store = Store("5")
    store.meanwhile("write", lambda: store.by_another("9"), lambda: store.by_another("11"))
    assert store.record("7").new == "11"
    assert store.values(NAME) == ["5", "9", "7", "11", "9", "11"]


def test_what_somebody_stepped_back_from_in_between_is_not_put_back() -> None:
    store = Store("5")

    def step_back() -> None:
        store.by_another("9", "4")
        store.label(NAME, 3, FLOOR)

    store.meanwhile("write", step_back)
    assert store.record("7") == changed("7", "5", "7", 4, Recorded.WRITTEN)
    assert store.values(NAME)[-1] == "7"


# Rule 4 (c): what an earlier attempt may have lost


def test_a_tag_lost_to_a_writer_that_died_is_found_by_looking_back() -> None:
    """7 is written; 5, read before, is written over it and its writer dies; 6 is written over that."""
    store = Store("4")
    store.record("7")
    store.by_another("5")
    assert store.record("6").recorded is Recorded.WRITTEN
    assert store.record("5") == changed("5", "6", "7", 5, Recorded.SUPERSEDED, restored=True)
    assert store.values(NAME) == ["4", "7", "5", "6", "7"]


def test_a_writer_that_finds_its_own_tag_looks_for_what_it_lost() -> None:
    store = Store("4", "7", "5")
    assert store.record("5") == changed("5", "5", "7", 4, Recorded.SUPERSEDED, restored=True)


def test_a_throttled_look_after_the_write_is_made_good_by_looking_back() -> None:
    store = Store("4")
    store.meanwhile("write", lambda: store.by_another("7"))
    store.fail("versions", Throttled("Slow down."))
    assert store.record("5").new == "7"
    assert store.values(NAME)[-1] == "7"


def test_a_newer_tag_that_comes_while_looking_back_stays_on_top() -> None:
    store = Store("4", "7", "5")
    store.meanwhile("versions", lambda: store.by_another("9"))
    assert store.record("5").new == "9"
    assert store.values(NAME)[-1] == "9"


def test_looking_back_reaches_ten_versions_and_no_further() -> None:
    within = Store("9", *(str(n) for n in range(1, 9)), "5")
    assert len(within.values(NAME)) == 10
    assert within.record("5").new == "9"
    beyond = Store("9", *(str(n) for n in range(1, 9)), "5", "5")
    assert beyond.record("5").new == "8"


def test_the_first_version_has_nothing_before_it() -> None:
    store = Store("5")
    store.record("5")
    assert store.calls == ["read"]


# The floor: a deliberate step back


def test_a_deliberate_step_back_is_marked_as_the_floor() -> None:
    store = Store("9")
    assert store.record("5", Order.NONE) == changed("5", "9", "5", 2, Recorded.WRITTEN)
    assert store.labelled(NAME, FLOOR) == [2]


def test_stepping_back_between_semantic_versions_is_marked_too() -> None:
    store = Store("1.3.0")
    store.record("1.2.0", Order.NONE)
    assert store.labelled(NAME, FLOOR) == [2]


@pytest.mark.parametrize(("before", "after"), [("5", "9"), ("abc", "def"), ("latest", "5")])
def test_a_write_without_order_that_does_not_step_back_is_not_marked(before: str, after: str) -> None:
    store = Store(before)
    store.record(after, Order.NONE)
    assert store.written() == ["write"]


def test_an_ordered_write_is_never_marked() -> None:
    store = Store("1.2.3")
    store.record("5", Order.NUMERIC)
    assert store.written() == ["write"]


def test_the_mark_moves_with_the_next_step_back() -> None:
    store = Store("9")
    store.record("5", Order.NONE)
    store.record("3", Order.NONE)
    assert store.labelled(NAME, FLOOR) == [3]


def test_without_an_order_the_last_writer_wins() -> None:
    store = Store("abc")
    store.meanwhile("write", lambda: store.by_another("zzz"))
    assert store.record("def", Order.NONE).recorded is Recorded.WRITTEN
    assert store.values(NAME) == ["abc", "zzz", "def"]


def test_a_mark_that_could_not_be_set_is_set_by_the_next_attempt() -> None:
    store = Store("9")
    store.fail("label", Throttled("Slow down."))
    store.record("5", Order.NONE)
    assert store.labelled(NAME, FLOOR) == [2]
    assert store.values(NAME) == ["9", "5"]


def test_a_mark_that_stands_is_not_set_again() -> None:
    store = Store("9")
    store.record("5", Order.NONE)
    store.calls.clear()
    assert store.record("5", Order.NONE).recorded is Recorded.UNCHANGED
    assert store.written() == []


def test_nothing_before_the_floor_is_restored() -> None:
    store = Store("9")
    store.record("5", Order.NONE)
    assert store.record("5") == changed("5", "5", "5", 2, Recorded.UNCHANGED)
    assert store.record("3") == changed("3", "5", "5", 2, Recorded.SUPERSEDED)
    assert store.record("6").recorded is Recorded.WRITTEN
    assert store.record("6").recorded is Recorded.UNCHANGED
    assert store.values(NAME) == ["9", "5", "6"]


def test_what_was_lost_since_the_floor_is_restored() -> None:
    store = Store("9")
    store.record("5", Order.NONE)
    store.by_another("8", "6")
    assert store.record("6").new == "8"


def test_the_floor_holds_however_long_ago_it_was_set() -> None:
    store = Store("9")
    store.record("2", Order.NONE)
    store.by_another(*["3"] * 12, "4")
    assert store.record("4").recorded is Recorded.UNCHANGED


# Throttling


def test_throttling_is_waited_out_and_all_is_read_again_before_each_write() -> None:
    store = Store("5")
    store.fail("write", Throttled("Slow down."), Throttled("Slow down."))
    assert store.record("7").recorded is Recorded.WRITTEN
    assert store.calls == ["read", "write"] * 3


def test_a_tag_that_came_while_throttled_is_respected() -> None:
    store = Store("5")
    store.fail("write", Throttled("Slow down."))
    store.clock.later(0.1, lambda: store.by_another("9"))
    assert store.record("7").recorded is Recorded.SUPERSEDED


def test_what_was_read_beforehand_is_used_once_only() -> None:
    store = Store("5")
    store.fail("write", Throttled("Slow down."))
    store.record("7", seen=snapshot_parameter(store, NAME, store.clock))
    assert store.calls == ["read", "write", "read", "write"]


def test_throttling_without_end_is_given_up_at_the_deadline() -> None:
    store = Store("5")
    store.fail("write", *[Throttled("Slow down.")] * 1000)
    with pytest.raises(DeadlineReached, match=f"writing parameter {NAME}.*Slow down"):
        store.record("7")
    assert sum(store.clock.slept) == pytest.approx(60)
    assert store.values(NAME) == ["5"]


@pytest.mark.parametrize("error", [Unreachable("No route."), AccessDenied("No.")])
def test_any_other_failure_of_the_store_is_not_tried_again(error: Unreachable | AccessDenied) -> None:
    store = Store("5")
    store.fail("write", error)
    with pytest.raises(type(error)):
        store.record("7")
    assert store.calls == ["read", "write"]
    assert store.clock.slept == []


# Rule 4 (d): overtaken


@pytest.mark.parametrize(
    ("later", "expected"),
    [([], False), (["7"], False), (["9"], False), (["5"], True), (["9", "5"], True), (["latest"], True)],
)
def test_a_change_is_overtaken_when_something_older_stands_in_its_place(later: list[str], expected: bool) -> None:
    store = Store("4")
    change = store.record("7")
    store.by_another(*later)
    assert (change_status(store, change, Order.NUMERIC).state is ChangeState.OVERTAKEN) is expected


def test_a_change_whose_parameter_is_gone_is_overtaken() -> None:
    change = Store("4").record("7")
    assert change_status(Store(), change, Order.NUMERIC).state is ChangeState.OVERTAKEN


def test_a_deliberate_step_back_since_does_not_overtake() -> None:
    store = Store("4")
    change = store.record("7")
    store.record("5", Order.NONE)
    assert change_status(store, change, Order.NUMERIC).state is ChangeState.STANDS
    store.by_another("6")
    assert change_status(store, change, Order.NUMERIC).state is ChangeState.STANDS


def test_a_step_back_before_the_change_does_not_excuse_what_came_after() -> None:
    store = Store("9")
    store.record("4", Order.NONE)
    change = store.record("7")
    store.by_another("5")
    assert change_status(store, change, Order.NUMERIC).state is ChangeState.OVERTAKEN


def test_without_an_order_nothing_is_overtaken() -> None:
    store = Store("abc")
    change = store.record("def", Order.NONE)
    store.by_another("abc")
    assert change_status(store, change, Order.NONE).state is ChangeState.STANDS


# Reading back


def change_to(version: int, name: str = "/a/tag", recorded: Recorded = Recorded.WRITTEN) -> ParameterChange:
    return ParameterChange(name, ImageTag("2"), "1", "2", version, recorded)


def test_what_was_written_is_readable_once_its_version_or_a_newer_one_shows() -> None:
    store = FakeParameters()
    store.put(Parameter("/a/tag", "1", 1))
    store.put(Parameter("/b/tag", "1", 1))
    assert not are_readable(store, [change_to(2)])
    assert not are_readable(store, [change_to(1), change_to(2, "/b/tag")])
    assert are_readable(store, [change_to(1), change_to(1, "/b/tag")])
    store.put(Parameter("/a/tag", "2", 1))
    store.put(Parameter("/a/tag", "3", 1))
    assert are_readable(store, [change_to(2)])
    assert not are_readable(store, [change_to(1, "/missing")])
    assert set(store.calls) == {"read_many"} and len(store.calls) == 5, "one request for all of them"


def test_what_was_not_written_need_not_be_read_back_and_a_failed_read_holds_nothing_up() -> None:
    store = FakeParameters()
    assert are_readable(store, [change_to(9, recorded=Recorded.UNCHANGED)])
    assert store.calls == []
    store.fail("read_many", Throttled("429"))
    assert are_readable(store, [change_to(9)])
