"""Rule 10: a run that ended well counts only if what applies was carried out in it, and says so where it was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from ecs_cd.errors import AccessDenied
from ecs_cd.model.run import Approval, ApprovalStatus, FinishedRun, RunState, TimelineRecord
from ecs_cd.run.left_out import LeftOut, find_left_out
from tests.support.fakes import FakePipelines
from tests.unit.run.support import REQUEST, run


def record(kind: str, name: str, result: str = "succeeded", *, under: str = "", number: int = 1) -> TimelineRecord:
    return TimelineRecord(f"{kind} {name}", under, kind, name, "completed", result, number)


PLAN = record("Stage", "Plan")
APPLY = record("Stage", "Apply", number=2)
SKIPPED = replace(APPLY, result="skipped")
JOB = record("Job", "terraform", under="Stage Plan")


def task(name: str, result: str = "succeeded", under: str = "Job terraform") -> TimelineRecord:
    return record("Task", name, result, under=under)


def left_out(*records: TimelineRecord, yaml: str = "", pipelines: FakePipelines | None = None) -> LeftOut | None:
    pipelines = pipelines or FakePipelines()
    if yaml:
        pipelines.expand = lambda _: yaml
    return find_left_out(pipelines, REQUEST, FinishedRun(run(5, RunState.SUCCEEDED), records=records))


def test_a_run_that_skipped_nothing_left_nothing_out_and_nothing_is_asked() -> None:
    pipelines = FakePipelines()
    assert left_out(PLAN, JOB, task("./deploy.sh"), pipelines=pipelines) is None
    assert pipelines.calls == []


def test_no_run_and_no_timeline_leave_nothing_out() -> None:
    assert find_left_out(FakePipelines(), REQUEST, FinishedRun(None)) is None
    assert left_out() is None


# Stages


def test_a_skipped_stage_is_named() -> None:
    found = left_out(PLAN, JOB, task("terraform plan"), SKIPPED)
    assert found
    assert found.sentence == "Run 20260101.5 succeeded, but skipped its stage 'Apply'."
    assert "condition" in found.hint and "deselected" in found.hint
    assert (found.certain, found.decided) == (True, False)


def test_of_several_skipped_stages_the_one_that_applies_is_named() -> None:
    notify = record("Stage", "Notify", "skipped", number=1)
    found = left_out(notify, SKIPPED)
    assert found and "'Apply'" in found.sentence


ELSEWHERE_ONLY = """
stages:
- stage: Plan
- stage: Apply
  condition: eq(variables['Build.SourceBranch'], 'refs/heads/release')
- stage: Release
  condition: eq(variables['Build.SourceBranch'], 'refs/heads/release')
"""
RELEASE = record("Stage", "Release", "skipped")


def test_a_stage_that_no_run_of_the_branch_executes_is_no_loss_where_another_can_have_applied() -> None:
    assert left_out(PLAN, JOB, task("./deploy.sh"), RELEASE, yaml=ELSEWHERE_ONLY) is None
    assert left_out(PLAN, JOB, task("Apply"), SKIPPED, RELEASE, yaml=ELSEWHERE_ONLY) is None
    applying = replace(PLAN, name="Apply development")
    assert left_out(applying, JOB, task("./deploy.sh"), SKIPPED, yaml=ELSEWHERE_ONLY) is None


def test_a_stage_that_no_run_of_the_branch_executes_counts_where_nothing_else_can_have_applied() -> None:
    """All stages are skipped on this branch, or the only one that applies is."""
    assert left_out(RELEASE, yaml=ELSEWHERE_ONLY)
    assert left_out(PLAN, JOB, task("Initialize job"), RELEASE, yaml=ELSEWHERE_ONLY)
    assert left_out(PLAN, JOB, task("terraform plan"), SKIPPED, yaml=ELSEWHERE_ONLY)


def test_a_stage_that_runs_only_after_a_failure_is_no_loss() -> None:
    yaml = "stages: [{stage: Plan}, {stage: Undo, condition: failed()}]"
    assert left_out(PLAN, JOB, task("./deploy.sh"), record("Stage", "Undo", "skipped"), yaml=yaml) is None


WITH_CLEANUP = """
stages:
- stage: Plan
  jobs: [{job: a, steps: [{script: terraform apply}]}]
- stage: Cleanup
  condition: eq(variables.wanted, 'yes')
  jobs: [{job: a, steps: [{script: rm -r cache}]}]
- stage: Network
  condition: eq(variables.wanted, 'yes')
  jobs: [{job: a, steps: [{script: "terraform apply network"}]}]
"""


def test_once_an_apply_has_run_a_skipped_stage_counts_only_if_it_applies_too() -> None:
    ran = (PLAN, JOB, task("Terraform apply"))
    assert left_out(*ran, record("Stage", "Cleanup", "skipped"), yaml=WITH_CLEANUP) is None
    found = left_out(*ran, record("Stage", "Network", "skipped"), yaml=WITH_CLEANUP)
    assert found and "'Network'" in found.sentence


def test_without_an_apply_known_to_have_run_a_skipped_stage_counts_whatever_it_has() -> None:
    found = left_out(PLAN, JOB, task("./deploy.sh"), record("Stage", "Cleanup", "skipped"), yaml=WITH_CLEANUP)
    assert found and "'Cleanup'" in found.sentence


def test_without_the_right_to_a_preview_a_skipped_stage_counts_as_far_as_names_tell() -> None:
    def refused() -> FakePipelines:
        pipelines = FakePipelines()
        pipelines.fail("preview", AccessDenied("no"))
        return pipelines

    cleanup = record("Stage", "Cleanup", "skipped")
    assert left_out(PLAN, JOB, task("Apply"), cleanup, pipelines=refused()) is None
    assert left_out(PLAN, JOB, task("./deploy.sh"), cleanup, pipelines=refused())
    assert left_out(PLAN, JOB, task("Apply"), SKIPPED, pipelines=refused())


# Approvals and other checks

CHECKPOINT = record("Checkpoint", "Checkpoint", "skipped", under="Stage Apply")
APPROVAL = record("Checkpoint.Approval", "Checkpoint.Approval", "skipped", under="Checkpoint Checkpoint")
AT = datetime(2026, 11, 28, 16, 5, tzinfo=timezone.utc)


def denied(approval: Approval | None) -> LeftOut:
    pipelines = FakePipelines()
    pipelines.answers = {APPROVAL.id: approval} if approval else {}
    found = left_out(PLAN, SKIPPED, CHECKPOINT, APPROVAL, pipelines=pipelines)
    assert found and found.decided
    assert pipelines.calls.count("approvals") == 1
    return found


@pytest.mark.parametrize(
    ("approval", "reason"),
    [
        (
            Approval("x", ApprovalStatus.TIMED_OUT, decided_at=AT, asked=("Ann", "Bob", "Cem", "Dan")),
            "its approval timed out at 2026-11-28 16:05 UTC; asked: Ann, Bob, Cem, and 1 more.",
        ),
        (Approval("x", ApprovalStatus.TIMED_OUT), "its approval timed out."),
        (
            Approval("x", ApprovalStatus.REJECTED, "Ann", AT, "not\ntoday"),
            r"Ann rejected its approval at 2026-11-28 16:05 UTC ('not\ntoday').",
        ),
        (Approval("x", ApprovalStatus.REJECTED), "somebody rejected its approval."),
        (Approval("x", ApprovalStatus.OTHER, asked=("Ann",)), "its approval was not given; asked: Ann."),
        (Approval("x", ApprovalStatus.APPROVED), "its approval was not given."),
        (None, "its approval was not given."),
    ],
)
def test_an_approval_that_was_not_given_is_named_with_who_and_when(approval: Approval | None, reason: str) -> None:
    found = denied(approval)
    assert found.sentence == f"Run 20260101.5 succeeded, but skipped its stage 'Apply': {reason}"
    assert "run the same command again" in found.hint.lower()


def test_without_the_right_to_see_approvals_the_timeline_alone_is_told() -> None:
    pipelines = FakePipelines()
    pipelines.fail("approvals", AccessDenied("no"))
    found = left_out(SKIPPED, CHECKPOINT, APPROVAL, pipelines=pipelines)
    assert found and found.sentence.endswith("skipped its stage 'Apply': its approval was not given.")


def test_another_check_that_did_not_pass_is_told() -> None:
    pipelines = FakePipelines()
    check = replace(APPROVAL, kind="Checkpoint.TaskCheck", result="failed")
    found = left_out(SKIPPED, CHECKPOINT, check, pipelines=pipelines)
    assert found and found.sentence.endswith("skipped its stage 'Apply': a check before it did not pass.")
    assert pipelines.calls == ["preview"]


def test_a_stage_stopped_by_an_approval_counts_whatever_its_condition() -> None:
    assert left_out(PLAN, JOB, task("Apply"), SKIPPED, CHECKPOINT, APPROVAL, yaml=ELSEWHERE_ONLY)


def test_checks_that_passed_are_no_reason() -> None:
    passed = (replace(CHECKPOINT, result="succeeded"), replace(APPROVAL, result="succeeded"))
    found = left_out(SKIPPED, *passed)
    assert found and found.sentence == "Run 20260101.5 succeeded, but skipped its stage 'Apply'."


# Jobs and steps

STEPS = """
stages:
- stage: Plan
  jobs:
  - job: terraform
    steps:
    - task: Bash@3
      displayName: Roll it out
      inputs: {script: exec tofu apply plan}
    - task: Publish@1
      displayName: publish on failure
      condition: failed()
    - task: Bash@3
      displayName: Install
      condition: ne(variables.installed, 'true')
"""


def test_a_skipped_step_is_no_loss_once_an_apply_has_run() -> None:
    ran = (PLAN, JOB, task("Install", "skipped"), task("publish on failure", "skipped"))
    assert left_out(*ran, task("terraform apply")) is None
    assert left_out(*ran, task("Roll it out"), yaml=STEPS) is None


def test_a_skipped_step_that_applies_is_named_though_others_ran() -> None:
    ran = (PLAN, JOB, task("Initialise"), task("Install", "skipped"))
    for name in ("Terraform apply", "Roll it out"):
        found = left_out(*ran, task(name, "skipped"), yaml=STEPS)
        assert found and found.certain
        assert f"skipped its step '{name}'" in found.sentence


def test_a_step_for_failures_only_and_the_agent_s_own_are_no_loss() -> None:
    skipped = (task("publish on failure", "skipped"), task("Post-job: Checkout infrastructure", "skipped"))
    assert left_out(PLAN, JOB, task("./deploy.sh"), *skipped, yaml=STEPS) is None


def test_any_other_skipped_step_counts_where_no_apply_is_known_but_may_be_needless() -> None:
    found = left_out(PLAN, JOB, task("./deploy.sh"), task("Install", "skipped"), yaml=STEPS)
    assert found and not found.certain
    assert "no step of it is known to have applied" in found.sentence
    assert "have its name say so" in found.hint


def test_without_a_preview_only_a_step_that_says_so_counts() -> None:
    pipelines = FakePipelines()
    pipelines.fail("preview", AccessDenied("no"), AccessDenied("no"))
    assert left_out(PLAN, JOB, task("./deploy.sh"), task("Install", "skipped"), pipelines=pipelines) is None
    assert left_out(PLAN, JOB, task("init"), task("apply", "skipped"), pipelines=pipelines)


@pytest.mark.parametrize("kind", ["Phase", "Job"])
def test_a_skipped_job_counts_and_what_is_below_it_is_not_named(kind: str) -> None:
    skipped = record(kind, "deploy", "skipped", under="Stage Plan")
    below = task("terraform apply", "skipped", under=skipped.id)
    found = left_out(PLAN, JOB, task("check"), skipped, below)
    assert found and "skipped its job 'deploy'" in found.sentence


def test_a_step_that_failed_has_not_applied() -> None:
    found = left_out(PLAN, JOB, task("terraform apply", "failed"), task("Apply again", "skipped"))
    assert found and "'Apply again'" in found.sentence


def test_an_apply_that_failed_and_was_allowed_to_is_named_and_nothing_is_asked() -> None:
    pipelines = FakePipelines()
    failed = replace(task("terraform apply", "succeededWithIssues"), errors=("Bash exited with code '1'.",))
    found = left_out(PLAN, JOB, failed, pipelines=pipelines)
    assert found and found.sentence == (
        "Run 20260101.5 went on although its step 'terraform apply' failed: Bash exited with code '1'."
    )
    assert pipelines.calls == []
    assert left_out(PLAN, JOB, failed, task("apply again")) is None
    assert left_out(PLAN, JOB, replace(failed, errors=())) is None


def test_a_step_that_applies_by_its_script_and_failed_is_named_though_the_run_went_on() -> None:
    yaml = """
stages:
- stage: Infrastructure
  jobs:
  - job: terraform
    steps:
    - script: terraform apply -auto-approve
      displayName: Infrastructure
      continueOnError: true
"""
    failed = replace(task("Infrastructure", "succeededWithIssues"), errors=("Bash exited with code 1",))
    found = left_out(JOB, failed, yaml=yaml)
    assert found and "went on although its step 'Infrastructure' failed: Bash exited with code 1" in found.sentence
    other = replace(task("Lint", "succeededWithIssues"), errors=("Bash exited with code 1",))
    assert left_out(JOB, other, task("Infrastructure"), yaml=yaml) is None
