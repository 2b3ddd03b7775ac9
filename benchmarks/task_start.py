"""How long the built task takes from its start to its first request, beside a bare start of Python.

    make vsix && .venv/bin/python -m benchmarks.task_start [--runs 7]

Runs `index.js` out of the built extension with node and an agent's environment against the sandbox's servers, and stops
the clock when the first request arrives. "First time" is an agent that has never run the task: no compiled Python lies
there yet. Medians over whole processes; the process group is killed when the clock has stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from ecs_cd.version import VERSION
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.azure_devops import AzureDevOps, Identity, PipelineDefinition, Token, find_node

VSIX = Path(__file__).parents[1] / "dist" / f"ecs-cd-{VERSION}.vsix"
TOKEN = "a-job-token-for-the-benchmark"
INPUTS = {
    "COMMAND": "deploy",
    "SERVICE": "my-api",
    "ENVIRONMENT": "development",
    "TAG": "101",
    "PARAMETER": "/my-api/development/docker-image-tag",
    "PIPELINE": "infra",
    "BRANCH": "main",
    "REGIONNAME": "eu-west-1",
    "VERIFY": "false",
    "PYTHONPATH": sys.executable,
}


def environment(aws: Aws, azure_devops: AzureDevOps, temporary: str) -> dict[str, str]:
    """Return what an agent gives a task."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **aws.environment(),
        **{f"INPUT_{name}": value for name, value in INPUTS.items()},
        "AGENT_TEMPDIRECTORY": temporary,
        "SYSTEM_DEFAULTWORKINGDIRECTORY": temporary,
        "SYSTEM_COLLECTIONURI": f"{azure_devops.url}/",
        "SYSTEM_TEAMPROJECT": "platform",
        "SYSTEM_HOSTTYPE": "build",
        "TF_BUILD": "True",
        "ENDPOINT_URL_SYSTEMVSSCONNECTION": f"{azure_devops.url}/",
        "ENDPOINT_AUTH_SYSTEMVSSCONNECTION": json.dumps({"scheme": "OAuth", "parameters": {"AccessToken": TOKEN}}),
        "ENDPOINT_AUTH_SCHEME_SYSTEMVSSCONNECTION": "OAuth",
        "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN": TOKEN,
    }


def to_first_request(aws: Aws, azure_devops: AzureDevOps, folder: Path, environ: dict[str, str]) -> float:
    """Time the task from its start to its first request at either server."""
    aws.forget_requests()
    azure_devops.recorder.clear()
    node = find_node(os.environ).path
    began = time.monotonic()
    process = subprocess.Popen(
        [node, folder / "index.js"], env=environ, stdout=subprocess.DEVNULL, cwd=folder, start_new_session=True
    )
    while not aws.requests and not azure_devops.recorder.exchanges:
        assert time.monotonic() - began < 60, "the task asked for nothing"
        time.sleep(0.001)
    wall = time.monotonic() - began
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.2)  # what the killed process still had on its way is not the next one's
    return wall


def bare(environ: dict[str, str]) -> float:
    """Time a start of Python that does nothing."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", "pass"], env=environ, check=True)
    return time.monotonic() - began


def forget_compiled(folder: Path) -> None:
    """Make the folder as it is on an agent that has never run the task."""
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)


def main() -> None:
    """Unpack the extension, start the servers, measure."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--runs", type=int, default=7)
    runs = arguments.parse_args().runs
    tokens = [Token(TOKEN, Identity("Benchmark"), kind="job")]
    azure_devops = AzureDevOps(definitions=[PipelineDefinition(1, "infra")], tokens=tokens, agents=0)
    with TemporaryDirectory() as temporary, Aws() as aws, azure_devops:
        with zipfile.ZipFile(VSIX) as archive:
            archive.extractall(temporary)
        folder = Path(temporary) / "task" / "dist" / "EcsCdV1"
        environ = environment(aws, azure_devops, temporary)
        taken: dict[str, list[float]] = {"python -I -c pass": [], "the task, first time": [], "the task, later": []}
        for _ in range(runs):
            taken["python -I -c pass"].append(bare(environ))
            forget_compiled(folder)
            taken["the task, first time"].append(to_first_request(aws, azure_devops, folder, environ))
            taken["the task, later"].append(to_first_request(aws, azure_devops, folder, environ))
    for name, walls in taken.items():
        milliseconds = [wall * 1000 for wall in walls]
        span = f"{min(milliseconds):.0f} to {max(milliseconds):.0f}"
        print(f"{name:24}{statistics.median(milliseconds):7.0f} ms   median of {runs}, {span}")


if __name__ == "__main__":
    main()
