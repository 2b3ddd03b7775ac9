"""`ecs-cd sandbox up`: keep the sandbox running and say how to reach it."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from ecs_cd.errors import WrongInput
from ecs_cd.files import write_whole
from ecs_cd.sandbox.local import REGION, Sandbox
from ecs_cd.sandbox.pipelines import ENVIRONMENTS, INFRASTRUCTURE, RELEASE, SERVICES, TASK


def keep_up(*, env_file: Path | None, agents: int, extension: Path | None = None) -> int:
    """Start the sandbox, print `export` lines on stdout, and wait for Ctrl-C or SIGTERM; return the exit code.

    `env_file` gets the same variables as NAME=VALUE lines once all is up, and is removed at the end.
    `extension` is the built `.vsix`.

    Raises:
        WrongInput: the file cannot be written.
    """
    if env_file and not env_file.parent.is_dir():
        raise WrongInput(f"There is no folder {env_file.parent} to write {env_file.name} to.", hint="Make it first.")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _serve(env_file, Sandbox(agents=agents, extension=extension))
    _say("Stopped; nothing is left behind.")
    return 0


def _serve(env_file: Path | None, starting: Sandbox) -> None:
    """Keep a sandbox up until KeyboardInterrupt, which may come while it still starts."""
    _say("Starting AWS (moto), Azure DevOps and Terraform, and applying the demo infrastructure ...")
    with starting as sandbox:
        environment = sandbox.environment()
        for name, value in environment.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        try:
            if env_file:
                write_whole(env_file, "".join(f"{name}={value}\n" for name, value in environment.items()), private=True)
            _describe(sandbox)
            while True:
                time.sleep(1)
        finally:
            if env_file:
                with suppress(FileNotFoundError):
                    env_file.unlink()


def _describe(sandbox: Sandbox) -> None:
    branches = ", ".join(f"{branch} -> {environment}" for environment, branch in ENVIRONMENTS.items())
    release = f"\nRelease       pipeline {RELEASE}, through the task {TASK}" if sandbox.has_release else ""
    _say(
        f"""
AWS           {sandbox.aws.url}  (account {sandbox.aws.account_id}, region {REGION})
Azure DevOps  {sandbox.azure_devops.url}  (project {sandbox.azure_devops.project.name})
Terraform     pipeline {INFRASTRUCTURE}  ({branches})
CI builds     pipelines {", ".join(SERVICES)}{release}
Settings      {sandbox.settings}

In another terminal, run the export lines above, then try:
  ecs-cd status
  ecs-cd pipeline queue --pipeline my-api --branch main --wait     # a build: it pushes tag 101
  ecs-cd deploy my-api development --tag 101
Press Ctrl-C to stop."""
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
