from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws.faults import Delay
from ecs_cd_sandbox.example_infrastructure import STATE_BUCKET, run_steps, seed
from ecs_cd_sandbox.terraform.installation import Step, Terraform, TerraformMissingError, find_command

Result = subprocess.CompletedProcess[str]
MakeRun = Callable[[str], list[Step]]


@pytest.fixture
def make_run(aws: Aws, terraform: Terraform, tmp_path: Path) -> MakeRun:
    """Seed a cloud, and make the steps of a run in a directory of its own."""
    seed(aws, "development")
    aws.create_state_bucket(STATE_BUCKET)

    def make(name: str) -> list[Step]:
        return run_steps(terraform, aws, environment="development", target=tmp_path / name)

    return make


def start(step: Step) -> subprocess.Popen[str]:
    return subprocess.Popen(
        step.argv,
        env={**os.environ, **step.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(steps: list[Step]) -> list[Result]:
    """Run the steps until one fails."""
    results: list[Result] = []
    for step in steps:
        with start(step) as process:
            output, _ = process.communicate()
        results.append(subprocess.CompletedProcess(step.argv, process.returncode, output))
        if process.returncode:
            break
    return results


def lock_of(aws: Aws) -> list[str]:
    contents = aws.client("s3").list_objects_v2(Bucket=STATE_BUCKET).get("Contents", [])
    return [item["Key"] for item in contents if item["Key"].endswith(".tflock")]


def test_a_held_lock_fails_the_run_in_terraforms_own_words(aws: Aws, make_run: MakeRun) -> None:
    lock = {
        "ID": "5f1c0a64-9d3b-4a43-a6ba-0c62a4b8cdbb",
        "Operation": "OperationTypeApply",
        "Who": "agent@pool-7",
        "Version": "1.15.5",
        "Created": "2026-01-02T03:04:05.678Z",
        "Path": f"{STATE_BUCKET}/development.tfstate",
    }
    aws.client("s3").put_object(Bucket=STATE_BUCKET, Key="development.tfstate.tflock", Body=json.dumps(lock))
    results = run(make_run("locked"))
    assert [result.returncode for result in results] == [0, 1]
    for words in ("Error acquiring the state lock", lock["ID"], "agent@pool-7"):
        assert words in results[1].stdout


def test_runs_at_once_either_succeed_or_meet_the_lock(aws: Aws, make_run: MakeRun) -> None:
    runs = [make_run(f"run-{number}") for number in range(3)]
    with start(runs[0][0]) as one, start(runs[1][0]) as two, start(runs[2][0]) as three:
        outputs = [process.communicate()[0] for process in (one, two, three)]
    assert [one.returncode, two.returncode, three.returncode] == [0, 0, 0], outputs
    with start(runs[0][1]) as one, start(runs[1][1]) as two, start(runs[2][1]) as three:
        outcomes = {process.communicate()[0]: process.returncode for process in (one, two, three)}
    assert 0 in outcomes.values()
    assert all("Error acquiring the state lock" in output for output, code in outcomes.items() if code)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a process group")
def test_an_interrupt_in_mid_apply_frees_the_lock(aws: Aws, make_run: MakeRun) -> None:
    init, apply = make_run("interrupted")
    assert [result.returncode for result in run([init])] == [0]
    aws.inject("ecs", "CreateService", Delay(1), times=2)
    with start(apply) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "aws_ecs_service.this" in line and "Creating..." in line:
                assert lock_of(aws) == ["development.tfstate.tflock"]
                os.killpg(process.pid, signal.SIGINT)
                break
        output = process.stdout.read()
    assert process.returncode == 1
    assert "Interrupt received" in output
    assert lock_of(aws) == []


def test_two_processes_may_unpack_the_provider_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from ecs_cd_sandbox.terraform.installation import Terraform; "
        "Terraform(pathlib.Path(sys.argv[1]))"
    )
    with (
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as one,
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as two,
    ):
        pass
    assert (one.returncode, two.returncode) == (0, 0)
    left = [path.name for path in tmp_path.iterdir()]
    assert set(left) - {"providers"} == {"terraform.rc", "tmp"}


def test_without_the_wheel_path_serves_and_without_both_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda name: "/opt/tofu" if name == "tofu" else None)
    assert find_command() == ["/opt/tofu"]
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(TerraformMissingError, match=r"pip install 'ecs-cd\[sandbox\]'"):
        find_command()
