"""Makes the definitions of the standard tasks from their makers' own `task.json`: only what the sandbox's agent needs.

    python tests/integration/sandbox/contract/reduce_task_definitions.py <checkout of microsoft/azure-pipelines-tasks> \
        <checkout of aws/aws-toolkit-azure-devops> \
        sandbox/ecs_cd_sandbox/azure_devops/agent/standard_tasks/task_definitions.json

Help texts, groups, icons, handlers and messages are left out; what says something about inputs and outputs is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MICROSOFT = {
    "repository": "https://github.com/microsoft/azure-pipelines-tasks",
    "commit": "299572e25b6cf14b21c7b60e5228603cbb5ffb42",
    "license": "MIT, Copyright (c) 2014 Microsoft Corporation",
    "tasks": [
        f"Tasks/{name}"
        for name in (
            "BashV3",
            "CmdLineV2",
            "CopyFilesV2",
            "DockerV2",
            "DownloadBuildArtifactsV1",
            "DownloadPipelineArtifactV2",
            "PowerShellV2",
            "PublishBuildArtifactsV1",
            "PublishPipelineArtifactV1",
            "UsePythonVersionV0",
        )
    ],
}
AWS = {
    "repository": "https://github.com/aws/aws-toolkit-azure-devops",
    "commit": "6607d56ead1cf95aef83866703bdc8b5f2b07d56",
    "license": "MIT, Copyright (c) 2017-2019 Amazon, Inc",
    "tasks": ["src/tasks/AWSShellScript", "src/tasks/ECRPushImage"],
}
TOOLKIT_VERSION = {"Major": 1, "Minor": 23, "Patch": 0}
"""The toolkit gives its tasks their version only when it is built: the one in its package.json, at that commit this."""

CHECKOUT: dict[str, Any] = {
    "id": "6d15af64-176c-496d-b583-fd2ae21d4df4",
    "name": "Checkout",
    "friendlyName": "Get sources",
    "description": "Get sources from a repository. Supports Git, TfsVC, and SVN repositories.",
    "author": "Microsoft",
    "version": {"Major": 1, "Minor": 0, "Patch": 0},
    "inputs": [
        {"name": "repository", "type": "string", "required": True},
        *(
            {"name": name, "type": "string"}
            for name in (
                "version",
                "path",
                "clean",
                "fetchDepth",
                "fetchFilter",
                "fetchTags",
                "lfs",
                "persistCredentials",
                "submodules",
                "sparseCheckoutDirectories",
                "sparseCheckoutPatterns",
                "workspaceRepo",
            )
        ),
    ],
}
"""The agent has this one built in. Its inputs are those of `steps.checkout` in the YAML schema, and a `version`."""

_KEPT = ("id", "name", "friendlyName", "description", "author", "version", "restrictions")
_KEPT_OF_INPUTS = ("name", "type", "aliases", "required", "defaultValue", "visibleRule")


def slim(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a `task.json`."""
    kept: dict[str, Any] = {key: manifest[key] for key in _KEPT if key in manifest}
    kept["id"] = kept["id"].lower()
    kept.setdefault("version", TOOLKIT_VERSION)
    kept["inputs"] = [_slim_input(given) for given in manifest["inputs"]]
    outputs = [{"name": output["name"]} for output in manifest.get("outputVariables", [])]
    return {**kept, "outputVariables": outputs} if outputs else kept


def _slim_input(given: dict[str, Any]) -> dict[str, Any]:
    kept = {key: given[key] for key in _KEPT_OF_INPUTS if given.get(key) not in (None, "", False, [])}
    if given.get("options"):
        kept["options"] = dict.fromkeys(given["options"], "")
    editable = (given.get("properties") or {}).get("EditableOptions")
    return {**kept, "properties": {"EditableOptions": editable}} if editable else kept


def main(microsoft: Path, aws: Path, target: Path) -> None:
    """Write the definitions of all tasks, each with where it comes from."""
    sources = []
    for checkout, origin in ((microsoft, MICROSOFT), (aws, AWS)):
        manifests = [json.loads((checkout / path / "task.json").read_text("utf-8-sig")) for path in origin["tasks"]]
        sources.append({**origin, "tasks": [slim(manifest) for manifest in manifests]})
    sources.append({"tasks": [CHECKOUT]})
    target.write_text(f"{json.dumps(sources, indent=1)}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
