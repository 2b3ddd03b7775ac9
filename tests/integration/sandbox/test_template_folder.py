from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ecs_cd_sandbox.template_folder import TEMPLATES

ROOT = Path(__file__).parents[3]
SHIPPED = {
    path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*") if path.is_file()
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist, as an index's users get them."""
    folder = tmp_path_factory.mktemp("dist")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*hatchling, "-t", "sdist"], cwd=ROOT / "sandbox", check=True, capture_output=True)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    subprocess.run(
        [*hatchling, "-t", "wheel"], cwd=folder / sdist.name.removesuffix(".tar.gz"), check=True, capture_output=True
    )
    return folder


def test_a_clone_has_the_templates_at_its_top() -> None:
    assert TEMPLATES == ROOT / "templates"
    assert "terraform/modules/image-tag/main.tf" in SHIPPED


def test_an_installed_package_has_every_one_of_them_and_finds_them(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "from ecs_cd_sandbox.template_folder import TEMPLATES; print(TEMPLATES)"
    # -S: neither this clone nor anything else that is installed, only the unpacked wheel.
    said = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    found = Path(said.stdout.strip())
    assert found == tmp_path / "ecs_cd_sandbox" / "templates"
    assert {path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file()} == SHIPPED


def test_the_wheel_of_ecs_cd_has_neither_the_templates_nor_the_sandbox(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path), "-t", "wheel"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "ecs_cd/cli/plugins.py" in names
    assert not [name for name in names if "sandbox" in name or "templates/" in name]
