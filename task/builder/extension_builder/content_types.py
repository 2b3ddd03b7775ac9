"""`[Content_Types].xml`, which every `.vsix` has.

tfx asks the machine for the types it does not know (`file`, or the registry on Windows), one process per file; so they
would depend on the machine that builds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from xml.sax.saxutils import quoteattr

NAME = "[Content_Types].xml"

_BINARY = "application/octet-stream"
_TEXT = "text/plain"
_TYPES = {
    ".gz": "application/gzip",
    ".js": "application/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pem": _TEXT,
    ".png": "image/png",
    ".py": _TEXT,
    ".pyd": _BINARY,
    ".so": _BINARY,
    ".txt": _TEXT,
    ".vsixmanifest": "text/xml",
    ".vsomanifest": "application/json",
}


def content_types(names: Iterable[str]) -> bytes:
    """Return the file for the files of these names; one without an ending is a text.

    Raises:
        ValueError: a file's ending is not among those expected, so that it may not belong in the extension.
    """
    paths = sorted(map(PurePosixPath, names))
    endings = sorted({path.suffix for path in paths} - {""})
    unexpected = [str(path) for path in paths if path.suffix and path.suffix not in _TYPES]
    if unexpected:
        raise ValueError(f"The extension would hold files of unexpected kinds: {', '.join(unexpected)}.")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">',
        *(f'  <Default Extension="{ending}" ContentType="{_TYPES[ending]}"/>' for ending in endings),
        *(f'  <Override ContentType="{_TEXT}" PartName={quoteattr(f"/{path}")}/>' for path in paths if not path.suffix),
        "</Types>",
    ]
    return "\n".join(lines).encode()
