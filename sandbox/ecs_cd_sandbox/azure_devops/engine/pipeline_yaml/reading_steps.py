"""Turns canonical steps into definitions, with the actions a `StepFactory` makes for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import is_true, text_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_steps import (
    DOWNLOAD_TASK,
    PUBLISH_TASK,
    input_of,
    task_of,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Place,
    Refused,
    ScalarNode,
    SequenceNode,
    mapping,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_variables import check_expression
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_files import Checkout, Library
from ecs_cd_sandbox.azure_devops.expressions import STEP_CONDITION
from ecs_cd_sandbox.azure_devops.model.definitions import Restrictions, StepDefinition
from ecs_cd_sandbox.azure_devops.model.repositories import HEADS, TAGS
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK, StepFactory, StepRefused, UnknownTask

_TASK = re.compile(r"(?P<name>[^@]+)@(?P<version>\d+(?:\.\d+\.\d+)?)")
_STEP_NAME = re.compile(r"[-_A-Za-z0-9]*")
_INLINE_REPOSITORY = re.compile(r"git://(?:[^/@]+/)?(?P<name>[^/@]+)(?:@(?P<ref>.+))?")
_NONE = "none"


@dataclass(frozen=True)
class _Task:
    """What is asked of the step maker; `title` is the step's name where the file gives none."""

    reference: str
    inputs: Mapping[str, str]
    title: str = ""


@dataclass(frozen=True)
class StepReader:
    """Reads the steps of one pipeline; `resources` are the aliases of its pipeline resources."""

    maker: StepFactory
    library: Library
    problems: Problems
    resources: tuple[str, ...] = ()

    def job_steps(self, node: Node | None, job: str, place: Place) -> tuple[StepDefinition, ...]:
        """Return the steps of a build job: the repository is checked out first unless a step says something of it."""
        steps = _steps(node)
        if not any(task_of(step) == CHECKOUT_TASK for step in steps):
            steps = [_implicit(place, CHECKOUT_TASK, repository="self"), *steps]
        return self._read(steps, job)

    def hook_steps(self, node: Node | None, job: str, place: Place, *, downloads: bool) -> tuple[StepDefinition, ...]:
        """Return the steps of a hook; with `downloads` all artifacts come first unless a step downloads some."""
        steps = _steps(node)
        if downloads and not any(_is_download(step) for step in steps):
            aliases = ("current", *self.resources)
            steps = [*(_implicit(place, DOWNLOAD_TASK, alias=alias) for alias in aliases), *steps]
        return self._read(steps, job)

    def _read(self, steps: list[MappingNode], job: str) -> tuple[StepDefinition, ...]:
        several = sum(task_of(step) == CHECKOUT_TASK and input_of(step, "repository") != _NONE for step in steps) > 1
        found: list[StepDefinition] = []
        names: set[str] = set()
        for step in steps:
            with self.problems.collect():
                task = self._task(step, several=several)
                if task is not None:
                    found.append(self._step(step, task, job, names))
        return tuple(found)

    def _step(self, step: MappingNode, task: _Task, job: str, names: set[str]) -> StepDefinition:
        name = _text(step, "name")
        self._check_name(name, step, job, names)
        condition = _text(step, "condition")
        if condition:
            check_expression(condition, STEP_CONDITION, (step.get("condition") or step).place)
        try:
            action, reference = self.maker.make(
                task.reference, task.inputs, env=_texts(step.get("env")), where=str(step.place)
            )
        except UnknownTask as error:
            raise Refused(step.place, f"{_missing(task.reference, job, name)} {error}".rstrip()) from error
        except StepRefused as error:
            raise Refused(step.place, str(error)) from error
        return StepDefinition(
            name=_text(step, "displayName") or task.title or reference.name,
            action=action,
            condition=condition or "succeeded()",
            continue_on_error=_flag(step, "continueOnError", default=False),
            task=reference,
            ref_name=name,
            restrictions=_restrictions(step.get("target")),
            enabled=_flag(step, "enabled", default=True),
            timeout=float(_text(step, "timeoutInMinutes") or 0),
            retries=int(float(_text(step, "retryCountOnTaskFailure") or 0)),
        )

    def _check_name(self, name: str, step: MappingNode, job: str, names: set[str]) -> None:
        place = (step.get("name") or step).place
        if not _STEP_NAME.fullmatch(name):
            raise Refused(place, f"Job {job}: The step name {name} is not valid. Use letters, digits, '-' and '_'.")
        if name and name.lower() in names:
            raise Refused(
                place,
                f"Job {job}: The step name {name} appears more than once. Step names must be unique within a job.",
            )
        names.add(name.lower())

    def _task(self, step: MappingNode, *, several: bool) -> _Task | None:
        """Return what to ask the maker for; None for a step that only says what is not to be done."""
        task = task_of(step)
        if not _TASK.fullmatch(task):
            raise Refused(
                (step.get("task") or step).place,
                f"'{_text(step, 'task')}' is not a task: write its name or id, an @, and the major version.",
            )
        if task == CHECKOUT_TASK:
            return self._checkout(step, several=several)
        if task == DOWNLOAD_TASK:
            return self._download(step)
        if task == PUBLISH_TASK:
            return _Task(
                "PublishPipelineArtifact@1", _renamed(step, {"path": "targetPath", "artifactName": "artifact"})
            )
        return _Task(_text(step, "task"), _texts(step.get("inputs")))

    def _checkout(self, step: MappingNode, *, several: bool) -> _Task | None:
        alias = input_of(step, "repository")
        if alias == _NONE:
            return None
        found = self._repository(alias, step)
        own = found.alias == "" and found is self.library.own
        repository = {"repository": "self"} if own else {"repository": found.repository.name, "version": found.commit}
        path = input_of(step, "path") or (f"s/{found.repository.name}" if several else "s")
        branch = found.ref.removeprefix(HEADS).removeprefix(TAGS)
        title = f"Checkout {found.repository.name}@{branch} to {path}"
        return _Task(CHECKOUT_TASK, {**_texts(step.get("inputs")), **repository, "path": path}, title)

    def _repository(self, alias: str, step: MappingNode) -> Checkout:
        inline = _INLINE_REPOSITORY.fullmatch(alias)
        if inline:
            given = {"repository": alias, "type": "git", "name": inline["name"], "ref": inline["ref"] or ""}
            self.library.declare_one(mapping(step.place, list(given.items())))
        found = self.library.checkout(alias)
        if found is None:
            raise Refused(step.place, f"No repository found by name {alias}")
        return found

    def _download(self, step: MappingNode) -> _Task | None:
        alias, artifact = input_of(step, "alias"), input_of(step, "artifact")
        if alias == _NONE:
            return None
        inputs = {name: value for name, value in _texts(step.get("inputs")).items() if name != "alias"}
        if alias == "current":
            return _Task("DownloadPipelineArtifact@2", {"source": "current", **inputs, "path": _below(artifact)})
        known = next((name for name in self.resources if name.lower() == alias.lower()), None)
        if known is None:
            raise Refused(step.place, f"There is no pipeline resource {alias}: declare it under resources.pipelines.")
        run = {
            "source": "specific",
            "project": "$(System.TeamProject)",
            "pipeline": f"$(resources.pipeline.{known}.pipelineID)",
            "runVersion": "specific",
            "runId": f"$(resources.pipeline.{known}.runID)",
        }
        return _Task("DownloadPipelineArtifact@2", {**run, **inputs, "path": _below(known, artifact)})


def _below(*parts: str) -> str:
    return "/".join(("$(Pipeline.Workspace)", *(part for part in parts if part)))


def _steps(node: Node | None) -> list[MappingNode]:
    return [item for item in node.items if isinstance(item, MappingNode)] if isinstance(node, SequenceNode) else []


def _implicit(place: Place, task: str, **inputs: str) -> MappingNode:
    return mapping(place, [("task", task), ("inputs", mapping(place, list(inputs.items())))])


def _is_download(step: MappingNode) -> bool:
    return task_of(step) == DOWNLOAD_TASK or task_of(step).startswith("downloadpipelineartifact@")


def _text(step: MappingNode, key: str) -> str:
    found = step.get(key)
    return text_of(found) if found is not None else ""


def _texts(node: Node | None) -> dict[str, str]:
    return {key.text: text_of(value) for key, value in node.pairs} if isinstance(node, MappingNode) else {}


def _renamed(step: MappingNode, names: Mapping[str, str]) -> dict[str, str]:
    return {names.get(name, name): value for name, value in _texts(step.get("inputs")).items()}


def _flag(step: MappingNode, key: str, *, default: bool) -> bool:
    found = step.get(key)
    return default if found is None else is_true(found)


def _restrictions(target: Node | None) -> Restrictions:
    if not isinstance(target, MappingNode):
        return Restrictions()
    commands, settable = _text(target, "commands"), target.get("settableVariables")
    names: tuple[str, ...] | None = None
    if isinstance(settable, ScalarNode):
        names = ()
    elif isinstance(settable, SequenceNode):
        names = tuple(text_of(item) for item in settable.items)
    return Restrictions("restricted" if commands == "restricted" else "any", names)


def _missing(task: str, job: str, step: str) -> str:
    match = _TASK.fullmatch(task)
    name, version = (match["name"], match["version"]) if match else (task, "")
    return (
        f"A task is missing. The pipeline references a task called '{name}'. This usually indicates the task isn't "
        "installed, and you may be able to install it from the Marketplace: https://marketplace.visualstudio.com. "
        f"(Task version {version}, job '{job}', step '{step}'.)"
    )
