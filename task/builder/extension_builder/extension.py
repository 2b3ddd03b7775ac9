"""The extension: the task's folder with all that is in it, the manifest, and the version stamped into both."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ecs_cd.version import VERSION
from extension_builder import (
    archive,
    content_types,
    input_digest,
    node,
    python_packages,
    sbom,
    smoke_test,
    wheels,
)
from extension_builder.contents import LIMIT

ROOT = Path(__file__).parents[3]
TASK = ROOT / "task"
NAME = "EcsCdV1"
BUILT_TASK = Path("task", "dist", NAME)
"""Where the built task is, in the repository and in the package: `vss-extension.json` names it."""

VARIANTS = ("public", "dev")
_NOT_FOR_TFX = frozenset({"python", "licenses", "sbom.cdx.json"})
"""What of the task's folder tfx has no need to see."""


def vsix(variant: str, root: Path = ROOT) -> Path:
    """Return where the extension of a variant is written to."""
    return root / "dist" / f"ecs-cd-{VERSION}{'' if variant == 'public' else f'-{variant}'}.vsix"


def current(variant: str) -> Path:
    """Return where the extension is, built only if what it is made from has changed since. Raises as `build` does."""
    recorded = ROOT / "build" / f"extension-{variant}.inputs"
    digest = input_digest.digest(ROOT)
    made = vsix(variant).exists() and (ROOT / BUILT_TASK).exists()
    if not (made and recorded.exists() and recorded.read_text(encoding="utf-8") == digest):
        build(variant)
        recorded.write_text(digest, encoding="utf-8")
    return vsix(variant)


def build(variant: str) -> Path:
    """Build the extension and return where it is; leave the built task where `vss-extension.json` finds it.

    Raises:
        RuntimeError: a tool failed, or the bundle does not work on its own.
        ValueError: an input is not as it must be, or the extension has become too big.
    """
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="vsix-") as scratch:
        root, packed = Path(scratch, "root"), Path(scratch, "packed.vsix")
        stage(root, variant)
        packed.write_bytes(archive.pack(package_files(root, variant, Path(scratch))))
        size = packed.stat().st_size
        if size > LIMIT:
            raise ValueError(f"The extension has {size:,} bytes, more than {LIMIT:,}.")
        target = vsix(variant)
        target.parent.mkdir(exist_ok=True)
        packed.replace(target)
        _replace_folder(root / BUILT_TASK, ROOT / BUILT_TASK)
    return target


def stage(root: Path, variant: str) -> None:
    """Lay out in `root` all that the manifest names, at the places it has in the repository. Raises as `build` does."""
    for name in ("vss-extension.json", "LICENSE", "task/overview.md", "task/images"):
        _copy(ROOT / name, root / name)
    for overrides in ROOT.glob("vss-extension.*.json"):
        _copy(overrides, root / overrides.name)
    _build_task(root / BUILT_TASK, variant)


def package_files(root: Path, variant: str, scratch: Path) -> dict[str, bytes]:
    """Return the files of the extension staged in `root`, by their names in the package.

    tfx makes its manifests of the few files it needs for that; the others are added here, since tfx, which starts a
    process for each of a kind unknown to it, takes half a minute for all. Raises as `build` does.
    """
    seen = scratch / "seen"
    shutil.copytree(root, seen, ignore=lambda _folder, names: _NOT_FOR_TFX.intersection(names))
    overrides = seen / f"vss-extension.{variant}.json"
    node.create_extension(
        TASK, seen, scratch / "tfx.vsix", version=VERSION, overrides=overrides if overrides.exists() else None
    )
    files = archive.read(scratch / "tfx.vsix")
    del files[content_types.NAME]
    for path in sorted((root / BUILT_TASK).rglob("*")):
        if path.is_file():
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    return {**files, content_types.NAME: content_types.content_types(files)}


def stamped_task(task: dict[str, Any], version: str) -> dict[str, Any]:
    """Return `task.json` with the version.

    Its first number is the task's own, by which pipelines choose it (`EcsCd@1`), also while the product's is 0; the
    second carries both of the product's, so that it never goes back: 0.3.4 is 1.3.4, 1.0.0 is 1.100.0.

    Raises:
        ValueError: the product's first number is another, so that the task needs a new folder.
    """
    major, minor, patch = map(int, re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version).groups())  # type: ignore[union-attr]  # a test of its own
    own = task["version"]["Major"]
    if major not in (0, own):
        raise ValueError(f"Version {version} does not belong into a task of version {own}.")
    return {**task, "version": {"Major": own, "Minor": 100 * major + minor, "Patch": patch}}


def _build_task(task: Path, variant: str) -> None:
    task.mkdir(parents=True)
    definition = _read_task_definition(variant)
    text = json.dumps(stamped_task(definition, VERSION), indent=2, ensure_ascii=False) + "\n"
    (task / "task.json").write_text(text, encoding="utf-8", newline="\n")
    _copy(TASK / NAME / "icon.png", task / "icon.png")
    _copy(TASK / "python" / "start.py", task / "python" / "start.py")
    python_packages.copy_own(ROOT / "ecs_cd", ROOT / "LICENSE", task)
    pins = wheels.read_pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    distributions = python_packages.unpack(wheels.fetch(pins, ROOT / "build" / "wheels"), task)
    smoke_test.run(task)
    node.install(TASK)
    node.bundle(TASK, task)
    npm = sbom.npm_components(
        (task / "index.js").read_text(encoding="utf-8"), (TASK / "package-lock.json").read_text(encoding="utf-8")
    )
    bill = sbom.write_sbom(VERSION, distributions, npm)
    (task / "sbom.cdx.json").write_text(bill, encoding="utf-8", newline="\n")


def _read_task_definition(variant: str) -> dict[str, Any]:
    """Return `task.json` with what the variant's file says in its place."""
    definition: dict[str, Any] = json.loads((TASK / NAME / "task.json").read_text(encoding="utf-8"))
    overrides = TASK / f"task.{variant}.json"
    return {**definition, **json.loads(overrides.read_text(encoding="utf-8"))} if overrides.exists() else definition


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _replace_folder(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(exist_ok=True)
    source.replace(target)
