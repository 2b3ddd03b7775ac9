"""Making runs of requests: what a run is before it is admitted, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ecs_cd_sandbox.azure_devops.engine.dependency_graph import check
from ecs_cd_sandbox.azure_devops.engine.expression_names import run_names
from ecs_cd_sandbox.azure_devops.engine.run_number import RunNumberError, run_number
from ecs_cd_sandbox.azure_devops.expressions import ROOT_VARIABLE
from ecs_cd_sandbox.azure_devops.model.run import QueueRequest, Run
from ecs_cd_sandbox.azure_devops.model.runtime_expressions import Evaluator, RuntimeExpressionError
from ecs_cd_sandbox.azure_devops.model.state import State
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Timeline
from ecs_cd_sandbox.azure_devops.model.variables import Variables, merge_variables


class RunRefused(Exception):
    """No run can be made of a request; the message says why."""


def create_run(state: State, request: QueueRequest, delay: float = 0.0) -> Run:
    """Record a new run, with its stages pending; it is not admitted before `delay` seconds have passed.

    Raises:
        RunRefused: the pipeline's graph, variables or run name are wrong.
    """
    with state.lock:
        now = state.clock()
        run = Run(
            id=max(state.runs, default=state.first_run_id - 1) + 1,
            number="",
            revision=1,
            request=request,
            queue_time=now,
            changed=now,
            changed_by=request.requested_by,
            not_before=now + timedelta(seconds=delay),
            timeline=Timeline(state.clock),
            tags=list(request.tags),
            resources=dict(request.resources),
        )
        try:
            check(request.definition)
            run.variables = _variables(state, run)
            run.number, run.revision = run_number(
                request.definition.run_name,
                state.known_variables(run),
                now,
                lambda text: state.count(request.definition, f"number {text}"),
            )
        except (ValueError, RuntimeExpressionError, RunNumberError) as error:
            raise RunRefused(str(error)) from error
        for stage in request.definition.stages:
            record = run.plan_stage(stage)
            if stage.name.lower() in request.stages_to_skip:
                run.timeline.finish_below(record, "skipped")
        state.runs[run.id] = run
        return run


def create_failed_run(state: State, request: QueueRequest, messages: Iterable[str]) -> Run:
    """Record a run that failed before it began, with the reasons as issues."""
    with state.lock:
        run = create_run(state, request)
        run.problems = tuple(messages)
        record = run.timeline.add("Stage", "__default", parent=None, identifier="__default")
        for message in run.problems:
            run.timeline.add_issue(record, Issue("error", message))
        run.timeline.finish(record, "failed")
        run.start_time = run.queue_time
        run.end("failed")
        state.changed()
        return run


def _variables(state: State, run: Run) -> Variables:
    """Return the variables of the whole pipeline: its own, its secrets, and what whoever queued it set."""
    definition, request = run.definition, run.request
    # A file was expanded with the variables given, and may have set them itself.
    asked = Variables(request.variables if definition.file is None else {})
    given = merge_variables(Variables(definition.secrets, secret=True), asked)
    evaluator = Evaluator(
        merge_variables(state.known_variables(run), given),
        run_names(run, state.resources(run)),
        ROOT_VARIABLE,
        lambda prefix, seed: state.count(definition, f"counter {prefix}", seed),
    )
    own = {name: value for name, value in definition.variables.items() if name not in given}
    return merge_variables(evaluator.evaluate(own), given)
