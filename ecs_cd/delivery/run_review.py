"""What the run that carried a change says where ECS does not serve the tag, or where no service is named (rule 10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ecs_cd.delivery.context import DeliveryContext
from ecs_cd.delivery.steps import Applied, Verified
from ecs_cd.errors import NotApplied
from ecs_cd.messages import sentences
from ecs_cd.model.delivery import Place
from ecs_cd.model.run import Pipeline, RunRequest
from ecs_cd.report.facts import Outcome
from ecs_cd.run.left_out import LeftOut, find_left_out
from ecs_cd.run.pipelines import full_ref


@dataclass
class RunReview:
    """A look at the run that carried a change, taken where it is needed, and once."""

    place: Place
    pipeline: Pipeline
    applied: Applied
    context: DeliveryContext
    unseen: bool = False
    """Nothing is shown of what the run carried out, where that alone could tell."""

    @cached_property
    def left_out(self) -> LeftOut | None:
        """Return what the run left out, if that may be why the change was not applied."""
        place, run = self.place, self.applied.run
        if run is None:
            return None
        request = RunRequest(self.pipeline, full_ref(place.branch), place.template_parameters, place.variables)
        return find_left_out(self.context.clouds.pipelines, request, run)

    def require_apply(self, verified: Verified) -> None:
        """Where ECS judges nothing, only the run tells whether anything was applied.

        Raises:
            NotApplied: it left out what applies, or may have, or nothing is shown of what it carried out.
        """
        if verified.outcome is not Outcome.APPLIED or verified.serves:
            return
        if self.left_out:
            raise NotApplied(self.left_out.sentence, hint=self.left_out.hint, link=self._link)
        run = self.applied.run
        if run and run.run and not run.records:
            self.unseen = True
            raise NotApplied(
                f"Run {run.run.name} succeeded, but Azure DevOps shows nothing of what was carried out in it.",
                hint="Open the run and see whether it applied the change.",
                link=self._link,
            )

    def explain(self, error: NotApplied) -> None:
        """Add to ECS's verdict why the run did not apply, in the place of the usual reasons."""
        found = self.left_out
        if found is None or found.sentence in error.message:
            return
        if found.certain:
            error.hint = ""
        error.add(hint=sentences(found.sentence, found.hint), link=self._link)

    @property
    def may_try_again(self) -> bool:
        """Return whether another run may apply what this one did not.

        A joined run may have been queued for something else. Our own may have read the parameter before the new
        version could be read everywhere; if it left something out, so would the next. What a person or a check has
        decided is not asked again.
        """
        if self.left_out is None:
            return not self.unseen
        return self.applied.joined and not self.left_out.decided

    @property
    def _link(self) -> str:
        return self.applied.run.run.url if self.applied.run and self.applied.run.run else ""
