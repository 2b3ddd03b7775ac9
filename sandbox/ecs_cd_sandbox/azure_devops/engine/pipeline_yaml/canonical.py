"""A pipeline in canonical form, as the service's preview shows it: stages, variables as a list, no shorthand.

What the service knows and the sandbox does not is refused here, by name and place.
"""

from __future__ import annotations

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import (
    NOT_HERE,
    Rule,
    anything,
    boolean,
    fields,
    fields_of,
    filled,
    is_true,
    list_of,
    mapping,
    not_supported,
    number,
    one_of,
    sequence,
    text,
    text_of,
    texts,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_steps import canonical_step, canonical_steps
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Refused,
    ScalarNode,
    SequenceNode,
    computed,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import mapping as made
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.problems import Problems

DEFAULT_STAGE = "__default"
DEFAULT_JOB = "Job"
_LOCK = one_of("sequential", "runLatest")


def _variables(node: Node) -> Node:
    if isinstance(node, MappingNode):
        return SequenceNode(
            tuple(made(key.place, [("name", key), ("value", text(value))]) for key, value in node.pairs), node.place
        )
    return list_of(_variable)(node)


def _variable(node: Node) -> Node:
    found = fields(node, _VARIABLE)
    if (found.get("name") is None) == (found.get("group") is None):
        raise Refused(node.place, f"Unexpected value '{found.pairs[0][0].text if found.pairs else ''}'")
    if found.get("name") is not None and found.get("value") is None:
        return MappingNode((*found.pairs, (computed("value", node.place), computed("", node.place))), node.place)
    return found


def _only_false(node: Node) -> Node:
    if is_true(node):
        raise Refused(node.place, f"A read-only variable {NOT_HERE}")
    return node


_VARIABLE: dict[str, Rule] = {"name": filled, "value": text, "readonly": _only_false, "group": filled}


def _hook(node: Node) -> Node:
    return fields(node, {"steps": canonical_steps, "pool": anything})


_RUN_ONCE: dict[str, Rule] = {
    "preDeploy": _hook,
    "deploy": _hook,
    "routeTraffic": _hook,
    "postRouteTraffic": _hook,
    "on": fields_of({"failure": _hook, "success": _hook}),
}
_STRATEGY: dict[str, Rule] = {
    "runOnce": fields_of(_RUN_ONCE),
    "rolling": not_supported,
    "canary": not_supported,
}


def _environment(node: Node) -> Node:
    if isinstance(node, ScalarNode):
        node = made(node.place, [("name", filled(node))])
    found = fields(
        node,
        {
            "name": filled,
            "resourceName": not_supported,
            "resourceId": not_supported,
            "resourceType": not_supported,
            "tags": not_supported,
        },
    )
    name = found.get("name")
    if name is None:
        raise Refused(node.place, "An environment must have a name.")
    if "." in text_of(name) and "$" not in text_of(name):
        raise Refused(name.place, f"A resource of an environment, '{text_of(name)}', {NOT_HERE}")
    return found


_ANY_JOB: dict[str, Rule] = {
    "displayName": text,
    "dependsOn": texts,
    "condition": text,
    "continueOnError": boolean,
    "timeoutInMinutes": number,
    "cancelTimeoutInMinutes": number,
    "variables": _variables,
    "pool": anything,
    "workspace": fields_of({"clean": one_of("outputs", "resources", "all")}),
    "uses": fields_of({"repositories": list_of(filled), "pools": list_of(filled)}),
    "templateContext": anything,
    "container": not_supported,
    "services": not_supported,
}
_JOB: dict[str, Rule] = {**_ANY_JOB, "job": text, "steps": canonical_steps, "strategy": not_supported}
_DEPLOYMENT: dict[str, Rule] = {
    **_ANY_JOB,
    "deployment": text,
    "environment": _environment,
    "strategy": fields_of(_STRATEGY),
}


def canonical_job(node: Node) -> MappingNode:
    """Return a job in canonical form.

    Raises:
        Refused: it is not a job, or one the sandbox cannot do.
    """
    found = mapping(node)
    if found.get("job") is None and found.get("deployment") is None:
        raise Refused(
            found.pairs[0][0].place if found.pairs else node.place,
            f"Unexpected value '{found.pairs[0][0].text if found.pairs else ''}'",
        )
    return fields(found, _JOB if found.get("job") is not None else _DEPLOYMENT)


def _automatic(node: Node) -> Node:
    if text_of(one_of("manual", "automatic")(node)) == "manual":
        raise Refused(node.place, f"A stage that is started by hand {NOT_HERE}")
    return node


def _skippable(node: Node) -> Node:
    if not is_true(node):
        raise Refused(node.place, f"A stage that cannot be skipped {NOT_HERE}")
    return node


_STAGE: dict[str, Rule] = {
    "stage": text,
    "group": text,
    "displayName": text,
    "pool": anything,
    "dependsOn": texts,
    "condition": text,
    "variables": _variables,
    "jobs": list_of(canonical_job),
    "lockBehavior": _LOCK,
    "trigger": _automatic,
    "isSkippable": _skippable,
    "templateContext": anything,
    "checks": not_supported,
}


def canonical_stage(node: Node) -> MappingNode:
    """Return a stage in canonical form.

    Raises:
        Refused: it is not a stage, or one the sandbox cannot do.
    """
    found = fields(node, _STAGE)
    if found.get("stage") is None:
        raise Refused(node.place, f"Unexpected value '{found.pairs[0][0].text if found.pairs else ''}'")
    return found


_BRANCHES = fields_of({"include": list_of(filled), "exclude": list_of(filled)})


def _trigger(node: Node) -> Node:
    if isinstance(node, ScalarNode):
        return made(node.place, [("enabled", "false")]) if text_of(one_of("none")(node)) else node
    if isinstance(node, SequenceNode):
        included = made(node.place, [("include", list_of(filled)(node))])
        return made(node.place, [("branches", included)])
    return fields(node, {"batch": boolean, "branches": _BRANCHES, "paths": _BRANCHES, "tags": not_supported})


def _none(what: str) -> Rule:
    def take(node: Node) -> Node:
        if isinstance(node, ScalarNode) and text_of(node) == "none":
            return made(node.place, [("enabled", "false")])
        raise Refused(node.place, f"{what} {NOT_HERE} Write 'none'.")

    return take


def _pipeline_trigger(node: Node) -> Node:
    if isinstance(node, ScalarNode):
        return one_of("none", "true")(node)
    return fields(
        node,
        {
            "enabled": boolean,
            "branches": lambda found: _BRANCHES(found) if isinstance(found, MappingNode) else list_of(filled)(found),
            "stages": list_of(filled),
            "tags": list_of(filled),
        },
    )


def _git(node: Node) -> Node:
    if text_of(node) != "git":
        raise Refused(node.place, f"A repository of the type '{text_of(node)}' {NOT_HERE}")
    return node


def _required(rules: dict[str, Rule], *names: str) -> Rule:
    def take(node: Node) -> Node:
        found = fields(node, rules)
        for name in names:
            if found.get(name) is None:
                raise Refused(node.place, f"The required property '{name}' is missing.")
        return found

    return take


_REPOSITORY: dict[str, Rule] = {
    "repository": filled,
    "type": _git,
    "name": filled,
    "ref": text,
    "trigger": _none("A trigger of another repository"),
    "endpoint": not_supported,
    "checkoutOptions": not_supported,
}
_PIPELINE_RESOURCE: dict[str, Rule] = {
    "pipeline": filled,
    "project": filled,
    "source": filled,
    "version": text,
    "branch": text,
    "tags": list_of(filled),
    "trigger": _pipeline_trigger,
}
_RESOURCES: dict[str, Rule] = {
    "repositories": list_of(_required(_REPOSITORY, "repository", "type", "name")),
    "pipelines": list_of(_required(_PIPELINE_RESOURCE, "pipeline", "source")),
    "builds": not_supported,
    "containers": not_supported,
    "packages": not_supported,
    "webhooks": not_supported,
}
_ROOT: dict[str, Rule] = {
    "name": text,
    "appendCommitMessageToRunName": boolean,
    "parameters": anything,
    "pool": anything,
    "trigger": _trigger,
    "pr": _none("A trigger by pull requests"),
    "schedules": _none("A schedule"),
    "resources": fields_of(_RESOURCES),
    "variables": _variables,
    "lockBehavior": _LOCK,
}
_OF_ONE_JOB = ("pool", "workspace", "continueOnError", "strategy", "container", "services")
_KINDS = ("stages", "jobs", "steps")


def canonical_pipeline(root: MappingNode, problems: Problems) -> MappingNode:
    """Return a whole pipeline in canonical form; what is wrong is noted."""
    kind = next((name for name in _KINDS if root.get(name) is not None), None)
    pairs: list[tuple[ScalarNode, Node]] = []
    for key, value in root.pairs:
        moves = kind == "steps" and key.text in _OF_ONE_JOB
        if key.text != kind and not moves:
            with problems.collect():
                pairs += fields(MappingNode(((key, value),), root.place), _ROOT).pairs
    if kind is not None:
        with problems.collect():
            pairs.append((computed("stages", root.place), _stages(root, kind, problems)))
    elif not problems.found:
        problems.add(root.place, "A pipeline must have one of these: stages, jobs, steps, extends.")
    return MappingNode(tuple(pairs), root.place)


def canonical_head(root: MappingNode, problems: Problems) -> MappingNode:
    """Return what stands at the head of a pipeline (trigger, resources, ...) in canonical form."""
    pairs: list[tuple[ScalarNode, Node]] = []
    for pair in root.pairs:
        with problems.collect():
            pairs += fields(MappingNode((pair,), root.place), _ROOT).pairs
    return MappingNode(tuple(pairs), root.place)


def _stages(root: MappingNode, kind: str, problems: Problems) -> SequenceNode:
    content = root.get(kind) or computed("", root.place)
    if kind == "stages":
        return _each(content, canonical_stage, problems)
    if kind == "jobs":
        jobs = _each(content, canonical_job, problems)
    else:
        moved = [(key, value) for key, value in root.pairs if key.text in _OF_ONE_JOB]
        steps = _each(content, canonical_step, problems)
        start = made(content.place, [("job", DEFAULT_JOB)])
        job = MappingNode((*start.pairs, *moved, (computed("steps", content.place), steps)), content.place)
        jobs = SequenceNode((canonical_job(job),), content.place)
    return SequenceNode((made(content.place, [("stage", DEFAULT_STAGE), ("jobs", jobs)]),), content.place)


def _each(node: Node, rule: Rule, problems: Problems) -> SequenceNode:
    found = []
    for item in sequence(node).items:
        with problems.collect():
            found.append(rule(item))
    return SequenceNode(tuple(found), node.place)


_PARTS: dict[str, Rule] = {
    "step": canonical_step,
    "steps": canonical_steps,
    "job": canonical_job,
    "jobs": list_of(canonical_job),
    "stage": canonical_stage,
    "stages": list_of(canonical_stage),
}


def canonical_part(shape: str, node: Node) -> Node:
    """Return a part of a pipeline (`step`, `steps`, `job`, ...) in canonical form; nothing is an empty list.

    Raises:
        Refused: it is not such a part.
    """
    if isinstance(node, ScalarNode) and not text_of(node) and shape.endswith("s"):
        return SequenceNode((), node.place)
    return _PARTS[shape](node)
