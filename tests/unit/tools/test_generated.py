"""What is made from the table of settings is up to date, and nothing else lists settings by hand."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from ecs_cd.cli import deliver, many, parameter, pipeline, promote, rollback
from ecs_cd.settings import BY_NAME, STEPS, TABLE, Kind, Section, SettingKeywords
from ecs_cd.settings.commands import READS
from tools.generated import ROOT, generated
from tools.reference import BEGIN, END, replaced, setting_tables
from tools.task_inputs import lock_with_all, task_with_inputs

TABLE_AND_ITS_LIKE = {
    "settings/table.py": "the table itself",
    "settings/commands.py": "which command reads which settings",
    "settings/keywords.py": "generated",
}
TASK: dict[str, Any] = json.loads((ROOT / "task" / "EcsCdV1" / "task.json").read_text(encoding="utf-8"))


def test_every_generated_file_is_up_to_date() -> None:
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, f"run `make generate`: {path.name} is out of date"


def test_an_input_that_was_changed_or_removed_by_hand_is_put_right() -> None:
    inputs = [{**each, "type": "boolean", "helpMarkDown": ""} for each in TASK["inputs"] if each["name"] != "branch"]
    made = task_with_inputs({**TASK, "inputs": [*inputs, {"name": "unknown"}]})
    names = [each["name"] for each in made["inputs"]]
    assert "unknown" not in names
    assert sorted(names) == sorted(each["name"] for each in TASK["inputs"])
    right = {each["name"]: each for each in TASK["inputs"]}
    for each in made["inputs"]:
        if each["name"] in {setting.input_name for setting in TABLE if not setting.secret}:
            assert each == right[each["name"]]
    groups = [each.get("groupName") for each in made["inputs"]]
    assert groups[names.index("branch") - 1] == "pipeline"


def test_a_rule_that_was_changed_by_hand_is_put_right() -> None:
    def hidden(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**each, "visibleRule": "command = promote"} if each["name"] != "command" else each for each in things]

    made = task_with_inputs({**TASK, "inputs": hidden(TASK["inputs"]), "groups": hidden(TASK["groups"])})
    assert {each["name"]: each.get("visibleRule") for each in made["groups"] if each["name"] != "advanced"} == {
        each["name"]: each.get("visibleRule") for each in TASK["groups"] if each["name"] != "advanced"
    }
    rules = {each["name"]: each.get("visibleRule") for each in TASK["inputs"]}
    for each in made["inputs"]:
        if each["name"] not in ("awsCredentials", "azureDevOpsConnection", "pythonPath"):
            assert each.get("visibleRule") == rules[each["name"]], each["name"]


def test_a_name_once_in_the_lock_stays_there() -> None:
    lock = {"commands": ["old"], "inputs": ["gone", "command"], "outputVariables": []}
    made = lock_with_all(lock, TASK)
    assert made["commands"][0] == "old"
    assert made["inputs"][:2] == ["gone", "command"]
    assert set(made["inputs"]) == {"gone", *(each["name"] for each in TASK["inputs"])}
    assert made["outputVariables"] == [each["name"] for each in TASK["outputVariables"]]


def test_a_page_keeps_what_is_written_by_hand() -> None:
    assert replaced(f"before\n{BEGIN}old\n{END}after\n", "new\n") == f"before\n{BEGIN}\nnew\n\n{END}after\n"
    with pytest.raises(ValueError, match="no two comments"):
        replaced("before\nafter\n", "new\n")


def test_the_reference_has_every_setting_with_its_key_flag_variable_and_default() -> None:
    rows = [line.strip("| ").split(" | ") for line in setting_tables().splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == [
        f"`{setting.path}`" for section in Section for setting in TABLE if setting.section is section
    ]
    lines = {line.split("`")[1]: line for line in setting_tables().splitlines() if line.startswith("| `")}
    for setting in TABLE:
        line = lines[setting.path]
        for part in (setting.help, setting.switch, setting.variable, setting.default, *setting.fallbacks):
            assert part in line, setting.name


def test_every_setting_of_a_call_is_a_typed_keyword() -> None:
    hints = get_type_hints(SettingKeywords)
    assert list(hints) == [setting.name for setting in TABLE if setting.section is not Section.CALL]
    assert SettingKeywords.__total__ is False
    for name, hint in hints.items():
        types = str(hint)
        assert "None" in types or "Optional" in types
        assert ("bool" in types) == (BY_NAME[name].kind is Kind.SWITCH)
        assert ("float" in types) == (BY_NAME[name].kind is Kind.DURATION)
        assert ("Mapping" in types) == (BY_NAME[name].kind is Kind.MAP)
        assert all(repr(choice) in types for choice in BY_NAME[name].choices)


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        (deliver.deploy, "deploy"),
        (many.deploy_many, "deploy"),
        (deliver.verify, "verify"),
        (promote.promote, "promote"),
        (rollback.rollback, "rollback"),
        (rollback.hold, "hold"),
        (parameter.get, "parameter get"),
        (parameter.set_, "parameter set"),
        (pipeline.queue, "pipeline queue"),
        (pipeline.wait_, "pipeline wait"),
    ],
)
def test_the_flags_of_a_command_are_those_of_the_table(command: Any, reads: str) -> None:  # noqa: ANN401 - click's types
    flags = {flag: option for option in command.params for flag in option.opts}
    for name in READS[reads]:
        setting = BY_NAME[name]
        option = flags[setting.switch]
        assert option.name == name
        assert option.help == f"{setting.help} [{setting.variable}]"
        assert (f"--no-{setting.switch[2:]}" in option.secondary_opts) == (setting.kind is Kind.SWITCH)
        assert option.multiple == (setting.kind is Kind.MAP)
        assert tuple(getattr(option.type, "choices", ())) == setting.choices
    settings = {option.name for option in command.params} & set(BY_NAME) - {"settings", "service", "environment"}
    assert settings == set(READS[reads])


def lists_of_settings(path: Path) -> Iterator[str]:
    """Yield where a file has a list (tuple, set, keys of a dict) of nothing but names of settings.

    Names of steps are not meant, nor the two that tell where something is delivered.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
            continue
        elements = node.keys if isinstance(node, ast.Dict) else node.elts
        texts = [element.value for element in elements if isinstance(element, ast.Constant)]
        listed = len(texts) == len(elements) > 1 and all(text in NAMES for text in texts)
        if listed and not set(texts) <= set(STEPS) and set(texts) != PLACE:
            yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}: {texts}"


NAMES = {setting.name for setting in TABLE} | {setting.input_name for setting in TABLE} - {""}
PLACE = {"service", "environment"}


def test_nothing_outside_the_table_lists_settings_by_hand() -> None:
    package = ROOT / "ecs_cd"
    found = [
        place
        for path in sorted([*package.rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
        if path.relative_to(package if package in path.parents else ROOT).as_posix() not in TABLE_AND_ITS_LIKE
        and "sandbox" not in path.parts
        for place in lists_of_settings(path)
    ]
    assert found == []
