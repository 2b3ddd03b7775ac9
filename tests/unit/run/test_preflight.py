"""What is asked of a pipeline before anything is changed, and which answers count."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from ecs_cd.errors import AccessDenied, PipelineNotFound, QueueRefused, ServiceUnavailable, UnexpectedAnswer
from ecs_cd.model.run import Pipeline, QueueStatus, RunPreview
from ecs_cd.run.preflight import RunPreflight, check_run
from tests.support.fakes import FakePipelines

INFRA = Pipeline(7, "infra", "\\platform")
REFERENCES = ["infra", "7"]


def checked(pipelines: FakePipelines, reference: str) -> RunPreflight:
    return check_run(pipelines, reference, "develop", template_parameters={"a": "1"}, variables={"b": "2"})


def meet(barrier: threading.Barrier) -> None:
    barrier.wait(5)


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_preview_is_of_the_run_that_will_be_queued(reference: str) -> None:
    pipelines = FakePipelines(INFRA)
    assert checked(pipelines, reference) == RunPreflight(INFRA, RunPreview("[('a', '1')]"))
    (request,) = pipelines.previewed
    assert (request.pipeline.id, request.branch) == (7, "refs/heads/develop")
    assert (request.template_parameters, request.variables) == ({"a": "1"}, {"b": "2"})
    assert sorted(pipelines.calls) == ["check_queue_right", "find", "preview"]


def test_an_id_is_previewed_while_it_is_looked_up() -> None:
    pipelines, together = FakePipelines(INFRA), threading.Barrier(2)
    for method in ("find", "preview"):
        pipelines.meanwhile(method, partial(meet, together))
    assert checked(pipelines, "7").preview


def test_a_name_is_previewed_while_the_right_is_asked_for() -> None:
    pipelines, together = FakePipelines(INFRA), threading.Barrier(2)
    for method in ("check_queue_right", "preview"):
        pipelines.meanwhile(method, partial(meet, together))
    assert checked(pipelines, "infra").preview


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("status", [QueueStatus.PAUSED, QueueStatus.DISABLED])
def test_a_pipeline_that_starts_no_run_is_refused(reference: str, status: QueueStatus) -> None:
    found = checked(FakePipelines(Pipeline(7, "infra", queue_status=status)), reference)
    assert isinstance(found.refusal, QueueRefused)
    assert f"is {status.value}" in found.refusal.message
    assert "Processing of new run requests" in found.refusal.hint


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_preview_that_is_refused_refuses_the_run(reference: str) -> None:
    pipelines = FakePipelines(INFRA)
    pipelines.fail("preview", QueueRefused("There is no branch."))
    found = checked(pipelines, reference)
    assert found.preview is None
    assert found.refusal and found.refusal.message == "There is no branch."


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_missing_right_comes_before_what_the_preview_says(reference: str) -> None:
    pipelines = FakePipelines(INFRA)
    pipelines.fail("preview", QueueRefused("There is no branch."))
    pipelines.fail("check_queue_right", AccessDenied("Queue builds is missing."))
    found = checked(pipelines, reference)
    assert found.refusal and found.refusal.message == "Queue builds is missing."


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("error", [ServiceUnavailable("503"), UnexpectedAnswer("?")])
def test_an_answer_that_does_not_come_refuses_nothing(reference: str, error: UnexpectedAnswer) -> None:
    pipelines = FakePipelines(INFRA)
    pipelines.fail("preview", error)
    pipelines.fail("check_queue_right", error)
    assert checked(pipelines, reference) == RunPreflight(INFRA)


def test_whoever_may_not_view_a_pipeline_may_queue_it_by_its_id() -> None:
    pipelines = FakePipelines(INFRA)
    pipelines.fail("find", AccessDenied("View build pipeline is missing."))
    assert checked(pipelines, "7") == RunPreflight(Pipeline(7), RunPreview("[('a', '1')]"))


@pytest.mark.parametrize("reference", ["other", "8"])
def test_a_pipeline_that_is_not_there_is_an_error(reference: str) -> None:
    with pytest.raises(PipelineNotFound):
        checked(FakePipelines(INFRA), reference)
