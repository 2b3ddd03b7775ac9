from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ecs_cd.errors import TagFileError
from ecs_cd.model.image import ImageTag
from ecs_cd.tag.search import MOST_BYTES, read_content
from ecs_cd.tag.tag_file import find_tag_file, read_tag

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs need rights or do not exist on Windows")


def put(path: Path, text: str = "12345\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_path_is_relative_to_the_root_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(tmp_path / "drop" / ".buildId")
    assert find_tag_file("drop/.buildId", tmp_path) == file
    assert find_tag_file(str(file)) == file
    monkeypatch.chdir(tmp_path)
    assert find_tag_file("drop/.buildId") == file


def test_a_directory_means_the_tag_file_in_it_before_any_below(tmp_path: Path) -> None:
    below = put(tmp_path / "drop" / "deep" / ".buildId")
    assert find_tag_file("drop", tmp_path) == below
    direct = put(tmp_path / "drop" / ".buildId")
    assert find_tag_file("drop", tmp_path) == direct


@pytest.mark.parametrize(
    "pattern",
    ["**/.buildId", "**/*", "a/**/.buildId", "a/.hidden/.b*", "a/*/.buildId", "**/.hidden/*", "?/.hidden/.build[I]d"],
)
def test_a_pattern_sees_hidden_files_and_directories(tmp_path: Path, pattern: str) -> None:
    file = put(tmp_path / "a" / ".hidden" / ".buildId")
    assert find_tag_file(pattern, tmp_path) == file


@pytest.mark.parametrize("pattern", ["*/.buildId", "*", "**/.build", "a/?/.buildId", "**/*.txt"])
def test_a_star_stays_within_one_name(tmp_path: Path, pattern: str) -> None:
    put(tmp_path / "a" / ".hidden" / ".buildId")
    with pytest.raises(TagFileError, match="There is no tag file"):
        find_tag_file(pattern, tmp_path)


def test_a_file_whose_name_looks_like_a_pattern_is_found_by_its_name(tmp_path: Path) -> None:
    file = put(tmp_path / "drop[1]" / ".buildId")
    put(tmp_path / "drop1" / ".buildId")
    assert find_tag_file("drop[1]/.buildId", tmp_path) == file


def test_several_are_an_error_that_lists_at_most_ten_in_order(tmp_path: Path) -> None:
    for number in range(12):
        put(tmp_path / f"drop{number:02}" / ".buildId")
    with pytest.raises(TagFileError, match="names 12 tag files") as caught:
        find_tag_file("**/.buildId", tmp_path)
    message = caught.value.message
    assert message.count(".buildId") == 11
    assert message.index("drop00") < message.index("drop01") < message.index("drop09")
    assert "and 2 more" in message


@pytest.mark.parametrize("where", ["nowhere/.buildId", "**/.nothing", ".", "##vso[x]\n", "x" * 5000])
def test_none_is_an_error_that_says_what_was_looked_for(tmp_path: Path, where: str) -> None:
    with pytest.raises(TagFileError, match="There is no tag file") as caught:
        find_tag_file(where, tmp_path)
    assert "##vso[" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["", "  ", "a\0b"])
def test_no_name_is_an_error(tmp_path: Path, where: str) -> None:
    with pytest.raises(TagFileError, match="No tag file was named"):
        find_tag_file(where, tmp_path)


@pytest.mark.parametrize("where", ["../.buildId", "..", "../*/.buildId", "../**/secret"])
def test_nothing_leads_out_of_the_root(tmp_path: Path, where: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    put(tmp_path / ".buildId")
    put(tmp_path / "other" / ".buildId")
    put(tmp_path / "other" / "secret")
    with pytest.raises(TagFileError):
        read_tag(where, root=root)


@posix
def test_a_link_within_the_root_is_read(tmp_path: Path) -> None:
    put(tmp_path / "data" / "real")
    (tmp_path / ".buildId").symlink_to("data/real")
    assert read_tag(".buildId", root=tmp_path).tag == ImageTag("12345")


@posix
def test_a_root_that_is_itself_reached_by_a_link_is_fine(tmp_path: Path) -> None:
    put(tmp_path / "real" / ".buildId")
    (tmp_path / "link").symlink_to("real")
    assert read_tag(".buildId", root=tmp_path / "link").tag == ImageTag("12345")
    assert read_tag(str(tmp_path / "link")).tag == ImageTag("12345")


@posix
@pytest.mark.parametrize("where", ["drop", "drop/.buildId", "**/.buildId", "drop/*"])
def test_a_link_out_of_the_root_is_refused_and_not_read(tmp_path: Path, where: str) -> None:
    secret = put(tmp_path / "secret", "hunter2 hunter2")
    drop = tmp_path / "root" / "drop"
    drop.mkdir(parents=True)
    (drop / ".buildId").symlink_to(secret)
    for root in (tmp_path / "root", drop):
        with pytest.raises(TagFileError) as caught:
            read_tag(where, root=root)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(TagFileError, match="a link that leads out"):
        read_tag(str(drop / ".buildId"))


@posix
def test_a_link_out_is_refused_when_found_and_when_it_came_after(tmp_path: Path) -> None:
    put(tmp_path / "secret", "hunter2")
    root = tmp_path / "root"
    root.mkdir()
    (root / ".buildId").symlink_to(tmp_path / "secret")
    with pytest.raises(TagFileError, match="a link that leads out"):
        find_tag_file(".buildId", root)
    with pytest.raises(TagFileError, match="a link that leads out"):
        read_content(root / ".buildId", root)


@posix
def test_a_linked_directory_is_not_searched(tmp_path: Path) -> None:
    put(tmp_path / "outside" / ".buildId")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "round").symlink_to(root)
    with pytest.raises(TagFileError, match="There is no tag file"):
        find_tag_file("**/.buildId", root)
    with pytest.raises(TagFileError):
        read_tag("link/.buildId", root=root)


@posix
def test_a_link_to_nothing_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / ".buildId").symlink_to("gone")
    with pytest.raises(TagFileError, match="No such file"):
        read_tag(".buildId", root=tmp_path)


@posix
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".buildId")
    with pytest.raises(TagFileError, match="not an ordinary file"):
        read_tag(".buildId", root=tmp_path)


@posix
def test_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TagFileError, match="not an ordinary file"):
        read_tag("/dev/zero")


def test_a_directory_named_as_the_tag_file_is_searched_not_read(tmp_path: Path) -> None:
    put(tmp_path / ".buildId" / ".buildId")
    assert find_tag_file(str(tmp_path)) == tmp_path / ".buildId" / ".buildId"


def test_a_file_over_64_kib_is_refused_and_one_of_64_kib_is_read(tmp_path: Path) -> None:
    put(tmp_path / ".buildId", "7" + " " * (MOST_BYTES - 1))
    assert read_tag(".buildId", root=tmp_path).tag == ImageTag("7")
    put(tmp_path / ".buildId", "7" + " " * MOST_BYTES)
    with pytest.raises(TagFileError, match="larger than 64 KiB"):
        read_tag(".buildId", root=tmp_path)


@posix
def test_a_file_swapped_while_it_is_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / ".buildId")
    outside = put(tmp_path / "outside", "secret")
    honest = os.open

    def swapped(path: Path, flags: int) -> int:
        return honest(outside, flags)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(TagFileError, match="replaced while it was read"):
        read_tag(".buildId", root=tmp_path)
