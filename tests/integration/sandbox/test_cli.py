from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ecs_cd_sandbox import demo as demo_module
from ecs_cd_sandbox import up as up_module
from ecs_cd_sandbox.cli import sandbox
from ecs_cd_sandbox.errors import SandboxError

Run = Callable[[list[str]], int]


@pytest.fixture(autouse=True)
def kept_signal_handlers() -> Iterator[None]:
    known = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in known.items():
        signal.signal(number, handler)


@click.group()
def tool() -> None:
    pass


@tool.command()
@click.argument("code", type=int)
def leave(code: int) -> int:
    return code


tool.add_command(sandbox)


def demo_runs(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> int:
    """Return the exit code that the demo gets for a command line of the tool it is called through."""
    codes: list[int] = []

    def play(run: Run, _extension: Path | None) -> int:
        codes.append(run(words))
        return 0

    monkeypatch.setattr(demo_module, "play", play)
    done = CliRunner().invoke(tool, ["sandbox", "demo"])
    assert done.exit_code == 0, done.output
    return codes[0]


@pytest.mark.parametrize(
    ("words", "code"), [(["leave", "0"], 0), (["leave", "3"], 3), (["leave", "x"], 2), (["go"], 2)]
)
def test_the_demo_runs_the_commands_of_the_tool_it_belongs_to(
    monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    assert demo_runs(monkeypatch, words) == code


def test_without_a_tool_the_demo_says_which_one_it_shows() -> None:
    done = CliRunner().invoke(sandbox, ["demo"])
    assert done.exit_code == 2
    assert "Run: ecs-cd sandbox demo" in done.output


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            SandboxError("It cannot start.", hint="Install it.", details=("a", "b")),
            "It cannot start. Install it.\n  a\n  b",
        ),
        (KeyError("port"), "The sandbox failed: KeyError in test_cli.py, line "),
    ],
)
def test_what_stops_the_sandbox_is_a_sentence(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    def keep_up(**_given: object) -> int:
        raise error

    monkeypatch.setattr(up_module, "keep_up", keep_up)
    done = CliRunner().invoke(sandbox, ["up"])
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output
