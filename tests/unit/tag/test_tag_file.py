from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecs_cd.errors import EcsCdError, InvalidTag, TagFileError
from ecs_cd.model.image import ImageTag, TagEntry
from ecs_cd.tag.tag_file import entry_for, parse_tag_file, read_tag, write_tag

DIGEST = "sha256:" + "0a" * 32
HOSTILE = re.compile(r"##\[|##vso\[|[\x00-\x1f\x7f-\x9f]", re.IGNORECASE)

words = string.ascii_letters + string.digits
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
services = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
entries = st.builds(
    TagEntry,
    tag=tags.map(ImageTag),
    service=services,
    repository=st.sampled_from(["", "my-api", "team/my-api"]),
    digest=st.sampled_from(["", DIGEST]),
    build_id=st.sampled_from(["", "12345"]),
    build_url=st.sampled_from(["", "https://dev.azure.com/acme/platform/_build/results?buildId=12345"]),
    commit=st.text(words, max_size=40),
)


def full(**changes: object) -> str:
    image = {"tag": "12345", "repository": "my-api", "digest": DIGEST, "buildId": "12345", "commit": "0123abc"}
    return json.dumps({"version": 1, "images": {"my-api": image | changes}})


@pytest.mark.parametrize(
    "data",
    [
        b"12345",
        b"12345\n",
        b"12345\r\n",
        b"\xef\xbb\xbf12345\r\n",
        "12345\r\n".encode("utf-16"),
        b"\xfe\xff" + "12345".encode("utf-16-be"),
        b" \t12345 \n\n",
        "\ufeff12345",
    ],
)
def test_the_plain_form_is_read_however_a_shell_wrote_it(data: bytes | str) -> None:
    assert parse_tag_file(data, ".buildId").entries == (TagEntry(ImageTag("12345")),)


def test_the_json_form_carries_everything_a_build_knows() -> None:
    read = parse_tag_file(full(buildUrl="https://ci/1"), "x")
    assert read.entries == (
        TagEntry(ImageTag("12345"), "my-api", "my-api", DIGEST, "12345", "https://ci/1", "0123abc"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \r\n", "is empty"),
        (b"\x00\x01", "not a text file"),
        (b"\xff\xff", "not a text file"),
        (b"\xff\xfe1", "not a text file"),
        ("{", "is not JSON: Expecting property name.* at line 1, column 2"),
        ('{"version": 1} x', "is not JSON"),
        ('{"version": 2, "images": {}}', 'must say "version": 1'),
        ('{"version": true, "images": {}}', 'must say "version": 1'),
        ('{"version": 1, "images": {}}', "has no images"),
        ('{"version": 1, "image": {}}', "unknown key 'image'. Did you mean 'images'"),
        ('{"version": 1, "version": 1}', "the key 'version' twice"),
        # Before Python 3.10.7 an integer may have any number of digits.
        ('{"version": ' + "1" * 5000 + "}", "beyond reason|not of a version known"),
        ('{"version": ' + "[" * 60000, "beyond reason|is not JSON"),
        ('{"version": 1, "images": {"a b": {}}}', "service 'a b' is not a name"),
        ('{"version": 1, "images": {"a": "1"}}', 'an object with a "tag"'),
        ('{"version": 1, "images": {"a": {}}}', '"tag" is missing'),
        (full(tag=12345), '"tag" must be a string; write it between quotes'),
        (full(digset="x"), "unknown key 'digset'. Did you mean 'digest'"),
        (full(digest="sha256:00"), "\"digest\" cannot be 'sha256:00'"),
        (full(repository="My Api"), "\"repository\" cannot be 'My Api'"),
        (full(buildUrl="javascript:x"), '"buildUrl" cannot be'),
        (full(commit="##[x"), "\"commit\" cannot be '# #\\[x'"),
    ],
)
def test_what_is_neither_form_is_refused_with_the_reason(text: bytes | str, says: str) -> None:
    with pytest.raises(TagFileError, match=says) as caught:
        parse_tag_file(text, "drop/.buildId")
    assert "drop/.buildId" in caught.value.message


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("##vso[task.setvariable variable=PATH]x", "'# #vso[task.setvariable variable=PATH]x'"),
        ("##[error]x", "'# #[error]x'"),
        ("1\n2", "'1\\n2'"),
        ("1\r\n##vso[x]", "'1\\x0d\\n# #vso[x]'"),
        ("../x", "'../x'"),
        ("-rf", "'-rf'"),
        ("x" * 129, "... (129 characters)"),
        ("\u0661\u0662\u0663", "'\u0661\u0662\u0663'"),
        ("12345;rm", "'12345;rm'"),
        ("$(id)", "'$(id)'"),
    ],
)
@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_hostile_tag_is_refused_and_shown_escaped_with_the_file(tag: str, shown: str, form: str) -> None:
    with pytest.raises(InvalidTag) as caught:
        parse_tag_file(tag if form == "plain" else full(tag=tag), "drop/.buildId")
    assert "drop/.buildId" in caught.value.message
    assert shown in caught.value.message
    assert "\n" not in str(caught.value)


def said(error: EcsCdError) -> str:
    return " ".join([error.message, error.hint, *error.details, error.link])


ATTACKS = [
    "##vso[x]",
    "##[x]",
    "\n",
    "\x00",
    "\x1b[0m",
    '{"version":1,"images":{',
    '"',
    "}",
    ":",
    "tag",
    "12",
    "\u202e",
]


@given(
    st.one_of(st.binary(), st.lists(st.sampled_from(ATTACKS)).map(lambda parts: "".join(parts).encode())),
    st.lists(st.sampled_from([*ATTACKS, "drop"])).map("".join),
)
@example(b'{"##vso[x]\\n": 1}', "##vso[x]\n")
@example(b'{"version": 1, "images": {"##vso[x]\\n": 1}}', "x")
@example(b'{"version": 1, "images": {"a": {"tag": "\\ud800##[x]"}}}', "x")
def test_whatever_the_bytes_are_the_only_errors_are_ours_and_harmless(data: bytes, where: str) -> None:
    problem: EcsCdError | None = None
    try:
        parse_tag_file(data, where)
    except (TagFileError, InvalidTag) as error:
        problem = error
    assert problem is None or not HOSTILE.search(said(problem))


@given(tags)
def test_a_plain_tag_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, tag: str) -> None:
    path = tmp_path_factory.getbasetemp() / "plain" / ".buildId"
    write_tag(path, [TagEntry(ImageTag(tag))])
    assert path.read_bytes() == tag.encode() + b"\n"
    assert read_tag(str(path)) == TagEntry(ImageTag(tag))


@given(st.lists(entries, min_size=1, max_size=4, unique_by=lambda entry: entry.service))
def test_images_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, images: list[TagEntry]
) -> None:
    path = tmp_path_factory.getbasetemp() / "json" / ".buildId"
    write_tag(path, images, as_json=True)
    for image in images:
        assert read_tag(str(path), image.service) == image


def test_one_image_is_written_as_the_tag_alone_unless_asked(tmp_path: Path) -> None:
    image = TagEntry(ImageTag("7"), "my-api")
    write_tag(tmp_path / "plain", [image])
    write_tag(tmp_path / "json", [image], as_json=True)
    assert (tmp_path / "plain").read_bytes() == b"7\n"
    assert json.loads((tmp_path / "json").read_text()) == {"version": 1, "images": {"my-api": {"tag": "7"}}}


@pytest.mark.parametrize(
    "images",
    [
        [TagEntry(ImageTag("1")), TagEntry(ImageTag("2"))],
        [TagEntry(ImageTag("1"), "a"), TagEntry(ImageTag("2"), "a")],
        [TagEntry(ImageTag("1"), "a b"), TagEntry(ImageTag("2"), "a")],
        [TagEntry(ImageTag("1"), "a", digest="x"), TagEntry(ImageTag("2"), "b")],
        [],
    ],
)
def test_what_would_not_be_read_again_is_not_written(tmp_path: Path, images: list[TagEntry]) -> None:
    with pytest.raises(TagFileError):
        write_tag(tmp_path / ".buildId", images)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".buildId"
    write_tag(path, [TagEntry(ImageTag("1"))])

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(TagFileError, match="No space left on device"):
        write_tag(path, [TagEntry(ImageTag("2"))])
    assert [file.name for file in tmp_path.iterdir()] == [".buildId"]
    assert path.read_text() == "1\n"


def test_a_plain_file_fits_any_service_and_a_json_file_only_its_own() -> None:
    plain = parse_tag_file("1", "x")
    assert entry_for(plain, "anything").tag == ImageTag("1")
    several = parse_tag_file('{"version": 1, "images": {"my-api": {"tag": "1"}, "web": {"tag": "2"}}}', "x")
    assert entry_for(several, "web").tag == ImageTag("2")
    with pytest.raises(
        TagFileError, match=r"no image for service 'my-apo'\. Did you mean 'my-api'.*It has: my-api, web"
    ):
        entry_for(several, "my-apo")
    with pytest.raises(TagFileError, match="several images: my-api, web"):
        entry_for(several)
    assert entry_for(parse_tag_file(full(), "x")).service == "my-api"
