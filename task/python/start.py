"""Starts the library that lies beside this file, on the Python the agent has. ../README.md says how it is called.

Every Python from 3.6 on can read this file, so that an old one can say so: no newer syntax, and no import before the
check that an old one lacks.
"""  # noqa: INP001 - a script, not a package

import os
import re
import sys

PYTHON_TOO_OLD = 86
NO_NATIVE_MODULE = 87

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes longer to import than all this
_SUFFIX = re.compile(r"\.(?:cpython-|cp)(3\d+)-(x86_64-linux-gnu|aarch64-linux-gnu|win_amd64|darwin)\.(?:so|pyd)")
_PLATFORMS = {
    "x86_64-linux-gnu": "linux-x64",
    "aarch64-linux-gnu": "linux-arm64",
    "win_amd64": "win-x64",
    "darwin": "macos-arm64",
}


def native_name(suffix: str, machine: str) -> str:
    """Return the folder under `native` for a Python, such as `linux-x64-cp312`; empty when there can be none.

    `suffix` is the one its own extension modules have, such as `.cpython-312-x86_64-linux-gnu.so`. It tells apart what
    `platform` does not: musl from glibc, a free-threaded build, a 32-bit Python on a 64-bit system, an x64 one on an
    Arm machine. On macOS alone it leaves the processor open, which is `machine`.
    """
    match = _SUFFIX.match(suffix)
    if not match or (match.group(2) == "darwin" and machine != "arm64"):
        return ""
    return "%s-cp%s" % (_PLATFORMS[match.group(2)], match.group(1))  # noqa: UP031 - as old as the rest of this file


def without_site(path: "list[str]", site_packages: "list[str]") -> "list[str]":
    """Return the search path up to what `site` appended to it: what is installed on the agent is not ours to import."""
    added = {os.path.normcase(folder) for folder in site_packages if folder.endswith("-packages")}
    places = [place for place, folder in enumerate(path) if os.path.normcase(folder) in added]
    return path[: places[0]] if places else path


def prepare(here: str = _HERE) -> None:
    """Let this Python import the bundled library and nothing else but its own.

    Raises:
        SystemExit: it is too old (86), or there is no `pydantic_core` for it (87).
    """
    if sys.version_info < (3, 10):  # noqa: UP036 - the point of this file
        raise SystemExit(PYTHON_TOO_OLD)
    from importlib.machinery import EXTENSION_SUFFIXES  # noqa: PLC0415 - not before the check

    machine = os.uname().machine if hasattr(os, "uname") else ""
    native = os.path.join(here, "native", native_name(EXTENSION_SUFFIXES[0], machine) or "none")  # noqa: PTH118 - as above
    if not os.path.isdir(native):  # noqa: PTH112 - as above
        raise SystemExit(NO_NATIVE_MODULE)
    site = sys.modules.get("site")
    site_packages = site.getsitepackages() if site else []
    sys.path[:] = [os.path.join(here, "lib"), native, *without_site(sys.path, site_packages)]  # noqa: PTH118 - as above


if __name__ == "__main__":
    prepare()
    from ecs_cd.azure_task.__main__ import main

    main()
