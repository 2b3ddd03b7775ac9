"""Makes the documents under `openapi/` from Microsoft's own: only the operations used and the definitions they need.

    python tests/integration/sandbox/contract/reduce_openapi.py \
        <checkout of MicrosoftDocs/vsts-rest-api-specs> tests/integration/sandbox/contract/openapi

Texts for people (descriptions, summaries, tags, security) are left out; what says something about shapes is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

USED = {
    "pipelines": (
        "specification/pipelines/7.1/pipelines.json",
        {"Pipelines_List", "Pipelines_Get", "Preview", "Runs", "Artifacts", "Logs"},
    ),
    "build": (
        "specification/build/7.1/build.json",
        {
            "Artifacts_Get Artifact",
            "Artifacts_List",
            "Attachments",
            "Builds_Delete",
            "Builds_Get",
            "Builds_Get Build Log",
            "Builds_Get Build Logs",
            "Builds_List",
            "Builds_Queue",
            "Builds_Update Build",
            "Definitions_Get",
            "Definitions_List",
            "Properties_Get Build Properties",
            "Properties_Update Build Properties",
            "Stages_Update",
            "Tags_Add Build Tag",
            "Tags_Add Build Tags",
            "Tags_Delete Build Tag",
            "Tags_Get Build Tags",
            "Tags_Update Build Tags",
            "Timeline_Get",
        },
    ),
    "core": ("specification/core/7.1/core.json", {"Projects_List", "Projects_Get"}),
    "task": ("specification/distributedTask/7.1/task.json", {"Oidctoken"}),
    "serviceEndpoint": (
        "specification/serviceEndpoint/7.1/serviceEndpoint.json",
        {"Endpoints_Get", "Endpoints_Get Service Endpoints", "Endpoints_Get Service Endpoints By Names"},
    ),
    "approvals": ("specification/approvalsAndChecks/7.1/pipelinesapproval.json", {"Approvals"}),
    "checks": ("specification/approvalsAndChecks/7.1/pipelinesChecks.json", {"Check Configurations_List"}),
    "release": ("specification/release/7.1/release.json", {"Definitions_Create"}),
    "security": ("specification/security/7.1/security.json", {"Permissions_Has Permissions"}),
    "environments": ("specification/environments/7.2/environments.json", {"Environments_List", "Environments_Get"}),
}
SUBTYPES = {"release": {"AgentBasedDeployPhase", "ArtifactSourceTrigger"}}
"""Definitions that no other one names, because they stand where their base is named."""

_TEXTS = {
    "description",
    "summary",
    "externalDocs",
    "tags",
    "security",
    "x-ms-enum",
    "x-ms-vss-resource",
    "x-ms-vss-method",
}


def slim(document: dict[str, Any], used: set[str], subtypes: Collection[str] = ()) -> dict[str, Any]:
    """Return the document with nothing but the used operations (by id, or by the part before the underscore).

    Of the definitions those stay that the operations need, and the `subtypes` with what they need.
    """
    kept: dict[str, Any] = {"swagger": document["swagger"], "info": {"version": document["info"]["version"]}}
    for section in ("paths", "x-ms-paths"):
        kept[section] = {}
        for path, item in document.get(section, {}).items():
            operations = {
                method: _without_texts(operation)
                for method, operation in item.items()
                if method != "parameters" and {operation["operationId"], operation["operationId"].split("_")[0]} & used
            }
            if operations:
                kept[section][path] = operations
    kept["parameters"] = _without_texts(document.get("parameters", {}))
    kept["definitions"] = _needed([*_references(kept), *subtypes], _without_texts(document["definitions"]))
    return kept


def _needed(pending: list[str], definitions: dict[str, Any]) -> dict[str, Any]:
    names: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending += _references(definitions[name])
    return {name: definition for name, definition in definitions.items() if name in names}


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/definitions/"):
            yield reference.removeprefix("#/definitions/")
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _without_texts(value: Any, *, named: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Drop texts; below `properties` and `definitions` the keys are names, not keywords, and all stay."""
    if isinstance(value, list):
        return [_without_texts(child) for child in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_texts(child, named=key in {"properties", "definitions"})
        for key, child in value.items()
        if named or key not in _TEXTS
    }


def main(source: Path, target: Path) -> None:
    """Write one slim document for each of the used ones."""
    for name, (path, used) in USED.items():
        document = json.loads((source / path).read_text(encoding="utf-8-sig"))
        text = json.dumps(slim(document, used, SUBTYPES.get(name, ())), indent=1, sort_keys=True)
        (target / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
