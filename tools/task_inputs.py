"""The inputs in `task.json` that are settings, when each is shown, and `inputs.lock.json`.

Inputs stand in the order in which `task.json` has them; a new one comes last in its group. Those of the task alone are
written by hand there, but for the commands that they are shown for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ecs_cd.azure_task.inputs import COMMANDS, OF_NODE, OWN, input_name
from ecs_cd.settings.setting import Kind, Section, Setting, TaskInput
from ecs_cd.settings.table import TABLE

Json = dict[str, Any]


def task_with_inputs(task: Mapping[str, Any]) -> Json:
    """Return `task.json` with all inputs of the table, each shown for the commands that read it."""
    groups = [group["name"] for group in task["groups"]]
    settings = {setting.input_name: setting for setting in TABLE if not setting.secret}
    own = {input_name(name) for name in OWN} | set(OF_NODE)
    inputs = [
        _of_setting(settings[each["name"]], groups) if each["name"] in settings else _of_task(each)
        for each in task["inputs"]
        if each["name"] in settings or each["name"] in own
    ]
    named = {each["name"] for each in inputs}
    for name, setting in settings.items():
        if name not in named:
            _insert(inputs, _of_setting(setting, groups))
    return {**task, "groups": [_shown_group(group, inputs) for group in task["groups"]], "inputs": inputs}


def lock_with_all(lock: Mapping[str, list[str]], task: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return `inputs.lock.json` with every name that `task.json` has by now; what was there stays."""
    names = {
        "commands": list(COMMANDS),
        "inputs": [each["name"] for each in task["inputs"]],
        "outputVariables": [each["name"] for each in task["outputVariables"]],
    }
    return {key: list(dict.fromkeys([*lock[key], *names[key]])) for key in lock}


def readers(name: str) -> tuple[str, ...]:
    """Return the commands that read an input."""
    return tuple(command for command, names in COMMANDS.items() if name in map(input_name, names))


def _of_setting(setting: Setting, groups: Collection[str]) -> Json:
    task_input = setting.task_input or TaskInput(setting.name)
    name = setting.input_name
    found: Json = {"name": name, "label": task_input.label, "type": _type(setting, task_input), "required": False}
    if setting.group.value in groups:
        found["groupName"] = setting.group.value
    return found | _rule(readers(name)) | {"helpMarkDown": _help(setting, task_input)} | _form(setting, task_input)


def _of_task(each: Json) -> Json:
    """Return an input of the task alone, shown for the commands that read it; the Node side's own stay as they are."""
    if each["name"] in OF_NODE:
        return each
    return _with_rule(each, readers(each["name"]))


def _type(setting: Setting, task_input: TaskInput) -> str:
    if setting.kind is Kind.MAP:
        return "multiLine"
    return "pickList" if task_input.listed or task_input.options else "string"


def _form(setting: Setting, task_input: TaskInput) -> Json:
    """Return the choices, and how the form shows the input."""
    if setting.kind is Kind.MAP:
        return {"properties": {"resizable": True, "rows": "3"}}
    if not (task_input.listed or task_input.options):
        return {}
    editable = {"properties": {"EditableOptions": "True"}}  # a variable such as $(order) can be typed
    if task_input.listed:
        return editable
    values = ("true", "false") if setting.kind is Kind.SWITCH else setting.choices
    return {"options": dict(zip(values, task_input.options, strict=True)), **editable}


def _help(setting: Setting, task_input: TaskInput) -> str:
    parts = [setting.help, task_input.more]
    if setting.section is not Section.CALL:
        default = _default(setting, task_input)
        parts.append(
            f"Default: the settings file's, or {default}."
            if default
            else "Taken from the settings file if left out here."
        )
    return " ".join(filter(None, parts))


def _default(setting: Setting, task_input: TaskInput) -> str:
    """Return what counts where neither the input nor the settings file has a value; nothing if nothing does."""
    if task_input.default or not setting.default:
        return task_input.default
    if setting.kind is Kind.SWITCH:
        return "yes" if setting.default == "true" else "no"
    return {"{service}": "the service's name", "0": "not at all"}.get(setting.default, f"`{setting.default}`")


def _rule(commands: Collection[str]) -> dict[str, str]:
    """Return the rule that shows something for these commands alone; none where it is always shown."""
    others = [command for command in COMMANDS if command not in commands]
    if not others:
        return {}
    if len(commands) < len(others):
        return {"visibleRule": " || ".join(f"command = {command}" for command in commands)}
    return {"visibleRule": " && ".join(f"command != {command}" for command in others)}


def _with_rule(each: Json, commands: Collection[str]) -> Json:
    rule = _rule(commands)
    kept = {key: value for key, value in each.items() if rule or key != "visibleRule"}
    return {key: rule.get(key, value) for key, value in kept.items()} | rule


def _shown_group(group: Json, inputs: list[Json]) -> Json:
    """Return a group, shown for the commands that one of its inputs is shown for."""
    members = [each for each in inputs if each.get("groupName") == group["name"]]
    always = any("visibleRule" not in each for each in members)
    shown = {command for each in members for command in readers(each["name"])}
    return _with_rule(group, [command for command in COMMANDS if always or command in shown])


def _insert(inputs: list[Json], new: Json) -> None:
    last = max((at for at, each in enumerate(inputs) if each.get("groupName") == new.get("groupName")), default=-1)
    inputs.insert(last + 1, new)
