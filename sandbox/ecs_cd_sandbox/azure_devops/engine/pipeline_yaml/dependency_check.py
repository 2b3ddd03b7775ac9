"""Checks what depends on what: stages of a pipeline, jobs of a stage. The sentences are the service's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import Place
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems


@dataclass(frozen=True)
class Vertex:
    """A stage or a job with the names it depends on."""

    name: str
    depends_on: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Terms:
    """How the sentences speak of what is checked: what it is, what it is part of, and what stands before its name."""

    kind: str
    whole: str
    prefix: str


def stage_terms() -> Terms:
    """Return the terms for the stages of a pipeline."""
    return Terms("stage", "The pipeline", "Stage ")


def job_terms(stage: str) -> Terms:
    """Return the terms for the jobs of a stage."""
    return Terms("job", f"Stage {stage}", f"Stage {stage} job ")


def check_graph(vertices: Sequence[Vertex], terms: Terms, place: Place, problems: Problems) -> None:
    """Note names that come twice, a graph that nothing starts, circles, and names that do not exist.

    As in the service a graph without a start hides the other problems, and circles are told before unknown names.
    """
    if _has_duplicates(vertices, terms, problems):
        return
    if all(vertex.depends_on for vertex in vertices):
        problems.add(place, f"{terms.whole} must contain at least one {terms.kind} with no dependencies.")
        return
    known = {vertex.name.lower(): vertex for vertex in vertices}
    for vertex in vertices:
        for name in vertex.depends_on:
            if name.lower() in known and _leads_to(known[name.lower()], vertex, known):
                problems.add(
                    vertex.place,
                    f"{terms.prefix}{vertex.name} depends on {terms.kind} {name} "
                    "which creates a cycle in the dependency graph.",
                )
    for vertex in vertices:
        for name in vertex.depends_on:
            if name.lower() not in known:
                problems.add(vertex.place, f"{terms.prefix}{vertex.name} depends on unknown {terms.kind} {name}.")


def _has_duplicates(vertices: Sequence[Vertex], terms: Terms, problems: Problems) -> bool:
    seen: set[str] = set()
    twice = False
    for vertex in vertices:
        if vertex.name.lower() in seen:
            twice = True
            problems.add(vertex.place, _appears_twice(vertex, terms))
        seen.add(vertex.name.lower())
    return twice


def _appears_twice(vertex: Vertex, terms: Terms) -> str:
    if terms.kind == "stage":
        return f"The stage name {vertex.name} appears more than once. Stage names must be unique within a pipeline."
    return f"{terms.prefix}{vertex.name} appears more than once. Job names must be unique within a stage."


def _leads_to(start: Vertex, goal: Vertex, known: dict[str, Vertex]) -> bool:
    waiting, seen = [start], set[str]()
    while waiting:
        vertex = waiting.pop()
        if vertex is goal:
            return True
        if vertex.name not in seen:
            seen.add(vertex.name)
            waiting += [known[name.lower()] for name in vertex.depends_on if name.lower() in known]
    return False
