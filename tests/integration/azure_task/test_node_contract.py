"""What the Node side and the Python side both say: the files of the contract, exit codes, names, the oldest Python."""

from __future__ import annotations

import io
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from ecs_cd.azure_task import request
from ecs_cd.azure_task.command_result import CommandResult
from ecs_cd.azure_task.result_file import VERSION as ANSWER_VERSION
from ecs_cd.azure_task.result_file import write_result
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.errors import WrongInput
from ecs_cd.support.clock import SystemClock
from extension_builder.contents import NATIVES
from extension_builder.extension import ROOT, TASK

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (TASK / "src").glob("*.ts")}
START = runpy.run_path(str(TASK / "python" / "start.py"))
SECRETS = {
    "external-id", "password-of-the-proxy", "secret-of-the-connection", "secret-of-the-variables",
    "session-of-the-connection", "session-of-the-variables", "token-of-the-connection", "token-of-the-job",
}  # fmt: skip


def contract(name: str) -> dict[str, Any]:
    """Return a file that the TypeScript tests hold the Node side to."""
    found: dict[str, Any] = json.loads((TASK / "contract" / name).read_text(encoding="utf-8"))
    return found


def constants(source: str, pattern: str) -> dict[str, str]:
    """Return the constants of a TypeScript file whose value matches, by name."""
    return dict(re.findall(rf"^(?:export )?const (\w+) = ({pattern});$", SOURCES[source], re.MULTILINE))


def test_exit_codes_have_one_name_and_value_on_both_sides() -> None:
    node = {name: int(value) for name, value in constants("python.ts", r"\d+").items()}
    assert node == {name: value for name, value in START.items() if name.isupper() and isinstance(value, int)}
    assert set(node) == {"PYTHON_TOO_OLD", "NO_NATIVE_MODULE"}
    readme = (TASK / "README.md").read_text(encoding="utf-8")
    assert {str(code) for code in node.values()} | {"0"} == set(re.findall(r"^\| (\d+) \|", readme, re.MULTILINE))


def test_the_request_that_node_makes_is_the_one_that_python_reads() -> None:
    found = request.parse(json.dumps(contract("request.json")))
    assert set(found.secrets()) == SECRETS
    assert found.aws and found.aws.use_oidc and found.aws.role_session_name == "release"
    assert found.azure_devops and found.azure_devops.url == "https://dev.azure.com/other"
    assert found.proxy and found.proxy.bypass == ("https://internal\\.*",)
    assert (found.aws_variables.max_duration, found.ca_file) == ("900", "/etc/ca.pem")
    assert found.skip_certificate_validation


def test_every_key_of_the_request_is_one_that_python_knows() -> None:
    for part in ((), ("aws",), ("aws", "parameters"), ("azureDevOps",), ("awsVariables",), ("proxy",)):
        changed = contract("request.json")
        inner = changed
        for name in part:
            inner = inner[name]
        inner["unknownKey"] = ""
        with pytest.raises(WrongInput, match="unknownKey"):
            request.parse(json.dumps(changed))


def test_the_answer_that_python_writes_is_the_one_that_node_reads(tmp_path: Path) -> None:
    task_log = TaskLog(io.StringIO(), SystemClock(), {}, [])
    ended = CommandResult("Done.", "deployed", outputs={"imageTag": "101"}, variables={"buildTag": "101"})
    write_result(ended, "deploy", tmp_path / "result.json", task_log)
    written, expected = json.loads((tmp_path / "result.json").read_text(encoding="utf-8")), contract("answer.json")
    assert {key: type(value) for key, value in written.items()} == {key: type(value) for key, value in expected.items()}
    assert written["version"] == expected["version"]


@pytest.mark.parametrize(
    ("good", "warnings", "result"),
    [(True, (), "Succeeded"), (True, ("late",), "SucceededWithIssues"), (False, (), "Failed")],
)
def test_every_result_that_python_writes_is_one_that_node_knows(
    tmp_path: Path, good: bool, warnings: tuple[str, ...], result: str
) -> None:
    ended = CommandResult("Done.", "deployed", succeeded=good, warnings=warnings)
    write_result(ended, "deploy", tmp_path / "result.json", TaskLog(io.StringIO(), SystemClock(), {}, []))
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["result"] == result
    assert f"  {result}: tl.TaskResult.{result}," in SOURCES["result.ts"]


def test_the_request_travels_in_one_variable() -> None:
    assert f" {request.VARIABLE}: JSON.stringify(request)" in SOURCES["library.ts"]


def test_versions_of_request_and_answer_are_one() -> None:
    assert f"version: {request.VERSION}," in SOURCES["request.ts"]
    assert constants("result.ts", r"\d+") == {"VERSION": str(ANSWER_VERSION)}
    assert contract("request.json")["version"] == request.VERSION
    assert contract("answer.json")["version"] == ANSWER_VERSION


def test_the_oldest_python_is_one() -> None:
    oldest = constants("python.ts", r"'3\.\d+'")["OLDEST_PYTHON"].strip("'")
    major, minor = oldest.split(".")
    start = (TASK / "python" / "start.py").read_text(encoding="utf-8")
    assert f"sys.version_info < ({major}, {minor})" in start
    assert NATIVES[0].python == f"cp{major}{minor}"
    assert f'requires-python = ">={oldest}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_platforms_are_the_same_for_the_build_and_at_the_start() -> None:
    assert set(START["_PLATFORMS"].values()) == {native.platform for native in NATIVES}
