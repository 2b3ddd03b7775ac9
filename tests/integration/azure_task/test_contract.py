"""`task.json` against the library and against Microsoft's schema: task inputs = command flags = settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from ecs_cd.azure_task.inputs import COMMANDS, OF_NODE, OWN, input_name, names_by_command
from ecs_cd.azure_task.result_file import OUTPUTS
from ecs_cd.cli.deliver import deploy, verify
from ecs_cd.cli.parameter import set_
from ecs_cd.cli.pipeline import queue
from ecs_cd.cli.promote import promote
from ecs_cd.cli.rollback import rollback
from ecs_cd.settings import BY_NAME, TABLE, Kind

FOLDER = Path(__file__).parents[3] / "task" / "EcsCdV1"
SCHEMA = Path(__file__).parent / "data" / "tasks.schema.json"
FLAGS_OF_A_TERMINAL = {"output", "quiet", "debug", "report_file"}
PERSON = {"settings_file": "settings", "to": "tag"}
COMPARED = {
    "deploy": deploy,
    "promote": promote,
    "verify": verify,
    "rollback": rollback,
    "set-parameter": set_,
    "queue-pipeline": queue,
}
TERM = re.compile(r"^\s*(\w+)\s*(=|!=)\s*(\S+)\s*$")


def read(name: str) -> dict[str, Any]:
    path = FOLDER / name
    if not path.is_file():
        pytest.fail(f"{path} is missing: the task has no face to compare the library with.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def task() -> dict[str, Any]:
    return read("task.json")


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return read("inputs.lock.json")


def inputs(task: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in task["inputs"]}


def visible(rule: str, command: str) -> bool:
    """Return whether a rule over the input `command` shows an input; every other rule is refused."""
    if "||" in rule:
        return any(visible(part, command) for part in rule.split("||"))
    if "&&" in rule:
        return all(visible(part, command) for part in rule.split("&&"))
    term = TERM.match(rule)
    assert term, rule
    assert term[1] == "command", rule
    return (term[3] == command) == (term[2] == "=")


def test_the_task_is_as_microsoft_s_schema_has_it(task: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8-sig"))
    problems = [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(task)]
    assert problems == []


def test_the_task_has_the_inputs_the_library_reads(task: dict[str, Any]) -> None:
    read_by_library = {name for names in names_by_command().values() for name in names}
    assert set(inputs(task)) == read_by_library | set(OF_NODE)


def test_an_input_is_a_setting_or_of_the_task_alone() -> None:
    named = {name for names in COMMANDS.values() for name in names}
    assert named - set(OWN) == {option.name for option in TABLE if not option.secret}


@pytest.mark.parametrize("command", COMPARED)
def test_an_input_of_a_command_is_a_flag_of_the_command_line(command: str) -> None:
    flags = {PERSON.get(str(parameter.name), str(parameter.name)) for parameter in COMPARED[command].params}
    assert isinstance(COMPARED[command], click.Command)
    assert set(COMMANDS[command]) == flags - FLAGS_OF_A_TERMINAL


def test_each_input_is_shown_for_the_commands_that_read_it(task: dict[str, Any]) -> None:
    for command, names in names_by_command().items():
        shown = {
            name
            for name, each in inputs(task).items()
            if name not in OF_NODE and visible(each.get("visibleRule") or f"command = {command}", command)
        }
        assert shown == set(names), command


def test_the_commands_are_the_library_s(task: dict[str, Any]) -> None:
    assert set(inputs(task)["command"]["options"]) == set(COMMANDS)
    assert inputs(task)["command"]["defaultValue"] in COMMANDS


def rules(task: dict[str, Any]) -> Iterator[str]:
    for each in (*task["inputs"], *task.get("groups", [])):
        if each.get("visibleRule"):
            yield each["visibleRule"]


def test_visible_rules_name_inputs_and_options_that_exist(task: dict[str, Any]) -> None:
    known = inputs(task)
    for rule in rules(task):
        for part in re.split(r"\|\||&&", rule):
            term = TERM.match(part)
            assert term, rule
            assert term[1] in known
            options = known[term[1]].get("options")
            assert options is None or term[3] in options


def test_defaults_are_among_the_options_and_do_not_outvote_the_settings_file(task: dict[str, Any]) -> None:
    for name, each in inputs(task).items():
        default = each.get("defaultValue", "")
        if each.get("options") and default:
            assert default in each["options"], name
        if name in {input_name(setting) for setting in BY_NAME}:
            assert default == "", f"{name}: a default would win over ecs-cd.yml"


def test_inputs_are_of_the_kind_their_setting_is(task: dict[str, Any]) -> None:
    known = inputs(task)
    for option in TABLE:
        if option.secret:
            continue
        each = known[input_name(option.name)]
        assert each["type"] not in ("boolean", "filePath"), "an unset one would be sent as false, or as a folder"
        if option.kind is Kind.MAP:
            assert each["type"] == "multiLine"
        if option.choices:
            assert set(each["options"]) - {""} == set(option.choices)
        if option.kind is Kind.SWITCH:
            assert set(each["options"]) - {""} == {"true", "false"}


def test_groups_that_are_named_exist(task: dict[str, Any]) -> None:
    groups = {group["name"] for group in task.get("groups", [])}
    assert {each["groupName"] for each in task["inputs"] if "groupName" in each} <= groups


def test_every_input_has_help(task: dict[str, Any]) -> None:
    for name, each in inputs(task).items():
        assert each.get("helpMarkDown", "").strip(), name
        assert each["label"].strip(), name


def test_every_output_that_is_documented_is_set_and_every_one_set_is_documented(task: dict[str, Any]) -> None:
    documented = {each["name"] for each in task["outputVariables" if "outputVariables" in task else "OutputVariables"]}
    assert documented == {name for names in OUTPUTS.values() for name in names}


def test_names_once_shipped_never_vanish(task: dict[str, Any], lock: dict[str, Any]) -> None:
    outputs = {name for names in OUTPUTS.values() for name in names}
    assert set(lock["inputs"]) <= set(inputs(task))
    assert set(lock["commands"]) <= set(COMMANDS)
    assert set(lock["outputVariables"]) <= outputs
    for name, missing in (
        ("inputs", set(inputs(task)) - set(lock["inputs"])),
        ("commands", set(COMMANDS) - set(lock["commands"])),
        ("outputVariables", outputs - set(lock["outputVariables"])),
    ):
        assert not missing, f"add to {name} of inputs.lock.json, where they stay: {sorted(missing)}"
