"""The templates of build and release, run as the service would: real scripts, the built task, ECR and ECS."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ecs_cd.tag.tag_file import read_tag
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.azure_devops import Task, find_task, unpack
from ecs_cd_sandbox.azure_devops.model.run import CONTAINER, PIPELINE_ARTIFACT, Run
from tests.integration.templates.service_pipelines import (
    CONNECTION_SECRET,
    FIRST,
    ServicePipelines,
    issues,
    log,
    results,
)
from tests.integration.templates.template_expansion import ADA, HEAD, RELEASE_HEAD
from tests.support.built_extension import built_extension

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its signals are POSIX")

HOSTILE = "##vso[build.addbuildtag]hostile"
DOCKERFILES = {"api/Dockerfile": "FROM scratch\n", "worker/Dockerfile": "FROM scratch\n"}


@pytest.fixture
def pipelines(aws: Aws) -> Iterator[ServicePipelines]:
    with ServicePipelines(aws) as opened:
        yield opened


def build_of(**parameters: object) -> str:
    """Return a pipeline that builds with these parameters, written as JSON, which is YAML."""
    given = {"projectName": "my-api", "awsCredentials": "aws-development", "regionName": "eu-west-1", **parameters}
    return f"{HEAD}jobs:\n- template: templates/build.yml@ecs-cd\n  parameters: {json.dumps(given)}\n"


def publish_of(**parameters: object) -> str:
    return f"{HEAD}steps:\n- template: templates/publish-tag.yml@ecs-cd\n  parameters: {json.dumps(parameters)}\n"


def tag_file(run: Run, folder: Path, artifact: str = "drop") -> Path:
    """Return the tag file of a run, unpacked, and see that the artifact holds nothing else."""
    [found] = [each for each in run.artifacts if each.name == artifact]
    assert list(found.files) == [".buildId"]
    path = folder / ".buildId"
    path.write_bytes(found.files[".buildId"])
    return path


def test_a_build_pushes_its_image_and_publishes_the_tag(pipelines: ServicePipelines, tmp_path: Path) -> None:
    run = pipelines.build(build_of())
    assert run.result == "succeeded", log(run)
    assert pipelines.tags() == {FIRST, str(run.id)}
    assert [artifact.kind for artifact in run.artifacts] == [PIPELINE_ARTIFACT]
    assert str(read_tag(str(tag_file(run, tmp_path))).tag) == str(run.id)
    assert CONNECTION_SECRET not in log(run)


def test_a_build_artifact_is_what_older_releases_know(pipelines: ServicePipelines, tmp_path: Path) -> None:
    run = pipelines.build(build_of(artifactKind="build", artifactName="tags", imageTag="v$(Build.BuildId)"))
    assert run.result == "succeeded", log(run)
    assert [artifact.kind for artifact in run.artifacts] == [CONTAINER]
    assert str(read_tag(str(tag_file(run, tmp_path, "tags"))).tag) == f"v{run.id}"
    assert f"v{run.id}" in pipelines.tags()


def test_several_images_are_in_one_tag_file(pipelines: ServicePipelines, tmp_path: Path) -> None:
    pipelines.repository.push("main", DOCKERFILES, ADA, "Add two images")
    pipelines.aws.create_repository("workers/main")
    images = [
        {"projectName": "my-api", "dockerFile": "api/Dockerfile"},
        {"projectName": "my-worker", "dockerFile": "worker/Dockerfile", "repositoryName": "workers/main"},
    ]
    run = pipelines.build(build_of(projectName="shop", images=images))
    assert run.result == "succeeded", log(run)
    assert pipelines.tags() == {FIRST, str(run.id)} and pipelines.tags("workers/main") == {str(run.id)}
    where = str(tag_file(run, tmp_path))
    for service in ("my-api", "my-worker"):
        entry = read_tag(where, service)
        assert (str(entry.tag), entry.build_id) == (str(run.id), str(run.id))


def test_a_missing_repository_is_made_only_where_that_is_asked_for(pipelines: ServicePipelines) -> None:
    refused = pipelines.build(build_of(repositoryName="teams/new"))
    assert refused.result == "failed" and not refused.artifacts
    assert any("teams/new" in issue for issue in issues(refused))
    run = pipelines.build(build_of(repositoryName="teams/new", createRepository=True))
    assert run.result == "succeeded", log(run)
    assert pipelines.tags("teams/new") == {str(run.id)}


def test_what_the_test_steps_find_wrong_is_not_pushed(pipelines: ServicePipelines) -> None:
    steps = [{"bash": "echo seen; exit 3", "displayName": "Test the image"}]
    run = pipelines.build(build_of(testSteps=steps))
    assert run.result == "failed" and issues(run) == ["Bash exited with code '3'."]
    assert results(run, "Task")["Push my-api"] == "skipped"
    assert pipelines.tags() == {FIRST} and not run.artifacts


def test_a_tag_alone_is_published_by_those_who_build_otherwise(pipelines: ServicePipelines, tmp_path: Path) -> None:
    plain = pipelines.build(publish_of())
    assert str(read_tag(str(tag_file(plain, tmp_path))).tag) == str(plain.id)
    several = pipelines.build(publish_of(imageTag="1.4.0", services=["my-api", "a.b_c-d"], artifactKind="build"))
    assert [artifact.kind for artifact in several.artifacts] == [CONTAINER]
    assert str(read_tag(str(tag_file(several, tmp_path)), "a.b_c-d").tag) == "1.4.0"


HOSTILE_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "tag: a command": {"imageTag": HOSTILE},
    "tag: a command on the next line": {"imageTag": f"1\n{HOSTILE}"},
    "tag: a command after a return": {"imageTag": f"1\r{HOSTILE}"},
    "tag: of a shell": {"imageTag": "`echo 1`"},
    "tag: quotes": {"imageTag": '1"; touch x; "'},
    "tag: an option": {"imageTag": "-n"},
    "tag: not ASCII": {"imageTag": "é"},
    "tag: nothing": {"imageTag": ""},
    "tag: too long": {"imageTag": "x" * 129},
    "service: a command": {"services": [HOSTILE]},
    "service: a command on the next line": {"services": [f"my-api\n{HOSTILE}"]},
    "service: a pattern of files": {"services": ["*"]},
    "service: another folder": {"services": ["../my-api"]},
    "service: JSON": {"services": ['my-api":{},"x']},
}


@pytest.mark.parametrize("parameters", HOSTILE_PARAMETERS.values(), ids=HOSTILE_PARAMETERS)
def test_a_hostile_tag_or_service_is_refused_and_commands_nothing(
    pipelines: ServicePipelines, parameters: Mapping[str, object]
) -> None:
    run = pipelines.build(publish_of(**parameters))
    [said] = [issue for issue in issues(run) if "exited" not in issue]
    assert said in {
        "The parameter imageTag is not a Docker tag.",
        "The parameter services holds what is no service's name.",
    }
    assert (run.result, run.tags, run.artifacts) == ("failed", [], [])
    assert "hostile" not in log(run).partition("Starting Command Output")[2]


def test_a_hostile_tag_given_when_the_build_is_queued_is_refused_as_well(pipelines: ServicePipelines) -> None:
    pipelines.push(build=build_of(imageTag="$(tag)"))
    run = pipelines.run(variables={"tag": {"value": f"1\n{HOSTILE}"}})
    assert (run.result, run.tags, run.artifacts) == ("failed", [], [])
    assert pipelines.tags() == {FIRST}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The product's task, built and unpacked."""
    return find_task(unpack(built_extension(), tmp_path_factory.mktemp("extension")), "EcsCd@1")


@pytest.fixture
def releasing(aws: Aws, task: Task) -> Iterator[ServicePipelines]:
    """Pipelines of a service whose releases can deliver."""
    with ServicePipelines(aws, task) as opened:
        yield opened


def release_of(**parameters: object) -> str:
    environments = [
        {"name": "development", "awsCredentials": "aws-development"},
        {"name": "production", "awsCredentials": "aws-production", "promoteFrom": "development"},
    ]
    given = {"service": "my-api", "environments": environments, **parameters}
    return f"{RELEASE_HEAD}stages:\n- template: templates/release.yml@ecs-cd\n  parameters: {json.dumps(given)}\n"


def asks(run: Run) -> bool:
    """Say whether a run waits for an approval, or is over."""
    waiting = (r.type == "Checkpoint.Approval" and r.state == "inProgress" for r in run.timeline.records)
    return run.phase == "done" or any(waiting)


def test_a_release_that_is_rejected_ends_before_production(releasing: ServicePipelines) -> None:
    releasing.push(release=release_of(stepsAfter=[{"bash": "echo smoke test of $(delivery.imageTag)"}]))
    build = releasing.build(build_of())
    release = releasing.wait_for_release(asks)
    assert release.phase != "done", log(release)
    assert (releasing.serves("development"), releasing.serves("production")) == (str(build.id), FIRST)
    assert f"smoke test of {build.id}" in log(release)
    releasing.answer("rejected")
    releasing.azure.wait(release.id)
    assert release.result == "failed"
    assert results(release) == {"my-api to development": "succeeded", "my-api to production": "failed"}
    assert releasing.serves("production") == FIRST


def test_a_release_by_single_tasks_takes_the_proved_tag_on(releasing: ServicePipelines) -> None:
    releasing.push(release=release_of(style="single-tasks"))
    build = releasing.build(build_of(artifactKind="build"))
    release = releasing.wait_for_release(asks)
    assert release.phase != "done", log(release)
    assert (releasing.serves("development"), releasing.serves("production")) == (str(build.id), FIRST)
    releasing.answer("approved")
    assert releasing.azure.wait(release.id, timeout=90) == "succeeded", log(release)
    assert releasing.serves("production") == str(build.id)
    tasks = [r.name for r in release.timeline.records if r.type == "Task" and r.task and r.task.name == "EcsCd"]
    single = ["Set the parameter", "Run the infrastructure pipeline", "See ECS serve the tag"]
    assert tasks == ["Read the tag", *single, *single]
    assert CONNECTION_SECRET not in log(release)


def test_a_release_that_was_overtaken_asks_nobody_about_production(releasing: ServicePipelines) -> None:
    releasing.push(release=release_of())
    releasing.aws.push_image("my-api", "999")
    releasing.record("development", "999")
    build = releasing.build(build_of())
    release = releasing.wait_for_release(lambda run: run.phase == "done")
    assert build.id < 999
    assert results(release) == {"my-api to development": "succeeded", "my-api to production": "skipped"}, log(release)
    assert releasing.approvals("all") == []
    value = releasing.aws.client("ssm").get_parameter(Name="/my-api/development/docker-image-tag")["Parameter"]["Value"]
    assert (value, releasing.serves("production")) == ("999", FIRST)


def test_inputs_alone_are_enough_and_a_release_needs_no_sources(releasing: ServicePipelines) -> None:
    inputs = {"parameter": "/{service}/{environment}/docker-image-tag", "pipeline": "my-infrastructure"}
    environment = {
        "name": "development",
        "awsCredentials": "aws-development",
        "regionName": "eu-west-1",
        "inputs": {"branch": "develop", "cluster": "development", "container": "api"},
    }
    releasing.push(release=release_of(configFile="", inputs=inputs, environments=[environment], pythonVersion=""))
    build = releasing.build(build_of())
    release = releasing.wait_for_release(lambda run: run.phase == "done")
    assert release.result == "succeeded", log(release)
    assert releasing.serves("development") == str(build.id)
    assert not any(name.startswith("Checkout") for name in results(release, "Task"))
