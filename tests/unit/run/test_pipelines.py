from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import (
    AccessDenied,
    DeadlineReached,
    PipelineNotFound,
    RunCancelled,
    RunFailed,
    Throttled,
    Unreachable,
)
from ecs_cd.model.run import FinishedRun, Pipeline, Run, RunProgress, RunState, TimelineRecord
from ecs_cd.run.failure import explain_failure
from ecs_cd.run.follow import follow_run
from ecs_cd.run.pipelines import full_ref, locate_pipeline, resolve_pipeline
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock, FakePipelines

INFRASTRUCTURE = Pipeline(7, "infrastructure", "\\api")
URL = "https://dev/acme/_build/results?buildId=5"
RUN = Run(5, "20260101.5", URL, RunState.WAITING, 7)

STAGE = TimelineRecord("s1", "", "Stage", "Apply", "inProgress", order=1)
JOB = TimelineRecord("j1", "s1", "Job", "terraform", "inProgress", order=1)
INIT = TimelineRecord("t1", "j1", "Task", "terraform init", "completed", "succeeded", 1, 11)
APPLY = TimelineRecord("t2", "j1", "Task", "terraform apply", "inProgress", order=2, log_id=12)
FAILED_APPLY = replace(APPLY, state="completed", result="failed", errors=("Bash exited with code 1.",))


def at(state: RunState, *records: TimelineRecord, **more: str) -> RunProgress:
    return RunProgress(replace(RUN, state=state, changed_by=more.get("changed_by", "")), records)


def followed(pipelines: FakePipelines, clock: FakeClock | None = None) -> tuple[FinishedRun, list[RunProgress]]:
    told: list[RunProgress] = []
    finished = follow_run(pipelines, RUN, deadline=Deadline.after(600, clock or FakeClock()), watch=told.append)
    return finished, told


def explained(*records: TimelineRecord, log: tuple[str, ...] = (), run: Run = RUN) -> RunFailed:
    pipelines = FakePipelines()
    pipelines.logs[12] = log
    return explain_failure(pipelines, RunProgress(replace(run, state=RunState.FAILED), records))


# Which pipeline


@pytest.mark.parametrize("reference", ["7", "infrastructure", "\\api\\infrastructure"])
def test_the_one_pipeline_that_is_meant_is_found(reference: str) -> None:
    assert resolve_pipeline(FakePipelines(INFRASTRUCTURE), reference) == INFRASTRUCTURE


@pytest.mark.parametrize(
    ("reference", "asked", "path"), [("7", [], "id 7"), ("infrastructure", ["find"], "\\api\\infrastructure")]
)
def test_an_id_needs_no_look_up(reference: str, asked: list[str], path: str) -> None:
    pipelines = FakePipelines(INFRASTRUCTURE)
    found = locate_pipeline(pipelines, reference)
    assert (found.id, found.path, pipelines.calls) == (7, path, asked)


def test_a_pipeline_that_is_not_there_is_named() -> None:
    with pytest.raises(PipelineNotFound, match="no pipeline 'other'"):
        resolve_pipeline(FakePipelines(INFRASTRUCTURE), "other")


def test_of_several_pipelines_all_are_listed_to_choose_from() -> None:
    twin = Pipeline(8, "infrastructure")
    with pytest.raises(PipelineNotFound, match="2 pipelines are called 'infrastructure'") as caught:
        resolve_pipeline(FakePipelines(INFRASTRUCTURE, twin), "infrastructure")
    assert caught.value.details == ("\\api\\infrastructure (id 7)", "\\infrastructure (id 8)")


def test_a_long_list_of_candidates_is_cut() -> None:
    many = [Pipeline(number, "infrastructure", f"\\team{number}") for number in range(30)]
    with pytest.raises(PipelineNotFound) as caught:
        resolve_pipeline(FakePipelines(*many), "infrastructure")
    assert len(caught.value.details) == 10


# Which branch


@pytest.mark.parametrize(
    ("branch", "ref"),
    [
        ("develop", "refs/heads/develop"),
        ("feature/x", "refs/heads/feature/x"),
        ("refs/heads/main", "refs/heads/main"),
        ("refs/tags/v1", "refs/tags/v1"),
    ],
)
def test_a_branch_is_given_as_its_full_ref(branch: str, ref: str) -> None:
    assert full_ref(branch) == ref


# Following


def test_a_run_that_succeeds_is_the_end() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.WAITING), at(RunState.RUNNING, STAGE), at(RunState.SUCCEEDED, STAGE))
    finished, _ = followed(pipelines)
    assert finished == FinishedRun(replace(RUN, state=RunState.SUCCEEDED))


def test_a_run_that_succeeds_with_issues_is_the_end_with_a_warning() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.PARTIALLY_SUCCEEDED))
    finished, _ = followed(pipelines)
    assert finished.warning == f"Run 20260101.5 succeeded with issues ({URL})."


@pytest.mark.parametrize(("who", "said"), [("Ann", r"was cancelled by Ann\."), ("", r"was cancelled\.")])
def test_a_cancelled_run_is_a_failure_that_names_who_did_it(who: str, said: str) -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.CANCELLING), at(RunState.CANCELLED, changed_by=who))
    with pytest.raises(RunCancelled, match=said) as caught:
        followed(pipelines)
    assert caught.value.link == URL


def test_a_failed_run_is_explained() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.FAILED, STAGE, JOB, INIT, FAILED_APPLY))
    with pytest.raises(RunFailed, match="failed in task 'terraform apply'"):
        followed(pipelines)


def test_each_change_is_told_once() -> None:
    steps = [
        at(RunState.WAITING),
        at(RunState.RUNNING, STAGE),
        at(RunState.RUNNING, STAGE, JOB),
        at(RunState.SUCCEEDED, STAGE, JOB),
    ]
    pipelines = FakePipelines()
    pipelines.play(steps[0], steps[0], steps[1], steps[1], steps[2], steps[2], steps[2], steps[3])
    _, told = followed(pipelines)
    assert told == steps[1:]


def test_a_long_run_outlives_short_failures() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.RUNNING), at(RunState.SUCCEEDED))
    pipelines.fail("run", Unreachable("No route."), Throttled("Slow down."))
    pipelines.fail("records", Unreachable("No route."))
    assert followed(pipelines)[0].run


def test_a_lasting_failure_ends_the_following() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.RUNNING))
    pipelines.fail("run", AccessDenied("No."))
    with pytest.raises(AccessDenied):
        followed(pipelines)


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (at(RunState.WAITING), ("The run is waiting; no job of it has started.",)),
        (at(RunState.RUNNING, replace(JOB, state="pending")), ("The run is running; no job of it has started.",)),
        (
            at(RunState.RUNNING, replace(JOB, state="completed")),
            ("The run is running; no job of it is in progress.",),
        ),
        (
            at(RunState.RUNNING, STAGE, JOB, INIT, APPLY),
            (
                "Stage 'Apply' is in progress.",
                "Job 'terraform' is in progress.",
                "Task 'terraform apply' is in progress.",
            ),
        ),
        (
            at(RunState.RUNNING, TimelineRecord("c", "s1", "Checkpoint.Approval", "Checkpoint.Approval", "inProgress")),
            ("Checkpoint.Approval 'Checkpoint.Approval' is in progress.",),
        ),
    ],
)
def test_the_deadline_says_what_is_in_progress(progress: RunProgress, said: tuple[str, ...]) -> None:
    pipelines = FakePipelines()
    pipelines.play(progress)
    with pytest.raises(DeadlineReached, match=r"following run 20260101\.5") as caught:
        followed(pipelines)
    assert caught.value.details == said
    assert caught.value.link == URL


def test_the_deadline_says_nothing_a_terminal_would_obey() -> None:
    pipelines = FakePipelines()
    pipelines.play(at(RunState.RUNNING, replace(JOB, name="##vso[task.complete]\x1b[2J")))
    with pytest.raises(DeadlineReached) as caught:
        followed(pipelines)
    assert "##vso" not in caught.value.details[0]
    assert "\x1b" not in caught.value.details[0]


# Explaining


def test_the_first_error_lines_come_from_the_log() -> None:
    error = explained(STAGE, JOB, INIT, FAILED_APPLY, log=("Refreshing", "Error: no such subnet", "  on main.tf", ""))
    assert error.message == "Run 20260101.5 failed in task 'terraform apply'."
    assert error.details == ("Error: no such subnet", "  on main.tf", "")


@pytest.mark.parametrize("line", ["##[error]Bash exited", "│ Error: Invalid", "ERROR something", "fatal error: it"])
def test_a_line_that_says_error_is_found_in_any_wording(line: str) -> None:
    details = explained(FAILED_APPLY, log=("fine", line)).details
    assert len(details) == 1
    assert details[0].endswith(line.rpartition("]")[2])


def test_a_long_explanation_is_cut() -> None:
    assert len(explained(FAILED_APPLY, log=("Error: one", *["more"] * 50)).details) == 12


def test_where_the_log_names_no_error_the_tasks_issues_are_told() -> None:
    assert explained(FAILED_APPLY, log=("fine",)).details == FAILED_APPLY.errors


def test_where_there_are_no_issues_either_the_end_of_the_log_is_told() -> None:
    silent = replace(FAILED_APPLY, errors=())
    assert explained(silent, log=tuple(f"line {number}" for number in range(30))).details[0] == "line 18"


NO_POOL = replace(
    JOB,
    errors=(
        "Pipeline does not have permissions to use the referenced pool(s) main. For authorization details, refer to x",
    ),
)


def test_the_hint_leads_to_the_place_where_a_problem_of_azure_pipelines_is_solved() -> None:
    assert "Project settings > Agent pools" in (explained(NO_POOL).hint or "")
    assert "Project settings > Agent pools" in (explained(NO_POOL, FAILED_APPLY).hint or "")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "remote: TF401019: The Git repository with name or identifier x does not exist",
            "Protect access to repositories",
        ),
        ("Error: x (Line: 3, Col: 4): no", "Fix the cause"),
        ("this pipeline is disabled", "Fix the cause"),
    ],
)
def test_of_a_tasks_own_words_only_a_repository_that_cannot_be_read_gives_a_hint(said: str, hint: str) -> None:
    assert hint in (explained(replace(FAILED_APPLY, errors=(said,))).hint or "")


def test_a_task_without_a_log_is_explained_by_its_issues() -> None:
    assert explained(replace(FAILED_APPLY, log_id=None)).details == FAILED_APPLY.errors


def test_a_log_that_cannot_be_read_does_not_hide_the_failure() -> None:
    pipelines = FakePipelines()
    pipelines.fail("log_tail", AccessDenied("No."))
    error = explain_failure(pipelines, at(RunState.FAILED, FAILED_APPLY))
    assert error.details == FAILED_APPLY.errors


def test_only_the_end_of_the_log_is_asked_for() -> None:
    pipelines = FakePipelines()
    explain_failure(pipelines, at(RunState.FAILED, FAILED_APPLY))
    assert pipelines.tails == [(5, 12, 200)]


def test_the_link_opens_the_tasks_log() -> None:
    assert explained(JOB, FAILED_APPLY).link == f"{URL}&view=logs&j=j1&t=t2"


def test_the_link_does_without_a_job_a_query_and_an_address() -> None:
    assert explained(FAILED_APPLY).link == f"{URL}&view=logs&t=t2"
    assert explained(FAILED_APPLY, run=replace(RUN, url="https://dev/5")).link == "https://dev/5?view=logs&t=t2"
    assert explained(FAILED_APPLY, run=replace(RUN, url="")).link == ""


def test_of_several_failing_tasks_the_one_that_ran_first_is_told() -> None:
    """The order of a record counts within its parent, and the timeline lists records in no order."""
    plan, apply = replace(STAGE, id="s1", order=1), replace(STAGE, id="s2", order=2)
    planning, applying = replace(JOB, id="j1", parent_id="s1"), replace(JOB, id="j2", parent_id="s2")
    first = replace(FAILED_APPLY, name="terraform plan", parent_id="j1", order=9)
    second = replace(FAILED_APPLY, parent_id="j2", order=1)
    assert "'terraform plan'" in explained(second, applying, apply, first, planning, plan).message


def test_a_timeline_that_is_its_own_parent_is_read_all_the_same() -> None:
    loop = replace(JOB, id="j1", parent_id="j1")
    assert "'terraform apply'" in explained(loop, FAILED_APPLY).message


@pytest.mark.parametrize("kind", ["Job", "Phase", "Stage"])
def test_an_error_of_a_job_a_phase_or_a_stage_is_told_where_no_task_failed(kind: str) -> None:
    record = replace(JOB, kind=kind, name="terraform", errors=("The agent lost the connection.",))
    error = explained(record)
    assert error.message == f"Run 20260101.5 failed in {kind.lower()} 'terraform'."
    assert error.details == ("The agent lost the connection.",)
    assert error.link == URL


def test_a_failure_that_nothing_explains_leads_to_the_run() -> None:
    error = explained(JOB, INIT)
    assert (error.message, error.details, error.link) == ("Run 20260101.5 failed.", (), URL)
