"""Pipelines of the sandbox for tests: short ones by hand, steps a test controls, and files made by a function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_cd_sandbox.azure_devops import (
    Expansion,
    Identity,
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
    Triggers,
)

ANN = Identity("Ann Example", "ann@example.com")
BOB = Identity("Bob Example", "bob@example.com")
MAIN, DEVELOP = "refs/heads/main", "refs/heads/develop"
BRANCHES = {MAIN: "a" * 40, DEVELOP: "b" * 40}
PATIENCE = 20.0
"""Seconds that something may take which comes by itself."""


class BlockingStep:
    """A step that ends when it is told to or cancelled, and says when it has started."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self._changed = threading.Condition()
        self._allowed = 0

    def __call__(self, context: StepContext) -> None:
        with self._changed:
            self.started.append(context.run_id)
            self._changed.notify_all()
        unsubscribe = context.cancelled.subscribe(self._wake)
        with self._changed:
            self._changed.wait_for(lambda: self._allowed > 0 or context.cancelled.is_set(), PATIENCE)
            self._allowed -= 1
        unsubscribe()
        if context.cancelled.is_set():
            context.fail("told to stop")

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_started(self, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.started) >= count, PATIENCE)

    def open(self, times: int = 1) -> None:
        with self._changed:
            self._allowed += times
            self._changed.notify_all()


def nothing(context: StepContext) -> None:
    context.log(f"run {context.run_id}")


def stage(name: str, *actions: Callable[[StepContext], None], **more: Any) -> StageDefinition:  # noqa: ANN401 - passed on
    steps = tuple(StepDefinition(f"step {number}", action) for number, action in enumerate(actions, start=1))
    return StageDefinition(name, (JobDefinition("job", steps),), **more)


def pipeline(*actions: Callable[[StepContext], None], **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    defaults: dict[str, Any] = {"id": 12, "name": "deploy", "branches": BRANCHES}
    return PipelineDefinition(**{"stages": (stage("Apply", *(actions or (nothing,))),), **defaults, **more})


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
