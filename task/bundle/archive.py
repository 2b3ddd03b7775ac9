"""Zip files of which the same content has the same bytes, and what they weigh."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import deflate

LEVEL = 12
"""libdeflate's best."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_UNIX = 3 << 8
_UTF8 = 0x800
_TIME, _DATE = 0, 0x21  # 1980-01-01, the first there is
_MODE = 0o100644 << 16
_LARGEST = 0xFFFFFFFF
_AT_ONCE = 4


@dataclass(frozen=True)
class _Entry:
    name: bytes
    method: int
    crc: int
    size: int
    packed: bytes


def rewrite(source: Path, target: Path) -> None:
    """Write the files of a zip anew: sorted, without folders, times and permissions, packed as tightly as can be.

    zlib is not used: what it makes of the same input depends on its version and make.

    Raises:
        ValueError: two files have one name.
    """
    with ZipFile(source) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
        if len(files) != sum(not info.is_dir() for info in archive.infolist()):
            raise ValueError(f"{source.name} holds two files of one name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pack(files))


def pack(files: dict[str, bytes]) -> bytes:
    """Return a zip of the files, by name."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        entries = list(pool.map(_entry, sorted(files.items())))
    body, index = bytearray(), bytearray()
    for entry in entries:
        offset = len(body)
        common = (_UTF8, entry.method, _TIME, _DATE, entry.crc, len(entry.packed), entry.size, len(entry.name), 0)
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, *common) + entry.name + entry.packed
        index += _CENTRAL.pack(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, *common, 0, 0, 0, _MODE, offset) + entry.name
    if len(body) > _LARGEST or len(entries) > 0xFFFF:  # noqa: PLR2004 - the width of the field
        raise ValueError("Too much for a zip file without 64-bit extensions.")
    return bytes(body + index + _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(index), len(body), 0))


def parts(path: Path, depth: int) -> list[tuple[str, int]]:
    """Return folders (to a depth) and files of a zip with their packed sizes in bytes, the largest first."""
    sizes: Counter[str] = Counter()
    with ZipFile(path) as archive:
        for info in archive.infolist():
            sizes["/".join(info.filename.split("/")[:depth])] += info.compress_size
    return sorted(sizes.items(), key=lambda part: (-part[1], part[0]))


def _entry(file: tuple[str, bytes]) -> _Entry:
    name, content = file
    packed = bytes(deflate.deflate_compress(content, LEVEL)) if content else b""
    method = ZIP_DEFLATED if 0 < len(packed) < len(content) else ZIP_STORED
    kept = packed if method == ZIP_DEFLATED else content
    return _Entry(name.encode(), method, zlib.crc32(content), len(content), kept)
