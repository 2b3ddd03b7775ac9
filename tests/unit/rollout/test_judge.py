"""The verdict on one snapshot of a service is ECS's, never Terraform's (rule 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.errors import SettingsError
from ecs_cd.model.image import ImageRepository, ImageTag
from ecs_cd.model.image_name import ImageMatch, container_image, match_image, repository_in, repository_of, tag_of
from ecs_cd.model.order import Order
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, Serving, TaskDefinition, Verdict
from ecs_cd.rollout.judge import Wanted, judge

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TARGET = ServiceTarget("dev", "api")
WANTED = Wanted(ImageTag("7"), (ONE,))
ROLLING_BACK = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/5."


def deployment(
    tag: str, status: str = "PRIMARY", state: str = "COMPLETED", reason: str = "", **more: int
) -> Deployment:
    definition = TaskDefinition(f"arn:task-definition/api:{tag}", (Container("api", f"{ECR}/api:{tag}"),))
    return Deployment(
        f"ecs-svc/{tag}",
        status,
        definition,
        state,
        reason,
        more.get("desired", 2),
        more.get("running", 2),
        more.get("pending", 0),
        more.get("failed_tasks", 0),
    )


def service(*deployments: Deployment, controller: str = "ECS", desired: int = 2) -> ServiceSnapshot:
    return ServiceSnapshot(TARGET, "ACTIVE", desired, 2, controller, deployments)


def task_set(tag: str, status: str = "PRIMARY", *, steady: bool = True) -> Deployment:
    return replace(deployment(tag, status, ""), steady=steady)


# What an image reference says


@pytest.mark.parametrize(
    ("image", "tag", "repository"),
    [
        ("api", "", "api"),
        ("api:7", "7", "api"),
        ("team/api:7", "7", "team/api"),
        (f"{ECR}/team/api:7", "7", "team/api"),
        ("registry:5000/team/api", "", "team/api"),
        ("registry:5000/team/api:7", "7", "team/api"),
        ("localhost/api:7", "7", "api"),
        (f"{ECR}/api@{ONE}", "", "api"),
        (f"{ECR}/api:7@{ONE}", "7", "api"),
        ("", "", ""),
    ],
)
def test_tag_and_repository_are_read_from_a_reference(image: str, tag: str, repository: str) -> None:
    assert tag_of(image) == tag
    assert repository_of(image) == repository


@pytest.mark.parametrize(
    ("image", "running", "accepted", "expected"),
    [
        ("api:7", (), (ONE,), ImageMatch.SAME),
        ("api:7", (ONE,), (), ImageMatch.SAME),
        ("api:7", (ONE,), (ONE,), ImageMatch.SAME),
        ("api:7", (TWO,), (ONE,), ImageMatch.RETAGGED),
        ("api:7", (TWO,), (ONE, TWO), ImageMatch.SAME),
        ("api:7", (ONE, TWO), (ONE,), ImageMatch.RETAGGED),
        ("api:77", (), (ONE,), ImageMatch.OTHER),
        ("api:77", (TWO,), (ONE,), ImageMatch.OTHER),
        ("api:77", (ONE,), (ONE,), ImageMatch.SAME),
        ("api", (), (ONE,), ImageMatch.OTHER),
        ("registry:7/api", (), (ONE,), ImageMatch.OTHER),
        (f"api@{ONE}", (), (ONE,), ImageMatch.SAME),
        (f"api@{TWO}", (), (ONE,), ImageMatch.OTHER),
        (f"api@{ONE}", (), (), ImageMatch.OTHER),
        (f"api:7@{ONE}", (), (ONE,), ImageMatch.SAME),
        (f"api:7@{TWO}", (), (ONE,), ImageMatch.RETAGGED),
        (f"api:7@{TWO}", (), (), ImageMatch.SAME),
        (f"api:6@{ONE}", (), (ONE,), ImageMatch.SAME),
        (f"registry:5000/api:7@{TWO}", (), (ONE,), ImageMatch.RETAGGED),
        (f"registry:5000/api@{ONE}", (), (ONE,), ImageMatch.SAME),
        ("api@sha256:" + "A" * 64, (), ("sha256:" + "a" * 64,), ImageMatch.SAME),
    ],
)
def test_an_image_is_ours_by_digest_where_both_have_one_and_else_by_tag(
    image: str, running: tuple[str, ...], accepted: tuple[str, ...], expected: ImageMatch
) -> None:
    assert match_image(image, running, ImageTag("7"), accepted) is expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (f"{ECR}/team/api:7", ImageRepository("team/api", "123456789012", "eu-west-1")),
        (f"{ECR}/api:7@{ONE}", ImageRepository("api", "123456789012", "eu-west-1")),
        (f"{ECR}.cn/api@{ONE}", ImageRepository("api", "123456789012", "eu-west-1")),
        ("12345678901.dkr.ecr.eu-west-1.amazonaws.com/api:7", ImageRepository("mine")),
        ("registry:5000/api:7", ImageRepository("mine")),
        ("api:7", ImageRepository("mine")),
    ],
)
def test_the_registry_of_an_image_is_its_own_where_that_is_ecr(image: str, expected: ImageRepository) -> None:
    assert repository_in(image, ImageRepository("mine")) == expected


# Which container


SIDECARS = TaskDefinition(
    "arn:aws:ecs:eu-west-1:123456789012:task-definition/api:3",
    (Container("envoy", "envoy:1"), Container("api", f"{ECR}/team/api:7"), Container("logs", "fluent-bit:2")),
)


def test_the_container_is_the_one_that_is_named() -> None:
    assert container_image(SIDECARS, replace(TARGET, container="envoy")) == "envoy:1"


def test_the_container_is_the_only_one() -> None:
    only = TaskDefinition("arn", (Container("web", "api:7"),))
    assert container_image(only, TARGET) == "api:7"
    assert container_image(only, replace(TARGET, repository="other")) == "api:7"


def test_the_container_is_the_one_from_the_repository() -> None:
    assert container_image(SIDECARS, replace(TARGET, repository="team/api")) == f"{ECR}/team/api:7"


@pytest.mark.parametrize("repository", ["", "other", "api"])
def test_where_several_could_be_meant_all_are_listed(repository: str) -> None:
    with pytest.raises(SettingsError, match=r"api:3.*several containers \(envoy, api, logs\)") as caught:
        container_image(SIDECARS, replace(TARGET, repository=repository))
    assert "container" in caught.value.hint


def test_containers_with_the_same_image_from_the_repository_are_one() -> None:
    twins = TaskDefinition("arn", (Container("web", "api:7"), Container("worker", "api:7")))
    assert container_image(twins, replace(TARGET, repository="api")) == "api:7"


def test_two_images_from_one_repository_are_not_distinguished() -> None:
    twins = TaskDefinition("arn", (Container("web", "api:7"), Container("worker", "api:6")))
    with pytest.raises(SettingsError, match="several containers"):
        container_image(twins, replace(TARGET, repository="api"))


def test_a_container_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match="no container 'web'; it has envoy, api, logs"):
        container_image(SIDECARS, replace(TARGET, container="web"))


# The verdict

CASES: dict[str, tuple[ServiceSnapshot, Serving]] = {
    "ours completed": (service(deployment("7")), Serving.DEPLOYED),
    "ours completed beside one that drains": (service(deployment("7"), deployment("5", "ACTIVE")), Serving.DEPLOYED),
    "ours in progress": (service(deployment("7", state="IN_PROGRESS", running=1, pending=1)), Serving.ROLLING),
    "ours in progress though all run": (service(deployment("7", state="IN_PROGRESS")), Serving.ROLLING),
    "ours failed without a rollback": (service(deployment("7", state="FAILED")), Serving.FAILED),
    "ours put back by a rollback of another": (
        service(deployment("7", state="IN_PROGRESS", reason=ROLLING_BACK), deployment("8", "ACTIVE", "FAILED")),
        Serving.ROLLING,
    ),
    "ours completed with nothing desired": (
        service(deployment("7", desired=0, running=0), desired=0),
        Serving.DEPLOYED,
    ),
    "no state, counts settled": (service(deployment("7", state="")), Serving.DEPLOYED),
    "no state, too few run": (service(deployment("7", state="", running=1)), Serving.ROLLING),
    "no state, one still pending": (service(deployment("7", state="", pending=1)), Serving.ROLLING),
    "no state, the old still drains": (
        service(deployment("7", state=""), deployment("5", "ACTIVE", "")),
        Serving.ROLLING,
    ),
    "rolled back, the failed one listed": (
        service(
            deployment("5", state="IN_PROGRESS", reason=ROLLING_BACK),
            deployment("7", "ACTIVE", "FAILED", "tasks failed to start."),
        ),
        Serving.REVERTED,
    ),
    "rolled back to the end, the failed one listed": (
        service(deployment("5"), deployment("7", "INACTIVE", "FAILED")),
        Serving.REVERTED,
    ),
    "rolling back, ours listed but not yet failed": (
        service(deployment("5", state="IN_PROGRESS", reason=ROLLING_BACK), deployment("7", "ACTIVE", "IN_PROGRESS")),
        Serving.REVERTED,
    ),
    "rolling back, ours listed beside another that failed": (
        service(
            deployment("5", state="IN_PROGRESS", reason=ROLLING_BACK),
            deployment("6", "ACTIVE", "FAILED"),
            deployment("7", "ACTIVE", ""),
        ),
        Serving.REVERTED,
    ),
    "rolling back, ours gone": (
        service(deployment("5", state="IN_PROGRESS", reason=ROLLING_BACK)),
        Serving.REVERTED,
    ),
    "rolling back from another": (
        service(deployment("5", state="IN_PROGRESS", reason=ROLLING_BACK), deployment("6", "ACTIVE", "FAILED")),
        Serving.NOT_APPLIED,
    ),
    "a newer one completed": (service(deployment("8")), Serving.SUPERSEDED),
    "a newer one in progress": (service(deployment("8", state="IN_PROGRESS")), Serving.ROLLING),
    "a newer one failed": (service(deployment("8", state="FAILED")), Serving.FAILED),
    "a newer one, no state, settled": (service(deployment("8", state="")), Serving.SUPERSEDED),
    "a newer one, no state, not settled": (service(deployment("8", state="", running=1)), Serving.ROLLING),
    "70 is newer, not ours": (service(deployment("70")), Serving.SUPERSEDED),
    "an older one": (service(deployment("5")), Serving.NOT_APPLIED),
    "one outside the order": (service(deployment("latest")), Serving.NOT_APPLIED),
    "an older one, ours replaced but not failed": (
        service(deployment("5"), deployment("7", "ACTIVE")),
        Serving.NOT_APPLIED,
    ),
    "no deployment yet": (service(), Serving.NOT_APPLIED),
    "no primary": (service(deployment("7", "ACTIVE")), Serving.NOT_APPLIED),
    "inactive": (replace(service(deployment("7")), status="INACTIVE"), Serving.FAILED),
    "draining": (replace(service(deployment("7")), status="DRAINING"), Serving.FAILED),
    "blue-green, ours steady": (service(task_set("7"), controller="CODE_DEPLOY"), Serving.DEPLOYED),
    "blue-green, ours not steady": (service(task_set("7", steady=False), controller="CODE_DEPLOY"), Serving.ROLLING),
    "blue-green, ours steady beside the old": (
        service(task_set("7"), task_set("5", "DRAINING"), controller="CODE_DEPLOY"),
        Serving.DEPLOYED,
    ),
    "blue-green, ours without traffic": (
        service(task_set("5"), task_set("7", "ACTIVE"), controller="CODE_DEPLOY"),
        Serving.ROLLING,
    ),
    "blue-green, a newer one": (service(task_set("8"), controller="CODE_DEPLOY"), Serving.SUPERSEDED),
    "blue-green, an older one": (service(task_set("5"), controller="CODE_DEPLOY"), Serving.NOT_APPLIED),
    "external, no task set": (service(controller="EXTERNAL"), Serving.NOT_JUDGED),
    "external, no primary": (service(task_set("7", "ACTIVE"), controller="EXTERNAL"), Serving.NOT_JUDGED),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_on(name: str) -> None:
    snapshot, serving = CASES[name]
    assert judge(snapshot, WANTED).serving is serving


MEMORIES: dict[str, tuple[ServiceSnapshot, Serving]] = {
    "ours gone": (service(deployment("5")), Serving.REVERTED),
    "ours without traffic again": (
        service(task_set("5"), task_set("7", "DRAINING"), controller="CODE_DEPLOY"),
        Serving.REVERTED,
    ),
    "ours still there": (service(deployment("7")), Serving.DEPLOYED),
    "ours overtaken": (service(deployment("8")), Serving.SUPERSEDED),
}


@pytest.mark.parametrize("name", MEMORIES)
def test_when_ours_was_primary_before_the_verdict_on(name: str) -> None:
    snapshot, serving = MEMORIES[name]
    assert judge(snapshot, WANTED, was_primary=True).serving is serving


def test_a_digest_serves_where_terraform_pins_it() -> None:
    pinned = TaskDefinition("arn", (Container("api", f"{ECR}/api@{ONE}"),))
    assert judge(service(replace(deployment("7"), task_definition=pinned)), WANTED).serving is Serving.DEPLOYED


def test_without_an_order_no_other_tag_is_newer() -> None:
    wanted = replace(WANTED, order=Order.NONE)
    assert judge(service(deployment("8")), wanted).serving is Serving.NOT_APPLIED


def test_an_old_revision_with_other_containers_does_not_disturb_the_verdict() -> None:
    old = replace(deployment("6", "ACTIVE"), task_definition=SIDECARS)
    assert judge(service(deployment("5"), old), WANTED).serving is Serving.NOT_APPLIED


def test_an_unclear_container_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsError):
        judge(service(replace(deployment("7"), task_definition=SIDECARS)), WANTED)


@pytest.mark.parametrize(
    ("snapshot", "sentence"),
    [
        (service(deployment("7")), "2 of 2 tasks serve it."),
        (service(deployment("7", desired=0, running=0), desired=0), "desired count is 0"),
        (
            service(deployment("7", state="IN_PROGRESS", running=1, pending=1, failed_tasks=3)),
            "1 of 2 tasks run, 1 are starting, 3 failed.",
        ),
        (service(deployment("7", state="FAILED", reason="No luck.")), "No luck."),
        (service(deployment("7", state="FAILED")), "ECS says the rollout failed."),
        (service(deployment("5"), deployment("7", "ACTIVE", "FAILED", "No luck.")), "api:5 back: No luck."),
        (
            service(deployment("5", reason=ROLLING_BACK), deployment("7", "ACTIVE", "FAILED")),
            f"api:5 back: {ROLLING_BACK}",
        ),
        (service(deployment("5", reason="Completed."), deployment("7", "ACTIVE", "FAILED")), "its events say why."),
        (service(deployment("5"), deployment("7", "ACTIVE", "FAILED")), "its events say why."),
        (service(deployment("5")), f"The service runs {ECR}/api:5."),
        (service(deployment("8", state="FAILED", reason="No luck.")), "api:8, failed: No luck."),
        (service(task_set("5"), task_set("7", "ACTIVE"), controller="EXTERNAL"), "EXTERNAL has not yet moved traffic"),
        (replace(service(), status="DRAINING"), "The service is DRAINING."),
    ],
)
def test_the_verdict_is_a_sentence_a_person_reads(snapshot: ServiceSnapshot, sentence: str) -> None:
    assert sentence in judge(snapshot, WANTED).sentence


def test_the_verdict_names_the_deployment_it_blames() -> None:
    ours = deployment("7", "ACTIVE", "FAILED")
    assert judge(service(deployment("5"), ours), WANTED).deployment == ours


# Any snapshot at all

hostile = st.one_of(st.text(max_size=12), st.sampled_from(["7", "8", "5", "9" * 5000, "##vso[x]"]))
images = st.one_of(
    hostile,
    st.builds(
        "{}/{}:{}".format, st.sampled_from([ECR, "registry:5000", "team"]), st.sampled_from(["api", "x"]), hostile
    ),
    st.builds("api@{}".format, st.sampled_from([ONE, TWO, ""])),
)
counts = st.integers(0, 3)
deployments = st.builds(
    Deployment,
    id=hostile,
    status=st.sampled_from(["PRIMARY", "PRIMARY", "ACTIVE", "INACTIVE", "DRAINING", "?"]),
    task_definition=st.builds(
        TaskDefinition,
        arn=hostile,
        containers=st.lists(st.builds(Container, st.sampled_from(["api", "envoy"]), images), max_size=3).map(tuple),
    ),
    rollout_state=st.sampled_from(["", "IN_PROGRESS", "COMPLETED", "FAILED", "STOPPED"]),
    rollout_reason=st.one_of(hostile, st.just(ROLLING_BACK)),
    desired=counts,
    running=counts,
    pending=counts,
    failed_tasks=counts,
    steady=st.booleans(),
)
snapshots = st.builds(
    ServiceSnapshot,
    target=st.builds(
        ServiceTarget, st.just("dev"), st.just("api"), st.sampled_from(["", "api"]), st.sampled_from(["", "api"])
    ),
    status=st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "DRAINING", "INACTIVE"]),
    desired=counts,
    running=counts,
    controller=st.sampled_from(["ECS", "ECS", "CODE_DEPLOY", "EXTERNAL"]),
    deployments=st.lists(deployments, max_size=3).map(tuple),
)
wishes = st.builds(
    Wanted,
    st.sampled_from([ImageTag("7"), ImageTag("1.2.3")]),
    st.sampled_from([(), (ONE,), (ONE, TWO)]),
    st.sampled_from(list(Order)),
)


def verdict_or_mistake(snapshot: ServiceSnapshot, wanted: Wanted, *, was_primary: bool) -> Verdict | str:
    try:
        return judge(snapshot, wanted, was_primary=was_primary)
    except SettingsError as error:
        return str(error)


@given(snapshot=snapshots, wanted=wishes, was_primary=st.booleans())
def test_any_snapshot_has_one_verdict_or_an_unclear_container(
    snapshot: ServiceSnapshot, wanted: Wanted, was_primary: bool
) -> None:
    verdict = verdict_or_mistake(snapshot, wanted, was_primary=was_primary)
    assert verdict == verdict_or_mistake(snapshot, wanted, was_primary=was_primary)


@given(snapshot=snapshots, wanted=wishes, was_primary=st.booleans())
def test_deployed_means_that_the_primary_has_the_image_and_is_done(
    snapshot: ServiceSnapshot, wanted: Wanted, was_primary: bool
) -> None:
    verdict = verdict_or_mistake(snapshot, wanted, was_primary=was_primary)
    if isinstance(verdict, str) or verdict.serving is not Serving.DEPLOYED:
        return
    primary = snapshot.primary
    assert snapshot.status == "ACTIVE"
    assert primary
    image = container_image(primary.task_definition, snapshot.target)
    assert match_image(image, primary.digests, wanted.tag, wanted.digests) is ImageMatch.SAME
    if primary.rollout_state:
        assert primary.rollout_state == "COMPLETED"
    elif snapshot.controller == "ECS":
        assert snapshot.deployments == (primary,)
        assert (primary.running, primary.pending) == (primary.desired, 0)
    else:
        assert primary.steady
