from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import PipelineDefinition, StepContext, StepDefinition
from tests.integration.sandbox.azure_devops.agent.standard_tasks.outcomes import Outcome, carry_out
from tests.support.node_tasks import job, note
from tests.support.sandbox_api import Api, Serve
from tests.support.sandbox_pipelines import DEVELOP, MAIN, pipeline
from tests.support.standard_task_steps import files, step

BUILD = PipelineDefinition(id=13, name="my-api", branches={MAIN: "c" * 40, DEVELOP: "d" * 40})
TREE = {"s/.buildId": "226", "s/app/main.py": "main", "s/app/.env": "env"}


def below(found: list[dict[str, str]], *place: str) -> StepDefinition:
    """Return a step that notes the files below a place in the job's folder."""

    def look(context: StepContext) -> dict[str, str]:
        root = context.job.workspace.pipeline.joinpath(*place)
        return {item.relative_to(root).as_posix(): item.read_text() for item in root.rglob("*") if item.is_file()}

    return note(found, look)


def zipped(outcome: Outcome, name: str) -> dict[str, bytes]:
    """Return an artifact's files as the API gives them."""
    params = {"artifactName": name, "$format": "zip"}
    content = outcome.api("GET", f"build/builds/{outcome.run}/artifacts", params=params).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def artifacts(outcome: Outcome) -> list[tuple[str, str, str]]:
    found = outcome.api.json("GET", f"build/builds/{outcome.run}/artifacts")["value"]
    return [(each["name"], each["resource"]["type"], each["resource"]["data"]) for each in found]


@pytest.mark.parametrize(
    ("given", "copied"),
    [
        ({}, {".buildId": "226", "app/main.py": "main", "app/.env": "env"}),
        ({"Contents": "app/**\n!**/.env"}, {"app/main.py": "main"}),
        ({"Contents": "**/*.py", "flattenFolders": "true"}, {"main.py": "main"}),
        ({"SourceFolder": "app"}, {"main.py": "main", ".env": "env"}),
        ({"Contents": "nothing/**", "CleanTargetFolder": "true"}, {}),
    ],
)
def test_files_are_copied_by_patterns(serve: Serve, given: dict[str, str], copied: dict[str, str]) -> None:
    found: list[dict[str, str]] = []
    copy = step("CopyFiles@2", {"TargetFolder": "$(Build.ArtifactStagingDirectory)", **given})
    outcome = carry_out(serve, files(TREE), copy, below(found, "a"))
    assert (outcome.result, found) == ("succeeded", [copied])
    assert f"found {len(copied)} files" in outcome.log(2)


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({}, {"old": "old", ".buildId": "before"}),
        ({"OverWrite": "true"}, {"old": "old", ".buildId": "226"}),
        ({"CleanTargetFolder": "true"}, {".buildId": "226"}),
    ],
)
def test_what_is_there_stays_unless_told_otherwise(serve: Serve, given: dict[str, str], after: dict[str, str]) -> None:
    found: list[dict[str, str]] = []
    before = {**TREE, "a/.buildId": "before", "a/old": "old"}
    copy = step("CopyFiles@2", {"Contents": ".buildId", "TargetFolder": "../a", **given})
    assert carry_out(serve, files(before), copy, below(found, "a")).result == "succeeded"
    assert found == [after]


def test_a_source_folder_must_be_there(serve: Serve) -> None:
    outcome = carry_out(serve, step("CopyFiles@2", {"SourceFolder": "missing", "TargetFolder": "x"}))
    assert outcome.result == "failed" and outcome.issues()[0].startswith("Not found SourceFolder: /")


def test_a_pipeline_artifact_has_hidden_files_and_its_kind(serve: Serve) -> None:
    publish = step("PublishPipelineArtifact@1", {"targetPath": ".", "artifact": "drop"})
    outcome = carry_out(serve, files(TREE), publish)
    assert outcome.result == "succeeded"
    assert zipped(outcome, "drop") == {"drop/.buildId": b"226", "drop/app/main.py": b"main", "drop/app/.env": b"env"}
    assert artifacts(outcome)[0][:2] == ("drop", "PipelineArtifact")


def test_an_artifact_without_a_name_is_called_after_its_job(serve: Serve) -> None:
    outcome = carry_out(serve, files(TREE), step("PublishPipelineArtifact@1", {"targetPath": ".buildId"}))
    assert [name for name, _, _ in artifacts(outcome)] == ["Deploy.job"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"targetPath": ".", "artifact": "a/b"}, "Artifact name is not valid: a/b."),
        ({"targetPath": "missing", "artifact": "drop"}, "Path does not exist: /"),
        (
            {"targetPath": ".", "artifact": "drop", "properties": "{"},
            "Artifact custom properties is not valid JSON: '{'",
        ),
        (
            {"targetPath": ".", "artifact": "drop", "properties": '{"a": "b"}'},
            "Artifact custom properties must be prefixed",
        ),
        ({"targetPath": ".", "publishLocation": "filepath", "fileSharePath": "x"}, "Publishing artifacts from a Linux"),
    ],
)
def test_a_pipeline_artifact_that_cannot_be_is_refused(serve: Serve, given: dict[str, str], message: str) -> None:
    outcome = carry_out(serve, files(TREE), step("PublishPipelineArtifact@1", given))
    assert outcome.result == "failed" and outcome.issues(2)[0].startswith(message)


def test_a_pipeline_artifact_is_published_once_in_a_run(serve: Serve) -> None:
    publish = step("PublishPipelineArtifact@1", {"targetPath": ".", "artifact": "drop"})
    outcome = carry_out(serve, files(TREE), publish, publish)
    assert outcome.issues(3) == [f"Artifact drop already exists for build {outcome.run}."]


def test_a_build_artifact_is_a_container_that_grows(serve: Serve) -> None:
    outcome = carry_out(
        serve,
        files(TREE),
        step("PublishBuildArtifacts@1", {"PathtoPublish": ".buildId"}),
        step(
            "PublishBuildArtifacts@1", {"PathtoPublish": "app", "ArtifactName": "drop", "publishLocation": "Container"}
        ),
    )
    assert outcome.result == "succeeded"
    assert zipped(outcome, "drop") == {"drop/.buildId": b"226", "drop/main.py": b"main", "drop/.env": b"env"}
    assert artifacts(outcome) == [("drop", "Container", f"#/{outcome.run}/drop")]


def test_a_build_artifact_can_be_a_tar(serve: Serve) -> None:
    given = {"PathtoPublish": "app", "StoreAsTar": "true", "MaxArtifactSize": "1"}
    outcome = carry_out(serve, files(TREE), step("PublishBuildArtifacts@1", given))
    with tarfile.open(fileobj=io.BytesIO(zipped(outcome, "drop")["drop/drop.tar"])) as archive:
        assert {member.name for member in archive if member.isfile()} == {"./main.py", "./.env"}
    assert "larger than the maximum limit 1 bytes" in outcome.issues(2)[0]


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"PathtoPublish": "missing"}, "build", "Not found PathtoPublish: /"),
        ({"PathtoPublish": ".", "ArtifactType": "FilePath", "TargetPath": "x"}, "build", "Publishing artifacts from a"),
        ({"PathtoPublish": "."}, "release", "This task must run in a build"),
    ],
)
def test_a_build_artifact_that_cannot_be_is_refused(
    serve: Serve, given: dict[str, str], kind: str, message: str
) -> None:
    outcome = carry_out(serve, step("PublishBuildArtifacts@1", given), kind=kind)
    assert outcome.result == "failed" and outcome.issues()[0].startswith(message)


def test_an_empty_folder_is_no_build_artifact(serve: Serve) -> None:
    outcome = carry_out(serve, step("PublishBuildArtifacts@1", {}))
    assert "is empty. Nothing will be added to build artifact 'drop'." in outcome.issues()[0]
    assert artifacts(outcome) == []


class Downloaded:
    """A run that downloads, and what is then below a place of its folder."""

    def __init__(self, serve: Serve, given: Mapping[str, str], *, task: str = "DownloadPipelineArtifact@2") -> None:
        api = serve(pipeline(), BUILD)
        self.builds = self.prepare(api)
        ids = {"RUN": str(self.builds[0])}
        wanted = {name: ids.get(value, value) for name, value in given.items()}
        found: list[dict[str, str]] = []
        api.server.define(job(step(task, wanted), below(found)))
        self.outcome = Outcome(api, (run := api.run()), api.server.wait(run))
        self.files = found[0]

    @staticmethod
    def prepare(api: Api) -> list[int]:
        add = api.server.add_completed_build
        drop = {".buildId": b"old", "app/x.py": b"x"}
        return [
            add(BUILD, MAIN, {"drop": drop, "logs": {"a.txt": b"a"}}),
            add(BUILD, MAIN, {"drop": {".buildId": b"new"}}, tags=["good"]),
            add(BUILD, DEVELOP, {"drop": {".buildId": b"develop"}}),
            add(BUILD, MAIN, {"drop": {".buildId": b"partly"}}, result="partiallySucceeded"),
            add(BUILD, MAIN, {"drop": {".buildId": b"failed"}}, result="failed"),
        ]


SPECIFIC = {"source": "specific", "project": "platform", "pipeline": "my-api", "artifact": "drop"}


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ({}, "develop"),
        ({"pipeline": "13"}, "develop"),
        ({"runVersion": "latestFromBranch", "runBranch": MAIN}, "new"),
        ({"tags": "good"}, "new"),
        ({"allowPartiallySucceededBuilds": "true"}, "partly"),
        ({"allowFailedBuilds": "true"}, "failed"),
        ({"runVersion": "specific", "runId": "RUN"}, "old"),
        ({"preferTriggeringPipeline": "true"}, "develop"),
    ],
)
def test_the_run_to_download_from_is_chosen(serve: Serve, given: dict[str, str], content: str) -> None:
    downloaded = Downloaded(serve, {**SPECIFIC, **given})
    assert downloaded.outcome.result == "succeeded", downloaded.outcome.issues()
    assert downloaded.files[".buildId"] == content


def test_the_run_that_started_this_one_is_preferred_where_asked(serve: Serve) -> None:
    api = serve(pipeline(), BUILD)
    first = Downloaded.prepare(api)[0]
    found: list[dict[str, str]] = []
    triggered = {"Build.TriggeredBy.DefinitionId": "13", "Build.TriggeredBy.BuildId": str(first)}
    given = {**SPECIFIC, "preferTriggeringPipeline": "true", "path": "there"}
    download = step("DownloadPipelineArtifact@2", given)
    api.server.define(job(download, below(found, "s", "there"), variables=triggered))
    assert api.server.wait(api.run()) == "succeeded"
    assert found[0] == {".buildId": "old", "app/x.py": "x"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"path": "$(Pipeline.Workspace)/in"}, {"in/.buildId": "old", "in/app/x.py": "x"}),
        ({"patterns": "app/**"}, {"app/x.py": "x"}),
        ({"patterns": "**\n!**/*.py"}, {".buildId": "old"}),
        ({"artifact": ""}, {"drop/.buildId": "old", "drop/app/x.py": "x", "logs/a.txt": "a"}),
        ({"artifact": "", "patterns": "logs/**"}, {"logs/a.txt": "a"}),
    ],
)
def test_files_land_where_the_task_puts_them(serve: Serve, given: dict[str, str], found: dict[str, str]) -> None:
    assert Downloaded(serve, {**SPECIFIC, "runVersion": "specific", "runId": "RUN", **given}).files == found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"artifact": "other"}, "Artifact other was not found for build 3."),
        ({"project": "elsewhere"}, "Get project failed for project: elsewhere."),
        ({"pipeline": "nothing"}, "The following pipeline does not exist: nothing."),
        ({"runVersion": "specific", "runId": "$(nothing)"}, "Run Id is not valid: $(nothing)"),
        ({"tags": "good,bad"}, "No builds currently exist in the pipeline definition supplied."),
        ({"artifact": "a:b"}, "Artifact name is not valid: a:b."),
    ],
)
def test_a_download_that_cannot_be_says_why(serve: Serve, given: dict[str, str], message: str) -> None:
    downloaded = Downloaded(serve, {**SPECIFIC, **given})
    assert downloaded.outcome.result == "failed"
    assert downloaded.outcome.issues()[0].startswith(message)


def test_artifacts_of_the_run_itself_are_downloaded(serve: Serve) -> None:
    found: list[dict[str, str]] = []
    outcome = carry_out(
        serve,
        files(TREE),
        step("PublishBuildArtifacts@1", {"PathtoPublish": "app", "ArtifactName": "code"}),
        step("DownloadPipelineArtifact@2", {"artifact": "code", "path": "../down", "patterns": "code/*.py"}),
        below(found, "down"),
        step("Bash@3", {"targetType": "inline", "script": "echo $(down.BuildNumber)"}),
    )
    assert outcome.result == "succeeded"
    assert found == [{"main.py": "main"}]


def test_the_older_task_puts_an_artifact_in_its_own_folder(serve: Serve) -> None:
    given = {"buildType": "specific", "project": "platform", "definition": "my-api", "artifactName": "drop"}
    downloaded = Downloaded(serve, given, task="DownloadBuildArtifacts@1")
    assert downloaded.outcome.result == "succeeded"
    assert downloaded.files == {"a/drop/.buildId": "develop"}


def test_the_id_of_the_run_is_an_output_variable(serve: Serve) -> None:
    seen: list[str] = []
    api = serve(pipeline(), BUILD)
    builds = Downloaded.prepare(api)
    download = step("DownloadPipelineArtifact@2", SPECIFIC, ref_name="down")
    api.server.define(job(download, note(seen, lambda context: context.variables["down.BuildNumber"])))
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [str(builds[2])]


def test_a_file_outside_of_an_artifact_is_refused(serve: Serve, tmp_path: Path) -> None:
    api = serve(pipeline(), BUILD)
    api.server.add_completed_build(BUILD, MAIN, {"drop": {"../../escaped": b"x"}})
    api.server.define(job(step("DownloadPipelineArtifact@2", SPECIFIC)))
    outcome = Outcome(api, (run := api.run()), api.server.wait(run))
    assert "has a file outside of it" in outcome.issues()[0]
