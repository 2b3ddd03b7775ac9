"""`ecs_cd` and its dependencies, unpacked, pruned, and laid out as `start.py` expects them."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cyclonedx.model.component import Component
from packaging.metadata import RawMetadata, parse_email

from extension_builder.contents import NEVER, OWN_UNUSED, PRUNED
from extension_builder.wheels import Wheel

_LICENSE_FILE = re.compile(r"(licen[cs]e|notice|copying|authors)[^/]*", re.IGNORECASE)
_NATIVE_MODULE = re.compile(r".*\.(so|pyd)")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_SBOM = re.compile(r"[^/]+\.dist-info/sboms/.*\.json")
_CRATE_KEYS = ("type", "name", "version", "purl", "hashes", "licenses")


@dataclass(frozen=True)
class Distribution:
    """A wheel that went in. `license` is an SPDX expression or a name; `crates` are from the wheel's own SBOM."""

    name: str
    version: str
    file_name: str
    sha256: str
    license: str
    native: str = ""
    crates: tuple[Component, ...] = ()


def unpack(wheels: tuple[Wheel, ...], task: Path) -> tuple[Distribution, ...]:
    """Write the wheels' files to the task's folder: `python/lib`, `python/native/*`, `licenses`."""
    return tuple(_unpack(wheel, task) for wheel in wheels)


def copy_own(package: Path, license_file: Path, task: Path) -> None:
    """Write `ecs_cd` beside its dependencies, without the parts that no task uses."""
    for source in sorted(package.rglob("*.py")):
        inside = source.relative_to(package)
        if not any(inside.is_relative_to(unused) for unused in OWN_UNUSED):
            _write(task / "python" / "lib" / package.name / inside, source.read_bytes())
    _write(task / "licenses" / "ecs-cd" / license_file.name, license_file.read_bytes())


def is_included(distribution: str, path: str, *, native: bool = False) -> bool:
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
            if is_included(name, path, native=native is not None):
                _write(target / path, archive.read(path))
            elif ".dist-info/" in path and path[-1] != "/" and _LICENSE_FILE.fullmatch(PurePosixPath(path).name):
                _write(task / "licenses" / name / PurePosixPath(path).name, archive.read(path))
        return _describe(wheel, archive)


def _describe(wheel: Wheel, archive: zipfile.ZipFile) -> Distribution:
    metadata_file = next(path for path in archive.namelist() if _METADATA.fullmatch(path))
    metadata, _ = parse_email(archive.read(metadata_file))
    return Distribution(
        name=wheel.pin.name,
        version=wheel.pin.version,
        file_name=wheel.path.name,
        sha256=wheel.sha256,
        license=_license(metadata),
        native=wheel.native.folder if wheel.native else "",
        crates=tuple(_crates(archive)),
    )


def _license(metadata: RawMetadata) -> str:
    """Return the license of a distribution, which may name it in the three ways there have been over the years."""
    if expression := metadata.get("license_expression"):
        return expression
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get("classifiers", []) if "License ::" in line]
    return " or ".join(classifiers) or metadata.get("license", "").partition("\n")[0]


def _crates(archive: zipfile.ZipFile) -> list[Component]:
    """Return the components of the wheel's own SBOM, less those that were only used to build it.

    Their descriptions, authors and links are left out: no part of identifying them, and in old forms.
    """
    boms = [json.loads(archive.read(path)) for path in archive.namelist() if _SBOM.fullmatch(path)]
    crates = [crate for bom in boms for crate in bom["components"] if crate.get("scope") != "excluded"]
    kept = [{key: crate[key] for key in _CRATE_KEYS if key in crate} for crate in crates]
    return [Component.from_json({**crate, "bom-ref": crate["purl"]}) for crate in kept]  # type: ignore[attr-defined]  # its serializer makes it


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
