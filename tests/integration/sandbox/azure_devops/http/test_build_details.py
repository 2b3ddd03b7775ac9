from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
import requests

from ecs_cd_sandbox.azure_devops import StepContext
from tests.support.sandbox_api import BOB_TOKEN, Api, Serve
from tests.support.sandbox_pipelines import MAIN, nothing, pipeline, stage


def talk(context: StepContext) -> None:
    context.log("one\ntwo")
    context.log("three")


def done(api: Api, pipeline_id: int = 12) -> int:
    run = api.run(pipeline_id)
    api.server.wait(run)
    return run


def test_the_timeline_is_a_tree_of_stage_phase_job_and_task(serve: Serve) -> None:
    api = serve(pipeline(stages=(stage("Plan", talk, nothing, display_name="Plan it"), stage("Apply", talk))))
    timeline = api.json("GET", f"build/builds/{done(api)}/timeline")
    by_id = {record["id"]: record for record in timeline["records"]}

    def path(record: dict[str, str]) -> str:
        parent = by_id.get(record["parentId"])
        own = f"{record['type']}:{record['identifier']}"
        return f"{path(parent)}/{own}" if parent else own

    assert [path(record) for record in timeline["records"] if record["type"] == "Task"] == [
        "Stage:Plan/Phase:Plan.job/Job:Plan.job.__default/Task:Plan.job.__default.1",
        "Stage:Plan/Phase:Plan.job/Job:Plan.job.__default/Task:Plan.job.__default.2",
        "Stage:Apply/Phase:Apply.job/Job:Apply.job.__default/Task:Apply.job.__default.1",
    ]
    plan = timeline["records"][0]
    assert (plan["name"], plan["refName"], plan["identifier"], plan["attempt"]) == ("Plan it", "Plan", "Plan", 1)
    task = next(record for record in timeline["records"] if record["type"] == "Task")
    assert task["task"]["name"] == "CmdLine"
    assert "refName" not in task
    assert [record["workerName"] is None for record in api.records(1, "Job")] == [False, False]


def test_every_change_raises_the_timelines_change_id_and_can_be_asked_for(serve: Serve) -> None:
    api = serve(pipeline())
    with api.server.agents_offline():
        run = api.run()
        early = api.json("GET", f"build/builds/{run}/timeline")
    api.server.wait(run)
    late = api.json("GET", f"build/builds/{run}/timeline")
    assert late["changeId"] > early["changeId"]
    assert max(record["changeId"] for record in late["records"]) == late["changeId"]
    news = api.json("GET", f"build/builds/{run}/timeline", params={"changeId": late["changeId"] - 1})
    assert [record["changeId"] for record in news["records"]] == [late["changeId"]]


def test_a_timeline_is_found_by_its_own_id_only(serve: Serve) -> None:
    api = serve(pipeline())
    run = done(api)
    timeline = api.json("GET", f"build/builds/{run}/timeline")
    assert api.json("GET", f"build/builds/{run}/timeline/{timeline['id']}")["id"] == timeline["id"]
    assert api("GET", f"build/builds/{run}/timeline/{'0' * 8}-0000-0000-0000-{'0' * 12}").status_code == 404


def test_logs_are_lists_of_lines_or_text_and_can_be_read_in_part(serve: Serve) -> None:
    api = serve(pipeline(talk, talk))
    run = done(api)
    logs = api.json("GET", f"build/builds/{run}/logs")["value"]
    assert [(log["id"], log["lineCount"]) for log in logs] == [(1, 3), (2, 3)]
    assert [record["log"]["id"] for record in api.records(run, "Task")] == [1, 2]
    lines = api.json("GET", f"build/builds/{run}/logs/1")["value"]
    assert [line.partition("Z ")[2] for line in lines] == ["one", "two", "three"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z one$", lines[0])
    assert api.json("GET", f"build/builds/{run}/logs/1", params={"startLine": 2, "endLine": 2})["value"] == [lines[1]]
    assert api.json("GET", f"build/builds/{run}/logs/1", params={"startLine": 4}) == {"count": 0, "value": []}
    text = api("GET", f"build/builds/{run}/logs/1", headers={"Accept": "text/plain"})
    assert (text.headers["content-type"], text.text) == ("text/plain; charset=utf-8", "".join(f"{x}\n" for x in lines))
    assert api("GET", f"build/builds/{run}/logs/9").json()["typeKey"] == "BuildLogNotFoundException"


def test_all_logs_come_in_one_zip(serve: Serve) -> None:
    api = serve(pipeline(talk))
    content = api("GET", f"build/builds/{done(api)}/logs", headers={"Accept": "application/zip"}).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["logs_1/1.txt"]


def test_a_published_directory_is_an_artifact_with_its_files(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".buildId").write_text("226")
    (tmp_path / "sub" / "note.txt").write_text("x")
    api = serve(pipeline(lambda context: context.publish("tag", tmp_path)))
    run = done(api)
    artifact = api.json("GET", f"build/builds/{run}/artifacts")["value"][0]
    assert (artifact["name"], artifact["resource"]["type"]) == ("tag", "PipelineArtifact")
    assert api.json("GET", f"build/builds/{run}/artifacts", params={"artifactName": "TAG"}) == artifact
    by_link = requests.get(artifact["resource"]["downloadUrl"], auth=("", api.secret), timeout=20)
    by_accept = api(
        "GET",
        f"build/builds/{run}/artifacts",
        params={"artifactName": "tag"},
        headers={"Accept": "application/zip"},
    )
    for response in (by_link, by_accept):
        assert response.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert sorted(archive.namelist()) == ["tag/.buildId", "tag/sub/note.txt"]
            assert archive.read("tag/.buildId") == b"226"
    missing = api("GET", f"build/builds/{run}/artifacts", params={"artifactName": "nope"})
    assert (missing.status_code, missing.json()["typeKey"]) == (404, "ArtifactNotFoundException")


def test_publishing_again_replaces_the_artifact(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / ".buildId"

    def twice(context: StepContext) -> None:
        for content in ("1", "22"):
            file.write_text(content)
            context.publish("tag", file)

    api = serve(pipeline(twice))
    artifacts = api.json("GET", f"build/builds/{done(api)}/artifacts")["value"]
    assert [artifact["resource"]["properties"]["artifactsize"] for artifact in artifacts] == ["2"]


def test_a_completed_ci_build_can_be_put_in_with_its_artifacts(serve: Serve) -> None:
    api = serve()
    ci = pipeline(id=20, name="my-api")
    build_id = api.server.add_completed_build(ci, MAIN, {"tag": {".buildId": b"226"}}, tags=["image"])
    build = api.build(build_id)
    assert (build["status"], build["result"], build["reason"]) == ("completed", "succeeded", "individualCI")
    assert (build["definition"]["name"], build["tags"]) == ("my-api", ["image"])
    content = api("GET", f"build/builds/{build_id}/artifacts", params={"artifactName": "tag", "$format": "zip"}).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("tag/.buildId") == b"226"
    with pytest.raises(ValueError, match="no branch"):
        api.server.add_completed_build(ci, "refs/heads/nope", {})


def test_tags_are_added_and_removed_and_every_change_answers_all_of_them(serve: Serve) -> None:
    api = serve(pipeline(lambda context: context.add_tag("from the step")))
    run = done(api)
    path = f"build/builds/{run}/tags"
    assert api.json("GET", path) == {"count": 1, "value": ["from the step"]}
    assert api.json("PUT", f"{path}/ecs-cd%3A226")["value"] == ["from the step", "ecs-cd:226"]
    assert api.json("POST", path, json=["a", "A", "b"])["value"] == ["from the step", "ecs-cd:226", "a", "b"]
    body = {"tagsToAdd": ["c"], "tagsToRemove": ["B", "from the step"]}
    assert api.json("PATCH", path, json=body)["value"] == ["ecs-cd:226", "a", "c"]
    assert api.json("DELETE", f"{path}/A")["value"] == ["ecs-cd:226", "c"]
    assert api.build(run)["tags"] == ["ecs-cd:226", "c"]
    assert api("POST", path, json={"not": "a list"}).status_code == 400


def test_a_tag_names_who_changed_the_build_last(serve: Serve) -> None:
    api = serve(pipeline())
    run = done(api)
    Api(api.server, BOB_TOKEN.secret).json("PUT", f"build/builds/{run}/tags/x")
    assert api.build(run)["lastChangedBy"]["displayName"] == "Bob Example"


def test_properties_are_changed_by_json_patch_only(serve: Serve) -> None:
    api = serve(pipeline())
    path = f"build/builds/{done(api)}/properties"
    patch = {"Content-Type": "application/json-patch+json"}
    operations = [{"op": "add", "path": "/my.key", "value": "x"}, {"op": "add", "path": "/n", "value": 1}]
    answer = api.json("PATCH", path, json=operations, headers=patch)
    assert answer["value"]["my.key"] == {"$type": "System.String", "$value": "x"}
    assert api.json("GET", path, params={"filter": "n,other"})["value"] == {"n": {"$type": "System.Int32", "$value": 1}}
    assert api.json("PATCH", path, json=[{"op": "remove", "path": "/n"}], headers=patch)["count"] == 1
    refused = api("PATCH", path, json=operations)
    assert (refused.status_code, refused.json()["typeKey"]) == (415, "VssRequestContentTypeNotSupportedException")
    assert api("PATCH", path, json=[{"op": "copy", "path": "/n"}], headers=patch).status_code == 400


def test_attachments_are_listed_by_type_and_read_by_their_link(serve: Serve) -> None:
    api = serve(pipeline(lambda context: context.attach("ecs-cd.report", "report.json", b'{"v": 1}')))
    run = done(api)
    listed = api.json("GET", f"build/builds/{run}/attachments/ECS-CD.report")["value"]
    assert [each["name"] for each in listed] == ["report.json"]
    href = listed[0]["_links"]["self"]["href"]
    got = requests.get(href, auth=("", api.secret), timeout=20)
    assert (got.headers["content-type"], got.content) == ("application/octet-stream", b'{"v": 1}')
    assert api.json("GET", f"build/builds/{run}/attachments/other")["count"] == 0
    wrong = requests.get(href.replace("report.json", "other.json"), auth=("", api.secret), timeout=20)
    assert wrong.status_code == 404


def test_the_logs_and_artifacts_of_a_run_have_signed_links_that_need_no_credentials(serve: Serve) -> None:
    api = serve(pipeline(talk))
    run = done(api)
    artifact_build = api.server.add_completed_build(pipeline(), MAIN, {"tag": {".buildId": b"226"}})
    logs = api.json("GET", f"pipelines/12/runs/{run}/logs")
    assert [log["lineCount"] for log in logs["logs"]] == [3]
    assert "signedContent" not in logs["logs"][0]
    expand = {"$expand": "SignedContent"}
    log = api.json("GET", f"pipelines/12/runs/{run}/logs/1", params=expand)
    assert "two" in requests.get(log["signedContent"]["url"], timeout=20).text
    artifact = api.json(
        "GET", f"pipelines/12/runs/{artifact_build}/artifacts", params={**expand, "artifactName": "tag"}
    )
    content = requests.get(artifact["signedContent"]["url"], timeout=20).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["tag/.buildId"]
    forged = requests.get(log["signedContent"]["url"] + "x", timeout=20)
    assert forged.status_code == 404


def test_a_build_can_be_kept_and_a_completed_one_deleted(serve: Serve) -> None:
    api = serve(pipeline(), pipeline(id=13, name="paused", queue_status="paused"))
    run = done(api)
    assert api.json("PATCH", f"build/builds/{run}", json={"keepForever": True})["keepForever"] is True
    response = api("DELETE", f"build/builds/{run}")
    assert (response.status_code, response.content) == (204, b"")
    assert api("GET", f"build/builds/{run}").json()["typeKey"] == "BuildNotFoundException"
    assert api("DELETE", f"build/builds/{api.run(13)}").status_code == 400
