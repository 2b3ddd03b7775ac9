"""The template files as they stand, before anything is expanded: Microsoft's schema, parameters, examples."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ecs_cd.version import VERSION

ROOT = Path(__file__).parents[3] / "templates"
FILES = sorted(path for path in ROOT.rglob("*.yml") if path.name != "ecs-cd.yml")
TEMPLATES = [path for path in FILES if "examples" not in path.parts]
SCHEMA = Path(__file__).parent / "data" / "pipelines.schema.json"
PARAMETERS = Path(__file__).parent / "data" / "template-parameters.lock.json"
OTHERS_TASKS = ("EcsCd@1", "ECRPushImage@1", "AWSShellScript@1", "TfxInstaller@5", "PublishAzureDevOpsExtension@5")
"""Tasks of extensions, which Microsoft's schema knows only in an organization that has them."""

_EXPRESSION = "${{"
_WHOLE = re.compile(r"^\$\{\{.*\}\}$", re.DOTALL)
_CHOSEN = {"lockBehavior": "sequential"}
"""What an expression stands for where only some words may stand."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    tasks = found["definitions"]["task"]
    for task in OTHERS_TASKS:
        tasks["properties"]["task"]["anyOf"].append({"enum": [task]})
        tasks["anyOf"].append({"properties": {"task": {"pattern": f"^{task}$"}}})
    return found


def problems(document: object) -> list[str]:
    """Return what Microsoft's schema has against a document; the deepest of each alternative."""
    found = []
    for error in jsonschema.Draft7Validator(schema()).iter_errors(document):
        best = jsonschema.exceptions.best_match([error])
        assert best is not None
        found.append(f"{'/'.join(map(str, best.absolute_path))}: {best.message[:300]}")
    return found


def read(path: Path) -> Any:  # noqa: ANN401 - any YAML
    """Return a file as Azure Pipelines has it: all scalars are texts."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def without_expressions(node: Any) -> Any:  # noqa: ANN401 - any YAML
    """Lift what stands below `${{ if }}`, `${{ each }}` and the like to where it would stand, as an editor does."""
    if isinstance(node, list):
        return [child for item in node for child in _items(item)]
    if isinstance(node, str):
        return _WHOLE.sub("true", node)  # what is a switch, a number, a text or a pool's name alike
    if not isinstance(node, dict):
        return node
    lifted: dict[str, Any] = {}
    for key, value in node.items():
        child = _CHOSEN.get(key) or without_expressions(value)
        if not key.startswith(_EXPRESSION):
            lifted.setdefault(key, child)
        elif isinstance(child, dict):
            lifted = {**child, **lifted}
    return lifted


def _items(item: Any) -> list[Any]:  # noqa: ANN401 - any YAML
    if isinstance(item, str) and item.startswith(_EXPRESSION):
        return []  # a whole list of steps that the caller gives
    if isinstance(item, dict) and list(item.values()) == ["error"]:
        return []  # a sentence in the place of a step: how a template refuses what it was given
    if isinstance(item, dict) and len(item) == 1 and next(iter(item)).startswith(_EXPRESSION):
        inner = without_expressions(next(iter(item.values())))
        return inner if isinstance(inner, list) else []
    return [without_expressions(item)]


def as_pipeline(document: dict[str, Any]) -> dict[str, Any]:
    """Return a template as the pipeline it would be part of; schemas know no template of steps by itself."""
    if "variables" in document:
        return {"variables": document["variables"], "steps": [{"script": "echo"}]}
    return {key: value for key, value in document.items() if key in {"stages", "jobs", "steps"}}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_as_microsofts_schema_has_it(path: Path) -> None:
    document = read(path)
    if path in TEMPLATES:
        document = as_pipeline(without_expressions(document))
    assert problems(document) == []


def test_what_a_team_copies_pins_this_version_of_the_templates() -> None:
    pages = [path for path in FILES if "examples" in path.parts] + [ROOT.parent / "docs" / "templates.md"]
    found = {path: path.read_text(encoding="utf-8").split("- repository: ecs-cd\n")[1:] for path in pages}
    assert sum(map(len, found.values())) >= 4
    for name, uses in found.items():
        for use in uses:
            assert f"ref: refs/tags/v{VERSION}\n" in use.replace(" #", "\n")[:250], name


def parameters(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(path).get("parameters", [])
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_parameter_is_typed_and_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for parameter in parameters(path):
        assert parameter["type"], parameter
        assert re.search(rf"\bparameters\.{parameter['name']}\b", text), f"{parameter['name']} is not used"
    known = {parameter["name"] for parameter in parameters(path)}
    assert set(re.findall(r"\bparameters\.(\w+)", text)) <= known


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.parent == ROOT], ids=name_of)
def test_every_parameter_of_a_template_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        if line.startswith("  - name: "):
            assert lines[place - 1].startswith("  #"), f"{line.removeprefix('  - name: ')} has no word before it"
    assert lines[0].startswith("# ")


def test_a_parameter_once_shipped_stays() -> None:
    """A team that gives a parameter would have its pipeline refused by a version that has forgotten it."""
    shipped = json.loads(PARAMETERS.read_text(encoding="utf-8"))
    now = {name_of(path): {each["name"]: each["type"] for each in parameters(path)} for path in TEMPLATES}
    for name, known in shipped.items():
        assert known.items() <= now[name].items(), f"templates/{name} lost a parameter or changed its type"
    public = {name_of(path) for path in TEMPLATES if path.parent == ROOT}
    missing = {name: sorted(set(now[name]) - set(shipped.get(name, {}))) for name in public}
    assert not any(missing.values()), f"add to {PARAMETERS.name}: {missing}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_that_another_one_uses_is_there(path: Path) -> None:
    for name in re.findall(r"template: ([\w./-]+\.yml)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        assert (path.parent / name).is_file(), name
