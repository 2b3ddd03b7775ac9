"""What is wrong with the inputs of a step before it runs: names, what is missing, values that cannot be right.

A value with a macro or a runtime expression in it is known only when the step runs, and is checked then.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ecs_cd_sandbox.azure_devops.agent.task_inputs import check_value
from ecs_cd_sandbox.azure_devops.agent.task_package import Task, TaskInput

_LATER = ("$(", "$[")
_COMPARISON = re.compile(r"\s*(?P<name>[^\s=!]+)\s*(?P<operator>!=|==|=)\s*(?P<value>.*?)\s*")


def mistakes_of(task: Task, given: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the inputs a step gives a task, as sentences; nothing if they are right."""
    title = f"{task.reference.name}@{task.major}"
    names = {name.lower(): each for each in task.inputs for name in (*each.aliases, each.name)}
    values = {each.name.lower(): each.default.strip() for each in task.inputs}
    mistakes: list[str] = []
    seen: dict[str, str] = {}
    for name, value in given.items():
        known = names.get(name.strip().lower())
        if known is None:
            mistakes.append(f"The task {title} has no input {name!r}{_nearest(name, task)}")
        elif known.name in seen:
            mistakes.append(f"The inputs {seen[known.name]} and {name} of {title} are the same: give one of them.")
        else:
            seen[known.name], values[known.name.lower()] = name, value.strip()
    for each in task.inputs:
        mistakes += _mistakes(each, values, title)
    return mistakes


def _nearest(name: str, task: Task) -> str:
    known = {alias.lower(): alias for each in task.inputs for alias in (each.name, *each.aliases)}
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; is {known[close[0]]} meant?" if close else f": it has {', '.join(each.name for each in task.inputs)}."


def _mistakes(wanted: TaskInput, values: Mapping[str, str], title: str) -> list[str]:
    value = values[wanted.name.lower()]
    if _later(value):
        return []
    if not value and wanted.required and _visible(wanted.visible_rule, values):
        return [f"The task {title} needs the input {wanted.name}."]
    if value and wanted.type == "int" and not value.lstrip("-").isdecimal():
        return [f"Input {wanted.name} must be a number, not {value!r}."]
    return check_value(wanted, value)


def _later(value: str) -> bool:
    return any(mark in value for mark in _LATER)


def _visible(rule: str, values: Mapping[str, str]) -> bool:
    """Say whether a rule such as `a = x && b != y` holds for certain; a rule has one kind of operator throughout."""
    if not rule:
        return True
    if "||" in rule:
        return any(_holds(part, values) for part in rule.split("||"))
    return all(_holds(part, values) for part in rule.split("&&"))


def _holds(comparison: str, values: Mapping[str, str]) -> bool:
    match = _COMPARISON.fullmatch(comparison)
    value = values.get(match["name"].lower(), "") if match else ""
    if match is None or _later(value):
        return False
    return (value.lower() == match["value"].lower()) == (match["operator"] != "!=")
