"""What starts runs of a pipeline by itself, and the pipelines it uses."""

from __future__ import annotations

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import is_true, text_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import MappingNode, Node, Refused, ScalarNode, SequenceNode
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems
from ecs_cd_sandbox.azure_devops.model.definitions import BranchFilter, PipelineResource, Triggers
from ecs_cd_sandbox.azure_devops.model.links import Project


def read_triggers(root: MappingNode, pipelines: tuple[PipelineResource, ...]) -> Triggers:
    """Return the triggers of a canonical pipeline; without a word about it every push to any branch is one."""
    trigger = root.get("trigger")
    if not isinstance(trigger, MappingNode):
        return Triggers(BranchFilter(), pipelines=pipelines)
    if trigger.get("enabled") is not None:
        return Triggers(pipelines=pipelines)
    return Triggers(_filter(trigger.get("branches")), _filter(trigger.get("paths")), pipelines)


def read_pipeline_resources(root: MappingNode, project: Project, problems: Problems) -> tuple[PipelineResource, ...]:
    """Return the pipelines that a canonical pipeline uses; those of another project than the only one are noted."""
    resources = root.get("resources")
    listed = resources.get("pipelines") if isinstance(resources, MappingNode) else None
    found: list[PipelineResource] = []
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(item, MappingNode):
            with problems.collect():
                found.append(_resource(item, project))
    return tuple(found)


def _resource(item: MappingNode, project: Project) -> PipelineResource:
    named = item.get("project")
    if named is not None and not project.is_called(text_of(named)):
        raise Refused(named.place, f"The sandbox has one project, {project.name}: there is no '{text_of(named)}'.")
    trigger = item.get("trigger")
    details = trigger if isinstance(trigger, MappingNode) else MappingNode((), item.place)
    return PipelineResource(
        alias=_text(item, "pipeline"),
        source=_text(item, "source"),
        trigger=_resource_trigger(trigger),
        trigger_stages=_texts(details.get("stages")),
        trigger_tags=_texts(details.get("tags")),
        version=_text(item, "version"),
        branch=_text(item, "branch"),
        tags=_texts(item.get("tags")),
    )


def _resource_trigger(trigger: Node | None) -> BranchFilter | None:
    """Return the branches that count; there is no trigger unless the file asks for one."""
    if isinstance(trigger, ScalarNode):
        return BranchFilter() if text_of(trigger) == "true" else None
    if not isinstance(trigger, MappingNode):
        return None
    enabled = trigger.get("enabled")
    return None if enabled is not None and not is_true(enabled) else _filter(trigger.get("branches"))


def _filter(node: Node | None) -> BranchFilter:
    if isinstance(node, SequenceNode):
        return BranchFilter(_texts(node))
    if not isinstance(node, MappingNode):
        return BranchFilter()
    return BranchFilter(_texts(node.get("include")), _texts(node.get("exclude")))


def _text(node: MappingNode, key: str) -> str:
    found = node.get(key)
    return text_of(found) if found is not None else ""


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(text_of(item) for item in node.items) if isinstance(node, SequenceNode) else ()
