"""`ecs-cd sandbox up` and `ecs-cd sandbox demo`, as a person starts and stops them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.sandbox_commands import StartedCommand, read_environment, started_command
from tests.support.built_extension import built_extension

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc to find what is left behind")


def ready(sandbox: StartedCommand, env_file: Path) -> dict[str, str]:
    """Wait until a sandbox is up, and return its environment."""
    sandbox.reach("Press Ctrl-C to stop.")
    environment = read_environment(env_file)
    for name, value in environment.items():
        assert f"export {name}={value}" in sandbox.told.replace("'", "")
    return environment


def serves(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return what `ecs-cd status` says of development."""
    argv = ("status", "--environment", "development", "--output", "json")
    with started_command(folder, *argv, environment=environment) as status:
        assert status.end() == 0, status.told
    return {one["service"]: one["serves"] for one in json.loads(status.told)}


def test_two_sandboxes_at_once_serve_other_processes_and_stop_cleanly(tmp_path: Path) -> None:
    one, two, client = (tmp_path / name for name in ("one", "two", "client"))
    for folder in (one, two, client):
        folder.mkdir()
    with (
        started_command(one, "sandbox", "up", "--env-file", "env") as up,
        started_command(two, "sandbox", "demo") as demo,
    ):
        here = ready(up, one / "env")
        build = ("pipeline", "queue", "--pipeline", "my-worker", "--branch", "main", "--wait")
        for argv in (build, ("deploy", "my-worker", "development", "--tag", "101")):
            with started_command(client, *argv, environment=here) as command:
                assert command.end() == 0, command.told
        assert_played(demo, two)
        assert here["ECS_CD_ORGANIZATION"] not in demo.told
        assert not re.search(r"my-worker .*101", demo.told), demo.told
        assert serves(client, here) == {"my-api": "100", "my-worker": "101"}
        up.terminate()
        assert up.end() == 0, up.told
        assert up.told.endswith("Stopped; nothing is left behind.\n")
        assert up.left_behind() == []
        assert not (one / "env").exists()


def assert_played(demo: StartedCommand, folder: Path) -> None:
    """Check that the demo shows two deliveries that serve and one that ECS takes back, and leaves its report alone."""
    assert demo.end() == 0, demo.told
    assert demo.left_behind() == []
    for words in (
        "The build published the tag 101.",
        "OK  my-api 101 is deployed to development.",
        "OK  my-api 101 is deployed to production.",
        "error: my-api 104 to development: ",
        "Essential container in task exited; api: exit code 1",
    ):
        assert words in demo.told, demo.told
    report = json.loads((folder / "ecs-cd-demo-report.json").read_text(encoding="utf-8"))
    assert (report["outcome"], report["environment"], report["tag"]) == ("deployed", "production", "101")


@pytest.mark.parametrize(
    ("words", "stop", "code"),
    [("up", StartedCommand.interrupt, 0), ("demo", StartedCommand.terminate, 130)],
    ids=["Ctrl-C of up", "SIGTERM of demo"],
)
def test_a_sandbox_stopped_while_it_starts_leaves_nothing(
    tmp_path: Path, words: str, stop: Callable[[StartedCommand], None], code: int
) -> None:
    with started_command(tmp_path, "sandbox", words) as sandbox:
        sandbox.wait_for_terraform()
        stop(sandbox)
        assert sandbox.end() == code, sandbox.told
        assert "Traceback" not in sandbox.told
        assert sandbox.left_behind() == []


def test_an_env_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with started_command(tmp_path, "sandbox", "up", "--env-file", "no/such/env") as sandbox:
        assert sandbox.end() == 2
        assert "Traceback" not in sandbox.told
        assert "There is no folder no/such" in sandbox.told


def test_with_the_extension_the_demo_delivers_through_its_task(tmp_path: Path) -> None:
    with started_command(tmp_path, "sandbox", "demo", "--extension", str(built_extension())) as demo:
        assert demo.end() == 0, demo.told
        assert demo.left_behind() == []
    for words in (
        "The build published the tag 101.",
        "The build started the release (templates/release.yml), run 102: development comes first.",
        "The end of the log of the task EcsCd@1, in the step 'Deliver my-api to development':",
        "  | OK  my-api 101 is deployed to development.",
        "Production waits for an approval. Ada Operator approves.",
        "  | OK  my-api 101 is deployed to production.",
        "The build published the tag 105.",
        "failed in task 'Deliver my-api to development'.",
        "Essential container in task exited; api: exit code 1",
        "Nothing was deployed to production",
    ):
        assert words in demo.told, demo.told
    report = json.loads((tmp_path / "ecs-cd-demo-report.json").read_text(encoding="utf-8"))
    assert (report["outcome"], report["environment"], report["tag"]) == ("deployed", "production", "101")


def test_an_extension_the_sandbox_cannot_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "x.vsix").write_text("no zip")
    with started_command(tmp_path, "sandbox", "up", "--extension", "x.vsix") as sandbox:
        assert sandbox.end() == 1
        assert "Traceback" not in sandbox.told
        assert "The sandbox cannot start: x.vsix cannot be unpacked" in sandbox.told
        assert sandbox.left_behind() == []


def test_ctrl_c_in_the_middle_of_an_apply_ends_the_demo_and_all_it_started(tmp_path: Path) -> None:
    with started_command(tmp_path, "sandbox", "demo") as demo:
        demo.reach("task 'Plan' started")
        demo.interrupt()
        assert demo.end() == 130, demo.told
        assert "Traceback" not in demo.told
        assert "Interrupted while following run" in demo.told
        assert demo.told.endswith("Interrupted; the sandbox is stopped and nothing is left behind.\n")
        assert demo.left_behind() == []
