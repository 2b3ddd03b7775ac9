"""What a line of a log says, and which of Terragrunt's units said it."""

from __future__ import annotations

import pytest

from ecs_cd.run.log_lines import LogLine, read_lines


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("│   Who:       ann@laptop", LogLine("  Who:       ann@laptop")),
        ("##[error]│ Error: no", LogLine("Error: no")),
        ("2026-01-01T12:19:44.8021337Z ##[error]Error: no", LogLine("Error: no")),
        ("\x1b[31m│\x1b[0m \x1b[1mError: no\x1b[0m", LogLine("Error: no")),
        ("12:19:44.797 STDERR [network] terraform: │ Error: no", LogLine("Error: no", "network")),
        ("12:19:44.797 STDERR terraform: │   ID:  1", LogLine("  ID:  1")),
        ("12:19:44.797 STDERR [a/b c] /opt/bin/tofu: │ Error: no", LogLine("Error: no", "a/b c")),
        ("[/live/network] │ Error: no", LogLine("Error: no", "/live/network")),
        (
            'time=2026-01-01T12:19:44Z level=stderr prefix=network tf-path=tofu msg="│ \\"x\\""',
            LogLine('"x"', "network"),
        ),
        ("time=2026-01-01T12:19:44Z level=info msg=plain", LogLine("plain")),
        ('{"level": "stderr", "prefix": "network", "msg": "│ Error: no"}', LogLine("Error: no", "network")),
        ('{"msg": 5}', LogLine('{"msg": 5}')),
        ("{ broken", LogLine("{ broken")),
        ("[INFO] fine", LogLine("[INFO] fine")),
        ("a time: 12:19:44.797 STDERR", LogLine("a time: 12:19:44.797 STDERR")),
    ],
)
def test_a_line_is_read_without_what_stands_before_it(line: str, said: LogLine) -> None:
    assert read_lines([line]) == [said]


def test_a_diagnostic_of_terraform_is_read_as_its_lines() -> None:
    line = '{"@level": "error", "diagnostic": {"summary": "No", "detail": "one\\n  two"}}'
    assert read_lines([line]) == [LogLine("Error: No"), LogLine("one"), LogLine("  two")]
