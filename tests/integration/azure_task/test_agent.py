"""Where the tag file is looked for in each kind of job."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_cd.azure_task.agent import Agent, Kind
from ecs_cd.errors import EcsCdError, TagFileError


class Job:
    """A job's folders and variables."""

    def __init__(self, root: Path, **variables: str) -> None:
        self.root = root
        for name in ("s", "a", "b"):
            (root / name).mkdir()
        self.variables = {"SYSTEM_DEFAULTWORKINGDIRECTORY": str(root / "s"), **variables}

    def put(self, where: str, tag: str) -> None:
        path = self.root / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(tag)

    @property
    def agent(self) -> Agent:
        return Agent(self.variables)

    def tag(self, where: str = "") -> str:
        return str(self.agent.read_tag("", where).tag)


@pytest.fixture
def build(tmp_path: Path) -> Job:
    return Job(
        tmp_path,
        PIPELINE_WORKSPACE=str(tmp_path),
        BUILD_ARTIFACTSTAGINGDIRECTORY=str(tmp_path / "a"),
        BUILD_BUILDID="55",
        RELEASE_RELEASEID="$(Release.ReleaseId)",
    )


@pytest.fixture
def deployment(tmp_path: Path) -> Job:
    return Job(tmp_path, PIPELINE_WORKSPACE=str(tmp_path), BUILD_BUILDID="55", ENVIRONMENT_NAME="production")


@pytest.fixture
def release(tmp_path: Path) -> Job:
    return Job(
        tmp_path,
        SYSTEM_ARTIFACTSDIRECTORY=str(tmp_path),
        SYSTEM_DEFAULTWORKINGDIRECTORY=str(tmp_path),
        RELEASE_RELEASEID="12",
        BUILD_BUILDID="55",
        RELEASE_PRIMARYARTIFACTSOURCEALIAS="_my-api",
    )


def test_each_job_is_known_for_what_it_is(tmp_path: Path) -> None:
    assert Agent({"BUILD_BUILDID": "5"}).kind is Kind.BUILD
    assert Agent({"BUILD_BUILDID": "5", "ENVIRONMENT_NAME": "x"}).kind is Kind.DEPLOYMENT
    assert Agent({"BUILD_BUILDID": "5", "RELEASE_RELEASEID": "7"}).kind is Kind.RELEASE
    assert [Agent(e).run for e in ({"BUILD_BUILDID": "5"}, {"RELEASE_RELEASEID": "7"}, {})] == [
        "build-5",
        "release-7",
        "task",
    ]


def test_a_build_finds_what_it_has_staged_before_what_it_downloaded(build: Job) -> None:
    build.put("drop/.buildId", "7")
    assert build.tag() == "7"
    build.put("a/.buildId", "8")
    assert build.tag() == "8"


def test_a_build_finds_a_file_among_its_sources_last(build: Job) -> None:
    build.put("s/out/.buildId", "6")
    assert build.tag() == "6"
    build.put("drop/.buildId", "7")
    assert build.tag() == "7"


def test_a_deployment_finds_a_resource_s_artifact(deployment: Job) -> None:
    deployment.put("my-build/drop/.buildId", "7")
    assert deployment.tag() == "7"


def test_a_deployment_prefers_the_resource_that_triggered_it(deployment: Job) -> None:
    deployment.put("my-build/drop/.buildId", "7")
    deployment.put("other/drop/.buildId", "8")
    with pytest.raises(TagFileError, match="2 artifacts"):
        deployment.tag()
    deployment.variables["RESOURCES_TRIGGERINGALIAS"] = "other"
    assert deployment.tag() == "8"


def test_a_release_prefers_the_triggering_artifact_then_the_primary_one(release: Job) -> None:
    release.put("_other/drop/.buildId", "8")
    assert release.tag() == "8"
    release.put("_my-api/drop/.buildId", "7")
    assert release.tag() == "7"
    release.variables["RELEASE_TRIGGERINGARTIFACT_ALIAS"] = "_other"
    assert release.tag() == "8"


@pytest.mark.parametrize("alias", ["..", "../outside", "C:\\x", "$(Release.Alias)"])
def test_an_alias_leads_nowhere_else(release: Job, alias: str) -> None:
    release.variables["RELEASE_TRIGGERINGARTIFACT_ALIAS"] = alias
    release.put("_my-api/drop/.buildId", "7")
    assert release.tag() == "7"


@pytest.mark.parametrize("where", ["_my-api/drop/.buildId", "_my-api/drop", "**/.buildId", "*/drop/.build*"])
def test_a_relative_name_begins_among_the_artifacts(release: Job, where: str) -> None:
    release.put("_my-api/drop/.buildId", "7")
    assert release.tag(where) == "7"


def test_a_relative_name_may_begin_in_the_working_folder_of_a_build(build: Job) -> None:
    build.put("s/out/tag.txt", "6")
    assert build.tag("out/tag.txt") == "6"
    assert build.tag("s/out/tag.txt") == "6"


def test_an_absolute_name_is_taken_as_it_is(build: Job, tmp_path: Path) -> None:
    build.put("elsewhere/tag", "6")
    assert build.tag(str(tmp_path / "elsewhere" / "tag")) == "6"


def test_a_relative_name_leads_out_of_nothing(release: Job, tmp_path: Path) -> None:
    release.variables["SYSTEM_ARTIFACTSDIRECTORY"] = release.variables["SYSTEM_DEFAULTWORKINGDIRECTORY"] = str(
        tmp_path / "a"
    )
    release.put("secret/.buildId", "7")
    with pytest.raises(EcsCdError):
        release.tag("../secret/.buildId")


def test_what_is_not_there_is_told_with_the_places_and_the_input(release: Job) -> None:
    with pytest.raises(TagFileError, match="no tag file") as caught:
        release.tag()
    assert str(release.root) in caught.value.message
    assert "input 'tagFile'" in caught.value.hint
