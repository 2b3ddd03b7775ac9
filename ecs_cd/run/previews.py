"""What the expanded YAML of a pipeline tells of a run before it ends: its inputs, and the stages it skips (rule 6).

A preview is one request, made only where a run cannot be judged without it, and its result is kept in `KnownRuns`.
Without the right to it, or with an answer that cannot be read, nothing is known, and the run is not relied upon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ecs_cd.errors import EcsCdError
from ecs_cd.model.run import Run, RunRequest, TimelineRecord
from ecs_cd.run.expanded import ExpandedPipeline, read_expanded
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.states import Inputs, KnownRuns


def expand(pipelines: Pipelines, request: RunRequest) -> ExpandedPipeline | None:
    """Return the pipeline as a run of this request has it; None where that cannot be known."""
    return read_expanded(_preview(pipelines, request), request)


def _preview(pipelines: Pipelines, request: RunRequest) -> str:
    try:
        found = pipelines.preview(request)
    except EcsCdError:  # a preview only spares a run: without it, one more is queued
        return ""
    return found.final_yaml if found else ""


@dataclass
class Previews:
    """The previews for one look at the runs; `known` is what is known with them."""

    pipelines: Pipelines
    request: RunRequest
    known: KnownRuns
    _own: str | None = None

    def without_never_run(self, records: Sequence[TimelineRecord]) -> tuple[TimelineRecord, ...]:
        """Return a timeline without the skipped stages, and all below them, that no run of this branch executes."""
        skipped = [record for record in records if record.kind == "Stage" and record.result == "skipped"]
        ids = {record.id for record in skipped if record.name.casefold() in self._never_run()} if skipped else set()
        kept = []
        for record in sorted(records, key=lambda one: _DEPTHS.get(one.kind, len(_DEPTHS))):
            if record.id in ids or record.parent_id in ids:
                ids.add(record.id)
            else:
                kept.append(record)
        return tuple(kept) if ids else tuple(records)

    def _never_run(self) -> frozenset[str]:
        if self.known.never_run is None:
            expanded = read_expanded(self._own_preview(), self.request)
            names = expanded.never_run["Stage"] if expanded else frozenset[str]()
            self.known = replace(self.known, never_run=names)
            return names
        return self.known.never_run

    def _own_preview(self) -> str:
        """Return the YAML of a run of our own; empty where it cannot be known, which is not asked for again."""
        if self._own is None:
            self._own = "" if self.known.no_preview else _preview(self.pipelines, self.request)
            self.known = replace(self.known, no_preview=not self._own)
        return self._own

    def have_same_inputs(self, run: Run) -> bool:
        """Return whether a run was given what `request` gives.

        The service may show more template parameters than were given, with their defaults: then it is the same if both
        expand to the same YAML, since nothing else comes of a template parameter.
        """
        shown, given = Inputs.of(run), Inputs.of(self.request)
        if shown in (given, self.known.shown_inputs):
            return True
        more = shown.variables == given.variables and shown.template_parameters > given.template_parameters
        if not more or self.known.shown_inputs or not (expanded := self._own_preview()):
            return False
        theirs = replace(self.request, template_parameters=run.template_parameters)
        if _preview(self.pipelines, theirs) == expanded:
            self.note_own_inputs(run)
            return True
        self.known = replace(self.known, excluded=self.known.excluded | {run.id})
        return False

    def note_own_inputs(self, own: Run) -> None:
        """Note how the service shows a run that was given what `request` gives, if otherwise than it was given."""
        shown = Inputs.of(own)
        if shown != Inputs.of(self.request):
            self.known = replace(self.known, shown_inputs=shown)


_DEPTHS = {"Stage": 0, "Checkpoint": 1, "Phase": 1, "Job": 2, "Task": 3}
"""How far down in a timeline a kind of record is."""
