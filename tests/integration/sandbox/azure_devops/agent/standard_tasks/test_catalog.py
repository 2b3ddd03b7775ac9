from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import StepContext
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from ecs_cd_sandbox.azure_devops.model.step_factory import StepFactory
from tests.integration.sandbox.azure_devops.agent.standard_tasks.outcomes import carry_out
from tests.support.node_tasks import needs_node, note, printing, write_task
from tests.support.sandbox_api import Serve
from tests.support.standard_task_steps import CATALOG, refusal, script, step

MAKER: StepFactory = CATALOG
MINE = {"x64": "x64", "x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "x64")


def test_a_value_is_checked_when_its_macros_are_known(serve: Serve) -> None:
    given = {"script": "true", "failOnStderr": "$(strict)"}
    outcome = carry_out(serve, step("CmdLine@2", given), variables={"strict": "perhaps"})
    assert outcome.issues() == ["Input failOnStderr must be true or false, not 'perhaps'."]


@needs_node
def test_a_task_of_an_extension_runs_and_its_inputs_are_checked(serve: Serve, tmp_path: Path) -> None:
    inputs = [{"name": "command", "label": "c", "type": "string", "required": True}]
    task = read_task(write_task(tmp_path, printing("ran"), inputs=inputs))
    catalog = TaskCatalog(tasks=(task,))
    outcome = carry_out(serve, step("acme.delivery.tiny-task.Tiny@1", {"command": "x"}, catalog=catalog))
    assert (outcome.result, outcome.log()) == ("succeeded", ["ran"])
    assert refusal("Tiny@1", {}, catalog) == "The task Tiny@1 needs the input command."


def test_the_python_the_sandbox_runs_on_is_used_if_it_fits(serve: Serve) -> None:
    seen: list[str] = []
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"

    def look(context: StepContext) -> str:
        return context.variables["py.pythonLocation"]

    use = step("UsePythonVersion@0", {"versionSpec": minor, "architecture": MINE}, ref_name="py")
    outcome = carry_out(serve, use, script("python -c 'import sys; print(sys.prefix)'"), note(seen, look))
    assert (outcome.result, seen) == ("succeeded", [sys.prefix])
    assert outcome.log(2)[-1] == sys.prefix


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"versionSpec": "2.7"}, "Version spec 2.7 for architecture"),
        ({"versionSpec": "pypy3.9"}, "Version spec pypy3.9 for architecture"),
        (
            {"versionSpec": "3.x", "architecture": "x86"},
            "Version spec 3.x for architecture x86 did not match any version",
        ),
        ({"versionSpec": "three"}, "The version spec three of Python cannot be read: 'three' is no version"),
    ],
)
def test_another_python_is_not_to_be_had(serve: Serve, given: dict[str, str], message: str) -> None:
    outcome = carry_out(serve, step("UsePythonVersion@0", {"architecture": MINE, **given}))
    assert outcome.result == "failed" and outcome.issues()[0].startswith(message)
