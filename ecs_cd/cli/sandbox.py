"""`ecs-cd sandbox up` and `ecs-cd sandbox demo`."""

from __future__ import annotations

from pathlib import Path

import click

from ecs_cd.cli.frame import Frame, guarded
from ecs_cd.errors import WrongInput


@click.group(short_help="Try everything on this machine, no account needed.")
def sandbox() -> None:
    """Try everything on this machine: AWS (moto), Azure DevOps and real Terraform, no account needed."""
    try:
        import flask  # noqa: F401, PLC0415 - is the extra there?
        import moto  # noqa: F401, PLC0415
    except ImportError:
        missing = WrongInput("The sandbox is not installed.", hint="Run: pip install 'ecs-cd[sandbox]'")
        raise click.ClickException(str(missing)) from None


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
    from ecs_cd.sandbox.up import keep_up  # noqa: PLC0415 - the sandbox's packages are heavy

    return guarded(Frame(), lambda: keep_up(env_file=env_file, agents=agents, extension=extension))


@sandbox.command(short_help="Watch three builds being delivered.")
@_extension
def demo(extension: Path | None) -> int:
    """Deliver three builds to ECS in a sandbox: two that serve, and one that ECS rolls back."""
    from ecs_cd.cli.main import run  # noqa: PLC0415 - it imports this module
    from ecs_cd.sandbox.demo import play  # noqa: PLC0415 - the sandbox's packages are heavy

    return guarded(Frame(), lambda: play(run, extension))
