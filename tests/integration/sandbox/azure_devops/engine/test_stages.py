from __future__ import annotations

from ecs_cd_sandbox.azure_devops import JobDefinition, StageDefinition, StepContext, StepDefinition
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import BlockingStep, nothing, pipeline, stage


def fail(context: StepContext) -> None:
    context.fail("no state")


def test_a_retried_stage_is_a_new_attempt_of_the_same_build(serve: Serve) -> None:
    outcomes = iter([False, True])

    def second_time_lucky(context: StepContext) -> None:
        if not next(outcomes):
            context.fail("not yet")

    stages = (stage("Plan", nothing), stage("Apply", second_time_lucky), stage("Verify", nothing))
    api = serve(pipeline(stages=stages))
    run = api.run()
    assert api.server.wait(run) == "failed"
    before = {record["identifier"]: record for record in api.records(run, "Stage")}
    with api.server.agents_offline():
        response = api("PATCH", f"build/builds/{run}/stages/apply", json={"state": "retry"})
        assert (response.status_code, response.content) == (200, b"")
        assert api.build(run)["status"] == "completed"  # what a client sees that looks at once
    assert api.server.wait(run) == "succeeded"
    after = {record["identifier"]: record for record in api.records(run, "Stage")}
    assert list(after) == ["Plan", "Apply", "Verify"]
    assert after["Plan"] == before["Plan"]
    assert (after["Apply"]["attempt"], after["Verify"]["attempt"]) == (2, 2)
    assert after["Apply"]["id"] != before["Apply"]["id"]
    assert after["Apply"]["previousAttempts"][0]["recordId"] == before["Apply"]["id"]


def test_a_retry_keeps_jobs_that_succeeded_unless_told_to_force_them(serve: Serve) -> None:
    ran: list[str] = []

    def note(context: StepContext) -> None:
        ran.append("good")

    jobs = (JobDefinition("good", (StepDefinition("x", note),)), JobDefinition("bad", (StepDefinition("y", fail),)))
    api = serve(pipeline(stages=(StageDefinition("Apply", jobs),)))
    run = api.run()
    api.server.wait(run)
    for body, count in (({"state": "retry"}, 1), ({"state": "Retry", "forceRetryAllJobs": True}, 2)):
        api("PATCH", f"build/builds/{run}/stages/Apply", json=body)
        assert api.server.wait(run) == "failed"
        assert len(ran) == count
    assert api.records(run, "Stage")[0]["attempt"] == 3


def test_a_whole_build_can_be_retried(serve: Serve) -> None:
    api = serve(pipeline(fail))
    run = api.run()
    api.server.wait(run)
    api.json("PATCH", f"build/builds/{run}", params={"retry": "true"}, json={})
    assert api.server.wait(run) == "failed"
    assert api.records(run, "Stage")[0]["attempt"] == 2


def test_a_succeeded_build_has_nothing_to_retry(serve: Serve) -> None:
    api = serve(pipeline())
    run = api.run()
    api.server.wait(run)
    assert api("PATCH", f"build/builds/{run}", params={"retry": "true"}, json={}).status_code == 400


def test_cancelling_a_stage_ends_it_and_skips_the_next(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(stages=(stage("Apply", gate), stage("Verify", nothing))))
    run = api.run()
    gate.wait_started()
    assert api("PATCH", f"build/builds/{run}/stages/Apply", json={"state": "cancel"}).status_code == 200
    assert api.server.wait(run) == "canceled"
    assert [record["result"] for record in api.records(run, "Stage")] == ["canceled", "skipped"]


def test_a_stage_cancelled_before_its_turn_does_not_start(serve: Serve) -> None:
    gate, late = BlockingStep(), BlockingStep()
    api = serve(pipeline(stages=(stage("Apply", gate), stage("Verify", late, condition="always()"))))
    run = api.run()
    gate.wait_started()
    api("PATCH", f"build/builds/{run}/stages/Verify", json={"state": "cancel"})
    gate.open()
    assert api.server.wait(run) == "canceled"
    assert late.started == []
    assert [record["result"] for record in api.records(run, "Stage")] == ["succeeded", "canceled"]


def test_after_a_cancellation_no_further_job_of_the_stage_starts(serve: Serve) -> None:
    gate = BlockingStep()
    one = JobDefinition("one", (StepDefinition("x", gate),))
    two = JobDefinition("two", (StepDefinition("y", nothing),), depends_on=("one",))
    api = serve(pipeline(stages=(StageDefinition("Apply", (one, two)),)))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert [(job["startTime"] is None, job["result"]) for job in api.records(run, "Job")] == [
        (False, "canceled"),
        (True, "canceled"),
    ]


def test_a_stage_that_is_running_cannot_be_retried_and_an_unknown_one_is_not_found(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate))
    run = api.run()
    gate.wait_started()
    assert api("PATCH", f"build/builds/{run}/stages/Apply", json={"state": "retry"}).status_code == 400
    assert api("PATCH", f"build/builds/{run}/stages/Nope", json={"state": "retry"}).status_code == 404


def test_skipped_stages_do_not_run(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(stages=(stage("Plan", nothing), stage("Apply", gate))))
    run = api.run(stagesToSkip=["Apply"])
    assert api.server.wait(run) == "succeeded"
    assert (gate.started, api.records(run, "Stage")[1]["result"]) == ([], "skipped")
