"""Several services in one call: the order of the acts, the runs they share, and a verdict for each (rule 14)."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.several import deploy_several
from ecs_cd.delivery.single_flight import SingleFlight
from ecs_cd.errors import AccessDenied, RunFailed, SettingsError, Throttled
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.events import Event, PhaseEnded, RunChanged, Warned, Watch
from ecs_cd.model.image import ImageRepository, ImageTag
from ecs_cd.model.labels import VERIFIED
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.model.run import FinishedRun, Pipeline, Run, RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.report.combined import Reports
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.deliveries import vary
from tests.support.fakes import FakeClock, FakeImages, FakeLogs, FakeParameters, FakePipelines, FakeServices
from tests.unit.delivery.test_deploy import DIGEST

NAMES = ("api", "web", "worker")
INFRA = Pipeline(7, "infra", "\\platform")
OTHER = Pipeline(8, "other", "\\platform")


def serving(service: str, tag: str, state: str = "COMPLETED", reason: str = "") -> ServiceSnapshot:
    definition = TaskDefinition(
        f"arn:aws:ecs:::task-definition/{service}:{tag}", (Container("c", f"r.io/{service}:{tag}"),)
    )
    primary = Deployment("ecs-svc/1", "PRIMARY", definition, state, reason, desired=1, running=1)
    return ServiceSnapshot(ServiceTarget("dev", service), "ACTIVE", 1, 1, deployments=(primary,))


@dataclass
class World:
    """Three services at 101; 102 of each has been pushed, and serves once a run has been looked at."""

    clock: FakeClock = field(default_factory=FakeClock)
    images: FakeImages = field(default_factory=FakeImages)
    parameters: FakeParameters = field(default_factory=FakeParameters)
    pipelines: FakePipelines = field(default_factory=lambda: FakePipelines(INFRA, OTHER))
    services: FakeServices = field(default_factory=FakeServices)
    logs: FakeLogs = field(default_factory=FakeLogs)
    told: list[tuple[str, Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in NAMES:
            self.images.push(name, "102", DIGEST)
            self.parameters.put(Parameter(f"/{name}/tag", "101", 1))
            self.services.play(serving(name, "101"), serving(name, "102"))

    def delivery(self, name: str, **about: object) -> Delivery:
        target, repository = ServiceTarget("dev", name), ImageRepository(name)
        place = Place(name, "dev", f"/{name}/tag", "infra", "main", target=target, repository=repository)
        return vary(Delivery(place, ImageTag("102")), **about)

    def deploy(self, *deliveries: Delivery, seconds: float = 600) -> Reports:
        clouds = Clouds(self.images, self.parameters, self.pipelines, self.services, self.logs)

        def watch(name: str) -> Watch:
            return lambda event: self.told.append((name, event))

        wanted = deliveries or tuple(self.delivery(name) for name in NAMES)
        return deploy_several(wanted, clouds, deadline=Deadline.after(seconds, self.clock), watch=watch)

    def recorded(self) -> list[str]:
        return [self.parameters.standing(f"/{name}/tag").value for name in NAMES]


@pytest.fixture
def world() -> World:
    return World()


def outcomes(reports: Reports) -> list[str]:
    return [report.outcome.value for report in reports.deliveries]


def failures(reports: Reports) -> list[str]:
    return [report.failure.reason if report.failure else "" for report in reports.deliveries]


def test_all_services_share_one_run_and_each_has_its_verdict(world: World) -> None:
    reports = world.deploy()
    assert (reports.outcome, reports.exit_code, reports.succeeded) == (Outcome.DEPLOYED, 0, True)
    assert outcomes(reports) == ["deployed"] * 3
    assert [report.service for report in reports.deliveries] == list(NAMES)
    assert world.recorded() == ["102"] * 3
    assert world.pipelines.calls.count("queue") == 1
    assert {report.run.id for report in reports.deliveries if report.run} == {101}
    assert all(report.rollout and report.rollout.image.endswith(":102") for report in reports.deliveries)
    assert reports.summary == "3 services to dev: 3 deployed."


def test_no_run_is_looked_for_before_the_last_parameter_is_written(world: World) -> None:
    looked = threading.Event()
    too_soon: list[bool] = []
    world.parameters.fail("write", Throttled("Slowly."), Throttled("Slowly."))
    slow: Callable[[], None] = lambda: too_soon.append(looked.wait(0.3))  # noqa: E731 - a run looked for ends it
    world.parameters.meanwhile("write", *[lambda: None] * 4, slow)
    world.pipelines.meanwhile("active", looked.set)
    assert world.deploy().succeeded
    assert too_soon == [False]
    assert looked.is_set()


def test_all_that_was_written_is_read_back_at_once_before_the_run_is_queued(world: World) -> None:
    asked: list[tuple[str, ...]] = []
    read_many = world.parameters.read_many

    def noting(names: Sequence[str]) -> dict[str, ParameterVersion]:
        asked.append(tuple(sorted(names)))
        return read_many(names)

    world.parameters.read_many = noting  # type: ignore[method-assign]  # noted, and answered as before
    assert world.deploy().succeeded
    assert asked == [tuple(f"/{name}/tag" for name in NAMES)]


def test_a_run_that_waits_already_is_joined_by_all(world: World) -> None:
    run = world.pipelines.play(*_steps(55))
    world.pipelines.listed.append(run)
    reports = world.deploy()
    assert {report.run.id for report in reports.deliveries if report.run} == {55}
    assert world.pipelines.requests == []


def _steps(
    number: int, *, state: RunState = RunState.SUCCEEDED, records: tuple[TimelineRecord, ...] = ()
) -> list[RunProgress]:
    run = Run(number, f"20260101.{number}", "https://dev/run", RunState.WAITING, 7, "refs/heads/main")
    return [RunProgress(run), RunProgress(replace(run, state=state), records)]


def test_nothing_is_changed_when_one_image_is_missing_and_the_others_say_why(world: World) -> None:
    wanted = world.delivery("web", tag=ImageTag("103"))
    reports = world.deploy(world.delivery("api"), wanted, world.delivery("worker"))
    assert failures(reports) == ["not-attempted", "image-missing", "not-attempted"]
    assert (reports.outcome, reports.exit_code) == (Outcome.FAILED, 1)
    assert world.recorded() == ["101"] * 3
    assert world.pipelines.requests == []
    spared = reports.deliveries[0].failure
    assert spared and spared.message.startswith("Nothing was changed, because web cannot be delivered with it: ")


def test_a_write_that_fails_does_not_stop_the_others(world: World) -> None:
    world.parameters.put(Parameter("/list", "a,b", 1, type="StringList"))
    reports = world.deploy(world.delivery("api"), world.delivery("web", parameter="/list"), world.delivery("worker"))
    assert outcomes(reports) == ["deployed", "failed", "deployed"]
    assert failures(reports)[1] == "parameter-refused"
    assert reports.summary == "1 of 3 services are not delivered to dev: web."


def test_a_rollout_that_fails_does_not_stop_the_verdicts_of_the_others(world: World) -> None:
    world.services.play(serving("api", "101"), serving("api", "102", "FAILED", "tasks failed to start"))
    world.services.play(serving("web", "101"), *[serving("web", "102", "IN_PROGRESS")] * 5, serving("web", "102"))
    reports = world.deploy()
    assert outcomes(reports) == ["failed", "deployed", "deployed"]
    assert reports.exit_code == 1


def test_a_run_that_failed_is_judged_for_each_service_by_itself(world: World) -> None:
    record = TimelineRecord(
        "t", "", "Task", "terraform apply", "completed", "failed", 1, errors=("Error: no such subnet",)
    )
    world.pipelines.play(*_steps(101, state=RunState.FAILED, records=(record,)))
    world.services.play(serving("web", "101"))
    world.services.play(serving("worker", "101"))
    reports = world.deploy()
    assert outcomes(reports) == ["deployed", "failed", "failed"]
    assert failures(reports) == ["", "run-failed", "run-failed"]
    assert "brought 102 to ECS all the same" in reports.deliveries[0].warnings[0]


def test_services_of_other_pipelines_branches_and_parameters_have_runs_of_their_own(world: World) -> None:
    world.deploy(
        world.delivery("api"),
        world.delivery("web", pipeline="other"),
        world.delivery("worker", template_parameters={"size": "large"}),
    )
    asked = {(r.pipeline.id, r.template_parameters.get("size", "")) for r in world.pipelines.requests}
    assert asked == {(7, ""), (8, ""), (7, "large")}


def test_a_branch_has_a_run_of_its_own_however_it_is_spelled(world: World) -> None:
    world.deploy(
        world.delivery("api"),
        world.delivery("web", branch="refs/heads/main"),
        world.delivery("worker", branch="develop"),
    )
    assert sorted(request.branch for request in world.pipelines.requests) == ["refs/heads/develop", "refs/heads/main"]


def test_a_failed_rollout_of_one_is_taken_back_where_that_was_asked_for(world: World) -> None:
    world.images.push("api", "101", DIGEST)
    world.parameters.label("/api/tag", 1, VERIFIED)
    failed = serving("api", "102", "FAILED", "tasks failed to start")
    world.services.play(serving("api", "101"), failed, failed, serving("api", "101"))
    reports = world.deploy(*(world.delivery(name, rollback_on_failure=True) for name in NAMES))
    assert outcomes(reports) == ["failed", "deployed", "deployed"]
    assert "rolled back to 101" in reports.deliveries[0].summary
    assert world.parameters.standing("/api/tag").marks.holds
    assert world.recorded() == ["101", "102", "102"]


def test_names_of_template_parameters_have_no_letter_case(world: World) -> None:
    world.deploy(
        world.delivery("api", template_parameters={"Size": "large"}),
        world.delivery("web", template_parameters={"size": "large"}),
    )
    assert len(world.pipelines.requests) == 1


def test_an_older_tag_written_over_one_of_them_is_put_right_with_a_run_of_its_own(world: World) -> None:
    world.pipelines.meanwhile("run", lambda: world.parameters.put(Parameter("/web/tag", "100", 1)))
    reports = world.deploy()
    assert outcomes(reports) == ["deployed"] * 3
    assert world.parameters.values("/web/tag") == ["101", "102", "100", "102"]
    assert len(world.pipelines.requests) == 2
    assert [bool(report.warnings) for report in reports.deliveries] == [False, True, False]


def test_what_serves_already_needs_no_run_and_what_is_newer_is_left(world: World) -> None:
    world.parameters.put(Parameter("/api/tag", "102", 1))
    world.services.play(serving("api", "102"))
    world.parameters.put(Parameter("/web/tag", "103", 1))
    reports = world.deploy(world.delivery("api"), world.delivery("web"))
    assert outcomes(reports) == ["unchanged", "superseded"]
    assert (reports.outcome, world.pipelines.requests) == (Outcome.SUPERSEDED, [])


def test_a_dry_run_changes_nothing(world: World) -> None:
    reports = world.deploy(*(world.delivery(name, dry_run=True) for name in NAMES))
    assert (outcomes(reports), reports.dry_run) == (["unchanged"] * 3, True)
    assert world.parameters.written() == []
    assert world.pipelines.requests == []


def test_the_deadline_is_one_for_all(world: World) -> None:
    world.services.play(serving("web", "101"), serving("web", "102", "IN_PROGRESS"))
    reports = world.deploy(seconds=120)
    assert outcomes(reports) == ["deployed", "timed-out", "deployed"]
    assert (reports.outcome, reports.exit_code) == (Outcome.TIMED_OUT, 3)


def test_a_shared_run_is_told_once_and_the_rest_by_service(world: World) -> None:
    world.deploy()
    told = [name for name, event in world.told if isinstance(event, RunChanged)]
    assert set(told) == {"\\platform\\infra"}
    ended = sorted(
        name for name, event in world.told if isinstance(event, PhaseEnded) and event.phase.value == "rollout"
    )
    assert ended == list(NAMES)


def test_a_warning_of_a_shared_run_is_shown_once_and_is_in_the_report_of_each(world: World) -> None:
    older = replace(_steps(50)[0].run, queued_at=None)
    world.pipelines.play(RunProgress(older), RunProgress(replace(older, state=RunState.SUCCEEDED)))
    world.pipelines.meanwhile("queue", lambda: world.pipelines.listed.append(older))
    world.pipelines.fail("tag", AccessDenied("Edit build quality is missing."))
    reports = world.deploy()
    shown = [name for name, event in world.told if isinstance(event, Warned)]
    assert shown == ["\\platform\\infra"]
    assert all("Edit build quality is missing" in report.warnings[0] for report in reports.deliveries)


@pytest.mark.parametrize("where", ["image", "run"])
def test_ctrl_c_ends_all_with_a_report_each_and_nobody_goes_on_after_it(world: World, where: str) -> None:
    interrupted = threading.Event()

    def interrupt(seconds: float) -> None:
        interrupted.set()

    if where == "image":
        world.images.repositories["web"].clear()
    else:
        world.pipelines.play(_steps(101)[0])
    world.clock.sleep = interrupt  # type: ignore[method-assign]  # it is in a wait that Ctrl-C comes
    deliveries = [world.delivery("api"), world.delivery("web", wait_for_image=60.0)]
    reports = _with_ctrl_c(lambda: world.deploy(*deliveries), interrupted)
    assert (outcomes(reports), reports.exit_code) == (["interrupted"] * 2, 130)
    assert len(world.parameters.written()) == (0 if where == "image" else 2)
    for thread in [one for one in threading.enumerate() if one.name.startswith("ecs-cd")]:
        thread.join(5)
        assert not thread.is_alive()


def test_after_ctrl_c_nothing_more_is_shown(world: World) -> None:
    both_ask, interrupted, ended = threading.Barrier(2), threading.Event(), threading.Event()

    def slow() -> None:
        both_ask.wait(10)
        interrupted.set()
        assert ended.wait(10)

    world.images.meanwhile("find", slow, slow)
    _with_ctrl_c(lambda: world.deploy(world.delivery("api"), world.delivery("web")), interrupted)
    shown = list(world.told)
    ended.set()
    for thread in [one for one in threading.enumerate() if one.name.startswith("ecs-cd")]:
        thread.join(5)
        assert not thread.is_alive()
    assert world.told == shown


def _with_ctrl_c(call: Callable[[], Reports], when: threading.Event) -> Reports:
    """Call, and raise KeyboardInterrupt on this thread once the event has come."""

    def press() -> None:
        when.wait()
        _thread.interrupt_main()

    threading.Thread(target=press, daemon=True).start()
    return call()


@pytest.mark.parametrize(
    ("names", "about", "says"),
    [
        ((), {}, "no service to deliver"),
        (("api", "api"), {}, "named twice"),
        (("api", "web"), {"parameter": "/tag"}, "api and web are recorded in the same parameter"),
    ],
)
def test_what_cannot_be_delivered_together_is_refused(
    world: World, names: tuple[str, ...], about: dict[str, object], says: str
) -> None:
    clouds = Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs)
    with pytest.raises(SettingsError, match=says):
        deploy_several([world.delivery(n, **about) for n in names], clouds, deadline=Deadline.after(1, world.clock))
    assert world.images.calls == []


def test_what_ends_a_shared_run_ends_it_for_all_who_follow_early_or_late() -> None:
    runs = SingleFlight()
    shown: list[Event] = []
    noted: list[Event] = []
    error = RunFailed("No.")

    def begin(watch: Watch) -> FinishedRun:
        watch(RunChanged(_steps(1)[0]))
        raise error

    for _ in range(2):
        with pytest.raises(RunFailed) as raised:
            runs.carry("key", begin, watch=shown.append, note=noted.append)
        assert raised.value is error
    assert (len(shown), len(noted)) == (1, 2)


def test_of_several_that_cannot_be_delivered_each_says_why_and_the_others_name_the_first(world: World) -> None:
    missing = {"tag": ImageTag("103")}
    reports = world.deploy(world.delivery("api"), world.delivery("web", **missing), world.delivery("worker", **missing))
    assert failures(reports) == ["not-attempted", "image-missing", "image-missing"]
    failure = reports.deliveries[0].failure
    assert failure and failure.message.startswith("Nothing was changed, because web cannot be delivered with it: ")


def test_all_images_are_asked_for_at_once_however_many_services_there_are(world: World) -> None:
    names = [f"service-{number}" for number in range(6)]
    all_ask = threading.Barrier(len(names))
    for name in names:
        world.parameters.put(Parameter(f"/{name}/tag", "101", 1))
        world.images.push(name, "102", DIGEST)
        world.services.play(serving(name, "101"))

    def wait() -> None:
        all_ask.wait(5)

    world.images.meanwhile("find", *[wait] * len(names))
    assert world.deploy(*[world.delivery(name, dry_run=True) for name in names]).succeeded


def test_a_failed_check_is_known_to_the_others_only_when_all_have_checked(world: World) -> None:
    world.images.meanwhile("find", lambda: None)
    wanted = world.delivery("web", tag=ImageTag("103"), wait_for_image=30.0)
    reports = world.deploy(world.delivery("api"), wanted)
    assert failures(reports) == ["not-attempted", "image-missing"]
    assert sum(world.clock.slept) >= 30
    assert world.recorded() == ["101"] * 3


def test_a_warning_that_several_have_is_told_once_and_all_began_with_the_first(world: World) -> None:
    [one] = world.deploy(world.delivery("api")).deliveries
    later = replace(one, started_at=one.started_at + timedelta(seconds=1), warnings=("Slow.", "Odd."))
    both = Reports.of([replace(later, warnings=("Slow.",)), replace(one, warnings=("Slow.",)), later], seconds=2.0)
    assert both.warnings == ("Slow.", "Odd.")
    assert both.started_at == one.started_at


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 3, 1), 1), ((0, 3), 3), ((1, 130, 2), 130), ((2, 1, 3), 2), ((0, 0), 0)]
)
def test_the_exit_code_is_the_worst(world: World, codes: tuple[int, ...], worst: int) -> None:
    [one] = world.deploy(world.delivery("api")).deliveries
    reports: list[Report] = [replace(one, exit_code=code) for code in codes]
    assert Reports.of(reports, seconds=0.0).exit_code == worst
