from __future__ import annotations

import threading

import pytest

from ecs_cd_sandbox.azure_devops import JobDefinition, StageDefinition, StepContext, StepDefinition
from tests.support.sandbox_api import BOB_TOKEN, Api, Serve
from tests.support.sandbox_pipelines import ANN, DEVELOP, MAIN, BlockingStep, nothing, pipeline, stage

SERVICE_NAME = "Microsoft.VisualStudio.Services.TFS"


def fail(context: StepContext) -> None:
    context.fail("no state")


def test_a_run_goes_from_not_started_over_in_progress_to_completed(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate))
    with api.server.agents_offline():
        run = api.run()
        waiting = api.build(run)
        assert (waiting["status"], "startTime" in waiting, "result" in waiting) == ("notStarted", False, False)
        assert {record["state"] for record in api.records(run, "Job")} == {"pending"}
    gate.wait_started()
    assert api.build(run)["status"] == "inProgress"
    gate.open()
    assert api.server.wait(run) == "succeeded"
    done = api.build(run)
    assert done["queueTime"] <= done["startTime"] <= done["finishTime"]


def test_runs_start_in_the_order_they_were_queued_and_no_more_than_there_are_agents(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate), agents=1)
    runs = [api.run() for _ in range(3)]
    for number in range(3):
        gate.wait_started(number + 1)
        assert gate.started == runs[: number + 1]
        assert {api.build(run)["status"] for run in runs[number + 1 :]} <= {"notStarted"}
        gate.open()
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 3


def test_two_agents_work_on_two_runs_at_once(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate))
    runs = [api.run(), api.run()]
    gate.wait_started(2)
    gate.open(2)
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 2


def test_cancelling_a_waiting_run_ends_it_without_starting_it(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate))
    with api.server.agents_offline():
        run = api.run()
        assert api.cancel(run)["status"] in {"cancelling", "completed"}
        assert api.server.wait(run) == "canceled"
    build = api.build(run)
    assert "startTime" not in build
    assert gate.started == []
    assert [(job["startTime"], job["result"]) for job in api.records(run, "Job")] == [(None, "canceled")]


def test_cancelling_a_running_run_signals_its_step_and_names_who_did_it(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, nothing))
    run = api.run()
    gate.wait_started()
    cancelling = Api(api.server, BOB_TOKEN.secret).cancel(run)
    assert cancelling["status"] == "cancelling"
    assert api.server.wait(run) == "canceled"
    build = api.build(run)
    assert build["lastChangedBy"]["displayName"] == "Bob Example"
    assert build["requestedFor"]["id"] == ANN.id
    assert [record["result"] for record in api.records(run, "Task")] == ["canceled", "skipped"]
    assert api.records(run, "Stage")[0]["result"] == "canceled"


def test_a_run_that_is_stopping_shows_cancelling_until_its_step_has_ended(serve: Serve) -> None:
    started, told, end = threading.Event(), threading.Event(), threading.Event()

    def stubborn(context: StepContext) -> None:
        started.set()
        context.cancelled.wait()
        told.set()
        end.wait()

    api = serve(pipeline(stubborn))
    run = api.run()
    assert started.wait(20)  # a run is in progress before its first step is: cancelled then, it has no step to wait for
    api.cancel(run)
    assert told.wait(20)
    assert api.build(run)["status"] == "cancelling"
    assert api.json("GET", f"pipelines/12/runs/{run}")["state"] == "canceling"
    end.set()
    assert api.server.wait(run) == "canceled"
    assert [record["result"] for record in api.records(run, "Stage")] == ["canceled"]


def test_cancelling_a_completed_run_is_refused(serve: Serve) -> None:
    api = serve(pipeline())
    run = api.run()
    api.server.wait(run)
    response = api("PATCH", f"build/builds/{run}", json={"status": "Cancelling"})
    assert (response.status_code, response.json()["typeKey"]) == (400, "BuildStatusInvalidChangeException")


def test_a_step_marked_always_runs_after_a_cancellation_and_is_not_cancelled_itself(serve: Serve) -> None:
    gate, seen = BlockingStep(), []

    def cleanup(context: StepContext) -> None:
        seen.append(context.cancelled.is_set())

    steps = (
        StepDefinition("work", gate),
        StepDefinition("next", nothing),
        StepDefinition("clean", cleanup, "always()"),
    )
    later = StageDefinition("Later", (JobDefinition("job", (StepDefinition("never", nothing),)),))
    api = serve(pipeline(stages=(StageDefinition("Apply", (JobDefinition("job", steps),)), later)))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert seen == [False]
    assert [record["result"] for record in api.records(run, "Task")] == ["canceled", "skipped", "succeeded"]
    assert [record["result"] for record in api.records(run, "Stage")] == ["canceled", "canceled"]


def test_a_failed_step_fails_the_run_skips_what_follows_and_leaves_issues_with_their_log_line(serve: Serve) -> None:
    def warn(context: StepContext) -> None:
        context.log("one")
        context.warning("careful")
        context.error("first")
        context.fail("second")

    failed = StepDefinition("on failure", nothing, "failed()")
    steps = (StepDefinition("work", warn), StepDefinition("next", nothing), failed)
    stages = (StageDefinition("Apply", (JobDefinition("job", steps),)), stage("Later", nothing))
    api = serve(pipeline(stages=stages))
    run = api.run()
    assert api.server.wait(run) == "failed"
    work, following, on_failure = api.records(run, "Task")
    assert (work["result"], following["result"], on_failure["result"]) == ("failed", "skipped", "succeeded")
    assert (work["errorCount"], work["warningCount"]) == (2, 1)
    assert [(issue["type"], issue["message"], issue["data"]["logFileLineNumber"]) for issue in work["issues"]] == [
        ("warning", "careful", "2"),
        ("error", "first", "3"),
        ("error", "second", "4"),
    ]
    assert following["log"] is None
    assert [record["result"] for record in api.records(run, "Stage")] == ["failed", "skipped"]


def test_whatever_a_step_raises_is_its_failure_and_the_agent_lives_on(serve: Serve) -> None:
    def broken(context: StepContext) -> None:
        raise SystemExit("out")

    api = serve(pipeline(broken), agents=1)
    first, second = api.run(), api.run()
    assert [api.server.wait(first), api.server.wait(second)] == ["failed", "failed"]
    assert api.records(first, "Task")[0]["issues"][0]["message"] == "SystemExit: out"


def test_at_most_ten_issues_of_a_kind_are_kept_and_all_are_counted(serve: Serve) -> None:
    def chatty(context: StepContext) -> None:
        for number in range(12):
            context.warning(f"warning {number}")

    api = serve(pipeline(chatty))
    run = api.run()
    api.server.wait(run)
    record = api.records(run, "Task")[0]
    assert (len(record["issues"]), record["warningCount"]) == (10, 12)


def test_a_step_that_may_fail_makes_the_run_partially_succeeded(serve: Serve) -> None:
    step = StepDefinition("scan", fail, continue_on_error=True)
    api = serve(pipeline(stages=(StageDefinition("Scan", (JobDefinition("job", (step,)),)),)))
    run = api.run()
    assert api.server.wait(run) == "partiallySucceeded"
    assert api.json("GET", f"pipelines/12/runs/{run}")["result"] == "succeeded"


def test_a_paused_pipeline_takes_runs_but_starts_none_until_enabled(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, queue_status="paused"), pipeline(id=13, name="other"))
    run = api.run()
    assert api.server.wait(api.run(13)) == "succeeded"
    assert (api.build(run)["status"], gate.started) == ("notStarted", [])
    gate.open()
    api.server.set_queue_status(12, "enabled")
    assert api.server.wait(run) == "succeeded"


def test_a_run_is_not_admitted_before_its_queue_delay_has_passed(serve: Serve) -> None:
    delays = {MAIN: 3600.0, DEVELOP: 0.01}
    api = serve(pipeline(), queue_delay=lambda request: delays[request.source.branch])
    late, soon = api.run(branch=MAIN), api.run(branch=DEVELOP)
    assert api.server.wait(soon) == "succeeded"
    assert api.build(late)["status"] == "notStarted"


def test_under_a_sequential_lock_waiting_runs_take_their_turn(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="sequential"), agents=3)
    runs = [api.run() for _ in range(3)]
    for number in range(3):
        gate.wait_started(number + 1)
        assert gate.started == runs[: number + 1]
        gate.open()
        assert api.server.wait(runs[number]) == "succeeded"


def test_a_run_that_waits_for_the_lock_is_in_progress_with_no_job_started(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="sequential"))
    first, second = api.run(), api.run()
    gate.wait_started()
    api.server.wait_until(second, lambda run: run.phase == "waiting")
    assert api.build(second)["status"] == "inProgress"
    assert [record["state"] for record in api.records(second, "Checkpoint")] == ["inProgress"]
    assert [record["startTime"] for record in api.records(second, "Job")] == [None]
    gate.open(2)
    assert [api.server.wait(first), api.server.wait(second)] == ["succeeded"] * 2
    assert [record["result"] for record in api.records(second, "Checkpoint")] == ["succeeded"]


def test_under_run_latest_the_service_cancels_older_waiting_runs_of_the_branch(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="runLatest"), agents=3)
    running = api.run()
    gate.wait_started()
    older, other_branch, newer = api.run(), api.run(branch=DEVELOP), api.run()
    assert api.server.wait(older) == "canceled"
    assert api.build(older)["lastChangedBy"]["displayName"] == SERVICE_NAME
    gate.open(3)
    assert [api.server.wait(run) for run in (running, other_branch, newer)] == ["succeeded"] * 3
    assert gate.started == [running, other_branch, newer]


def test_runs_queued_at_one_moment_do_not_lose_the_first_to_run_latest(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="runLatest", queue_status="paused"))
    runs = [api.run() for _ in range(3)]
    api.server.set_queue_status(12, "enabled")
    gate.open(2)
    assert [api.server.wait(run) for run in runs] == ["succeeded", "canceled", "succeeded"]


def test_without_a_lock_no_run_waits_for_another(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="none"), agents=2)
    api.run(), api.run()
    gate.wait_started(2)


def test_a_run_waiting_for_the_lock_can_be_cancelled_and_frees_nothing(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate, lock_behavior="sequential"), agents=2)
    running, waiting, last = api.run(), api.run(), api.run()
    gate.wait_started()
    api.cancel(waiting)
    assert api.server.wait(waiting) == "canceled"
    assert gate.started == [running]
    gate.open(2)
    assert api.server.wait(last) == "succeeded"
    assert gate.started == [running, last]


def test_closing_cancels_running_steps_and_ends_every_thread(serve: Serve) -> None:
    gate = BlockingStep()
    before = set(threading.enumerate())
    api = serve(pipeline(gate), agents=2)
    api.run(), api.run(), api.run()
    gate.wait_started(2)
    api.server.close()
    assert set(threading.enumerate()) <= before
    api.server.close()


def test_a_server_that_does_not_run_has_no_address(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.close()
    with pytest.raises(RuntimeError):
        _ = api.server.url


def test_waiting_for_what_does_not_come_ends_in_a_timeout(serve: Serve) -> None:
    api = serve(pipeline(queue_status="paused"))
    with pytest.raises(TimeoutError):
        api.server.wait(api.run(), timeout=0.01)


def test_a_step_sees_its_run(serve: Serve) -> None:
    seen: list[object] = []

    def look(context: StepContext) -> None:
        context.variables["set"] = "by the first"
        seen.extend([context.run_id, context.run_number, context.branch, context.commit, context.parameters])

    def look_again(context: StepContext) -> None:
        seen.append(dict(context.variables))

    api = serve(pipeline(look, look_again, variables={"TF_LOG": "off"}, settable_variables=frozenset({"tag"})))
    run = api.run(branch=DEVELOP, variables={"tag": {"value": "226"}})
    assert api.server.wait(run) == "succeeded"
    build = api.build(run)
    assert seen == [
        run,
        build["buildNumber"],
        DEVELOP,
        build["sourceVersion"],
        {},
        {"TF_LOG": "off", "tag": "226", "set": "by the first"},
    ]
