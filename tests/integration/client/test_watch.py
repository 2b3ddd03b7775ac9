"""The events of a call: which service each is about, and what becomes of a delivery whose `watch` raises."""

from __future__ import annotations

import pytest

import ecs_cd
from tests.support.simulated_clouds import SimulatedClouds

Seen = list[ecs_cd.Event]


def test_every_event_of_a_delivery_is_about_its_service_and_the_first_says_what_begins(client: ecs_cd.Client) -> None:
    seen: Seen = []
    client.deploy("my-api", "development", tag=102, watch=seen.append)
    assert {event.service for event in seen} == {"my-api"}
    assert seen[0] == ecs_cd.CallStarted("my-api 102 to development", 1800, service="my-api")
    ended = [event.phase for event in seen if isinstance(event, ecs_cd.PhaseEnded)]
    assert ended == list(ecs_cd.Phase)


@pytest.mark.parametrize(
    ("call", "title"),
    [
        (lambda c, w: c.verify("my-api", "development", tag=101, watch=w), "my-api 101 in development"),
        (lambda c, w: c.rollback("my-api", "development", to=101, dry_run=True, watch=w), "my-api in development back"),
        (
            lambda c, w: c.promote(
                "my-api", "production", promote_from="development", verify=False, dry_run=True, watch=w
            ),
            "my-api from development to production",
        ),
    ],
)
def test_the_other_calls_say_what_begins_too(client: ecs_cd.Client, call: object, title: str) -> None:
    seen: Seen = []
    call(client, seen.append)  # type: ignore[operator]  # one of the above
    assert isinstance(seen[0], ecs_cd.CallStarted)
    assert title in seen[0].title
    assert {event.service for event in seen} == {"my-api"}


def test_where_there_are_several_each_event_names_its_service_and_a_shared_run_its_pipeline(
    client: ecs_cd.Client,
) -> None:
    seen: Seen = []
    client.deploy_many("development", {"my-api": 102, "my-worker": 102}, watch=seen.append)
    assert seen[0] == ecs_cd.CallStarted("2 services to development", 1800, ("my-api", "my-worker"))
    for event in seen[1:]:
        assert bool(event.service) is not bool(event.pipeline)
        assert event.service in ("", "my-api", "my-worker")
        assert event.pipeline in ("", "\\platform\\my-infrastructure")
    runs = [event for event in seen if isinstance(event, ecs_cd.RunChanged)]
    assert runs
    assert {event.service for event in runs} == {""}
    for name in ("my-api", "my-worker"):
        of_it = [event.phase for event in seen if isinstance(event, ecs_cd.PhaseEnded) and event.service == name]
        assert of_it == list(ecs_cd.Phase)


class NotToday(Exception):
    """What a gate of one's own raises."""


def gate(error: Exception, when: type = ecs_cd.PhaseEnded) -> ecs_cd.Watch:
    """Return a watch that raises when everything has been checked and nothing written."""

    def watch(event: ecs_cd.Event) -> None:
        if isinstance(event, when) and getattr(event, "phase", ecs_cd.Phase.CHECK) is ecs_cd.Phase.CHECK:
            raise error

    return watch


@pytest.mark.parametrize("when", [ecs_cd.PhaseStarted, ecs_cd.PhaseEnded])
def test_an_error_of_ours_raised_before_the_parameter_phase_is_the_failure_and_nothing_is_written(
    client: ecs_cd.Client, clouds: SimulatedClouds, when: type
) -> None:
    clouds.forget()
    closed = ecs_cd.DeliveryFailed("The change window is closed.", hint="Try on Monday.")
    report = client.deploy("my-api", "development", tag=102, watch=gate(closed, when))
    assert report.outcome is ecs_cd.Outcome.FAILED
    assert report.failure
    assert (report.failure.message, report.failure.hint) == ("The change window is closed.", "Try on Monday.")
    assert clouds.writes() == []


def test_any_other_exception_reaches_the_caller_and_nothing_is_written(
    client: ecs_cd.Client, clouds: SimulatedClouds
) -> None:
    clouds.forget()
    with pytest.raises(NotToday):
        client.deploy("my-api", "development", tag=102, watch=gate(NotToday()))
    with pytest.raises(NotToday):
        client.deploy("my-api", "development", tag=102, watch=gate(NotToday(), ecs_cd.CallStarted))
    assert clouds.writes() == []


def test_a_gate_of_one_service_keeps_all_services_of_the_call_from_being_written(
    client: ecs_cd.Client, clouds: SimulatedClouds
) -> None:
    clouds.forget()

    def watch(event: ecs_cd.Event) -> None:
        if event.service == "my-worker":
            gate(ecs_cd.DeliveryFailed("my-worker is frozen."))(event)

    reports = client.deploy_many("development", {"my-api": 102, "my-worker": 102}, watch=watch)
    assert not reports.succeeded
    assert [report.failure.reason for report in reports.deliveries if report.failure] == ["not-attempted", "failed"]
    assert clouds.writes() == []


def test_any_other_exception_of_one_service_ends_the_call_for_several(
    client: ecs_cd.Client, clouds: SimulatedClouds
) -> None:
    clouds.forget()

    def watch(event: ecs_cd.Event) -> None:
        if event.service == "my-worker":
            gate(NotToday())(event)

    with pytest.raises(NotToday):
        client.deploy_many("development", {"my-api": 102, "my-worker": 102}, watch=watch)
    assert clouds.writes() == []


CALLS = [
    ("deploy", ("my-api", "development"), {"tag": 102}),
    ("promote", ("my-api", "production"), {"promote_from": "development"}),
    ("rollback", ("my-api", "development"), {"to": 101}),
    ("verify", ("my-api", "development"), {"tag": 101}),
]


@pytest.mark.parametrize(("name", "args", "keywords"), CALLS)
@pytest.mark.parametrize(
    "error", [ecs_cd.DeliveryFailed("Closed."), ecs_cd.TryLater("Later.")], ids=["failed", "later"]
)
def test_an_error_of_ours_raised_as_the_call_begins_is_the_failure_and_nothing_is_sent(
    client: ecs_cd.Client,
    clouds: SimulatedClouds,
    *,
    name: str,
    args: tuple[str, ...],
    keywords: dict[str, object],
    error: ecs_cd.EcsCdError,
) -> None:
    clouds.forget()
    report = getattr(client, name)(*args, watch=gate(error, ecs_cd.CallStarted), **keywords)
    assert (report.failure.reason, report.failure.message) == (error.reason, error.message)
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


@pytest.mark.parametrize(("name", "args", "keywords"), CALLS)
def test_ctrl_c_as_the_call_begins_is_an_interrupted_report(
    client: ecs_cd.Client, name: str, args: tuple[str, ...], keywords: dict[str, object]
) -> None:
    def watch(event: ecs_cd.Event) -> None:
        if isinstance(event, ecs_cd.CallStarted):
            raise KeyboardInterrupt

    assert getattr(client, name)(*args, watch=watch, **keywords).outcome is ecs_cd.Outcome.INTERRUPTED


@pytest.mark.parametrize("error", [ecs_cd.TryLater("Later."), KeyboardInterrupt()], ids=["later", "ctrl-c"])
def test_what_is_raised_as_a_call_for_several_begins_ends_all_and_nothing_is_sent(
    client: ecs_cd.Client, clouds: SimulatedClouds, error: BaseException
) -> None:
    clouds.forget()

    def watch(event: ecs_cd.Event) -> None:
        if isinstance(event, ecs_cd.CallStarted):
            raise error

    reports = client.deploy_many("development", {"my-api": 102, "my-worker": 102}, watch=watch)
    reason = "interrupted" if isinstance(error, KeyboardInterrupt) else "try-later"
    assert [report.failure.reason for report in reports.deliveries if report.failure] == [reason] * 2
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


@pytest.mark.parametrize("when", [ecs_cd.RunChosen, ecs_cd.RunChanged, ecs_cd.RolloutChanged])
@pytest.mark.parametrize("several", [False, True])
def test_an_error_that_may_pass_ends_the_delivery_too_if_the_watch_raises_it(
    client: ecs_cd.Client, when: type, *, several: bool
) -> None:
    raised: list[ecs_cd.Event] = []

    def watch(event: ecs_cd.Event) -> None:
        if isinstance(event, when):
            raised.append(event)
            raise ecs_cd.TryLater("Later.", hint="Try on Monday.")

    if several:
        reports = client.deploy_many("development", {"my-api": 102, "my-worker": 102}, watch=watch).deliveries
    else:
        reports = (client.deploy("my-api", "development", tag=102, watch=watch),)
    for report in reports:
        assert report.failure
        assert (report.failure.reason, report.failure.message, report.failure.hint) == (
            "try-later",
            "Later.",
            "Try on Monday.",
        )
    assert len(raised) == (len(reports) if when is ecs_cd.RolloutChanged else 1)


def test_an_error_that_may_pass_ends_the_following_of_a_run_if_the_watch_raises_it(client: ecs_cd.Client) -> None:
    raised: list[ecs_cd.Event] = []

    def watch(event: ecs_cd.Event) -> None:
        if isinstance(event, ecs_cd.RunChanged):
            raised.append(event)
            raise ecs_cd.TryLater("Later.")

    with pytest.raises(ecs_cd.TryLater, match=r"^Later\.$"):
        client.steps.queue_run("my-api", "development", wait=True, watch=watch)
    assert len(raised) == 1
