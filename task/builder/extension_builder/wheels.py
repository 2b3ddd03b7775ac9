"""The pinned dependencies as wheels, fetched once and checked against the hashes in `requirements.txt` every time."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from extension_builder.contents import NATIVE, NATIVES, STRIPPED, UNUSED, Native

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CONTINUED = "\\\n"
_DOWNLOADS_AT_ONCE = 4
_PURE = Tag("py3", "none", "any")


@dataclass(frozen=True)
class Pin:
    """One line of `requirements.txt`: a distribution, its version, and the SHA-256 of each of its files."""

    name: str
    version: str
    hashes: frozenset[str]

    @property
    def line(self) -> str:
        """Return it as pip wants it."""
        return f"{self.name}=={self.version} " + " ".join(f"--hash=sha256:{digest}" for digest in sorted(self.hashes))


@dataclass(frozen=True)
class Wheel:
    """A wheel on this machine whose hash is pinned; `native` is the platform and Python it is for, None for all."""

    pin: Pin
    path: Path
    sha256: str
    native: Native | None = None


@dataclass(frozen=True)
class _Group:
    """Pins that one run of pip downloads for the same platform and Python; each has a wheel with this tag."""

    pins: tuple[Pin, ...]
    options: tuple[str, ...]
    tag: Tag
    native: Native | None = None


def read_pins(requirements: str) -> tuple[Pin, ...]:
    """Return the pins in the text of a `requirements.txt`, without those that the task does not use.

    Raises:
        ValueError: a pin has a marker, about which the task would have to decide at its start, or no hash or version.
    """
    pins = []
    for line in requirements.replace(_CONTINUED, " ").splitlines():
        text = line.partition(" --hash")[0].strip()
        if not text or text.startswith("#"):
            continue
        requirement = Requirement(text)
        hashes = frozenset(_HASH.findall(line))
        [specifier] = requirement.specifier
        if requirement.marker or not hashes or specifier.operator != "==":
            raise ValueError(f"The pin of {requirement.name} has a marker or no hash; the bundle can have neither.")
        pins.append(Pin(canonicalize_name(requirement.name), specifier.version, hashes))
    return tuple(pin for pin in pins if pin.name not in UNUSED)


def fetch(pins: tuple[Pin, ...], folder: Path) -> tuple[Wheel, ...]:
    """Return the wheels of the pins, in a fixed order; what is not in `folder` yet is downloaded to it.

    Raises:
        ValueError: a wheel is missing after the download.
        subprocess.CalledProcessError: pip failed, which includes a wrong hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = _groups(pins)
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda group: _download(group, folder), groups))
    return tuple(_require(pin, group, folder) for group in groups for pin in group.pins)


def _groups(pins: tuple[Pin, ...]) -> tuple[_Group, ...]:
    pure = tuple(pin for pin in pins if pin.name not in (NATIVE, STRIPPED))
    natives = tuple(pin for pin in pins if pin.name == NATIVE)
    stripped = tuple(pin for pin in pins if pin.name == STRIPPED)
    any_python = ("--implementation", "py", "--abi", "none", "--platform", "any", "--python-version", "3.10")
    return (
        _Group(pure, any_python, _PURE),
        # Its Python part is the same in every wheel; which one is taken must not depend on the machine that builds.
        _Group(stripped, _options(NATIVES[0]), NATIVES[0].tag),
        *(_Group(natives, _options(native), native.tag, native) for native in NATIVES),
    )


def _options(native: Native) -> tuple[str, ...]:
    version = native.python.replace("cp3", "3.")
    tags = ("--implementation", "cp", "--abi", native.python, "--python-version", version)
    return (*tags, "--platform", native.pip_platform)


def _download(group: _Group, folder: Path) -> None:
    lines = [pin.line for pin in group.pins if _find(pin, group, folder) is None]
    if not lines:
        return
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text("\n".join(lines), encoding="utf-8")
        what = ("--only-binary=:all:", "--require-hashes", "--no-deps", "--requirement", str(requirements))
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, *what, *group.options, "--dest", scratch], check=True)  # noqa: S603 - our own arguments
        for wheel in Path(scratch).glob("*.whl"):
            _move_into_cache(wheel, folder / wheel.name)


def _move_into_cache(wheel: Path, target: Path) -> None:
    """Put it there as a whole or not at all: two builds may run at once."""
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(wheel.read_bytes())
    partial.replace(target)


def _require(pin: Pin, group: _Group, folder: Path) -> Wheel:
    wheel = _find(pin, group, folder)
    if wheel is None:
        raise ValueError(f"There is no wheel of {pin.name} {pin.version} for {group.tag}.")
    return wheel


def _find(pin: Pin, group: _Group, folder: Path) -> Wheel | None:
    for path in sorted(folder.glob("*.whl")):
        name, version, _, tags = parse_wheel_filename(path.name)
        if (name, version) == (pin.name, Version(pin.version)) and group.tag in tags:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in pin.hashes:
                return Wheel(pin, path, digest, group.native)
    return None
