from __future__ import annotations

import pytest

from ecs_cd_sandbox.azure_devops.agent.logging_commands import parse_logging_command


def test_a_logging_command_is_unescaped_and_other_lines_are_none() -> None:
    command = parse_logging_command("x ##vso[Task.LogIssue Type=error;code=%5D%AZP25]a%0Db")
    assert command is not None
    assert (command.name, command.properties, command.data) == (
        "task.logissue",
        {"type": "error", "code": "]%"},
        "a\rb",
    )
    assert parse_logging_command("##[error]red") is None


@pytest.mark.parametrize("line", ["##vso[]x", "##vso[task]x", "##vso[task.x", "vso[task.debug]x", "##[command]x"])
def test_what_looks_like_a_command_only_is_none(line: str) -> None:
    assert parse_logging_command(line) is None


def test_escapes_are_undone_once() -> None:
    command = parse_logging_command("##vso[task.debug a=%AZP253B%3b]%AZP250A%0a")
    assert command is not None
    assert (command.properties, command.data) == ({"a": "%3B;"}, "%0A\n")
