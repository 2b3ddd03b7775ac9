"""What Azure DevOps makes of a pipeline's YAML for a run on one branch: which stages can run, and which apply. Pure.

It is read from the answer of a preview (`Pipelines.preview`): the YAML with its templates expanded, in which conditions
stand as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecs_cd.model.run import RunRequest
from ecs_cd.run.conditions import certain, value_of

_MOST_CHARACTERS = 1_000_000
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Takes every scalar for text, and makes no objects of tags."""

_SAYS_APPLY = re.compile(r"\bappl(?:y|ies)\b", re.IGNORECASE)
_RUNS_APPLY = re.compile(r"\b(?:terraform|tofu|opentofu|terragrunt)\b[^\n]*\bapply\b", re.IGNORECASE)
"""A command line that applies."""

_KEYS = {"Stage": ("stage",), "Job": ("job", "deployment")}
_SCRIPTS = {"script": "CmdLine", "bash": "Bash", "pwsh": "PowerShell", "powershell": "PowerShell"}
"""How the service calls the task of a step that is a script and has no name."""

_NONE: frozenset[str] = frozenset()


def says_apply(name: str) -> bool:
    """Return whether the name of a stage, job or step says that it applies: `Apply`, `terraform apply`."""
    return bool(_SAYS_APPLY.search(name))


@dataclass(frozen=True)
class ExpandedPipeline:
    """The expanded pipeline. Names are in lower case: those in the YAML, and those that are displayed.

    `never_run`: for each kind of record, the names of what no run of this branch executes unless something fails.
    `applying`: likewise, those whose steps run `apply` of Terraform or OpenTofu, or are named so.
    """

    never_run: Mapping[str, frozenset[str]] = field(default_factory=dict)
    applying: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_never_run(self, kind: str, name: str) -> bool:
        """Return whether no run of this branch executes the stage, job or step of this name unless something fails."""
        return name.casefold() in self.never_run.get(_kind(kind), _NONE)

    def applies(self, kind: str, name: str) -> bool:
        """Return whether the stage, job or step of this name is known to apply."""
        return says_apply(name) or name.casefold() in self.applying.get(_kind(kind), _NONE)


def read_expanded(text: str, request: RunRequest) -> ExpandedPipeline | None:
    """Return what the YAML of a preview of `request` says; None if it cannot be read."""
    if len(text) > _MOST_CHARACTERS:
        return None
    try:
        whole = yaml.load(text, _LOADER)  # noqa: S506 - the loader makes nothing but texts, lists and maps
    except (yaml.YAMLError, RecursionError):
        return None
    stages = _maps(whole.get("stages")) if isinstance(whole, dict) else []
    if not stages:
        return None
    variables = _variables(whole.get("variables"), request)
    groups = [_maps(stage.get("jobs")) for stage in stages]
    jobs = [job for group in groups for job in group]
    steps = [step for job in jobs for step in _steps(job)]
    return ExpandedPipeline(
        never_run={
            "Stage": _where_all(_never_run(stages, "Stage", variables, in_order=True)),
            "Job": _where_all(pair for group in groups for pair in _never_run(group, "Job", variables, in_order=False)),
            "Task": _where_all(
                (_step_names(step), certain(str(step.get("condition", "")), variables) is False) for step in steps
            ),
        },
        applying={
            "Stage": _where_any((_names(stage, "Stage"), _contains_apply(stage)) for stage in stages),
            "Job": _where_any((_names(job, "Job"), _contains_apply(job)) for job in jobs),
            "Task": _where_all((_step_names(step), _contains_apply(step)) for step in steps),
        },
    )


_Node = dict[str, Any]
_Flags = Iterable[tuple[frozenset[str], bool]]
"""Names, and whether something is the case for what they name."""


def _kind(kind: str) -> str:
    """Return the kind of what the YAML calls a job, which the timeline shows as a phase with jobs."""
    return "Job" if kind == "Phase" else kind


def _maps(value: object) -> list[_Node]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _names(node: _Node, kind: str) -> frozenset[str]:
    keys = (*_KEYS[kind], "displayName")
    return frozenset(str(node[key]).casefold() for key in keys if node.get(key))


def _step_names(step: _Node) -> frozenset[str]:
    """Return the name that a step is displayed with, if it has one, or else that of its task."""
    if step.get("displayName"):
        return frozenset({str(step["displayName"]).casefold()})
    kinds = (name for key, name in _SCRIPTS.items() if key in step)
    task = str(step.get("task", "")).partition("@")[0] or next(kinds, "")
    return frozenset({task.casefold()} if task else ())


def _steps(job: object) -> Iterator[_Node]:
    """Yield all steps of a job, also those of a deployment's strategy, which are further down."""
    if isinstance(job, dict):
        for key, value in job.items():
            yield from _maps(value) if key == "steps" else _steps(value)


def _where_all(flags: _Flags) -> frozenset[str]:
    """Return the names of which it is the case for everything that has them."""
    pairs = list(flags)
    return _where_any(pairs) - frozenset(name for names, flag in pairs if not flag for name in names)


def _where_any(flags: _Flags) -> frozenset[str]:
    return frozenset(name for names, flag in flags if flag for name in names)


def _never_run(nodes: Sequence[_Node], kind: str, variables: Mapping[str, str], *, in_order: bool) -> _Flags:
    """Yield for each stage or job whether it is certain to be skipped unless something fails.

    `in_order`: what names nothing that it depends on depends on the one before.
    """
    never: set[str] = set()
    before = ""
    for node in nodes:
        name = next((str(node[key]).casefold() for key in _KEYS[kind] if node.get(key)), "")
        depends = _depends_on(node) if "dependsOn" in node else ([before] if in_order and before else [])
        succeeded = False if never.intersection(depends) else None
        condition = str(node.get("condition") or "succeeded()")
        skipped = certain(condition, variables, succeeded=succeeded) is False
        if skipped and name:
            never.add(name)
        before = name
        yield _names(node, kind), skipped


def _depends_on(node: _Node) -> list[str]:
    given = node["dependsOn"]
    return [str(name).casefold() for name in (given if isinstance(given, list) else [given])]


def _contains_apply(node: object) -> bool:
    """Return whether a stage, job or step runs `apply`, or is named so; scripts in files cannot be looked into."""
    if isinstance(node, dict):
        named = says_apply(str(node.get("displayName", "")))
        command = any(str(key).lower() == "command" and value == "apply" for key, value in node.items())
        return named or command or any(_contains_apply(value) for value in node.values())
    if isinstance(node, list):
        return any(_contains_apply(item) for item in node)
    return isinstance(node, str) and bool(_RUNS_APPLY.search(node))


def _variables(given: object, request: RunRequest) -> dict[str, str]:
    """Return the variables whose values are known before a run, by names in lower case."""
    own = {name: value for name, value in _own_variables(given) if "$(" not in value}
    known = {name.lower(): value for name, value in request.variables.items()}
    branch = {
        "build.sourcebranch": request.branch,
        "build.sourcebranchname": request.branch.rstrip("/").rpartition("/")[2],
    }
    fixed = {**known, **branch}
    for name, value in own.items():
        if name in known:
            fixed.pop(name)  # which of the two counts depends on the pipeline's settings
        elif value.startswith("$["):
            result = value_of(value.removeprefix("$[").rstrip().removesuffix("]"), fixed)
            fixed.update({name: str(result)} if isinstance(result, str | bool) else {})
        else:
            fixed[name] = value
    return fixed


def _own_variables(given: object) -> Iterator[tuple[str, str]]:
    """Yield the variables of the whole pipeline, which are a map or a list."""
    if isinstance(given, dict):
        yield from ((str(name).lower(), str(value)) for name, value in given.items())
    for item in _maps(given):
        if "name" in item:
            yield str(item["name"]).lower(), str(item.get("value", ""))
