"""What a delivery needs of the pipelines of a project, and which pipeline a name refers to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from ecs_cd.errors import PipelineNotFound
from ecs_cd.model.run import Approval, Pipeline, Run, RunPreview, RunRequest, TimelineRecord
from ecs_cd.sanitize import quoted

_ID = re.compile(r"[0-9]{1,9}")
_MAX_CANDIDATES = 10
"""Pipelines that an error lists."""


class Pipelines(Protocol):
    """The pipelines of one Azure DevOps project."""

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        r"""Return the pipelines that a reference can refer to: an id, a name, or a path such as `\\folder\\name`.

        An empty tuple where there is none.
        """

    def queue(self, request: RunRequest) -> Run:
        """Queue a run.

        Raises:
            QueueRefused: no such branch, wrong parameters, a disabled pipeline.
            AccessDenied: the right to queue is missing; the message says which and for whom.
        """

    def newest(self, pipeline: Pipeline) -> Run | None:
        """Return the run of a pipeline that was queued last, on any branch and in any state; None if there is none."""

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:
        """Return the approvals with these ids, which are those of their records in a run's timeline."""

    def preview(self, request: RunRequest) -> RunPreview | None:
        """Return what a run of this request would be, without queueing it; None where Azure DevOps cannot say.

        Raises:
            QueueRefused: the run would be refused: no such branch, a mistake in the YAML, wrong parameters.
        """

    def check_queue_right(self, pipeline: Pipeline) -> None:
        """Ask whether these credentials may queue runs of the pipeline; nothing happens where Azure DevOps cannot say.

        Raises:
            AccessDenied: they may not; the message says which right is missing and for whom.
        """

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        """Return the runs of a pipeline on a branch (a full ref) that are queued or in progress, oldest first."""

    def cancel(self, run_id: int) -> None:
        """Cancel a run.

        Raises:
            AccessDenied: the right to stop runs is missing; the message says which and for whom.
        """

    def tag(self, run_id: int, tag: str) -> None:
        """Put a tag on a run. Raises `AccessDenied` as `cancel` does."""

    def untag(self, run_id: int, tag: str) -> None:
        """Remove a tag from a run; nothing happens if it has none. Raises `AccessDenied` as `cancel` does."""

    def run(self, run_id: int) -> Run:
        """Return the run as it is now."""

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        """Return the run's timeline; empty before there is one."""

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        """Return the last lines of a task's log, without the agent's timestamps."""


def locate_pipeline(pipelines: Pipelines, reference: str) -> Pipeline:
    """Return the pipeline that `reference` refers to; an id is not looked up, as queueing shows whether it exists.

    Raises:
        PipelineNotFound: as `resolve_pipeline` says.
    """
    return Pipeline(int(reference)) if is_id(reference) else resolve_pipeline(pipelines, reference)


def is_id(reference: str) -> bool:
    """Return whether a reference is a pipeline's id."""
    return bool(_ID.fullmatch(reference))


def resolve_pipeline(pipelines: Pipelines, reference: str) -> Pipeline:
    """Return the one pipeline that `reference` (id, name or folder path) refers to.

    Raises:
        PipelineNotFound: none, or several; then the message lists them.
    """
    found = pipelines.find(reference)
    if len(found) == 1:
        return found[0]
    if not found:
        raise PipelineNotFound(
            f"There is no pipeline {quoted(reference)} in this project that these credentials can see.",
            hint="Give its id, its name, or its folder and name (`\\team\\my-infrastructure`), and check that the "
            "identity may view it.",
        )
    raise PipelineNotFound(
        f"{len(found)} pipelines are called {quoted(reference)}.",
        hint="Specify one by its folder path or its id.",
        details=tuple(f"{p.path} (id {p.id})" for p in found[:_MAX_CANDIDATES]),
    )


def full_ref(branch: str) -> str:
    """Return a branch as a full ref: `develop` becomes `refs/heads/develop`, a ref stays."""
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"
