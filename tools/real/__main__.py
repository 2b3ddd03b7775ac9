"""`python -m tools.real`, which `make real` calls: ask, check, remove, print the table.

Exit code 0: nothing differs from what is expected. 1: something does. 2: not configured, or not agreed to.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType

from ecs_cd.support.clock import Clock, SystemClock
from tools.real.check import settle_all
from tools.real.facts import Row, Verdict
from tools.real.settings import PREFIX, NotConfigured, Settings, read_settings
from tools.real.table import to_text
from tools.real.world import World


def main(
    environ: Mapping[str, str],
    *,
    ask: Callable[[str], str] = input,
    clock: Clock | None = None,
    interval: float = 2.0,
) -> int:
    """Run the check and return the exit code."""
    try:
        settings = read_settings(environ)
    except NotConfigured as error:
        say(str(error))
        return 2
    say(_announcement(settings))
    if not settings.agreed and not _agrees(ask):
        say("Nothing was sent.")
        return 2
    rows = _check(settings, clock or SystemClock(), interval)
    sys.stdout.write(f"{to_text(rows)}\n")
    return 1 if any(row.verdict is Verdict.DIFFERS for row in rows) else 0


def _check(settings: Settings, clock: Clock, interval: float) -> list[Row]:
    with World(settings, clock, say, interval=interval) as world:
        try:
            return settle_all(world, settings, say=say)
        finally:
            say("Removing what was made. Ctrl-C waits until it is done.")
            _ignore_interrupts()


def say(text: str) -> None:
    """Print progress, beside the table."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _announcement(settings: Settings) -> str:
    azure = settings.azure
    lines = [f"This makes things whose names begin with {PREFIX}-, and removes them at the end, after Ctrl-C too:"]
    if settings.region:
        lines.append(
            f"- in AWS, region {settings.region}, with the credentials of this environment: SSM parameters, ECR "
            "repositories with images of a few bytes, ECS clusters with services of no tasks"
        )
    if azure:
        lines.append(
            f"- in {azure.organization}/{azure.project}: runs of pipeline {azure.pipeline}, a minute at most each"
        )
    return "\n".join(lines)


def _agrees(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Go on? Type yes: ").strip().lower() == "yes"
    except EOFError:
        say("Nobody is there to ask: set ECS_CD_REAL_AGREED=yes.")
        return False


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _ignore_interrupts() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(main(os.environ))
    except KeyboardInterrupt:
        sys.exit(130)
