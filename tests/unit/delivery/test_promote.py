"""Promotion over in-memory clouds: what counts as served, what is waited for, and which image may follow (rule 13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.origin import Origin, Source, serving_since
from ecs_cd.delivery.promote import Promotion, promote_served
from ecs_cd.errors import AccessDenied, EcsCdError
from ecs_cd.model.delivery import DeliveryOptions, Place
from ecs_cd.model.events import PhaseStarted
from ecs_cd.model.image import ImageRef, ImageRepository
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.model.service import Container, Deployment, ServiceEvent, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.report.facts import Outcome
from ecs_cd.report.report import Report
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import EPOCH, FakeImages, FakeLogs, FakeServices
from tests.unit.delivery.test_deploy import DIGEST, NAME, TARGET, World, serving

OTHER_DIGEST = f"sha256:{'b' * 64}"
STAGE = ServiceTarget("stage", "my-api", "api", "my-api")
RECORDED = "/my-api/stage/docker-image-tag"


def staged(
    image: str = "r.io/my-api:102",
    state: str = "COMPLETED",
    *,
    desired: int = 2,
    running: int = 2,
    since: float = 0.0,
    events: tuple[ServiceEvent, ...] = (),
) -> ServiceSnapshot:
    """The service in stage; `since`: seconds on the fake clock at which its deployment changed last."""
    definition = TaskDefinition("arn:aws:ecs:::task-definition/my-api:7", (Container("api", image),))
    primary = Deployment(
        "ecs-svc/7",
        "PRIMARY",
        definition,
        state,
        desired=desired,
        running=running,
        created_at=EPOCH,
        updated_at=EPOCH + timedelta(seconds=since),
    )
    return ServiceSnapshot(STAGE, "ACTIVE", desired, running, deployments=(primary,), events=events)


@dataclass
class Staged:
    """A delivery's world, and stage, which serves 102 since long ago; 102 is what its parameter holds."""

    world: World = field(default_factory=World)
    images: FakeImages = field(default_factory=FakeImages)
    services: FakeServices = field(default_factory=FakeServices)
    logs: FakeLogs = field(default_factory=FakeLogs)
    recorded: dict[str, str] = field(default_factory=lambda: {RECORDED: "102"})
    refused: EcsCdError | None = None

    def __post_init__(self) -> None:
        self.images.push("my-api", "102", DIGEST)
        self.services.play(staged())

    def read_many(self, names: Sequence[str]) -> Mapping[str, ParameterVersion]:
        if self.refused:
            raise self.refused
        return {name: ParameterVersion(name, self.recorded[name], 1) for name in names if name in self.recorded}

    def promote(
        self,
        *,
        seconds: float = 600,
        serving_for: float = 0.0,
        options: DeliveryOptions = DeliveryOptions(),  # noqa: B008 - it is frozen
        **about: object,
    ) -> Report:
        """Promote; `about` are fields of stage's place, by name."""
        world, place = (
            self.world,
            Place("my-api", "stage", RECORDED, target=STAGE, repository=ImageRepository("my-api")),
        )
        origin = Origin(replace(place, **about), serving_for)  # type: ignore[arg-type]  # fields by name
        return promote_served(
            Promotion(origin, world.delivery().place, options),
            Source(self.images, self, self.services),
            Clouds(world.images, world.parameters, world.pipelines, world.services, world.logs),
            deadline=Deadline.after(seconds, world.clock),
            watch=world.events.append,
        )


@pytest.fixture
def stage() -> Staged:
    return Staged()


def refused(report: Report, reason: str, *words: str) -> None:
    assert report.failure, report.to_text()
    assert report.failure.reason == reason, report.to_text()
    for word in words:
        assert word in report.failure.message


def test_what_the_origin_serves_is_delivered_with_the_proof_of_it(stage: Staged) -> None:
    report = stage.promote()
    assert (report.outcome, report.tag, report.warnings) == (Outcome.DEPLOYED, "102", ())
    assert stage.world.parameters.values(NAME) == ["101", "102"]
    assert report.origin
    assert (report.origin.environment, report.origin.tag, report.origin.digest) == ("stage", "102", DIGEST)
    assert report.evidence[0].startswith(
        f"stage serves r.io/my-api:102, {DIGEST} since 2026-01-01 00:00:00 UTC: 2 of 2"
    )
    assert [phase.phase for phase in report.phases] == ["check", "check", "parameter", "run", "rollout"]
    assert report.seconds == pytest.approx(sum(phase.seconds for phase in report.phases), abs=0.01)


def test_what_serves_counts_and_not_what_is_recorded(stage: Staged) -> None:
    stage.recorded[RECORDED] = "103"
    report = stage.promote()
    assert (report.outcome, report.tag) == (Outcome.DEPLOYED, "102")
    assert "stage serves 102, though /my-api/stage/docker-image-tag holds 103" in report.warnings[0]


def test_an_unreadable_parameter_of_the_origin_is_no_reason_to_stop(stage: Staged) -> None:
    stage.refused = AccessDenied("ssm:GetParameters is not allowed.")
    report = stage.promote()
    assert report.outcome is Outcome.DEPLOYED
    assert "ssm:GetParameters is not allowed." in report.warnings[0]


def test_a_rollout_of_the_origin_is_waited_for(stage: Staged) -> None:
    stage.services.play(staged(state="IN_PROGRESS", running=1), staged("r.io/my-api:103", "IN_PROGRESS"), staged())
    report = stage.promote()
    assert (report.outcome, report.tag) == (Outcome.DEPLOYED, "102")
    assert stage.services.calls.count("snapshot") == 3


def test_tasks_that_are_not_all_running_are_waited_for(stage: Staged) -> None:
    stage.services.play(staged(running=1), staged())
    assert stage.promote().outcome is Outcome.DEPLOYED
    assert stage.services.calls.count("snapshot") == 2


def test_the_deadline_ends_the_wait_and_says_what_for(stage: Staged) -> None:
    stage.services.play(staged(running=0))
    report = stage.promote(seconds=60)
    assert (report.outcome, report.exit_code) == (Outcome.TIMED_OUT, 3)
    assert report.failure
    assert report.failure.details == ("stage serves 102 with 0 of 2 tasks serve it.",)
    assert stage.world.changed == []


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (staged(state="FAILED"), "102 failed there"),
        (replace(staged(), status="DRAINING"), "it is DRAINING"),
        (replace(staged(), deployments=()), "no primary deployment"),
        (staged(f"r.io/my-api@{OTHER_DIGEST}"), "has no tag"),
    ],
)
def test_what_does_not_serve_under_a_tag_is_not_promoted(stage: Staged, snapshot: ServiceSnapshot, words: str) -> None:
    stage.services.play(snapshot)
    stage.recorded.clear()
    report = stage.promote()
    refused(report, "nothing-to-promote", words, "(stage)")
    assert (report.exit_code, report.tag, stage.world.changed) == (1, "", [])


def test_an_origin_without_the_service_is_not_promoted(stage: Staged) -> None:
    stage.services.scripts.clear()
    refused(stage.promote(), "rollout-failed", "no service 'my-api'")


def test_a_container_that_is_not_there_is_an_error_of_the_settings(stage: Staged) -> None:
    other = replace(STAGE, container="web")
    stage.services.play(replace(staged(), target=other))
    report = stage.promote(target=other)
    refused(report, "settings", "has no container 'web'")
    assert report.exit_code == 2


def test_an_image_named_by_digest_is_promoted_under_the_recorded_tag_that_ecr_has_for_it(stage: Staged) -> None:
    stage.services.play(staged(f"r.io/my-api@{DIGEST}"))
    report = stage.promote()
    assert (report.outcome, report.tag) == (Outcome.DEPLOYED, "102")
    stage.images.push("my-api", "102", OTHER_DIGEST)
    refused(stage.promote(), "nothing-to-promote", "has no tag")


def test_another_image_under_the_same_tag_is_not_delivered(stage: Staged) -> None:
    stage.world.images.push("my-api", "102", OTHER_DIGEST)
    report = stage.promote()
    refused(report, "image-missing", "has another image under my-api:102", DIGEST, OTHER_DIGEST)
    assert stage.world.changed == []


def test_the_digest_that_the_task_definition_names_counts_more_than_ecr_s(stage: Staged) -> None:
    stage.services.play(staged(f"r.io/my-api:102@{OTHER_DIGEST}"))
    refused(stage.promote(), "image-missing", OTHER_DIGEST)
    assert stage.images.calls == []


def test_a_registry_to_which_images_are_replicated_is_waited_for(stage: Staged) -> None:
    stage.world.images.push("my-api", "102", OTHER_DIGEST)
    stage.world.clock.later(30, lambda: stage.world.images.push("my-api", "102", DIGEST))
    assert stage.promote(options=DeliveryOptions(wait_for_image=90.0)).outcome is Outcome.DEPLOYED


def test_the_origin_s_registry_is_the_one_its_image_names(stage: Staged) -> None:
    asked: list[ImageRef] = []
    stage.images.find = asked.append  # type: ignore[method-assign,assignment]  # None: not there
    stage.services.play(staged("111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/my-api:102"))
    refused(
        stage.promote(repository=ImageRepository("my-api", "444455556666")),
        "image-missing",
        "ECR has no such image any more",
    )
    assert [(i.repository, i.registry_id, i.region) for i in asked] == [("team/my-api", "111122223333", "eu-central-1")]
    stage.services.play(staged())
    stage.promote(repository=ImageRepository("my-api", "444455556666", "eu-west-3"))
    assert (asked[-1].repository, asked[-1].registry_id, asked[-1].region) == ("my-api", "444455556666", "eu-west-3")


def test_without_the_check_of_images_the_digest_is_not_compared_and_that_is_told(stage: Staged) -> None:
    stage.world.images.push("my-api", "102", OTHER_DIGEST)
    report = stage.promote(repository=None)
    assert report.outcome is Outcome.DEPLOYED
    assert any("its digest is unknown" in warning for warning in report.warnings)
    assert stage.images.calls == []


def test_a_service_scaled_to_zero_is_promoted_with_a_warning_unless_it_had_to_serve(stage: Staged) -> None:
    stage.services.play(staged(desired=0, running=0))
    assert "no task runs" in stage.promote().warnings[0]
    refused(stage.promote(serving_for=1.0), "nothing-to-promote", "desired count is 0")


def test_the_rest_of_the_time_it_must_have_served_is_waited_for(stage: Staged) -> None:
    stage.services.play(staged(since=900))  # the fake clock began at 1000
    report = stage.promote(serving_for=300.0)
    assert report.outcome is Outcome.DEPLOYED
    waited = sum(phase.seconds for phase in report.phases[:1])
    assert 200 <= waited <= 240
    told = [event.doing for event in stage.world.events if isinstance(event, PhaseStarted)]
    assert [said for said in told if said.startswith("waiting: ")] == [
        "waiting: stage has served 102 for 1 min 40 s of 5 min"
    ]
    assert stage.world.parameters.values(NAME) == ["101", "102"]


def test_too_short_a_time_is_told_at_once_if_the_deadline_leaves_no_more(
    stage: Staged,
) -> None:
    stage.services.play(staged(since=900))
    report = stage.promote(serving_for=3600.0)
    refused(report, "too-soon", "stage has served 102 for 1 min 40 s of 1 h", "leaves 10 min")
    assert (report.outcome, report.exit_code, stage.world.clock.slept) == (Outcome.FAILED, 3, [])
    assert stage.world.changed == []


def test_another_tag_that_comes_while_it_waits_begins_anew(stage: Staged) -> None:
    late = staged("r.io/my-api:103", since=1050)
    stage.images.push("my-api", "103", DIGEST)
    stage.services.play(staged(since=990), staged(since=990), late)
    stage.world.services.play(serving("101"), serving("103"))
    report = stage.promote(serving_for=100.0)
    assert report.tag == "103"
    assert report.phases[0].seconds >= 150


def test_a_clock_of_ours_that_is_behind_makes_nothing_wait_longer_than_the_whole_time(stage: Staged) -> None:
    stage.services.play(staged(since=4000))
    report = stage.promote(serving_for=500.0, seconds=499)
    refused(report, "too-soon", "for 0 s of")
    assert report.failure
    assert "in 8 min 20 s" in report.failure.hint


def test_a_dry_run_waits_for_nothing_and_changes_nothing(stage: Staged) -> None:
    report = stage.promote(options=DeliveryOptions(dry_run=True))
    assert (report.outcome, report.dry_run, stage.world.changed) == (Outcome.UNCHANGED, True, [])
    stage.services.play(staged(state="IN_PROGRESS"))
    refused(stage.promote(options=DeliveryOptions(dry_run=True)), "too-soon", "nothing would be promoted now")
    assert stage.world.clock.slept == []


def test_an_older_tag_than_the_one_recorded_is_superseded(stage: Staged) -> None:
    stage.world.parameters.put(Parameter(NAME, "103", 1))
    assert stage.promote().outcome is Outcome.SUPERSEDED


def test_the_event_of_the_completed_rollout_counts_more_than_the_last_change() -> None:
    completed = EPOCH + timedelta(seconds=50)
    events = (
        ServiceEvent("2", EPOCH + timedelta(seconds=800), "(service my-api) has reached a steady state."),
        ServiceEvent(
            "3", EPOCH + timedelta(seconds=70), "(service my-api) (deployment ecs-svc/77) deployment completed."
        ),
        ServiceEvent("1", completed, "(service my-api) (deployment ecs-svc/7) deployment completed."),
        ServiceEvent("0", EPOCH, "(service my-api) (deployment ecs-svc/6) deployment completed."),
    )
    snapshot = staged(since=900, events=events)
    [primary] = snapshot.deployments
    assert serving_since(snapshot, primary) == completed
    assert serving_since(replace(snapshot, events=events[:1]), primary) == EPOCH + timedelta(seconds=900)
    assert serving_since(replace(snapshot, events=()), replace(primary, updated_at=None)) == EPOCH


def test_ctrl_c_while_looking_ends_it_with_a_report(stage: Staged) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stage.services.meanwhile("snapshot", interrupt)
    report = stage.promote()
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130)
    assert TARGET not in stage.services.scripts
