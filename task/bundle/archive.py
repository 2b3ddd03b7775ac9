"""Zip files of which the same content has the same bytes, and what they weigh."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import deflate

LEVEL = 10
"""Of libdeflate's twelve: the others take half as long again for a thousandth of the size."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_UNIX = 3 << 8
_UTF8 = 0x800
_TIME, _DATE = 0, 0x21  # 1980-01-01, the first there is
_MODE = 0o100644 << 16
_LARGEST = 0xFFFFFFFF
_MOST = 0xFFFF
_WORTH_KEEPING = 1_000_000


@dataclass(frozen=True)
class _Entry:
    name: bytes
    method: int
    crc: int
    size: int
    packed: bytes


def pack(files: dict[str, bytes], kept: Path) -> bytes:
    """Return a zip of the files, by name: sorted, without folders, times and permissions, packed as tightly as can be.

    zlib is not used: what it makes of the same input depends on its version and make. What took long is remembered in
    the folder `kept`.

    Raises:
        ValueError: it is too much for a zip without 64-bit extensions.
    """
    body, index = bytearray(), bytearray()
    for name, content in sorted(files.items()):
        entry = _entry(name, content, kept)
        offset = len(body)
        common = (_UTF8, entry.method, _TIME, _DATE, entry.crc, len(entry.packed), entry.size, len(entry.name), 0)
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, *common) + entry.name + entry.packed
        index += _CENTRAL.pack(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, *common, 0, 0, 0, _MODE, offset) + entry.name
    if len(body) > _LARGEST or len(files) > _MOST:
        raise ValueError("Too much for a zip file without 64-bit extensions.")
    return bytes(body + index + _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(index), len(body), 0))


def read(path: Path) -> dict[str, bytes]:
    """Return the files in a zip, by name."""
    with ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}


def parts(path: Path, depth: int) -> list[tuple[str, int]]:
    """Return folders (to a depth) and files of a zip with their packed sizes in bytes, the largest first."""
    sizes: Counter[str] = Counter()
    with ZipFile(path) as archive:
        for info in archive.infolist():
            sizes["/".join(info.filename.split("/")[:depth])] += info.compress_size
    return sorted(sizes.items(), key=lambda part: (-part[1], part[0]))


def _entry(name: str, content: bytes, kept: Path) -> _Entry:
    packed = _deflated(content, kept)
    smaller = len(packed) < len(content)
    method = ZIP_DEFLATED if smaller else ZIP_STORED
    return _Entry(name.encode(), method, zlib.crc32(content), len(content), packed if smaller else content)


def _deflated(content: bytes, kept: Path) -> bytes:
    if len(content) < _WORTH_KEEPING:
        return bytes(deflate.deflate_compress(content, LEVEL))
    place = kept / f"{hashlib.sha256(content).hexdigest()}.{deflate.__version__}-{LEVEL}"
    if not place.exists():
        kept.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f"{place.name}.{os.getpid()}")
        beside.write_bytes(deflate.deflate_compress(content, LEVEL))
        beside.replace(place)
    return place.read_bytes()
