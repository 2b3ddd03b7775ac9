"""The extension's manifest, its page in the marketplace, and its icons."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from extension_builder.extension import BUILT_TASK, TASK

ROOT = TASK.parent
MANIFEST = json.loads((ROOT / "vss-extension.json").read_text(encoding="utf-8"))
DEFINITION = json.loads((TASK / "EcsCdV1" / "task.json").read_text(encoding="utf-8"))
PAGE = (TASK / "overview.md").read_text(encoding="utf-8")
DOCS = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/task.md")]
FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = FENCED.findall(PAGE) + [text for page in DOCS for text in FENCED.findall(page) if "- task:" in text]


def steps(node: object) -> Iterator[dict[str, Any]]:
    """Yield every step of ours, wherever in a pipeline it stands."""
    if isinstance(node, dict):
        if str(node.get("task", "")).startswith("EcsCd@"):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from steps(item)


def shown(rule: str, command: str) -> bool:
    """Return whether a visible rule of ours, which is about the command alone, holds."""
    if not rule:
        return True
    parts = re.findall(r"command (!?=) ([a-z-]+)", rule)
    verdicts = [(name == command) is (sign == "=") for sign, name in parts]
    return any(verdicts) if "||" in rule else all(verdicts)


def test_the_page_has_snippets() -> None:
    assert len(SNIPPETS) == 5


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_step_on_the_page_is_one_the_task_understands(snippet: str) -> None:
    rules = {known["name"]: known.get("visibleRule", "") for known in DEFINITION["inputs"]}
    for step in steps(yaml.safe_load(snippet)):
        assert step["task"] == f"EcsCd@{DEFINITION['version']['Major']}"
        command = step["inputs"]["command"]
        unknown = [name for name in step["inputs"] if name not in rules or not shown(rules[name], command)]
        assert not unknown, f"{command} has no input {unknown}"


def test_the_page_names_every_output_variable() -> None:
    table = PAGE[PAGE.index("## Output variables") :]
    assert re.findall(r"`([a-z]+[A-Z][A-Za-z]+|outcome)`", table) == [
        variable["name"] for variable in DEFINITION["outputVariables"]
    ]


def test_the_development_variant_can_be_installed_beside_the_public_one() -> None:
    extension = json.loads((ROOT / "vss-extension.dev.json").read_text(encoding="utf-8"))
    definition = json.loads((TASK / "task.dev.json").read_text(encoding="utf-8"))
    assert MANIFEST["public"] is True and extension["public"] is False
    assert extension["id"] != MANIFEST["id"] and extension["name"] != MANIFEST["name"]
    assert all(definition[key] != DEFINITION[key] for key in ("id", "name", "friendlyName"))
    assert definition.keys() - DEFINITION.keys() <= {"preview"}
    assert len(definition["friendlyName"]) <= 40


def test_what_the_manifest_names_is_there() -> None:
    named = [MANIFEST["icons"]["default"], *(part["path"] for part in MANIFEST["content"].values())]
    named += [file["path"] for file in MANIFEST["files"] if file["path"] != BUILT_TASK.as_posix()]
    assert len(named) == 4
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_manifest_contributes_the_built_task() -> None:
    assert {"path": BUILT_TASK.as_posix()} in MANIFEST["files"]
    assert [item["properties"]["name"] for item in MANIFEST["contributions"]] == [BUILT_TASK.as_posix()]
    assert (TASK / BUILT_TASK.name / "task.json").is_file()


@pytest.mark.parametrize(("icon", "size"), [("EcsCdV1/icon.png", 32), ("images/extension.png", 128)])
def test_icons_have_the_size_azure_devops_wants(icon: str, size: int) -> None:
    data = (TASK / icon).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (size, size)


def test_versions_are_the_builds_to_stamp() -> None:
    assert MANIFEST["version"] == "0.0.0"
    assert (DEFINITION["version"]["Minor"], DEFINITION["version"]["Patch"]) == (0, 0)
    package = json.loads((TASK / "package.json").read_text(encoding="utf-8"))
    assert package["private"] is True and package["version"] == "stamped-by-the-build"


def test_packages_are_pinned_and_their_lock_names_no_registry() -> None:
    package = json.loads((TASK / "package.json").read_text(encoding="utf-8"))
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    lock = json.loads((TASK / "package-lock.json").read_text(encoding="utf-8"))
    entries = {name: entry for name, entry in lock["packages"].items() if name}
    assert not [name for name, entry in entries.items() if "resolved" in entry or "integrity" not in entry]
