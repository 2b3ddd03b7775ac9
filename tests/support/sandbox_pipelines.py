"""A pipeline's file as tests give it: what a run has is made by a function, with no YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops import Expansion, PipelineDefinition, Triggers

from .support import BRANCHES

Expand = Callable[[PipelineDefinition, Expansion], PipelineDefinition]


@dataclass
class MadeFile:
    """A file whose content is what two functions say; it notes what it was asked to expand."""

    make: Expand
    starts: Callable[[str], Triggers] = lambda branch: Triggers()
    known: Mapping[str, str] = field(default_factory=lambda: BRANCHES)
    asked: list[Expansion] = field(default_factory=list)

    def expand(self, definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
        self.asked.append(wanted)
        return self.make(definition, wanted)

    def triggers(self, definition: PipelineDefinition, branch: str) -> Triggers:
        return self.starts(branch)

    def branches(self) -> Mapping[str, str]:
        return self.known
