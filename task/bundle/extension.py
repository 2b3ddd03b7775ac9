"""The extension: the task's folder with all that is in it, the manifest, and the version stamped into both."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ecs_cd.version import VERSION
from task.bundle import archive, content_types, inputs, library, node, proof, sbom, wheels
from task.bundle.contents import LIMIT

ROOT = Path(__file__).parents[2]
TASK = ROOT / "task"
NAME = "EcsCdV1"
VARIANTS = ("public", "dev")
_UNSEEN = frozenset({"python", "licenses", "sbom.cdx.json"})
"""What of the task's folder is no concern of tfx."""


def vsix(variant: str, root: Path = ROOT) -> Path:
    """Return where the extension of a variant is written to."""
    return root / "dist" / f"ecs-cd-{VERSION}{'' if variant == 'public' else f'-{variant}'}.vsix"


def current(variant: str) -> Path:
    """Return where the extension is, built only if what it is made from has changed since. Raises as `build` does."""
    note = ROOT / "build" / f"extension-{variant}.inputs"
    made_from = inputs.digest(ROOT)
    if not (vsix(variant).exists() and note.exists() and note.read_text(encoding="utf-8") == made_from):
        build(variant)
        note.write_text(made_from, encoding="utf-8")
    return vsix(variant)


def build(variant: str) -> Path:
    """Build the extension and return where it is.

    Raises:
        RuntimeError: a tool failed, or the bundle does not work on its own.
        ValueError: an input is not as it must be, or the extension has become too big.
    """
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="vsix-") as scratch:
        root, packed = Path(scratch, "extension"), Path(scratch, "packed.vsix")
        _assemble(root, variant)
        packed.write_bytes(archive.pack(_files(root, Path(scratch)), ROOT / "build" / "packed"))
        size = packed.stat().st_size
        if size > LIMIT:
            raise ValueError(f"The extension has {size:,} bytes, more than {LIMIT:,}.")
        target = vsix(variant)
        target.parent.mkdir(exist_ok=True)
        packed.replace(target)
        _lay_out(root, ROOT / "build" / f"extension-{variant}")
    return target


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


def _assemble(root: Path, variant: str) -> None:
    task = root / NAME
    task.mkdir(parents=True)
    manifest = _overlaid(TASK / "vss-extension.json", variant)
    _write_json(root / "vss-extension.json", {**manifest, "version": VERSION})
    _write_json(task / "task.json", stamped_task(_overlaid(TASK / NAME / "task.json", variant), VERSION))
    for name in ("overview.md", "images"):
        _copy(TASK / name, root / name)
    _copy(ROOT / "LICENSE", root / "LICENSE")
    for icon in sorted((TASK / NAME).glob("icon.*")):
        _copy(icon, task / icon.name)
    _copy(TASK / "python" / "start.py", task / "python" / "start.py")
    library.copy_own(ROOT / "ecs_cd", ROOT / "LICENSE", task)
    pins = wheels.read_pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    distributions = library.unpack(wheels.fetch(pins, ROOT / "build" / "wheels"), task)
    proof.prove(task)
    node.install(TASK)
    node.bundle(TASK, task)
    packages = sbom.npm_packages(
        (task / "index.js").read_text(encoding="utf-8"), (TASK / "package-lock.json").read_text(encoding="utf-8")
    )
    bill = sbom.bill(VERSION, distributions, packages)
    (task / "sbom.cdx.json").write_text(bill, encoding="utf-8", newline="\n")


def _files(root: Path, scratch: Path) -> dict[str, bytes]:
    """Return the files of the extension: tfx makes its manifests of the few it looks at, the others join here.

    tfx takes half a minute for all of them.
    """
    shutil.copytree(root, scratch / "seen", ignore=lambda _folder, names: _UNSEEN.intersection(names))
    node.create_extension(TASK, scratch / "seen", scratch / "tfx.vsix")
    files = archive.read(scratch / "tfx.vsix")
    del files[content_types.NAME]
    for path in sorted((root / NAME).rglob("*")):
        if path.is_file():
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    return {**files, content_types.NAME: content_types.content_types(files)}


def _overlaid(path: Path, variant: str) -> dict[str, Any]:
    """Return a JSON file with what the variant's file in the task's folder says over it."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    over = TASK / f"{path.stem}.{variant}.json"
    return {**told, **json.loads(over.read_text(encoding="utf-8"))} if over.exists() else told


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _lay_out(root: Path, target: Path) -> None:
    """Leave the unpacked extension where it can be looked at."""
    shutil.rmtree(target, ignore_errors=True)
    root.replace(target)
