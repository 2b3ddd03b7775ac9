"""A step action that is one of the standard tasks: its inputs as the agent hands them on, and what the task does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.logging_commands import escape
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.agent.step_output import process_line
from ecs_cd_sandbox.azure_devops.agent.task_action import introduce
from ecs_cd_sandbox.azure_devops.agent.task_inputs import InputsError, ResolvedInputs, resolve_inputs
from ecs_cd_sandbox.azure_devops.agent.task_package import Task
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint


class TaskFailed(Exception):
    """A task cannot do what it is asked for; the message is its error."""


@dataclass(frozen=True)
class TaskRun:
    """A running task: the step it is, its inputs with defaults and macros expanded, the step's own environment."""

    context: StepContext
    inputs: ResolvedInputs
    env: Mapping[str, str] = field(repr=False)

    def text(self, name: str) -> str:
        """Return an input by its name in the definition, empty if it is not given."""
        return self.inputs.values[name]

    def required(self, name: str) -> str:
        """Return an input that must be given.

        Raises:
            TaskFailed: it is not.
        """
        value = self.text(name)
        if not value:
            raise TaskFailed(f"Input required: {name}")
        return value

    def switch(self, name: str) -> bool:
        """Return whether an input is `true`."""
        return self.text(name).lower() == "true"

    def path(self, name: str) -> Path:
        """Return an input as a whole path."""
        return self.context.job.working_directory / self.required(name)

    def existing_path(self, name: str) -> Path:
        """Return an input as the path of something that is there.

        Raises:
            TaskFailed: it is not there.
        """
        path = self.path(name)
        if not path.exists():
            raise TaskFailed(f"Not found {name}: {path}")
        return path

    def connection(self, name: str) -> ServiceEndpoint | None:
        """Return the service connection an input refers to, or None."""
        return next((endpoint for endpoint in self.inputs.endpoints if endpoint.id == self.text(name)), None)

    def variable(self, name: str) -> str:
        """Return a variable of the job, empty if it is not set."""
        variables = self.context.job.all_variables()
        return variables.expand(variables.get(name, ""))

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable by the logging command, with whatever limits the step has."""
        process_line(self.context, f"##vso[task.setvariable variable={escape(name)}]{escape(value)}")

    def environment(self, own: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a program that the task starts."""
        return self.context.environment({**self.env, **(own or {})})


Body = Callable[[TaskRun], None]
"""What a task does. `TaskFailed`, `OSError` and what `StepContext.fail` raises are its failure."""


@dataclass(frozen=True)
class StandardAction:
    """Does what a standard task does. `env` is the step's own `env:`; macros in it and in the inputs are expanded."""

    task: Task
    body: Body
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, context: StepContext) -> None:
        """Do it, as a step's action."""
        introduce(context, self.task)
        context.restrictions.append(self.task.restrictions)
        context.declared_outputs = self.task.outputs
        variables = context.job.all_variables()
        try:
            inputs = resolve_inputs(self.task, self.inputs, context.job, warn=context.warning)
            self.body(TaskRun(context, inputs, {name: variables.expand(value) for name, value in self.env.items()}))
        except (InputsError, TaskFailed) as error:
            context.fail(str(error))
        except OSError as error:
            context.fail(f"{error.strerror}: {error.filename}" if error.filename else str(error))
