from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import (
    SERVICE,
    Environment,
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepDefinition,
)
from tests.support.sandbox_api import BOB_TOKEN, Api, Serve
from tests.support.sandbox_pipelines import ANN, BOB, DEVELOP, MAIN, BlockingStep, nothing, pipeline, stage

APPROVED = Environment("production", approvers=(BOB,), instructions="Look first.")
LOCKED = Environment("production", exclusive_lock=True)


def deploying(name: str, action: Any, environment: str = "production", **more: Any) -> StageDefinition:  # noqa: ANN401 - passed on
    job = JobDefinition("ship", (StepDefinition("x", action),), kind="deployment", environment=environment)
    return StageDefinition(name, (job,), **more)


def deploy(action: Any, *before: StageDefinition, **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    stage_more = {key: more.pop(key) for key in ("lock", "condition") if key in more}
    return pipeline(stages=(*before, deploying("Deploy", action, **stage_more)), **more)


def waiting(api: Api, run: int) -> str:
    """Wait until a run asks for an approval, and return its id."""
    found: list[str] = []

    def asked(run: Any) -> bool:  # noqa: ANN401 - a run
        found[:] = [r.id for r in run.timeline.records if r.type == "Checkpoint.Approval" and r.state == "inProgress"]
        return bool(found)

    api.server.wait_until(run, asked)
    return found[0]


def locking(api: Api, run: int) -> None:
    """Wait until a run waits at a checkpoint."""
    api.server.wait_until(
        run, lambda run: any(r.type == "Checkpoint" and r.state == "inProgress" for r in run.timeline.records)
    )


def answer(api: Api, approval: str, status: str = "approved", comment: str = "") -> Any:  # noqa: ANN401 - a response
    body = [{"approvalId": approval, "status": status, "comment": comment}]
    return Api(api.server, BOB_TOKEN.secret)("PATCH", "pipelines/approvals", json=body)


def test_a_stage_waits_for_its_approval_without_an_agent(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(deploy(gate), pipeline(id=13, name="other"), environments=[APPROVED], agents=1)
    run = api.run()
    approval = waiting(api, run)
    assert api.server.wait(api.run(13)) == "succeeded"
    assert api.build(run)["status"] == "inProgress"
    (stage_record,) = api.records(run, "Stage")
    (checkpoint,) = api.records(run, "Checkpoint")
    (record,) = api.records(run, "Checkpoint.Approval")
    assert (stage_record["state"], checkpoint["state"], record["state"]) == ("pending", "inProgress", "inProgress")
    assert (checkpoint["parentId"], record["parentId"]) == (stage_record["id"], checkpoint["id"])
    assert api.records(run, "Job")[0]["startTime"] is None
    shown = api.json("GET", f"pipelines/approvals/{approval}", params={"$expand": "steps"})
    assert (shown["id"], shown["status"], shown["instructions"]) == (record["id"], "pending", "Look first.")
    assert [step["assignedApprover"]["displayName"] for step in shown["steps"]] == ["Bob Example"]
    answered = answer(api, approval, comment="fine").json()["value"][0]
    assert (answered["status"], answered["steps"][0]["comment"]) == ("approved", "fine")
    gate.open()
    assert api.server.wait(run) == "succeeded"
    assert [record["result"] for record in api.records(run, "Checkpoint")] == ["succeeded"]
    assert [record["result"] for record in api.records(run, "Checkpoint.Approval")] == ["succeeded"]


def test_a_rejected_stage_fails_and_what_follows_goes_by_its_condition(serve: Serve) -> None:
    gate = BlockingStep()
    definition = deploy(gate)
    stages = (*definition.stages, stage("Next", nothing), stage("Mend", nothing, condition="failed()"))
    api = serve(pipeline(stages=stages), environments=[APPROVED])
    run = api.run()
    assert answer(api, waiting(api, run), "Rejected", "not today").status_code == 200
    assert api.server.wait(run) == "failed"
    assert [record["result"] for record in api.records(run, "Stage")] == ["failed", "skipped", "succeeded"]
    assert [record["result"] for record in api.records(run, "Checkpoint.Approval")] == ["failed"]
    assert gate.started == []


def test_a_run_that_waits_for_an_approval_is_cancelled_at_once(serve: Serve) -> None:
    api = serve(deploy(nothing, stage("Build", nothing)), environments=[APPROVED])
    run = api.run()
    approval = waiting(api, run)
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert [record["result"] for record in api.records(run, "Stage")] == ["succeeded", "canceled"]
    assert api.json("GET", f"pipelines/approvals/{approval}")["status"] == "canceled"
    assert answer(api, approval).status_code == 400


def test_a_stage_that_waits_for_an_approval_can_be_cancelled_alone(serve: Serve) -> None:
    api = serve(deploy(nothing), environments=[APPROVED])
    run = api.run()
    waiting(api, run)
    assert api("PATCH", f"build/builds/{run}/stages/Deploy", json={"state": "cancel"}).ok
    assert api.server.wait(run) == "canceled"


def test_only_an_approver_may_answer_and_all_answers_of_a_call_are_taken_or_none(serve: Serve) -> None:
    api = serve(deploy(nothing), environments=[APPROVED])
    runs = [api.run(), api.run()]
    ids = [waiting(api, run) for run in runs]
    refused = api("PATCH", "pipelines/approvals", json=[{"approvalId": ids[0], "status": "approved"}])
    assert refused.status_code == 403
    assert refused.json()["message"] == (
        "Ann Example is not an approver of production. It can be answered by: Bob Example."
    )
    body = [{"approvalId": ids[0], "status": "approved"}, {"approvalId": ids[1], "status": "maybe"}]
    assert Api(api.server, BOB_TOKEN.secret)("PATCH", "pipelines/approvals", json=body).status_code == 400
    assert answer(api, "nobody").status_code == 404
    assert {each["status"] for each in api.json("GET", "pipelines/approvals")["value"]} == {"pending"}
    assert [answer(api, approval).status_code for approval in ids] == [200, 200]
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 2
    assert answer(api, ids[0]).json()["message"].endswith("is approved already and cannot be changed.")


def test_approvals_are_listed_by_id_state_and_approver(serve: Serve) -> None:
    api = serve(deploy(nothing), environments=[APPROVED])
    runs = [api.run(), api.run()]
    ids = [waiting(api, run) for run in runs]
    answer(api, ids[0])

    def listed(**params: str) -> list[str]:
        return [each["id"] for each in api.json("GET", "pipelines/approvals", params=params)["value"]]

    assert listed() == ids
    assert listed(approvalIds=ids[1]) == ids[1:]
    assert listed(state="pending") == ids[1:]
    assert listed(state="approved") == ids[:1]
    assert listed(userIds=BOB.id) == ids
    assert listed(userIds=ANN.id) == []
    assert listed(top="1") == ids[:1]


def test_a_retried_stage_asks_again(serve: Serve) -> None:
    api = serve(deploy(nothing), environments=[APPROVED])
    run = api.run()
    first = waiting(api, run)
    answer(api, first, "rejected")
    assert api.server.wait(run) == "failed"
    api("PATCH", f"build/builds/{run}/stages/Deploy", json={"state": "retry"})
    second = waiting(api, run)
    assert second != first
    answer(api, second)
    assert api.server.wait(run) == "succeeded"


def test_the_environment_of_a_job_may_be_a_variable(serve: Serve) -> None:
    definition = pipeline(
        stages=(deploying("Deploy", nothing, "$(target)", variables={"target": "PRODUCTION"}),),
        variables={"target": "development"},
    )
    api = serve(definition, environments=[APPROVED])
    run = api.run()
    answer(api, waiting(api, run))
    assert api.server.wait(run) == "succeeded"


def test_an_environment_with_an_unknown_variable_fails_its_stage(serve: Serve) -> None:
    api = serve(pipeline(stages=(deploying("Deploy", nothing, "$(nope)"),)))
    run = api.run()
    assert api.server.wait(run) == "failed"
    (issue,) = api.records(run, "Stage")[0]["issues"]
    assert issue["message"] == "Job ship: the environment '$(nope)' names a variable that is not known."


def test_an_environment_is_created_on_first_use(serve: Serve) -> None:
    api = serve(deploy(nothing), environments=[Environment("development")])
    assert api.server.wait(api.run()) == "succeeded"
    for base in ("pipelines", "distributedtask"):
        found = api.json("GET", f"{base}/environments")["value"]
        assert [(each["id"], each["name"]) for each in found] == [(1, "development"), (2, "production")]
        assert api.json("GET", f"{base}/environments", params={"name": "Production"})["count"] == 1
        assert api.json("GET", f"{base}/environments/2")["name"] == "production"
        assert api("GET", f"{base}/environments/9").status_code == 404


def test_the_checks_of_an_environment_are_listed(serve: Serve) -> None:
    guarded = Environment("production", approvers=(ANN, BOB), exclusive_lock=True)
    api = serve(environments=[Environment("development"), guarded])
    params = {"api-version": "7.1-preview", "resourceType": "environment", "resourceId": "2", "$expand": "settings"}
    approval, lock = api.json("GET", "pipelines/checks/configurations", params=params)["value"]
    assert (approval["type"]["name"], lock["type"]["name"]) == ("Approval", "ExclusiveLock")
    assert [each["displayName"] for each in approval["settings"]["approvers"]] == ["Ann Example", "Bob Example"]
    other = {**params, "resourceId": "1"}
    assert api.json("GET", "pipelines/checks/configurations", params=other)["value"] == []


def test_under_a_sequential_lock_of_an_environment_pipelines_take_their_turn(serve: Serve) -> None:
    gate = BlockingStep()
    one, two = (deploy(gate, id=number, name=f"p{number}", environment_lock="sequential") for number in (1, 2))
    api = serve(one, two, environments=[LOCKED], agents=4)
    runs = [api.run(1)]
    gate.wait_started()
    for number in (2, 1, 2):
        runs.append(api.run(number))
        locking(api, runs[-1])
    for number in range(1, 5):
        gate.wait_started(number)
        assert gate.started == runs[:number]
        gate.open()
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 4


def test_an_older_run_that_came_to_the_lock_late_has_it_before_a_newer_one_that_waits(serve: Serve) -> None:
    build, gate = BlockingStep(), BlockingStep()
    late = deploy(gate, stage("Build", build), id=1, name="late", environment_lock="sequential")
    api = serve(late, deploy(gate, environment_lock="sequential"), environments=[LOCKED], agents=4)
    oldest = api.run(1)
    build.wait_started()
    holder, newest = api.run(), api.run()
    gate.wait_started()
    locking(api, newest)
    build.open()
    locking(api, oldest)
    gate.open()
    gate.wait_started(2)
    assert gate.started == [holder, oldest]
    gate.open(2)
    assert [api.server.wait(run) for run in (oldest, holder, newest)] == ["succeeded"] * 3


def test_under_run_latest_the_service_cancels_the_older_run_that_waits_for_the_environment(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(deploy(gate), deploy(gate, id=13, name="other"), environments=[LOCKED], agents=4)
    running = api.run()
    gate.wait_started()
    other, older = api.run(13), api.run()
    for run in (other, older):
        locking(api, run)
    newer = api.run(branch=DEVELOP)
    assert api.server.wait(older) == "canceled"
    assert api.build(older)["lastChangedBy"]["displayName"] == SERVICE.display_name
    gate.open(3)
    assert [api.server.wait(run) for run in (running, other, newer)] == ["succeeded"] * 3
    assert gate.started == [running, other, newer]


def test_a_stage_says_for_itself_how_it_waits_for_an_environment(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(deploy(gate, lock="sequential"), environments=[LOCKED], agents=3)
    runs = [api.run() for _ in range(3)]
    gate.open(3)
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 3
    assert gate.started == runs


def test_a_lock_of_a_stage_holds_back_that_stage_alone(serve: Serve) -> None:
    build, locked = BlockingStep(), BlockingStep()
    stages = (stage("Build", build), stage("Apply", locked, lock="sequential"))
    api = serve(pipeline(stages=stages), agents=3)
    runs = [api.run(), api.run()]
    build.wait_started(2)
    build.open(2)
    locked.wait_started()
    later = next(run for run in runs if run not in locked.started)
    locking(api, later)
    assert len(locked.started) == 1
    locked.open(2)
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 2


def test_under_run_latest_of_a_stage_only_older_runs_of_the_branch_are_cancelled(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(stages=(stage("Apply", gate, lock="runLatest"),)), agents=4)
    running = api.run()
    gate.wait_started()
    older, other_branch = api.run(branch=MAIN), api.run(branch=DEVELOP)
    for run in (older, other_branch):
        locking(api, run)
    newer = api.run(branch=MAIN)
    assert api.server.wait(older) == "canceled"
    assert api.build(older)["lastChangedBy"]["displayName"] == SERVICE.display_name
    gate.open(3)
    assert [api.server.wait(run) for run in (running, other_branch, newer)] == ["succeeded"] * 3
    assert gate.started == [running, other_branch, newer]


def test_approval_comes_before_the_lock_which_a_run_that_waits_for_it_does_not_hold(serve: Serve) -> None:
    gate = BlockingStep()
    guarded = Environment("production", approvers=(BOB,), exclusive_lock=True)
    api = serve(deploy(gate, environment_lock="sequential"), environments=[guarded], agents=2)
    first, second = api.run(), api.run()
    approvals = [waiting(api, run) for run in (first, second)]
    answer(api, approvals[1])
    gate.wait_started()
    assert gate.started == [second]
    answer(api, approvals[0])
    gate.open(2)
    assert [api.server.wait(run) for run in (first, second)] == ["succeeded"] * 2


@pytest.mark.parametrize("agents", [1, 2])
def test_two_stages_of_one_run_take_the_lock_in_turn(serve: Serve, agents: int) -> None:
    gate = BlockingStep()
    stages = (deploying("A", gate), deploying("B", gate, depends_on=()))
    api = serve(pipeline(stages=stages), environments=[LOCKED], agents=agents)
    run = api.run()
    gate.wait_started()
    states = [record["state"] for record in api.records(run, "Stage")]
    assert states == ["inProgress", "pending"]
    gate.open(2)
    assert api.server.wait(run) == "succeeded"


def test_a_stage_whose_approval_times_out_is_skipped_and_the_run_succeeds(serve: Serve) -> None:
    impatient = Environment("production", approvers=(BOB,), timeout=0.001)
    api = serve(deploy(nothing, stage("Build", nothing)), environments=[impatient])
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert [record["result"] for record in api.records(run, "Stage")] == ["succeeded", "skipped"]
    assert [record["result"] for record in api.records(run, "Checkpoint")] == ["skipped"]
    (record,) = api.records(run, "Checkpoint.Approval")
    shown = api.json("GET", f"pipelines/approvals/{record['id']}", params={"$expand": "steps"})
    assert (record["result"], shown["status"]) == ("skipped", "timedOut")
    assert [step["status"] for step in shown["steps"]] == ["timedOut"]
    assert answer(api, record["id"]).status_code == 400
