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

from task.bundle.contents import NATIVE, NATIVES, STRIPPED, UNUSED, Native

_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>\S+)(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_AT_ONCE = 4


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
    """A wheel on this machine whose hash is pinned; `native` says whom it is for, None for all."""

    pin: Pin
    path: Path
    sha256: str
    native: Native | None = None


@dataclass(frozen=True)
class _Wanted:
    """Wheels that one run of pip can fetch: the pins, and the tags that it is to choose by."""

    pins: tuple[Pin, ...]
    options: tuple[str, ...]
    tags: re.Pattern[str]
    native: Native | None = None


def read_pins(requirements: str) -> tuple[Pin, ...]:
    """Return the pins in the text of a `requirements.txt`, those of the parts left out excepted.

    Raises:
        ValueError: a pin has a marker, about which the task would have to decide at its start, or no hash.
    """
    pins = []
    for told in _PIN.finditer(requirements):
        hashes = frozenset(_HASH.findall(told["rest"]))
        if ";" in told["rest"] or not hashes:
            raise ValueError(f"The pin of {told['name']} has a marker or no hash; the bundle can have neither.")
        pins.append(Pin(told["name"], told["version"], hashes))
    return tuple(pin for pin in pins if pin.name not in UNUSED)


def fetch(pins: tuple[Pin, ...], folder: Path) -> tuple[Wheel, ...]:
    """Return the wheels of the pins, in a fixed order; what does not lie in `folder` yet is downloaded to it.

    Raises:
        ValueError: a wheel is missing after the download.
        subprocess.CalledProcessError: pip failed, which includes a wrong hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _wanted(pins)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda group: _download(group, folder), wanted))
    return tuple(_found(pin, group, folder) for group in wanted for pin in group.pins)


def _wanted(pins: tuple[Pin, ...]) -> tuple[_Wanted, ...]:
    pure = tuple(pin for pin in pins if pin.name not in (NATIVE, STRIPPED))
    natives = tuple(pin for pin in pins if pin.name == NATIVE)
    stripped = tuple(pin for pin in pins if pin.name == STRIPPED)
    any_python = ("--implementation", "py", "--abi", "none", "--platform", "any", "--python-version", "3.10")
    return (
        _Wanted(pure, any_python, re.compile(r"(py2\.)?py3-none-any")),
        # Its Python part is the same in every wheel; which one is taken must not depend on the machine that builds.
        _Wanted(stripped, _options(NATIVES[0]), _tags(NATIVES[0])),
        *(_Wanted(natives, _options(native), _tags(native), native) for native in NATIVES),
    )


def _options(native: Native) -> tuple[str, ...]:
    version = native.python.replace("cp3", "3.")
    tags = ("--implementation", "cp", "--abi", native.python, "--python-version", version)
    return (*tags, "--platform", native.pip_platform)


def _tags(native: Native) -> re.Pattern[str]:
    """Return what a wheel's name ends in: `manylinux2014_x86_64.manylinux_2_17_x86_64` is a set of platforms."""
    return re.compile(rf"{native.python}-{native.python}-([\w.]+\.)?{native.pip_platform}(\.[\w.]+)?")


def _download(group: _Wanted, folder: Path) -> None:
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
            _keep(wheel, folder / wheel.name)


def _keep(wheel: Path, target: Path) -> None:
    """Move it to the cache whole or not at all: two builds may run at once."""
    beside = target.with_suffix(f".{os.getpid()}.part")
    beside.write_bytes(wheel.read_bytes())
    beside.replace(target)


def _found(pin: Pin, group: _Wanted, folder: Path) -> Wheel:
    wheel = _find(pin, group, folder)
    if wheel is None:
        raise ValueError(f"There is no wheel of {pin.name} {pin.version} for {group.tags.pattern}.")
    return wheel


def _find(pin: Pin, group: _Wanted, folder: Path) -> Wheel | None:
    for path in sorted(folder.glob("*.whl")):
        name, version, tags = path.stem.split("-", 2)
        if (_normal(name), version) == (_normal(pin.name), pin.version) and group.tags.fullmatch(tags):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in pin.hashes:
                return Wheel(pin, path, digest, group.native)
    return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
