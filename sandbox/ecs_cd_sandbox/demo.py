"""`ecs-cd sandbox demo`: two pushes to one service's repository on their way to ECS.

Given the extension, each build starts the release pipeline, which delivers with the task, to production after an
approval. Without it the deliveries are the very commands a person would type.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ecs_cd_sandbox.pipelines import ENVIRONMENTS, RELEASE, RELEASED, SERVICES, TASK
from ecs_cd_sandbox.portal import Portal
from ecs_cd_sandbox.sandbox import Sandbox

INTERRUPTED = 130

Run = Callable[[list[str]], int]


class DemoStoppedError(Exception):
    """A command did not end as the demo expected; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        """Keep the exit code."""
        super().__init__(code)
        self.code = code


def play(run: Run, extension: Path | None = None) -> int:
    """Play the demo and return the exit code: 0 when the good builds were deployed and the broken one was not.

    `run` runs one `ecs-cd` command line and returns its exit code; `extension` is the built `.vsix`.
    """
    _print("Starting a sandbox on this machine: AWS (moto), Azure DevOps, and real Terraform with the AWS provider.")
    _print(f"Services {' and '.join(SERVICES)} already run in {' and '.join(ENVIRONMENTS)}, all with tag 100.\n")
    try:
        with Sandbox(extension=extension, approvals=True) as sandbox:
            _reach(sandbox)
            _Demo(sandbox, run).play()
    except DemoStoppedError as stopped:
        return stopped.code
    except KeyboardInterrupt:
        _print("\nInterrupted; the sandbox is stopped and nothing is left behind.")
        return INTERRUPTED
    return 0


def _reach(sandbox: Sandbox) -> None:
    """Let this process reach the sandbox, and nothing that the person's own environment names."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ECS_CD_", "SYSTEM_"))]:
        del os.environ[name]
    os.environ.update(sandbox.environment())


class _Demo:
    def __init__(self, sandbox: Sandbox, run: Run) -> None:
        self._sandbox = sandbox
        self._portal = Portal(sandbox)
        self._run = run
        self._report = Path.cwd() / "ecs-cd-demo-report.json"

    def play(self) -> None:
        self._heading("The state before:")
        self._command("status")
        self._heading(
            f"1. A change is pushed to the repository {RELEASED}. That starts its build (templates/build.yml)."
        )
        self._deliver(self._build({"server.py": "print('Hello')\n"}, "Say hello"))
        self._heading("2. The next change is broken: its container ends at once. Terraform will not notice; ECS will.")
        build = self._build({"Dockerfile": 'FROM scratch\nCMD ["false"]\n'}, "Break it")
        self._sandbox.scheduler.behave("crash-loop", service=RELEASED, tag=str(build))
        self._deliver_broken(build)
        self._heading("The state now: ECS serves the build that worked; the parameter holds the tag of the broken one.")
        self._command("status")
        self._command("history", RELEASED, "development")
        _print(f"\nThe report of the delivery to production, for programs: {self._report}")
        _print("To try it by hand: ecs-cd sandbox up")

    def _build(self, files: dict[str, str | bytes | None], message: str) -> int:
        """Push a change and follow the build that it starts; return the build's id, which is the image's tag."""
        _print(f"\n$ git commit --message '{message}' && git push")
        [build] = self._sandbox.push(RELEASED, files, message)
        self._command("pipeline", "wait", str(build), "--quiet")
        _print(
            f"The build published the tag {build}. (There is no Docker here: an image is registered instead of built.)"
        )
        return build

    def _deliver(self, build: int) -> None:
        """Deliver a good build to both environments."""
        if not self._sandbox.has_release:
            for environment in ENVIRONMENTS:
                self._deliver_by_hand(build, environment, "--report", str(self._report))
            return
        release = self._portal.run_after(RELEASE, build)
        _print(f"\nThe build started the release (templates/release.yml), run {release}: development comes first.")
        _print(
            f"Its agent runs the built extension's task {TASK}, which has Terraform run (templates/infrastructure.yml)."
        )
        approval = self._portal.approval_or_end(release)
        self._show_task(release, "development")
        if approval is None:
            raise DemoStoppedError(1)
        self._heading(f"Production waits for an approval. {self._sandbox.person.display_name} approves.")
        self._portal.approve(approval, "Looks good in development.")
        self._command("pipeline", "wait", str(release), "--quiet")
        self._show_task(release, "production")
        self._report.write_text(self._portal.report(release, "production"), encoding="utf-8", newline="\n")

    def _deliver_broken(self, build: int) -> None:
        """Deliver the broken build, as far as it gets."""
        if not self._sandbox.has_release:
            self._deliver_by_hand(build, "development", ends=1)
            return
        release = self._portal.run_after(RELEASE, build)
        _print(f"\nThe build started the release, run {release}.")
        self._command("pipeline", "wait", str(release), ends=1)
        _print("\nNothing was deployed to production: the release ended in development.")

    def _deliver_by_hand(self, build: int, environment: str, *more: str, ends: int = 0) -> None:
        drop = self._sandbox.folder / "drop"
        self._portal.download(build, "drop", drop)
        tag_file = next(drop.rglob(".buildId"))
        self._command("deploy", RELEASED, environment, "--tag-file", str(tag_file), *more, ends=ends)

    def _show_task(self, release: int, environment: str) -> None:
        """Show how the delivery ended, from its verdict on, as it stands in the log of the task."""
        task = f"Deliver {RELEASED} to {environment}"
        _print(f"\nThe end of the log of the task {TASK}, in the step '{task}':")
        lines = self._portal.log(release, task)
        verdict = next((place for place, line in enumerate(lines) if line.startswith(("OK  ", "FAILED  "))), 0)
        for line in lines[verdict:]:
            _print(f"  | {line}")

    def _heading(self, text: str) -> None:
        _print(f"\n{text}")

    def _command(self, *words: str, ends: int = 0) -> None:
        """Show a command as a person would type it, run it, and see that it ends as it should."""
        shown = [word.replace(f"{self._sandbox.folder}{os.sep}", "") for word in words]
        _print(f"\n$ ecs-cd {' '.join(shown)}")
        code = self._run(list(words))
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code != ends:
            _print(f"The command ended with exit code {code}; the demo expected {ends}.")
            raise DemoStoppedError(code or 1)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
