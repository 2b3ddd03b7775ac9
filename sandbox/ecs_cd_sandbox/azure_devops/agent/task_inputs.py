"""The inputs of a task as its program gets them: defaults, aliases, macros, checks, connections by id, whole paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.agent.job import Job
from ecs_cd_sandbox.azure_devops.agent.task_package import Task, TaskInput
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint

_CONNECTION = "connectedservice:"


class InputsError(Exception):
    """The inputs of a step are wrong; the message has every mistake."""


@dataclass(frozen=True)
class ResolvedInputs:
    """The values by name, and the service connections they refer to."""

    values: dict[str, str] = field(repr=False)
    endpoints: tuple[ServiceEndpoint, ...]


def resolve_inputs(task: Task, given: Mapping[str, str], job: Job, *, warn: Callable[[str], None]) -> ResolvedInputs:
    """Return the inputs of a step. `warn` is told of inputs the task does not know; the program gets them all the same.

    An input that is shown only when others say so is never asked for, as the agent knows nothing of such rules.

    Raises:
        InputsError: a required input is missing, a value is none of its options, or there is no such connection.
    """
    values, unknown = _merge(task, given)
    if unknown:
        warn(f"Unexpected input(s) {', '.join(repr(name) for name in unknown)} of task {task.reference.name}.")
    variables = job.all_variables()
    values = {name: variables.expand(value) for name, value in values.items()}
    mistakes: list[str] = []
    endpoints: list[ServiceEndpoint] = []
    for wanted in task.inputs:
        value = values[wanted.name]
        if not value and wanted.required and not wanted.visible_rule:
            mistakes.append(f"Input required: {wanted.name}.")
        mistakes += check_value(wanted, value)
        if wanted.type.lower().startswith(_CONNECTION) and values[wanted.name]:
            found, missing = _connections(wanted, values[wanted.name], job)
            endpoints += found
            mistakes += missing
            values[wanted.name] = ",".join(endpoint.id for endpoint in found)
        elif wanted.type.lower() == "filepath":
            values[wanted.name] = _whole_path(values[wanted.name], job)
    if mistakes:
        raise InputsError(" ".join(mistakes))
    return ResolvedInputs(values, tuple(endpoints))


def _merge(task: Task, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return all inputs by the names in `task.json`, and the names it does not have."""
    names = {name.lower(): each.name for each in task.inputs for name in (*each.aliases, each.name)}
    values = {each.name: each.default.strip() for each in task.inputs}
    unknown = []
    for name, value in given.items():
        known = names.get(name.strip().lower())
        if known is None:
            unknown.append(name)
        values[known or name.strip()] = value.strip()
    return values, unknown


def check_value(wanted: TaskInput, value: str) -> list[str]:
    """Return what is wrong with a value, nothing for an empty one. The letter case of an option does not matter."""
    if value and wanted.options and value.lower() not in {option.lower() for option in wanted.options}:
        return [f"Input {wanted.name} must be one of {', '.join(wanted.options)}, not {value!r}."]
    if value and wanted.type == "boolean" and value.lower() not in {"true", "false"}:
        return [f"Input {wanted.name} must be true or false, not {value!r}."]
    return []


def _connections(wanted: TaskInput, value: str, job: Job) -> tuple[list[ServiceEndpoint], list[str]]:
    """Return the connections that names or ids stand for, and what is wrong with the others."""
    kind = wanted.type[len(_CONNECTION) :].partition(":")[0].lower()
    found, missing = [], []
    for part in filter(None, (part.strip() for part in value.split(","))):
        fitting = [
            endpoint
            for endpoint in job.endpoints.values()
            if part.lower() in {endpoint.id.lower(), endpoint.name.lower()} and endpoint.type.lower() == kind
        ]
        found += fitting[:1]
        if not fitting:
            missing.append(
                f"Input {wanted.name} references service connection {part} which could not be found or is not of type "
                f"{kind}."
            )
    return found, missing


def _whole_path(value: str, job: Job) -> str:
    """Return a path as the agent makes it whole: an empty one becomes the folder it would be relative to."""
    return os.path.normpath(job.working_directory / value)
