from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import Node, TaskPackageError, find_task, unpack
from ecs_cd_sandbox.azure_devops.agent import task_package as package
from ecs_cd_sandbox.azure_devops.agent.task_package import read_task
from tests.support.node_tasks import manifest, vsix, write_task

NODE_20, NODE_24 = Node(Path("node"), 20), Node(Path("node"), 24)


def extension(*folders: str) -> str:
    contributions: list[dict[str, Any]] = [
        {"id": folder, "type": "ms.vss-distributed-task.task", "properties": {"name": folder}} for folder in folders
    ]
    return json.dumps({"manifestVersion": 1, "contributions": [{"type": "ms.vss-web.tab"}, *contributions]})


def files(folder: str = "Tiny", **more: Any) -> dict[str, str]:  # noqa: ANN401 - passed on
    return {
        "extension.vsomanifest": extension("Tiny"),
        f"{folder}/task.json": json.dumps(manifest(**more)),
        f"{folder}/index.js": "",
    }


def test_an_extension_is_unpacked_and_its_tasks_are_found_by_name_and_major_version(tmp_path: Path) -> None:
    second = files("Tiny/V2", version={"Major": 2, "Minor": 0, "Patch": 0})
    newer = files("Tiny/V1.10", version={"Major": 1, "Minor": 10, "Patch": 0})
    tasks = unpack(vsix(tmp_path / "x.vsix", {**files("Tiny/V1"), **newer, **second}), tmp_path / "out")
    assert find_task(tasks, "tiny@1").reference.version == "1.10.0"
    assert find_task(tasks, "Tiny@2").folder == tmp_path / "out" / "Tiny" / "V2"
    with pytest.raises(TaskPackageError, match="there is no Tiny@3"):
        find_task(tasks, "Tiny@3")


def test_a_task_the_extension_does_not_contribute_is_not_there(tmp_path: Path) -> None:
    content = {**files(), "extension.vsomanifest": extension()}
    with pytest.raises(TaskPackageError, match="contributes no task"):
        unpack(vsix(tmp_path / "x.vsix", content), tmp_path / "out")


@pytest.mark.parametrize("name", ["../evil", "/evil", "Tiny/../../evil", "C:/evil", "..\\evil", "Tiny\\..\\..\\evil"])
def test_an_extension_that_would_write_outside_of_its_folder_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    hostile = vsix(tmp_path / "x.vsix", {**files(), name: "evil"})
    with pytest.raises(TaskPackageError, match="outside of its folder"):
        unpack(hostile, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.vsix"]


def test_an_extension_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("Tiny/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = vsix(tmp_path / "x.vsix", files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc")
    with pytest.raises(TaskPackageError, match="symbolic link"):
        unpack(path, tmp_path / "out")


def test_an_extension_that_grows_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "LARGEST", 10)
    with pytest.raises(TaskPackageError, match="too large"):
        unpack(vsix(tmp_path / "x.vsix", files()), tmp_path / "out")


def test_a_contribution_that_points_outside_is_refused(tmp_path: Path) -> None:
    write_task(tmp_path / "elsewhere", "")
    content = {**files(), "extension.vsomanifest": extension("../elsewhere")}
    with pytest.raises(TaskPackageError, match="outside of its folder"):
        unpack(vsix(tmp_path / "x.vsix", content), tmp_path / "out")


@pytest.mark.parametrize("content", ["no zip", ""])
def test_what_is_no_extension_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.vsix").write_text(content)
    with pytest.raises(TaskPackageError, match=r"x\.vsix cannot be unpacked"):
        unpack(tmp_path / "x.vsix", tmp_path / "out")


@pytest.mark.parametrize(
    "more",
    [
        {"version": {"Major": 1}},
        {"version": None},
        {"inputs": [{"name": "x"}]},
        {"execution": {"Node24": {"target": "missing.js"}}},
        {"execution": {"Node24": {"target": "../../index.js"}}},
        {"execution": []},
    ],
)
def test_a_manifest_without_what_the_agent_needs_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(TaskPackageError, match=r"task\.json is not a task's"):
        read_task(write_task(tmp_path / "tiny", "", **more))


def test_the_best_handler_the_node_can_run_is_chosen(tmp_path: Path) -> None:
    script = {"target": "index.js"}
    both = read_task(write_task(tmp_path, "", execution={"Node16": script, "Node20_1": script, "Node24": script}))
    assert both.handler_for(NODE_24).name == "Node24"
    assert both.handler_for(NODE_20).name == "Node20_1"
    old = read_task(write_task(tmp_path, "", execution={"Node16": script}))
    with pytest.raises(TaskPackageError, match=r"no handler for Node\.js 20: it has Node16"):
        old.handler_for(NODE_20)
