"""Makes `data/pipelines.schema.json` from Microsoft's schema of pipeline files: without texts, with the tasks used.

    python tests/integration/templates/slim_schema.py <service-schema.json of microsoft/azure-pipelines-vscode> <target>

Two keywords are the editor's own and mean nothing to a validator: `ignoreCase` becomes a pattern, `firstProperty` goes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

USED = {
    "Bash@3",
    "CmdLine@2",
    "CopyFiles@2",
    "Docker@2",
    "DownloadPipelineArtifact@2",
    "PublishBuildArtifacts@1",
    "PublishPipelineArtifact@1",
    "PublishTestResults@2",
    "TwineAuthenticate@1",
    "UsePythonVersion@0",
}
_DROPPED = {"description", "deprecationMessage", "doNotSuggest", "firstProperty", "title", "$comment", "ignoreCase"}


def slim(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with nothing in it that is not used."""
    definitions = schema["definitions"]
    task = definitions["task"]
    names = task["properties"]["task"]["anyOf"]
    task["properties"]["task"]["anyOf"] = [each for each in names if each["enum"][0] in USED]
    task["anyOf"] = [each for each in task["anyOf"] if _pattern(each) in USED]
    return {
        "$schema": schema["$schema"],
        "$comment": "Made by slim_schema.py from service-schema.json of microsoft/azure-pipelines-vscode (commit "
        "9e40e81), MIT licence, Copyright (c) Microsoft Corporation.",
        "oneOf": schema["oneOf"],
        "definitions": {name: _plain(definition) for name, definition in definitions.items()},
    }


def _pattern(alternative: dict[str, Any]) -> str:
    return str(alternative["properties"]["task"]["pattern"]).strip("^$")


def _plain(value: Any, *, named: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Drop texts and the editor's keywords; below `properties` the keys are names, and all stay."""
    if isinstance(value, list):
        return [_plain(child) for child in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _plain(child, named=key in {"properties", "patternProperties"})
        for key, child in value.items()
        if named or key not in _DROPPED
    }
    if not named and value.get("ignoreCase") in {"value", "all"}:
        if "pattern" in kept:
            kept["pattern"] = _any_case(str(kept["pattern"]))
        elif "enum" in kept:
            choices = "|".join(_any_case(re.escape(str(choice))) for choice in kept.pop("enum"))
            kept |= {"type": "string", "pattern": f"^({choices})$"}
    return kept


def _any_case(pattern: str) -> str:
    return re.sub(r"[A-Za-z]", lambda found: f"[{found[0].lower()}{found[0].upper()}]", pattern)


if __name__ == "__main__":
    found = slim(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8-sig")))
    Path(sys.argv[2]).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
