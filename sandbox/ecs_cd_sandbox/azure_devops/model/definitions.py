"""What a pipeline is: plain values that say which stages, jobs and steps a run goes through.

These values are the only thing the engine knows about a pipeline. They can be written by hand, or be made from YAML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol

from ecs_cd_sandbox.azure_devops.model.identities import Identity

Action = Callable[[Any], None]
"""What a step does, called by the agent with its `StepContext`: the values of this module only hold it.

Returning is success, `context.fail` or any exception is failure.
"""

JobKind = Literal["build", "deployment", "release"]
"""A build job, a YAML deployment job, or a job of a classic release: they differ in variables and folders."""

Condition = str
"""An expression that says whether a stage, job or step runs, such as `succeeded()` or `and(always(), ...)`."""

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
    """One step; `name` is what the timeline displays, `ref_name` what its output variables are found under.

    `condition` is an expression. Without `enabled` the step is skipped. `timeout`: minutes, 0 is no limit of its own.
    """

    name: str
    action: Action
    condition: Condition = "succeeded()"
    continue_on_error: bool = False
    task: TaskReference = COMMAND_LINE
    ref_name: str = ""
    restrictions: Restrictions = Restrictions()
    enabled: bool = True
    timeout: float = 0.0
    retries: int = 0


@dataclass(frozen=True)
class Hook:
    """One lifecycle hook of a deployment job: each is a job of its own on an agent, one after the other.

    `name` is `preDeploy`, `deploy`, `routeTraffic`, `postRouteTraffic`, `on.failure` or `on.success`.
    """

    name: str
    steps: tuple[StepDefinition, ...]


@dataclass(frozen=True)
class JobDefinition:
    """One job: steps in order, sharing variables and one agent.

    A deployment job and a stage of a classic release have an `environment` they deploy to. A deployment job may have
    `hooks` instead of `steps`. `environment` and the values of `variables` may hold macros and, as the whole of a
    value, a runtime expression `$[ ]`. `depends_on` names jobs of the same stage; jobs that do not depend on each other
    go on at the same time. `timeout` (0 is no limit) and `cancel_timeout`: minutes.
    """

    name: str
    steps: tuple[StepDefinition, ...] = ()
    display_name: str = ""
    kind: JobKind = "build"
    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    hooks: tuple[Hook, ...] = ()
    depends_on: tuple[str, ...] = ()
    condition: Condition = "succeeded()"
    continue_on_error: bool = False
    timeout: float = 60.0
    cancel_timeout: float = 5.0


@dataclass(frozen=True)
class StageDefinition:
    """One stage. `name` is its reference name; `__default` is what a file without stages has.

    `depends_on`: None is the stage before it, an empty tuple is none. `lock`: the stage has an exclusive lock of its
    own, for which the runs of the pipeline wait as `lock` says.
    """

    name: str
    jobs: tuple[JobDefinition, ...]
    condition: Condition = "succeeded()"
    display_name: str = ""
    depends_on: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    lock: LockBehavior = "none"


@dataclass(frozen=True)
class Environment:
    """Something that is deployed to, with the checks a stage must pass before it starts.

    `approvers`: who may approve; every stage that deploys to it waits for one of them. `exclusive_lock`: one run at a
    time deploys to it.
    """

    name: str
    approvers: tuple[Identity, ...] = ()
    instructions: str = ""
    exclusive_lock: bool = False


@dataclass(frozen=True)
class Repository:
    """The repository that holds the pipeline's YAML."""

    name: str
    type: Literal["TfsGit", "GitHub"] = "TfsGit"


@dataclass(frozen=True)
class Parameter:
    """A template parameter: without a default a value must be given; `values` limits what it may be.

    `closed`: its type does so as well (boolean, number).
    """

    default: str | None = None
    values: tuple[str, ...] = ()
    closed: bool = False

    @property
    def free_text(self) -> bool:
        """Say whether it can hold any text, for which it takes the right to edit the configuration of a run."""
        return not self.values and not self.closed


@dataclass(frozen=True)
class BranchFilter:
    """Branches a trigger goes by, as names or patterns with `*`; an empty `include` is every branch."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineResource:
    """A pipeline whose runs another one uses: `resources.pipelines` of a file.

    `source` is a name, or folder and name. `trigger`: None is none; a run of the source on one of these branches, with
    all of `stages` done well and all of `tags`, starts a run. `branch`, `version` and `tags` choose the run otherwise.
    """

    alias: str
    source: str
    trigger: BranchFilter | None = None
    trigger_stages: tuple[str, ...] = ()
    trigger_tags: tuple[str, ...] = ()
    version: str = ""
    branch: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Triggers:
    """What starts a run by itself: a push to a branch (and path), or the end of a run of another pipeline."""

    branches: BranchFilter | None = None
    paths: BranchFilter = BranchFilter()
    pipelines: tuple[PipelineResource, ...] = ()


@dataclass(frozen=True)
class Expansion:
    """What a run of a file is asked with. `variables` are those given when it is queued."""

    branch: str
    commit: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    reason: str = "manual"


class ValidationFailed(Exception):
    """A pipeline's file cannot be run; each of `messages` names the file and, where it is known, line and column."""

    def __init__(self, messages: Sequence[str]) -> None:
        """Keep the messages."""
        super().__init__("\n".join(messages))
        self.messages = tuple(messages)


class PipelineFile(Protocol):
    """Where a pipeline's stages come from, when they are not given: a file in a repository, read for each run."""

    def expand(self, definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
        """Return the pipeline as this run has it: stages, variables, parameters, resources, final YAML.

        Raises:
            ValidationFailed: the file, one of its templates, or what is asked for is wrong.
        """

    def triggers(self, definition: PipelineDefinition, branch: str) -> Triggers:
        """Return what starts runs of the file by itself, as it is on a branch; nothing where there is no such file.

        Raises:
            ValidationFailed: the file is wrong.
        """

    def branches(self) -> Mapping[str, str]:
        """Return the commit of each branch by its full name."""


@dataclass(frozen=True)
class PipelineDefinition:
    """A pipeline.

    `branches` maps full names (`refs/heads/main`) to commits; an empty mapping stands for the default branch alone.
    `settable_variables` names what a queue request may set. `lock_behavior` other than `none` puts the whole run
    under one exclusive lock of the pipeline: `sequential` serves the waiting runs in turn, with `runLatest` the
    service cancels older waiting runs of the same branch. `secrets` are the secret variables. `resources` are other
    pipelines: a run uses the newest successful run of each, as it was when it was queued. With a `file`, what stands
    in it is read anew for each run. `environment_lock`: how its runs wait for the lock of an environment.
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
    resources: tuple[PipelineResource, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    yaml_path: str = "/azure-pipelines.yml"
    yaml: str = ""
    revision: int = 1
    file: PipelineFile | None = None
    environment_lock: LockBehavior = "runLatest"
    run_name: str = ""
    """The format of the run's number (`name:` of a file), macros and all; empty is the service's own."""

    def commit(self, branch: str) -> str | None:
        """Return the commit a branch points at, or None if there is no such branch."""
        branches = self.file.branches() if self.file else self.branches
        if branches or self.file:
            return branches.get(branch)
        return commit_of(f"{self.repository.name}:{branch}") if branch == self.default_branch else None


def commit_of(text: str) -> str:
    """Return a made-up commit id (40 hexadecimal digits) that is always the same for the same text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
