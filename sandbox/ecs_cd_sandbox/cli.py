"""`ecs-cd sandbox` through an entry point, or `python -m ecs_cd_sandbox`: `up`, `demo`, and the choices."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import click

from ecs_cd_sandbox.choices import COMMANDS
from ecs_cd_sandbox.errors import SandboxError

_INTERRUPTED = 130


@click.group(
    short_help="Try everything on this machine, no account needed.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def sandbox() -> None:
    """Try everything on this machine: AWS (moto), Azure DevOps and real Terraform, no account needed."""


for _command in COMMANDS:
    sandbox.add_command(_command)

_extension = click.option(
    "--extension",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The built extension (.vsix): adds a release pipeline that delivers through its task.",
)


@sandbox.command()
@_extension
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="Also write the variables to this file, as NAME=VALUE."
)
@click.option("--agents", type=click.IntRange(1, 16), default=2, show_default=True, help="Runs that go on at once.")
def up(env_file: Path | None, agents: int, extension: Path | None) -> int:
    """Start the sandbox, print the environment that reaches it, and keep it up until Ctrl-C."""
    if env_file and not env_file.parent.is_dir():
        raise click.UsageError(f"There is no folder {env_file.parent} to write {env_file.name} to. Make it first.")
    from ecs_cd_sandbox.up import keep_up  # noqa: PLC0415 - moto and Flask load slowly, and --help needs neither

    return _guarded(lambda: keep_up(env_file=env_file, agents=agents, extension=extension))


@sandbox.command(short_help="Watch two builds being delivered.")
@_extension
@click.pass_context
def demo(ctx: click.Context, extension: Path | None) -> int:
    """Deliver two builds to ECS in a sandbox: one that serves, and one that ECS rolls back."""
    from ecs_cd_sandbox.demo import play  # noqa: PLC0415 - likewise

    tool = ctx.find_root()
    if tool.command is sandbox:
        raise click.UsageError("The demo shows what ecs-cd does. Run: ecs-cd sandbox demo")
    return _guarded(lambda: play(lambda words: _run(tool, words), extension))


def _run(tool: click.Context, words: list[str]) -> int:
    """Run one command line of the tool that this command belongs to, and return its exit code."""
    try:
        code = tool.command.main(words, prog_name=tool.info_name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return _INTERRUPTED
    return code if isinstance(code, int) else 0


def _guarded(call: Callable[[], int]) -> int:
    """Turn what stops the sandbox into a sentence; SIGTERM, as a supervisor sends it, does what Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        return call()
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    except (click.ClickException, click.Abort):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise click.ClickException(
            f"The sandbox failed: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}"
        ) from error
