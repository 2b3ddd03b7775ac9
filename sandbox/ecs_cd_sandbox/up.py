"""`ecs-cd sandbox up`: keep the sandbox running and say how to reach it."""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ecs_cd_sandbox.pipelines import ENVIRONMENTS, INFRASTRUCTURE, RELEASE, SERVICES, TASK
from ecs_cd_sandbox.sandbox import REGION, Sandbox


def keep_up(*, env_file: Path | None, agents: int, extension: Path | None = None) -> int:
    """Start the sandbox, print `export` lines on stdout, and wait for KeyboardInterrupt; return the exit code.

    `env_file`, in a folder that is there, gets the same variables as NAME=VALUE lines once all is up, and is removed at
    the end.
    `extension` is the built `.vsix`.
    """
    with suppress(KeyboardInterrupt):
        _serve(env_file, Sandbox(agents=agents, extension=extension))
    _print("Stopped; nothing is left behind.")
    return 0


def _serve(env_file: Path | None, starting: Sandbox) -> None:
    """Keep a sandbox up until KeyboardInterrupt, which may come while it still starts."""
    _print("Starting AWS (moto), Azure DevOps and Terraform, and applying the demo infrastructure ...")
    with starting as sandbox:
        environment = sandbox.environment()
        for name, value in environment.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        try:
            if env_file:
                _write_private(env_file, "".join(f"{name}={value}\n" for name, value in environment.items()))
            _describe(sandbox)
            while True:
                time.sleep(1)
        finally:
            if env_file:
                with suppress(FileNotFoundError):
                    env_file.unlink()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read and of which nobody ever reads half."""
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a handle has no path
            file.write(text)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _describe(sandbox: Sandbox) -> None:
    branches = ", ".join(f"{branch} -> {environment}" for environment, branch in ENVIRONMENTS.items())
    release = f"\nRelease       pipeline {RELEASE}, through the task {TASK}" if sandbox.has_release else ""
    _print(
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
  ecs-cd sandbox behave --help                                    # let a rollout go another way
Press Ctrl-C to stop."""
    )


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
