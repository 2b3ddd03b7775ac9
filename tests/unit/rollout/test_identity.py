"""The verdict by the image that runs: the digests known of it, and what the registry has under them (rule 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.model.image import CheckedImage, FoundImage, ImageTag
from ecs_cd.model.order import Order
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, Serving, TaskDefinition
from ecs_cd.rollout.identity import Judgement, another_image, judge_image
from ecs_cd.rollout.judge import Wanted
from tests.support.fakes import EPOCH

ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "123")
TARGET = ServiceTarget("dev", "api")
TAG = ImageTag("7")
WANTED = Wanted(TAG, (ONE,))


def running(image: str, *digests: str, state: str = "COMPLETED") -> ServiceSnapshot:
    definition = TaskDefinition("arn:task-definition/api:1", (Container("api", image),))
    primary = Deployment("ecs-svc/1", "PRIMARY", definition, state, desired=1, running=1, digests=digests)
    return ServiceSnapshot(TARGET, "ACTIVE", 1, 1, deployments=(primary,))


class Registry:
    """A registry in which digests have tags; `asked` are the digests that somebody asked for."""

    def __init__(
        self,
        tags: Mapping[str, tuple[str, ...]],
        *,
        indexes: tuple[str, ...] = (),
        platforms: tuple[str, ...] | str = (),
    ) -> None:
        self.tags = tags
        self.indexes = indexes
        self.of_index = platforms
        self.asked: list[str] = []

    def find(self, _image: str, digest: str) -> FoundImage | None:
        self.asked.append(digest)
        if digest not in self.tags:
            return None
        return FoundImage(digest, EPOCH, self.tags[digest], digest in self.indexes)

    def platforms(self, index: str) -> tuple[str, ...] | str:
        self.asked.append(f"platforms of {index}")
        return self.of_index


def judged(snapshot: ServiceSnapshot, registry: Registry | None = None, wanted: Wanted = WANTED) -> Judgement:
    return judge_image(snapshot, wanted, registry or Registry({}))


def test_a_tag_that_was_pushed_again_is_another_image_and_both_digests_are_named() -> None:
    found = judged(running("api:7", TWO)).verdict
    assert found.serving is Serving.OTHER_IMAGE
    assert found.sentence == (
        f"api:7 runs with digest {TWO}; in ECR 7 is {ONE}. The tag was pushed again, and ECS keeps the digest that it "
        "resolved until a new deployment."
    )


def test_one_task_with_another_digest_is_enough() -> None:
    assert judged(running("api:7", ONE, TWO)).verdict.serving is Serving.OTHER_IMAGE


def test_the_builds_digest_is_the_one_that_is_named_where_there_is_one() -> None:
    wanted = Wanted.of(CheckedImage(TAG, built=ONE), Order.NUMERIC)
    assert f"the build gave {ONE}." in judged(running("api:7", TWO), wanted=wanted).verdict.sentence


@pytest.mark.parametrize(
    ("image", "tags", "expected", "words"),
    [
        (f"api@{TWO}", ("8",), Serving.SUPERSEDED, f"A newer image serves: api@{TWO} (8 in ECR)."),
        (f"api:latest@{TWO}", ("latest", "8", "9"), Serving.SUPERSEDED, "(9 in ECR)"),
        (f"api:7@{TWO}", ("8",), Serving.SUPERSEDED, "(8 in ECR)"),
        (f"api@{TWO}", ("6",), Serving.NOT_APPLIED, "The service runs"),
        (f"api@{TWO}", (), Serving.NOT_APPLIED, "The service runs"),
        (f"api:7@{TWO}", ("6",), Serving.OTHER_IMAGE, "The tag was pushed again."),
    ],
)
def test_which_tag_a_digest_has_is_asked_of_the_registry(
    image: str, tags: tuple[str, ...], expected: Serving, words: str
) -> None:
    registry = Registry({TWO: tags})
    found = judged(running(image), registry).verdict
    assert found.serving is expected
    assert words in found.sentence
    assert registry.asked == [TWO]


@pytest.mark.parametrize("state", ["COMPLETED", "IN_PROGRESS"])
def test_a_newer_digest_that_rolls_out_is_waited_for_as_a_newer_tag_is(state: str) -> None:
    found = judged(running(f"api@{TWO}", TWO, state=state), Registry({TWO: ("8",)})).verdict
    assert found.serving is (Serving.SUPERSEDED if state == "COMPLETED" else Serving.ROLLING)


def test_without_an_order_no_digest_supersedes() -> None:
    wanted = Wanted(TAG, (ONE,), Order.NONE)
    assert judged(running(f"api@{TWO}"), Registry({TWO: ("8",)}), wanted).verdict.serving is Serving.NOT_APPLIED


@pytest.mark.parametrize("snapshot", [running("api:7", ONE), running("api:6", TWO), running("api:8", TWO)])
def test_the_registry_is_not_asked_where_the_reference_tells(snapshot: ServiceSnapshot) -> None:
    registry = Registry({})
    judged(snapshot, registry)
    assert registry.asked == []


@pytest.mark.parametrize("image", ["api:7", f"api@{TWO}", f"api:7@{TWO}"])
def test_a_digest_that_has_the_tag_by_now_is_accepted_and_that_is_said(image: str) -> None:
    found = judged(running(image, TWO), Registry({TWO: ("7",)}))
    assert found.verdict.serving is Serving.DEPLOYED
    assert f"digest {TWO}, which its registry has under 7 now" in found.notes[0]


def test_a_digest_that_has_the_tag_by_now_does_not_replace_the_builds() -> None:
    wanted = Wanted(TAG, (ONE,), built=ONE)
    found = judged(running("api:7", TWO), Registry({TWO: ("7",)}), wanted)
    assert found.verdict.serving is Serving.OTHER_IMAGE


NO_RIGHT = "You are not allowed ecr:BatchGetImage."
INDEX = Wanted(TAG, (ONE,), index=ONE)


def test_a_platform_of_the_image_is_the_image() -> None:
    registry = Registry({}, platforms=(TWO, THREE))
    assert judged(running("api:7", TWO), registry, INDEX).verdict.serving is Serving.DEPLOYED
    assert judged(running(f"api@{TWO}"), registry, INDEX).verdict.serving is Serving.DEPLOYED
    assert judged(running("api:7", TWO, THREE), registry, INDEX).verdict.serving is Serving.DEPLOYED
    assert set(registry.asked) == {f"platforms of {ONE}"}


@pytest.mark.parametrize("snapshot", [running("api:7", ONE), running("api:6", TWO)])
def test_the_platforms_are_asked_for_only_where_it_matters(snapshot: ServiceSnapshot) -> None:
    registry = Registry({}, platforms=NO_RIGHT)
    assert judged(snapshot, registry, INDEX).notes == ()
    assert registry.asked == []


def test_where_the_platforms_may_not_be_seen_an_image_under_the_tag_may_be_one_of_them_and_the_right_is_named() -> None:
    found = judged(running("api:7", TWO), Registry({TWO: ()}, platforms=NO_RIGHT), INDEX)
    assert found.verdict.serving is Serving.DEPLOYED
    assert NO_RIGHT in found.notes[0]


def test_another_index_is_no_platform_of_the_tags() -> None:
    found = judged(running("api:7", TWO), Registry({TWO: ()}, indexes=(TWO,), platforms=NO_RIGHT), INDEX)
    assert found.verdict.serving is Serving.OTHER_IMAGE


def test_a_digest_that_the_registry_does_not_have_is_no_platform_of_the_tags() -> None:
    found = judged(running("api:7", TWO), Registry({}, platforms=NO_RIGHT), INDEX)
    assert (found.verdict.serving, found.notes) == (Serving.OTHER_IMAGE, (NO_RIGHT,))


def test_what_the_registry_cannot_tell_is_said_and_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry({})
    monkeypatch.setattr(registry, "find", lambda _image, _digest: "ECR did not answer.")
    found = judged(running(f"api@{TWO}"), registry)
    assert (found.verdict.serving, found.notes) == (Serving.NOT_APPLIED, ("ECR did not answer.",))


@pytest.mark.parametrize(
    ("image", "way"),
    [("api:7", "aws ecs update-service --force-new-deployment"), (f"api:7@{TWO}", "have Terraform read it anew")],
)
def test_the_error_says_how_to_get_a_new_digest(image: str, way: str) -> None:
    error = another_image(TARGET, WANTED, judged(running(image, TWO)).verdict)
    assert (error.reason, error.exit_code) == ("another-image", 1)
    assert error.message.startswith("'api' runs another image under 7. api:7")
    assert "make the repository's tags immutable" in error.hint
    assert way in error.hint


digests = st.sampled_from([ONE, TWO, THREE])
tags = st.sampled_from(["6", "7", "8", "latest"])
references = st.one_of(
    tags.map("api:{}".format),
    digests.map("api@{}".format),
    st.builds("api:{}@{}".format, tags, digests),
)
registries: st.SearchStrategy[Callable[[], Registry]] = st.builds(
    lambda there, indexes: lambda: Registry(there, indexes=indexes),
    st.dictionaries(digests, st.lists(tags, max_size=2, unique=True).map(tuple)),
    st.lists(digests, max_size=2).map(tuple),
)
snapshots = st.builds(
    lambda image, known, state: running(image, *known, state=state),
    references,
    st.lists(digests, max_size=2, unique=True),
    st.sampled_from(["COMPLETED", "IN_PROGRESS", "FAILED", ""]),
)
wishes = st.builds(
    lambda accepted, order, built: Wanted(TAG, tuple(accepted), order, built=accepted[0] if built and accepted else ""),
    st.lists(digests, max_size=2, unique=True),
    st.sampled_from(list(Order)),
    st.booleans(),
)


def known(snapshot: ServiceSnapshot) -> set[str]:
    primary = snapshot.deployments[0]
    pinned = primary.task_definition.containers[0].image.partition("@")[2]
    return set(primary.digests) or ({pinned} if pinned else set())


@given(snapshot=snapshots, wanted=wishes, make=registries)
def test_a_known_digest_that_is_none_of_the_tags_is_never_deployed(
    snapshot: ServiceSnapshot, wanted: Wanted, make: Callable[[], Registry]
) -> None:
    registry = make()
    found = judge_image(snapshot, wanted, registry).verdict
    if found.serving is Serving.DEPLOYED and known(snapshot) and wanted.digests:
        now = {digest for digest, there in registry.tags.items() if "7" in there} if not wanted.built else set()
        assert known(snapshot) <= {*wanted.digests, *now}


@given(snapshot=snapshots, wanted=wishes, make=registries)
def test_superseded_means_that_a_tag_of_the_image_is_newer(
    snapshot: ServiceSnapshot, wanted: Wanted, make: Callable[[], Registry]
) -> None:
    registry = make()
    found = judge_image(snapshot, wanted, registry).verdict
    if found.serving is not Serving.SUPERSEDED:
        return
    image = snapshot.deployments[0].task_definition.containers[0].image
    named = image.partition("@")[0].partition(":")[2]
    of_digest = [tag for digest in known(snapshot) for tag in registry.tags.get(digest, ())]
    assert any(wanted.order.newer(tag, "7") for tag in [named, *of_digest])
    assert not (known(snapshot) and known(snapshot) <= set(wanted.digests))
