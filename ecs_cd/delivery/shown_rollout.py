"""The changes of a rollout, shown and noted in the report, with how to answer a deployment that waits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.messages import CommandRef, Message, sentences
from ecs_cd.model.events import RolloutChanged
from ecs_cd.model.service import ServiceSnapshot, Serving, Verdict


@dataclass
class ShownRollout:
    """Shows a rollout's changes; `advice` is how to answer a deployment that waits, as last seen; else empty."""

    report: ReportBuilder
    advice: str = ""

    def show(self, snapshot: ServiceSnapshot, verdict: Verdict) -> None:
        """Show what changed."""
        record, place = snapshot.service_deployment, self.report.place
        self.advice = ""
        if record and record.waiting and verdict.serving is Serving.ROLLING:
            self.advice = Message(CommandRef("continue", place.service, place.environment), " lets it go on.")
        self.report.note_rollout(snapshot, verdict)
        self.report.watch(RolloutChanged(snapshot, replace(verdict, sentence=sentences(verdict.sentence, self.advice))))
