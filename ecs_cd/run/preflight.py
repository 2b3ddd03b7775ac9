"""Step 4, beforehand: which pipeline is to be run, and whether it would take the run (rule 1).

One look-up, and beside it or right after it two questions that Azure DevOps answers without queueing anything: a
preview of the run, and whether the caller may queue one. Neither answer is needed: where there is none, queueing shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecs_cd.errors import AccessDenied, EcsCdError, QueueRefused
from ecs_cd.model.run import Pipeline, QueueStatus, RunPreview, RunRequest
from ecs_cd.run.pipelines import Pipelines, full_ref, is_id, resolve_pipeline
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import run_together


@dataclass(frozen=True)
class RunPreflight:
    """The pipeline that is to be run. `refusal`: why it would not take the run; None where nothing speaks against it.

    `preview` is None where Azure DevOps gave none.
    """

    pipeline: Pipeline
    preview: RunPreview | None = None
    refusal: EcsCdError | None = None


def check_run(
    pipelines: Pipelines,
    reference: str,
    branch: str,
    *,
    template_parameters: Mapping[str, str],
    variables: Mapping[str, str],
) -> RunPreflight:
    """Look up the pipeline (id, name or folder path) and ask whether it would take a run on the branch.

    Two round trips: a pipeline's id is previewed while the pipeline itself is looked up.

    Raises:
        PipelineNotFound: there is no such pipeline, or there are several.
        EcsCdError: the project cannot be asked.
    """

    def preview(pipeline: Pipeline) -> RunPreview | EcsCdError | None:
        return _preview(pipelines, RunRequest(pipeline, full_ref(branch), template_parameters, variables))

    if is_id(reference):
        (pipeline, refusal), previewed = run_together(
            lambda: _look_up_id(pipelines, reference), lambda: preview(Pipeline(int(reference)))
        )
    else:
        pipeline = resolve_pipeline(pipelines, reference)
        refusal = _status_refusal(pipeline)
        if refusal:
            return RunPreflight(pipeline, refusal=refusal)
        refusal, previewed = run_together(lambda: _right_refusal(pipelines, pipeline), lambda: preview(pipeline))
    if isinstance(previewed, EcsCdError):
        return RunPreflight(pipeline, refusal=refusal or previewed)
    return RunPreflight(pipeline, previewed, refusal)


def _look_up_id(pipelines: Pipelines, reference: str) -> tuple[Pipeline, EcsCdError | None]:
    try:
        pipeline = resolve_pipeline(pipelines, reference)
    except AccessDenied:  # whoever may not view the pipeline may queue it all the same
        return Pipeline(int(reference)), None
    return pipeline, _status_refusal(pipeline) or _right_refusal(pipelines, pipeline)


def _status_refusal(pipeline: Pipeline) -> EcsCdError | None:
    if pipeline.queue_status is QueueStatus.DISABLED:
        return QueueRefused(
            f"Pipeline {quoted(pipeline.path)} is disabled: no run of it can be queued.",
            hint="Enable it (Edit, Settings, Processing of new run requests), and deliver again.",
        )
    if pipeline.queue_status is QueueStatus.PAUSED:
        return QueueRefused(
            f"Pipeline {quoted(pipeline.path)} is paused: a run of it would be queued and not start.",
            hint="Resume it (Edit, Settings, Processing of new run requests), and deliver again.",
        )
    return None


def _right_refusal(pipelines: Pipelines, pipeline: Pipeline) -> EcsCdError | None:
    try:
        pipelines.check_queue_right(pipeline)
    except AccessDenied as refusal:
        return refusal
    except EcsCdError:  # queueing shows it
        return None
    return None


def _preview(pipelines: Pipelines, request: RunRequest) -> RunPreview | EcsCdError | None:
    try:
        return pipelines.preview(request)
    except QueueRefused as refusal:
        return refusal
    except EcsCdError:  # queueing shows it
        return None
