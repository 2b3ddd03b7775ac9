"""A step action that runs a built task with node the way the agent does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.nodejs import Node, NodeMissingError, find_node
from ecs_cd_sandbox.azure_devops.agent.process import (
    DONE_GRACE,
    INTERRUPT_GRACE,
    OUTPUT_GRACE,
    TERMINATE_GRACE,
    Program,
)
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.agent.task_environment import task_environment
from ecs_cd_sandbox.azure_devops.agent.task_inputs import InputsError, ResolvedInputs, resolve_inputs
from ecs_cd_sandbox.azure_devops.agent.task_package import Task, TaskPackageError

_RULE = "=" * 78


@dataclass(frozen=True)
class TaskAction:
    """Runs a task with the inputs of a step; `node` is looked for if none is given.

    `env` is the step's own `env:`, macros in it are expanded. The graces are those of `Program`.
    """

    task: Task
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    node: Node | None = None
    interrupt_grace: float = INTERRUPT_GRACE
    terminate_grace: float = TERMINATE_GRACE
    output_grace: float = OUTPUT_GRACE
    done_grace: float = DONE_GRACE

    def __call__(self, context: StepContext) -> None:
        """Run to the end, as a step's action."""
        introduce(context, self.task)
        context.restrictions.append(self.task.restrictions)
        context.declared_outputs = self.task.outputs
        try:
            inputs = resolve_inputs(self.task, self.inputs, context.job, warn=context.warning)
            node = self.node or find_node(context.environment({}))
            program = self._program(context, node, inputs)
        except (InputsError, NodeMissingError, TaskPackageError) as error:
            context.fail(str(error))
        code = program.run(context)
        if code != 0:
            script = Path(str(program.argv[1])).name
            context.fail(f"Exit code {code} returned from process: file name '{node.path}', arguments '{script}'.")

    def _program(self, context: StepContext, node: Node, inputs: ResolvedInputs) -> Program:
        job = context.job
        variables = job.all_variables()
        handler = self.task.handler_for(node)
        own = {name: variables.expand(value) for name, value in self.env.items()}
        own |= task_environment(job, inputs, context.task_variables)
        folder = variables.expand(handler.working_directory)
        return Program(
            [node.path, handler.target],
            self.task.folder / folder if folder else job.workspace.default,
            context.environment(own),
            self.interrupt_grace,
            self.terminate_grace,
            self.output_grace,
            self.done_grace,
        )


def introduce(context: StepContext, task: Task) -> None:
    """Write what the agent writes at the head of a task's log."""
    for line in (
        _RULE,
        f"Task         : {task.friendly_name or task.reference.name}",
        f"Description  : {task.description}",
        f"Version      : {task.reference.version}",
        f"Author       : {task.author}",
        _RULE,
    ):
        context.log(line)
