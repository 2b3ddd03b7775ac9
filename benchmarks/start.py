"""How long it takes to start: the library, the command, and the whole guarded path to a queued run.

    .venv/bin/python -m benchmarks.start [--aws PATH/TO/aws] [--runs 7] [--round-trip 50]

Prints medians over whole processes, taken in turn so that a machine that changes speed changes all of them alike. The
guarded path is timed from the start of the process to the moment the sandbox's Azure DevOps is asked to queue the run;
the process is then killed, and its CPU time is what it had used by then. With `--aws`, `aws ssm put-parameter`, which
guards nothing, is timed beside it as a whole process. `--round-trip` adds that many milliseconds to each request: what
is asked at the same time then takes no longer.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws.faults import Delay
from ecs_cd_sandbox.azure_devops import AzureDevOps, Identity, PipelineDefinition, Token

PAT = "a-token-for-the-benchmark-alone"
FOREVER = 10**6
NAME = "/my-api/development/docker-image-tag"

Timing = tuple[float, float]
"""Wall and CPU seconds."""


def whole(argv: list[str], environ: dict[str, str]) -> Timing:
    """Time a process from its start to its end."""
    began = time.monotonic()
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, argv
    return wall, usage.ru_utime + usage.ru_stime


def to_queue(azure_devops: AzureDevOps, argv: list[str], environ: dict[str, str]) -> Timing:
    """Time a process from its start to its request to queue a run."""
    azure_devops.recorder.clear()
    began = time.monotonic()
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not azure_devops.recorder.find("POST", "/runs"):
        assert time.monotonic() - began < 60, "no run was queued"
        time.sleep(0.001)
    wall = time.monotonic() - began
    process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage.ru_utime + usage.ru_stime


def measure(cases: dict[str, Callable[[], Timing]], runs: int) -> None:
    """Run the cases in turn and print the medians."""
    taken: dict[str, list[Timing]] = {name: [] for name in cases}
    for _ in range(runs + 1):
        for name, case in cases.items():
            taken[name].append(case())
    print(f"{'':44}{'wall':>9}{'CPU':>9}   median of {runs}, after one to warm up")
    for name, timings in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*timings[1:], strict=True))
        print(f"{name:44}{wall * 1000:6.0f} ms{cpu * 1000:6.0f} ms")


def main() -> None:
    """Start the servers and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    arguments.add_argument("--aws", help="an AWS CLI to compare with")
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--round-trip", type=float, default=0, help="milliseconds added to each request")
    wanted = arguments.parse_args()
    pipeline = PipelineDefinition(1, "infra")
    token = Token(PAT, Identity("Benchmark"))
    with (
        TemporaryDirectory() as folder,
        Aws() as aws,
        AzureDevOps(definitions=[pipeline], tokens=[token], agents=0) as ado,
    ):
        aws.create_repository("my-api")
        aws.push_image("my-api", "101")
        (Path(folder) / "ecs-cd.yml").write_text(
            f"organization: {ado.url}\nproject: platform\n"
            f"services:\n  my-api:\n    parameter: {NAME}\n    pipeline: infra\n    ecs: null\n"
            "environments:\n  development: {branch: main}\n",
            encoding="utf-8",
        )
        environ = {**os.environ, **aws.environment(), "ECS_CD_SETTINGS": f"{folder}/ecs-cd.yml"}
        environ["ECS_CD_AZURE_DEVOPS_PAT"] = PAT
        python = [sys.executable]
        if wanted.round_trip:
            ado.faults.delay("*", "", seconds=wanted.round_trip / 1000, times=FOREVER)
            for service in ("ecr", "ecs", "ssm"):
                aws.inject(service, None, Delay(wanted.round_trip / 1000), times=FOREVER)

        def deliver() -> Timing:
            aws.put_parameter(NAME, "100")
            return to_queue(ado, [*python, "-m", "ecs_cd", "deploy", "my-api", "development", "--tag", "101"], environ)

        cases: dict[str, Callable[[], Timing]] = {
            "python -c pass": lambda: whole([*python, "-c", "pass"], environ),
            "python -c 'import ecs_cd'": lambda: whole([*python, "-c", "import ecs_cd"], environ),
            "ecs-cd --version": lambda: whole([*python, "-m", "ecs_cd", "--version"], environ),
            "ecs-cd deploy, to the queued run": deliver,
        }
        if wanted.aws:
            put = [wanted.aws, "ssm", "put-parameter", "--name", NAME, "--value", "9", "--overwrite"]
            cases["aws ssm put-parameter"] = lambda: whole(put, environ)
        measure(cases, wanted.runs)


if __name__ == "__main__":
    main()
