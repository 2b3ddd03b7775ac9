"""Turns a pipeline in canonical form into definitions: its stages, jobs and hooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import is_true, text_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.dependency_check import (
    Vertex,
    check_graph,
    job_terms,
    stage_terms,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import MappingNode, Node, Refused, SequenceNode
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_steps import StepReader
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_variables import (
    Values,
    VariableGroup,
    check_expression,
    check_runtime,
    read_variables,
)
from ecs_cd_sandbox.azure_devops.expressions import CONDITION, VARIABLE
from ecs_cd_sandbox.azure_devops.model.definitions import Hook, JobDefinition, LockBehavior, StageDefinition

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_RULE = "Valid names may only contain alphanumeric characters and '_' and may not start with a number."
_HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")
_OUTCOMES = ("failure", "success")


@dataclass(frozen=True)
class StageReader:
    """Reads the stages of one pipeline."""

    steps: StepReader
    groups: Mapping[str, VariableGroup]
    problems: Problems

    def stages(self, root: MappingNode) -> tuple[StageDefinition, ...]:
        """Return the stages of a canonical pipeline; what is wrong is noted."""
        found: list[StageDefinition] = []
        vertices: list[Vertex] = []
        for place, node in enumerate(_mappings(root.get("stages"))):
            stage = self._stage(node, _text(node, "stage") or f"Stage{place + 1}")
            found.append(stage)
            before = (found[place - 1].name,) if place else ()
            depends_on = before if stage.depends_on is None else stage.depends_on
            vertices.append(Vertex(stage.name, depends_on, node.place))
        check_graph(vertices, stage_terms(), root.place, self.problems)
        return tuple(found)

    def _stage(self, node: MappingNode, name: str) -> StageDefinition:
        with self.problems.collect():
            _check_name("Stage", name, node)
        values = read_variables(node.get("variables"), self.groups, VARIABLE, self.problems)
        jobs: list[JobDefinition] = []
        vertices: list[Vertex] = []
        for place, item in enumerate(_mappings(node.get("jobs"))):
            with self.problems.collect():
                job = self._job(item, values, place)
                jobs.append(job)
                vertices.append(Vertex(job.name, job.depends_on, item.place))
        if not self.problems.found:
            check_graph(vertices, job_terms(name), node.place, self.problems)
        depends_on = node.get("dependsOn")
        return StageDefinition(
            name=name,
            jobs=tuple(jobs),
            condition=self._condition(node),
            display_name=_text(node, "displayName"),
            depends_on=None if depends_on is None else _listed(depends_on),
            variables=values.plain,
            lock=lock_of(node.get("lockBehavior"), "none"),
        )

    def _condition(self, node: MappingNode) -> str:
        condition = node.get("condition")
        if condition is None or not text_of(condition):
            return "succeeded()"
        with self.problems.collect():
            check_expression(text_of(condition), CONDITION, condition.place)
        return text_of(condition)

    def _job(self, node: MappingNode, stage: Values, place: int) -> JobDefinition:
        deploys = node.get("deployment") is not None
        name = _text(node, "deployment" if deploys else "job") or f"Job{place + 1}"
        _check_name("Job", name, node)
        values = read_variables(node.get("variables"), self.groups, VARIABLE, self.problems)
        # A stage has no secrets of its own: those of its groups go to its jobs, unless a job has such a variable.
        secrets = values.over(Values(secret=stage.secret)).secret
        hooks = self._hooks(node, name) if deploys else ()
        steps = () if deploys else self.steps.job_steps(node.get("steps"), name, node.place)
        return JobDefinition(
            name=name,
            steps=steps,
            display_name=_text(node, "displayName"),
            kind="deployment" if deploys else "build",
            environment=_environment(node) if deploys else "",
            variables=values.plain,
            secrets=secrets,
            hooks=hooks,
            depends_on=_listed(node.get("dependsOn")),
            condition=self._condition(node),
            continue_on_error=is_true(found) if (found := node.get("continueOnError")) is not None else False,
            timeout=float(_text(node, "timeoutInMinutes") or JobDefinition.timeout),
            cancel_timeout=float(_text(node, "cancelTimeoutInMinutes") or JobDefinition.cancel_timeout),
        )

    def _hooks(self, node: MappingNode, job: str) -> tuple[Hook, ...]:
        if job.lower() == "deploy":
            raise Refused((node.get("deployment") or node).place, "A deployment job cannot be called 'deploy'.")
        strategy = node.get("strategy")
        run_once = strategy.get("runOnce") if isinstance(strategy, MappingNode) else None
        if not isinstance(run_once, MappingNode):
            raise Refused(node.place, f"Job {job}: A deployment job must have a strategy: runOnce.")
        outcomes = run_once.get("on")
        found = [(name, run_once.get(name)) for name in _HOOKS]
        if isinstance(outcomes, MappingNode):
            found += [(f"on.{name}", outcomes.get(name)) for name in _OUTCOMES]
        return tuple(
            Hook(name, self.steps.hook_steps(hook.get("steps"), job, hook.place, downloads=name == "deploy"))
            for name, hook in found
            if isinstance(hook, MappingNode)
        )


def lock_of(node: Node | None, default: LockBehavior) -> LockBehavior:
    """Return what a canonical `lockBehavior:` asks for."""
    if node is None:
        return default
    return "sequential" if text_of(node) == "sequential" else "runLatest"


def _environment(node: MappingNode) -> str:
    environment = node.get("environment")
    name = environment.get("name") if isinstance(environment, MappingNode) else None
    if name is None:
        raise Refused(node.place, "A deployment job must have an environment.")
    check_runtime(text_of(name), VARIABLE, name.place)
    return text_of(name)


def _check_name(kind: str, name: str, node: MappingNode) -> None:
    if not _NAME.fullmatch(name):
        place = node.pairs[0][1].place if node.pairs else node.place
        raise Refused(place, f"{kind} {name} has an invalid name. {_NAME_RULE}")


def _mappings(node: Node | None) -> list[MappingNode]:
    return [item for item in node.items if isinstance(item, MappingNode)] if isinstance(node, SequenceNode) else []


def _text(node: MappingNode, key: str) -> str:
    found = node.get(key)
    return text_of(found) if found is not None else ""


def _listed(node: Node | None) -> tuple[str, ...]:
    return tuple(text_of(item) for item in node.items) if isinstance(node, SequenceNode) else ()
