"""`ecs_cd` and its dependencies, unpacked, pruned, and laid out as `start.py` expects them."""

from __future__ import annotations

import email.parser
import json
import re
import zipfile
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Any

from task.bundle.contents import NEVER, OWN_UNUSED, PRUNED
from task.bundle.wheels import Wheel

_LICENCE = re.compile(r"(licen[cs]e|notice|copying|authors)[^/]*", re.IGNORECASE)
_NATIVE_MODULE = re.compile(r".*\.(so|pyd)")


@dataclass(frozen=True)
class Distribution:
    """What is told of a wheel that went in. `crates` are the components of the SBOM that it brings itself."""

    name: str
    version: str
    file_name: str
    sha256: str
    licence: str
    expression: bool
    native: str = ""
    crates: tuple[dict[str, Any], ...] = ()


def unpack(wheels: tuple[Wheel, ...], task: Path) -> tuple[Distribution, ...]:
    """Lay the wheels out in the task's folder: `python/lib`, `python/native/*`, `licenses`."""
    return tuple(_unpack(wheel, task) for wheel in wheels)


def copy_own(package: Path, licence: Path, task: Path) -> None:
    """Lay `ecs_cd` out beside its dependencies, without the parts that no task uses."""
    for source in sorted(package.rglob("*.py")):
        inside = source.relative_to(package)
        if not any(inside.is_relative_to(unused) for unused in OWN_UNUSED):
            _write(task / "python" / "lib" / package.name / inside, source.read_bytes())
    _write(task / "licenses" / "ecs-cd" / licence.name, licence.read_bytes())


def wanted(distribution: str, path: str, *, native: bool = False) -> bool:
    """Return whether a file of a wheel goes in. `path` is relative to the wheel, with slashes."""
    if ".dist-info/" in path or path.endswith("/"):
        return False
    if native and _NATIVE_MODULE.fullmatch(path):
        return True
    return not any(re.fullmatch(pattern, path) for pattern in (*NEVER, *PRUNED.get(distribution, ())))


def _unpack(wheel: Wheel, task: Path) -> Distribution:
    name, native = wheel.pin.name, wheel.native
    target = task / "python" / "native" / native.folder if native else task / "python" / "lib"
    with zipfile.ZipFile(wheel.path) as archive:
        for path in sorted(archive.namelist()):
            if ".." in PurePosixPath(path).parts or path.startswith("/"):
                raise ValueError(f"{wheel.path.name} holds a file outside itself.")
            if wanted(name, path, native=native is not None):
                _write(target / path, archive.read(path))
            elif ".dist-info/" in path and path[-1] != "/" and _LICENCE.fullmatch(PurePosixPath(path).name):
                _write(task / "licenses" / name / PurePosixPath(path).name, archive.read(path))
        return _describe(wheel, archive)


def _describe(wheel: Wheel, archive: zipfile.ZipFile) -> Distribution:
    metadata = next(path for path in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", path))
    told = email.parser.BytesParser().parsebytes(archive.read(metadata), headersonly=True)
    expression = told.get("License-Expression", "")
    boms = [path for path in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/sboms/.*\.json", path)]
    crates = [crate for path in boms for crate in json.loads(archive.read(path))["components"]]
    return Distribution(
        name=wheel.pin.name,
        version=wheel.pin.version,
        file_name=wheel.path.name,
        sha256=wheel.sha256,
        licence=expression or _licence(told),
        expression=bool(expression),
        native=wheel.native.folder if wheel.native else "",
        crates=tuple(crate for crate in crates if crate.get("scope") != "excluded"),
    )


def _licence(told: Message) -> str:
    """Return the licence of a distribution that names it the old ways."""
    classifiers = [str(line).rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if "License ::" in line]
    return " or ".join(classifiers) or str(told.get("License", "")).partition("\n")[0]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
