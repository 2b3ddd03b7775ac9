"""The image that runs, against both clouds: a tag that is pushed again, and digests that Terraform pins."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import PARAMETER, REGION, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
VERIFY = ("verify", "my-api", "development", "--tag", "102")
Retag = Callable[[], tuple[str, str]]


def runs(clouds: SimulatedClouds) -> int:
    return len(clouds.azure._state.runs)


def settle(clouds: SimulatedClouds) -> None:
    for _ in range(6):
        clouds.scheduler.tick()


def digest_of(clouds: SimulatedClouds, tag: str) -> str:
    found = clouds.aws.client("ecr").describe_images(repositoryName="my-api", imageIds=[{"imageTag": tag}])
    return str(found["imageDetails"][0]["imageDigest"])


@pytest.fixture
def retag(clouds: SimulatedClouds, cli: Cli) -> Retag:
    """Deliver 102, push another image under it, and return both digests, old and new."""

    def go() -> tuple[str, str]:
        assert cli(*DEPLOY).code == 0
        old, new = digest_of(clouds, "102"), clouds.aws.push_image("my-api", "102", content="again")
        clouds.forget()
        return old, new

    return go


def test_a_tag_that_was_pushed_again_is_refused_until_a_new_deployment_runs_it(
    clouds: SimulatedClouds, cli: Cli, retag: Retag
) -> None:
    old, new = retag()
    again = cli(*DEPLOY).refused(1, old, new, "The tag was pushed again")
    assert "immutable" in again.advice
    assert "aws ecs update-service --force-new-deployment" in again.advice
    assert (runs(clouds), clouds.writes()) == (1, [])
    assert clouds.value() == "102"
    cli(*VERIFY).refused(1, old, new)

    clouds.aws.client("ecs").update_service(cluster="development", service="my-api", forceNewDeployment=True)
    settle(clouds)
    assert f"The digest that runs is {new}." in cli(*VERIFY).told
    assert cli(*DEPLOY).code == 0


def test_a_tag_file_with_a_digest_is_held_to_it(clouds: SimulatedClouds, cli: Cli, retag: Retag) -> None:
    old, new = retag()
    path = clouds.folder / "image.json"
    for digest, code in ((new, 1), (old, 0)):
        images = {"my-api": {"repository": "my-api", "tag": "102", "digest": digest}}
        path.write_text(json.dumps({"version": 1, "images": images}), encoding="utf-8")
        assert cli("verify", "my-api", "development", "--tag-file", str(path)).code == code


def test_the_platforms_of_an_index_are_the_image(clouds: SimulatedClouds, cli: Cli) -> None:
    clouds.scheduler.show_digests(tasks="platform", revisions="platform")
    index = clouds.aws.push_index("my-api", "102")
    called = cli(*DEPLOY)
    assert called.code == 0, called.told
    assert f"The digest that runs is {index.platforms['linux/amd64']}." in called.told
    clouds.forget()
    clouds.aws.inject("ecr", "BatchGetImage", ErrorAnswer("AccessDeniedException"))
    unseen = cli(*VERIFY)
    assert unseen.code == 0
    assert unseen.out.count("see the platforms of image") == 1
    clouds.scheduler.show_digests()


def pin(clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch, *, with_tag: bool) -> None:
    """Have the pipeline put the digest that the tag has in ECR into the task definition, as a data source does."""
    registry = f"{clouds.aws.account_id}.dkr.ecr.{REGION}.amazonaws.com"

    def register(service: str, tag: str) -> str:
        name = f"{registry}/{service}:{tag}" if with_tag else f"{registry}/{service}"
        found = clouds.aws.client("ecr").describe_images(repositoryName=service, imageIds=[{"imageTag": tag}])
        image = f"{name}@{found['imageDetails'][0]['imageDigest']}"
        api = {"name": "api" if service == "my-api" else "worker", "image": image, "memory": 128}
        made = clouds.aws.client("ecs").register_task_definition(family=service, containerDefinitions=[api])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    monkeypatch.setattr(clouds, "_register", register)
    monkeypatch.setattr(clouds, "serves", lambda *_: "")


@pytest.mark.parametrize("with_tag", [False, True])
def test_a_pinned_digest_is_overtaken_as_a_tag_is(
    clouds: SimulatedClouds, cli: Cli, monkeypatch: pytest.MonkeyPatch, with_tag: bool
) -> None:
    pin(clouds, monkeypatch, with_tag=with_tag)
    put = clouds.aws.put_parameter
    clouds.during_apply = lambda _: put(PARAMETER, "103")  # another delivery's tag, which this very run applies
    called = cli(*DEPLOY)
    assert called.code == 0, called.told
    assert "is superseded" in called.told
    asked = Counter(request.operation for request in clouds.aws.requests)
    assert asked["BatchGetImage"] == 0


def test_a_pinned_digest_is_replaced_by_a_run(
    clouds: SimulatedClouds, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(clouds, monkeypatch, with_tag=True)
    assert cli(*DEPLOY).code == 0
    new = clouds.aws.push_image("my-api", "102", content="again")
    called = cli(*DEPLOY)
    assert called.code == 0, called.told
    assert f"The digest that runs is {new}." in called.told
    assert runs(clouds) == 2
