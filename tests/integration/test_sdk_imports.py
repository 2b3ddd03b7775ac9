"""The SDKs are imported while other threads ask other clouds; they must not be imported at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.conftest import FORBIDDEN

ROOT = Path(__file__).parents[2]

SCRIPT = """
import contextlib, sys, threading

begun, tried = [], threading.Event()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("requests") or name == "urllib3.contrib.pyopenssl":
            begun.append(name)
        if name == "urllib3.contrib.pyopenssl":
            tried.set()
        if name == "requests.packages":
            tried.wait(1)  # give botocore every chance to come in between

sys.meta_path.insert(0, Finder())

from ecs_cd.aws import AwsSettings, connect as aws
from ecs_cd.azure_devops import AzureDevOpsSettings, connect as azure_devops
from ecs_cd.errors import EcsCdError
from ecs_cd.model.service import ServiceTarget
from ecs_cd.support.concurrency import run_together
from ecs_cd.support.clock import SystemClock

class Hasty(SystemClock):
    def sleep(self, seconds):
        pass

nobody = "http://127.0.0.1:1"
services = aws(AwsSettings(region="eu-west-1", endpoint_url=nobody), attempts=1).services
pipelines = azure_devops(AzureDevOpsSettings(nobody + "/acme", "platform", pat="p"), Hasty())

def ask(question):
    with contextlib.suppress(EcsCdError):
        question()

run_together(
    lambda: ask(lambda: pipelines.find("infrastructure")),
    lambda: ask(lambda: services.snapshot(ServiceTarget("development", "my-api"))),
)
print(*begun)
"""


def test_botocore_does_not_try_and_take_back_a_module_while_requests_looks_through_all() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "NO_PROXY": "*"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, ""), "no warning either, where botocore puts back the filters it found"
    begun = done.stdout.split()
    tried = begun.index("urllib3.contrib.pyopenssl")
    assert "requests.packages" in begun
    assert tried in (0, len(begun) - 1), begun


def test_the_unit_tests_import_no_sdk_and_no_server() -> None:
    collect = (
        "import sys, pytest; pytest.main(['-q', '--collect-only', '-n', '0', '-p', 'no:cacheprovider', 'tests/unit'])"
    )
    show = f"print('IMPORTED', [name for name in {FORBIDDEN!r} if name in sys.modules])"
    argv = [sys.executable, "-c", f"{collect}; {show}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.endswith("IMPORTED []\n")
