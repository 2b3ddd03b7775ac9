from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import PipelineDefinition, ProcessAction, Restrictions, StepContext, StepDefinition
from tests.support.node_tasks import job, note
from tests.support.sandbox_api import Api, Serve, log_lines
from tests.support.sandbox_pipelines import pipeline

ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
CHILD = "3f2504e0-4f89-41d3-9a0c-0305e82c3302"


def script(*lines: str, **step: Any) -> StepDefinition:  # noqa: ANN401 - passed on
    """Return a step whose script prints lines; `printf` as a script would."""
    return StepDefinition("print", ProcessAction(["printf", "%s\\n", *lines]), **step)


def ran(serve: Serve, definition: PipelineDefinition, ends: str = "succeeded") -> tuple[Api, int]:
    api = serve(definition)
    run = api.run()
    assert api.server.wait(run) == ends
    return api, run


def record(api: Api, run: int) -> Any:  # noqa: ANN401 - any JSON
    return api.records(run, "Task")[0]


def messages(api: Api, run: int) -> list[tuple[str, str]]:
    return [(issue["type"], issue["message"]) for issue in record(api, run).get("issues", [])]


def test_progress_and_operation_show_in_the_timeline(serve: Serve) -> None:
    api, run = ran(serve, job(script("##vso[task.setprogress value=140;]almost", "##vso[task.setprogress value=40]")))
    assert (record(api, run)["percentComplete"], record(api, run)["currentOperation"]) == (40, "almost")


def test_an_issue_carries_its_place_as_the_agent_puts_it(serve: Serve) -> None:
    command = "##vso[task.logissue type=error;sourcepath=main.tf;linenumber=3;columnnumber=7;code=T1]no such thing"
    api, run = ran(serve, job(script(command)))
    [issue] = record(api, run)["issues"]
    assert (issue["message"], issue["category"]) == ("main.tf(3,7): error T1: no such thing", "Code")
    assert (issue["data"]["linenumber"], issue["data"]["code"]) == ("3", "T1")


@pytest.mark.parametrize(
    ("results", "ends", "task"),
    [
        (["Succeeded"], "succeeded", "succeeded"),
        (["SucceededWithIssues"], "partiallySucceeded", "succeededWithIssues"),
        (["SucceededWithIssues", "Succeeded"], "partiallySucceeded", "succeededWithIssues"),
        (["Failed", "SucceededWithIssues"], "failed", "failed"),
        (["Succeeded", "Failed"], "failed", "failed"),
        (["Canceled", "Failed"], "canceled", "canceled"),
        (["Skipped"], "succeeded", "skipped"),
        (["Abandoned"], "failed", "abandoned"),
    ],
)
def test_results_merge_to_the_worst_and_reach_the_run(serve: Serve, results: list[str], ends: str, task: str) -> None:
    api, run = ran(serve, job(script(*(f"##vso[task.complete result={each};]{each}" for each in results))), ends)
    assert (record(api, run)["result"], record(api, run)["percentComplete"]) == (task, 100)
    assert record(api, run)["currentOperation"] == results[-1]
    if task == "succeededWithIssues":
        assert {each["result"] for kind in ("Job", "Stage") for each in api.records(run, kind)} == {task}


def test_steps_after_one_that_succeeded_with_issues_run(serve: Serve) -> None:
    statuses: list[str] = []
    look = StepDefinition("next", lambda context: statuses.append(context.job.system["agent.jobstatus"]))
    ran(serve, job(script("##vso[task.complete result=SucceededWithIssues]"), look), "partiallySucceeded")
    assert statuses == ["SucceededWithIssues"]


def test_an_exit_code_outweighs_what_the_program_said(serve: Serve) -> None:
    step = StepDefinition("x", ProcessAction(["sh", "-c", "echo '##vso[task.complete result=Succeeded]'; exit 3"]))
    ran(serve, job(step), "failed")


def test_a_program_that_is_done_is_not_waited_for_beyond_its_grace(serve: Serve) -> None:
    step = StepDefinition(
        "x",
        ProcessAction(
            ["sh", "-c", "echo '##vso[task.complete result=Succeeded;done=true]'; exec sleep 600"], done_grace=0.05
        ),
    )
    api, run = ran(serve, job(step))
    assert record(api, run)["result"] == "succeeded"


def test_variables_reach_later_steps_as_values_macros_and_environment(serve: Serve) -> None:
    seen: list[Any] = []
    first = script(
        "##vso[task.setvariable variable=Image.Tag;]226",
        "##vso[task.setvariable variable=shown;isoutput=true]a%0Ab",
        "##vso[task.setvariable variable=hidden;issecret=true]s3cret-value",
        "##vso[task.setvariable variable=out;isoutput=true;issecret=true]0ther-value",
        ref_name="build",
    )
    environment = ProcessAction(
        ["sh", "-c", "echo [$IMAGE_TAG] [$HIDDEN] [$MAPPED]"], env={"MAPPED": "$(build.shown)!"}
    )
    api, run = ran(
        serve,
        job(first, StepDefinition("env", environment), note(seen, lambda context: context.variables)),
    )
    [variables] = seen
    assert dict(variables) == {
        "Image.Tag": "226",
        "build.shown": "a\nb",
        "hidden": "s3cret-value",
        "build.out": "0ther-value",
    }
    assert [each.name for each in variables.all() if each.secret] == ["hidden", "build.out"]
    assert log_lines(api, run, 2)[-1] == "[226] [] [a b!]"
    assert record(api, run)["refName"] == "build"


def test_the_output_of_a_step_without_a_name_goes_by_its_task(serve: Serve) -> None:
    seen: list[Any] = []
    ran(
        serve, job(script("##vso[task.setvariable variable=a;isoutput=true]1"), note(seen, lambda c: dict(c.variables)))
    )
    assert seen == [{"CmdLine.a": "1"}]


def test_overwriting_a_readonly_variable_is_warned_of(serve: Serve) -> None:
    seen: list[Any] = []
    lines = ("##vso[task.setvariable variable=a;isreadonly=true]1", "##vso[task.setvariable variable=A]2")
    api, run = ran(serve, job(script(*lines), note(seen, lambda context: dict(context.variables))))
    assert messages(api, run)[0][1].startswith("Overwriting readonly variable 'A'.")
    assert seen == [{"a": "2"}]


def test_a_secret_is_masked_in_every_later_line_issue_and_operation(serve: Serve) -> None:
    first = script(
        "##vso[task.setsecret]s3cret/value",
        "plain s3cret/value",
        "url s3cret%2Fvalue",
        "##vso[task.logissue type=warning]it was s3cret/value",
        "##vso[task.setprogress value=1]s3cret/value",
        "##vso[task.setvariable variable=x;issecret=true]an0ther",
        "and an0ther",
    )
    api, run = ran(serve, job(first, script("later s3cret/value")))
    assert log_lines(api, run)[1:] == ["plain ***", "url ***", "##[warning]it was ***", "and ***"]
    assert messages(api, run) == [("warning", "it was ***")]
    assert record(api, run)["currentOperation"] == "***"
    assert log_lines(api, run, 2)[-1] == "later ***"


def test_a_secret_with_several_lines_is_refused(serve: Serve) -> None:
    api, run = ran(serve, job(script("##vso[task.setvariable variable=x;issecret=true]a%0Ab")), "failed")
    assert ("error", "Secrets cannot contain multiple lines") in messages(api, run)


def test_secret_variables_of_the_job_are_masked_and_not_in_a_scripts_environment(serve: Serve) -> None:
    step = StepDefinition(
        "x", ProcessAction(["sh", "-c", 'echo "[$MY_SECRET] [$MAPPED]"'], env={"MAPPED": "$(my.secret)"})
    )
    api, run = ran(serve, job(step, secrets={"my.secret": "hush-hush"}))
    assert log_lines(api, run)[-1] == "[] [***]"


def test_attachments_are_there_through_the_api(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "summary.md").write_text("# Done")
    report, summary = tmp_path / "report.json", tmp_path / "summary.md"
    api, run = ran(
        serve,
        job(
            script(
                f"##vso[task.addattachment type=ecs-cd.report;name=my report;]{report}",
                f"##vso[task.uploadsummary]{summary}",
                f"##vso[task.uploadfile]{report}",
                f"##vso[build.uploadsummary]{summary}",
            )
        ),
    )

    def found(kind: str) -> dict[str, str]:
        listed = api.json("GET", f"build/builds/{run}/attachments/{kind}")["value"]
        paths = {each["name"]: each["_links"]["self"]["href"].partition("/_apis/")[2] for each in listed}
        return {name: api("GET", path).text for name, path in paths.items()}

    assert found("ecs-cd.report") == {"my report": "{}"}
    assert found("Distributedtask.Core.Summary") == {
        "summary.md": "# Done",
        "CustomMarkDownSummary-summary.md": "# Done",
    }
    assert found("Distributedtask.Core.FileAttachment") == {"report.json": "{}"}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("##vso[task.addattachment type=a;name=b]/no/such/file", "does not exist on disk"),
        ("##vso[task.addattachment type=a;name=../b]/etc/hostname", "Name contains invalid characters"),
        ("##vso[task.addattachment type=a]/etc/hostname", "attachment name is not provided"),
        ("##vso[task.uploadsummary]", "summary file location is not specified"),
        ("##vso[task.uploadfile]", "file location is not specified"),
        ("##vso[task.complete result=Fine]", "Command doesn't have valid result value."),
        ("##vso[task.logissue type=info]x", "issue type info is not an expected issue type."),
        ("##vso[task.setvariable]x", "Required field 'variable' is missing"),
        ("##vso[task.prependpath]", "no path is given"),
        ("##vso[task.logdetail name=a;type=b]", "timeline record id is not provided"),
        (f"##vso[task.logdetail id={ID};name=a]", "Type is required"),
        (
            f"##vso[task.logdetail id={ID};name=a;type=b;parentid={CHILD}]",
            "Parent timeline record has not been created",
        ),
        ("##vso[build.addbuildtag]a:b", "a colon is not allowed"),
        ("##vso[build.uploadlog]/no/such/file", "No such file"),
        ("##vso[build.updatebuildnumber]", "Build number is required."),
        ("##vso[artifact.upload artifactname=a]/no/such", "Path does not exist"),
        ("##vso[task.setendpoint id=x;field=url]y", "badly formed"),
        ("##vso[task.dance]now", "##vso[task.dance] is not a recognized command for task command extension."),
        ("##vso[release.updatereleasename]x", "release commands are not supported for build flow."),
    ],
)
def test_a_command_that_cannot_be_carried_out_fails_the_step(serve: Serve, command: str, why: str) -> None:
    api, run = ran(serve, job(script(command)), "failed")
    assert why in " ".join(text for _, text in messages(api, run))
    assert {kind for kind, _ in messages(api, run)} == {"error"}


def test_commands_nobody_knows_are_warned_of(serve: Serve) -> None:
    api, run = ran(serve, job(script("##vso[dance.now]x", "##vso[broken", "##vso[task.logissue]x")))
    kinds, texts = zip(*messages(api, run), strict=True)
    assert set(kinds) == {"warning"}
    assert texts[0].startswith("Cannot find command extension for ##vso[dance.command].")
    assert "not a legal command" in texts[1]
    assert texts[2] == "Can't create TaskIssue from logging event."
    assert "##vso[broken" in log_lines(api, run)


def test_tags_number_log_and_artifacts_change_the_run(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b\nc")
    api, run = ran(
        serve,
        job(
            script(
                "##vso[build.addbuildtag] nightly ",
                "##vso[build.updatebuildnumber]1.2.3",
                f"##vso[build.uploadlog]{tmp_path / 'b.txt'}",
                f"##vso[artifact.upload containerfolder=x;artifactname=drop]{folder}",
                f"##vso[artifact.upload artifactname=drop]{tmp_path / 'b.txt'}",
                "##vso[artifact.associate type=filepath;artifactname=share]\\\\server\\drop",
                "##vso[telemetry.publish area=a;feature=b]{}",
            )
        ),
    )
    build = api.build(run)
    assert (build["tags"], build["buildNumber"]) == (["nightly"], "1.2.3")
    drop, share = api.json("GET", f"build/builds/{run}/artifacts")["value"]
    assert drop["resource"]["properties"]["artifactsize"] == "4"
    assert (share["name"], share["resource"]["type"], share["resource"]["data"]) == (
        "share",
        "filepath",
        "\\\\server\\drop",
    )
    assert log_lines(api, run, 2) == ["b", "c"]


def test_a_step_can_show_details_below_its_own_record(serve: Serve) -> None:
    api, run = ran(
        serve,
        job(
            script(
                f"##vso[task.logdetail id={ID};name=outer;type=ecs;order=3;starttime=2026-01-02T03:04:05Z]going on",
                f"##vso[task.logdetail id={CHILD};parentid={ID};name=inner;type=ecs;progress=30]",
                f"##vso[task.logdetail id={ID};state=Completed;result=Failed]",
            )
        ),
    )
    outer, inner = api.records(run, "ecs")
    assert (outer["id"], outer["parentId"], outer["order"]) == (ID, record(api, run)["id"], 3)
    assert (outer["state"], outer["result"], outer["percentComplete"]) == ("completed", "failed", 100)
    assert (outer["startTime"], outer["currentOperation"]) == ("2026-01-02T03:04:05.000000Z", "going on")
    assert (inner["parentId"], inner["state"], inner["percentComplete"]) == (ID, "inProgress", 30)


def test_a_step_cannot_change_the_record_of_another(serve: Serve) -> None:
    def steal(context: StepContext) -> None:
        job_id: list[str] = []
        context.change_record(lambda run, found: job_id.append(found.parent_id or ""))
        ProcessAction(["printf", "%s\\n", f"##vso[task.logdetail id={job_id[0]};name=x;type=y;result=Failed]"])(context)

    api, run = ran(serve, pipeline(steal), "failed")
    assert ("error", "The timeline record belongs to another step.") in messages(api, run)
    assert [each["name"] for each in api.records(run, "Job")] == ["job"]


def test_a_path_is_searched_first_in_later_steps(serve: Serve, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tool = tmp_path / name / "ecs-tool"
        tool.write_text(f"#!/bin/sh\necho {name}\n")
        tool.chmod(0o755)
    lines = (f"##vso[task.prependpath]{tmp_path / name}" for name in ("two", "one"))
    api, run = ran(serve, job(script(*lines), StepDefinition("tool", ProcessAction(["sh", "-c", "ecs-tool"]))))
    assert log_lines(api, run, 2)[-1] == "one"


def test_debug_lines_are_there_when_asked_for(serve: Serve) -> None:
    step = script("##vso[task.debug]details", "##vso[task.setprogress value=1]")
    api, run = ran(serve, job(step))
    assert len(log_lines(api, run)) == 1
    api, run = ran(serve, job(step, variables={"System.Debug": "true"}))
    assert log_lines(api, run)[1:] == ["##[debug]details", "##[debug]Processed: ##vso[task.setprogress value=1]"]


def test_restricted_steps_may_not_attach_or_set_what_is_not_listed(serve: Serve, tmp_path: Path) -> None:
    seen: list[Any] = []
    (tmp_path / "a.md").write_text("x")
    step = script(
        f"##vso[task.uploadsummary]{tmp_path / 'a.md'}",
        "##vso[task.setvariable variable=imageTag]1",
        "##vso[task.setvariable variable=PATH]2",
        restrictions=Restrictions("restricted", ("IMAGE*",)),
    )
    api, run = ran(serve, job(step, note(seen, lambda context: dict(context.variables))))
    assert seen == [{"imageTag": "1"}]
    assert [text.partition(" P")[0] for _, text in messages(api, run)] == [
        "##vso[task.uploadsummary] is not allowed in this step due to policy restrictions.",
        "Setting variable 'PATH' has been disabled by the task or build definition.",
    ]
    assert api.json("GET", f"build/builds/{run}/attachments/Distributedtask.Core.Summary")["value"] == []
