"""What a pipeline is: plain values that say which stages, jobs and steps a run goes through.

These values are the only thing the engine knows about a pipeline. They can be written by hand, or be made from YAML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from ecs_cd.sandbox.azure_devops.workspace import JobKind

if TYPE_CHECKING:
    from ecs_cd.sandbox.azure_devops.context import StepContext

Action = Callable[["StepContext"], None]
"""What a step does. Returning is success, `context.fail` or any exception is failure."""

Condition = Literal["succeeded", "failed", "succeededOrFailed", "always"]
"""When a step or a stage runs, given what came before it; only `always` survives a cancellation."""

LockBehavior = Literal["none", "sequential", "runLatest"]
QueueStatus = Literal["enabled", "paused", "disabled"]


@dataclass(frozen=True)
class TaskReference:
    """The task a step is an instance of, as the timeline shows it."""

    id: str
    name: str
    version: str


COMMAND_LINE = TaskReference("d9bafed4-0b18-4f58-968d-86655b4d2ce9", "CmdLine", "2.250.1")
"""The task that `script:` stands for."""


SAFE_COMMANDS = frozenset(
    f"task.{event}"
    for event in (
        "complete",
        "debug",
        "issue",
        "logdetail",
        "logissue",
        "prependpath",
        "setprogress",
        "setsecret",
        "settaskvariable",
        "setvariable",
    )
)
"""The logging commands that run in restricted mode."""


@dataclass(frozen=True)
class Restrictions:
    """What logging commands of a step may do: `target:` of a YAML step, or `restrictions` of a `task.json`.

    `settable_variables` are patterns of names, None allows all.
    """

    commands: Literal["any", "restricted"] = "any"
    settable_variables: tuple[str, ...] | None = None

    def allow_command(self, name: str) -> bool:
        """Say whether a command (`area.event`, lower case) may run."""
        return self.commands == "any" or name in SAFE_COMMANDS

    def allow_variable(self, name: str) -> bool:
        """Say whether a variable may be set."""
        patterns = self.settable_variables
        return patterns is None or any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


@dataclass(frozen=True)
class StepDefinition:
    """One step; `name` is what the timeline displays, `ref_name` what its output variables are found under."""

    name: str
    action: Action
    condition: Condition = "succeeded"
    continue_on_error: bool = False
    task: TaskReference = COMMAND_LINE
    ref_name: str = ""
    restrictions: Restrictions = Restrictions()


@dataclass(frozen=True)
class JobDefinition:
    """One job: steps in order, sharing variables and one agent.

    A deployment job and a stage of a classic release have an `environment` they deploy to.
    """

    name: str
    steps: tuple[StepDefinition, ...]
    display_name: str = ""
    kind: JobKind = "build"
    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class StageDefinition:
    """One stage: jobs in order. `name` is its reference name; `__default` is what a file without stages has."""

    name: str
    jobs: tuple[JobDefinition, ...]
    condition: Condition = "succeeded"
    display_name: str = ""


@dataclass(frozen=True)
class Repository:
    """The repository that holds the pipeline's YAML."""

    name: str
    type: Literal["TfsGit", "GitHub"] = "TfsGit"


@dataclass(frozen=True)
class Parameter:
    """A template parameter: without a default a value must be given; `values` limits what it may be."""

    default: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineDefinition:
    """A pipeline.

    `branches` maps full names (`refs/heads/main`) to commits; an empty mapping stands for the default branch alone.
    `settable_variables` names what a queue request may set. `lock_behavior` other than `none` puts the whole run
    under one exclusive lock of the pipeline: `sequential` serves the waiting runs in turn, with `runLatest` the
    service cancels older waiting runs of the same branch. `secrets` are the secret variables. `resources` are other
    pipelines by an alias: a run uses the newest successful run of each, as it was when it began.
    """

    id: int
    name: str
    stages: tuple[StageDefinition, ...] = ()
    folder: str = "\\"
    repository: Repository = Repository("infrastructure")
    default_branch: str = "refs/heads/main"
    branches: Mapping[str, str] = field(default_factory=dict)
    lock_behavior: LockBehavior = "none"
    queue_status: QueueStatus = "enabled"
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    settable_variables: frozenset[str] = frozenset()
    resources: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    yaml_path: str = "/azure-pipelines.yml"
    yaml: str = ""
    revision: int = 1

    def commit(self, branch: str) -> str | None:
        """Return the commit a branch points at, or None if there is no such branch."""
        if self.branches:
            return self.branches.get(branch)
        return commit_of(f"{self.repository.name}:{branch}") if branch == self.default_branch else None


def commit_of(text: str) -> str:
    """Return a made-up commit id (40 hexadecimal digits) that is always the same for the same text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
