"""Steps in canonical form: every shorthand as the task it stands for, as the service's preview shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import (
    NOT_HERE,
    Rule,
    boolean,
    fields,
    filled,
    list_of,
    mapping,
    number,
    one_of,
    text,
    text_mapping,
    text_of,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import (
    MappingNode,
    Node,
    Refused,
    ScalarNode,
    computed,
)
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK

DOWNLOAD_TASK = "30f35852-3f7e-4c0c-9a88-e127b4f97211@1"
PUBLISH_TASK = "ecdc45f6-832d-4ad9-b52b-ee49e94659be@1"
"""The tasks that `download:` and `publish:` stand for in a preview."""


@dataclass(frozen=True)
class _Shorthand:
    """A key that stands for a task: the input it becomes, those beside it by their keys, and those it always has."""

    task: str
    value: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_INLINE = {"targetType": "inline"}
_POWERSHELL = _same("errorActionPreference", "failOnStderr", "ignoreLASTEXITCODE", "workingDirectory")
_SHORTHANDS = {
    "script": _Shorthand("CmdLine@2", "script", _same("failOnStderr", "workingDirectory")),
    "bash": _Shorthand("Bash@3", "script", _same("failOnStderr", "workingDirectory"), _INLINE),
    "pwsh": _Shorthand("PowerShell@2", "script", _POWERSHELL, {**_INLINE, "pwsh": "true"}),
    "powershell": _Shorthand("PowerShell@2", "script", _POWERSHELL, _INLINE),
    "checkout": _Shorthand(
        CHECKOUT_TASK,
        "repository",
        _same(
            "clean",
            "fetchDepth",
            "fetchFilter",
            "fetchTags",
            "lfs",
            "path",
            "persistCredentials",
            "sparseCheckoutDirectories",
            "sparseCheckoutPatterns",
            "submodules",
            "workspaceRepo",
        ),
    ),
    "download": _Shorthand(DOWNLOAD_TASK, "alias", _same("artifact", "patterns")),
    "publish": _Shorthand(PUBLISH_TASK, "path", {"artifact": "artifactName"}),
}
_ELSEWHERE = ("downloadBuild", "getPackage", "reviewApp")


def _target(node: Node) -> Node:
    found = fields(node, _TARGET) if isinstance(node, MappingNode) else None
    container = found.get("container") if found else node
    if container is not None and text_of(container) != "host":
        raise Refused(container.place, f"A step in a container, '{text_of(container)}', {NOT_HERE}")
    return found or MappingNode(((computed("container", node.place), filled(node)),), node.place)


def _settable(node: Node) -> Node:
    return node if isinstance(node, ScalarNode) and text_of(node).lower() == "none" else list_of(filled)(node)


_TARGET: dict[str, Rule] = {
    "container": text,
    "commands": one_of("any", "restricted"),
    "settableVariables": _settable,
}
_COMMON: dict[str, Rule] = {
    "condition": text,
    "continueOnError": boolean,
    "displayName": text,
    "enabled": boolean,
    "env": text_mapping,
    "name": text,
    "retryCountOnTaskFailure": number,
    "target": _target,
    "timeoutInMinutes": number,
}
_TASK: dict[str, Rule] = {"task": filled, "inputs": text_mapping, **_COMMON}


def canonical_step(node: Node) -> MappingNode:
    """Return a step as the task it is.

    Raises:
        Refused: it is not a step, or one the sandbox cannot do.
    """
    pairs = mapping(node).pairs
    keyword = next((key for key, _ in pairs if key.text in (*_SHORTHANDS, *_ELSEWHERE, "task")), None)
    if keyword is None:
        raise Refused(pairs[0][0].place if pairs else node.place, f"Unexpected value '{_first(pairs)}'")
    if keyword.text in _ELSEWHERE:
        raise Refused(keyword.place, f"'{keyword.text}' {NOT_HERE}")
    if keyword.text == "task":
        return _ordered(fields(node, _TASK))
    return _from_shorthand(node, keyword, _SHORTHANDS[keyword.text])


def _first(pairs: tuple[tuple[ScalarNode, Node], ...]) -> str:
    return pairs[0][0].text if pairs else ""


def _from_shorthand(node: Node, keyword: ScalarNode, shorthand: _Shorthand) -> MappingNode:
    rules: dict[str, Rule] = {keyword.text: text, **dict.fromkeys(shorthand.inputs, text), **_COMMON}
    found = fields(node, rules)
    place = keyword.place
    value = text(found.get(keyword.text) or computed("", place))
    inputs: list[tuple[ScalarNode, Node]] = [
        *((computed(name, place), computed(fixed, place)) for name, fixed in shorthand.fixed.items()),
        (computed(shorthand.value, place), value),
    ]
    pairs: list[tuple[ScalarNode, Node]] = [(computed("task", place), computed(shorthand.task, place))]
    for key, given in found.pairs:
        if key.text in shorthand.inputs:
            inputs.append((computed(shorthand.inputs[key.text], key.place), given))
        elif key.text != keyword.text:
            pairs.append((key, given))
    if text_of(value) == "none" and keyword.text in ("checkout", "download"):
        pairs = [pair for pair in pairs if pair[0].text != "condition"]
        pairs.append((computed("condition", place), computed("false", place)))
    pairs.append((computed("inputs", place), MappingNode(tuple(inputs), place)))
    return _ordered(MappingNode(tuple(pairs), place))


def _ordered(step: MappingNode) -> MappingNode:
    """Return the step with its task first, inputs and environment last."""
    rank = {"task": 0, "inputs": 2, "env": 3}
    return MappingNode(tuple(sorted(step.pairs, key=lambda pair: rank.get(pair[0].text, 1))), step.place)


def input_of(step: MappingNode, name: str) -> str:
    """Return an input of a canonical step, empty if it has none."""
    inputs = step.get("inputs")
    found = inputs.get(name) if isinstance(inputs, MappingNode) else None
    return text_of(found) if found is not None else ""


def task_of(step: MappingNode) -> str:
    """Return the task of a canonical step, in lower case."""
    return text_of(step.get("task") or computed("", step.place)).lower()


canonical_steps = list_of(canonical_step)
