from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from ecs_cd.support.files import write_atomically


def test_the_text_is_written_as_it_is_in_a_folder_that_is_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "file", "a\nä\n")
    assert (tmp_path / "new" / "file").read_bytes() == "a\nä\n".encode()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "file", "\ud800")
    assert [(entry.name, entry.read_text(encoding="utf-8")) for entry in tmp_path.iterdir()] == [("file", "old")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_only_what_is_private_is_kept_from_others(tmp_path: Path, mode: int, *, private: bool) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "file", "", private=private)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
