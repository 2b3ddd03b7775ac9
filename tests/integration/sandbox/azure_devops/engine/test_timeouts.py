"""What bounds steps and jobs: their time, their tries, and what may fail."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops import JobDefinition, StageDefinition, StepContext, StepDefinition
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import PATIENCE, BlockingStep, nothing, pipeline

SOON = 0.001
"""Minutes."""


def until_told(context: StepContext) -> None:
    if context.cancelled.wait(PATIENCE):
        context.fail("told to stop")


def one_job(*steps: StepDefinition, **more: Any) -> Any:  # noqa: ANN401 - a pipeline
    return pipeline(stages=(StageDefinition("A", (JobDefinition("job", steps, **more),)),))


def results(api: Any, run: int) -> list[str]:  # noqa: ANN401 - the client
    return [record["result"] for record in api.records(run, "Task")]


def messages(record: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any JSON
    return [(issue["type"], issue["message"]) for issue in record.get("issues", [])]


def test_a_step_that_takes_too_long_is_told_to_stop_and_fails(serve: Serve) -> None:
    api = serve(one_job(StepDefinition("slow", until_told, timeout=SOON), StepDefinition("next", nothing)))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert results(api, run) == ["failed", "skipped"]
    assert ("error", "The task has timed out.") in messages(api.records(run, "Task")[0])


def test_a_step_that_takes_too_long_may_fail_and_the_job_goes_on(serve: Serve) -> None:
    slow = StepDefinition("slow", until_told, timeout=SOON, continue_on_error=True)
    api = serve(one_job(slow, StepDefinition("next", nothing)))
    run = api.run()
    assert api.server.wait(run) == "partiallySucceeded"
    assert results(api, run) == ["succeededWithIssues", "succeeded"]


def test_a_job_that_takes_too_long_is_cancelled_but_its_last_steps_run(serve: Serve) -> None:
    steps = (
        StepDefinition("slow", until_told),
        StepDefinition("next", nothing),
        StepDefinition("clean", nothing, "always()"),
    )
    api = serve(one_job(*steps, timeout=SOON))
    run = api.run()
    assert api.server.wait(run) == "canceled"
    assert results(api, run) == ["canceled", "skipped", "succeeded"]
    ((kind, message),) = messages(api.records(run, "Job")[0])
    assert (kind, message.partition(" ran ")[2]) == ("error", "longer than the maximum time of 0.001 minutes.")


def test_after_a_cancellation_the_last_steps_have_their_time_and_no_more(serve: Serve) -> None:
    gate, late = BlockingStep(), BlockingStep()
    steps = (
        StepDefinition("work", gate),
        StepDefinition("clean", until_told, "always()"),
        StepDefinition("too late", late, "always()"),
    )
    api = serve(one_job(*steps, cancel_timeout=SOON))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert results(api, run) == ["canceled", "canceled", "skipped"]
    assert late.started == []


def test_a_step_that_failed_is_tried_again_on_the_same_record(serve: Serve) -> None:
    tries: list[int] = []

    def third_time_lucky(context: StepContext) -> None:
        tries.append(len(tries) + 1)
        if len(tries) < 3:
            context.fail("not yet")

    api = serve(one_job(StepDefinition("luck", third_time_lucky, retries=2)))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    (record,) = api.records(run, "Task")
    assert record["attempt"] == 1
    assert messages(record) == [
        ("error", "not yet"),
        ("warning", "The step failed and is tried again (retry 1 of 2)."),
        ("error", "not yet"),
        ("warning", "The step failed and is tried again (retry 2 of 2)."),
    ]


def test_what_a_failed_try_came_to_is_forgotten_by_the_next(serve: Serve) -> None:
    tries: list[int] = []

    def second_time_lucky(context: StepContext) -> None:
        tries.append(1)
        if len(tries) == 1:
            context.complete("failed")

    api = serve(one_job(StepDefinition("luck", second_time_lucky, retries=1)))
    assert api.server.wait(api.run()) == "succeeded"


def test_a_step_is_tried_no_more_often_than_allowed(serve: Serve) -> None:
    tries: list[int] = []

    def fail(context: StepContext) -> None:
        tries.append(1)
        context.fail("no")

    api = serve(one_job(StepDefinition("luck", fail, retries=1)))
    assert api.server.wait(api.run()) == "failed"
    assert len(tries) == 2


def test_a_cancelled_step_is_not_tried_again(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(one_job(StepDefinition("work", gate, retries=5)))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert gate.started == [run]


def test_a_failed_job_that_may_fail_is_a_success_with_issues_to_those_after_it(serve: Serve) -> None:
    def fail(context: StepContext) -> None:
        context.fail("no")

    jobs = (
        JobDefinition("scan", (StepDefinition("x", fail),), continue_on_error=True),
        JobDefinition(
            "after",
            (StepDefinition("x", nothing),),
            depends_on=("scan",),
            condition="and(succeeded(), eq(dependencies.scan.result, 'SucceededWithIssues'))",
        ),
    )
    api = serve(pipeline(stages=(StageDefinition("A", jobs),)))
    run = api.run()
    assert api.server.wait(run) == "partiallySucceeded"
    assert [record["result"] for record in api.records(run, "Phase")] == ["succeededWithIssues", "succeeded"]
