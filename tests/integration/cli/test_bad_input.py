"""Tags and tag files that must not pass: refused before anything is sent, and harmless in what is said of them."""

from __future__ import annotations

import pytest

from tests.support.called_commands import Cli
from tests.support.simulated_clouds import SimulatedClouds

HOSTILE = {
    "an agent's command": "##vso[task.setvariable variable=x]y",
    "a line feed": "102\n103",
    "a carriage return": "102\r103",
    "an escape sequence": "102\x1b[2J",
    "a path": "../../etc/passwd",
    "too long": "1" * 129,
    "a shell's words": "102; rm -rf /",
    "a digest": "102@sha256:0",
    "right to left": "102\u202e301",
    "a dot first": ".102",
}
TAKING_TAGS = (("deploy",), ("verify",), ("parameter", "set"))


@pytest.fixture(autouse=True)
def nothing_is_sent(clouds: SimulatedClouds) -> object:
    yield
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


@pytest.mark.parametrize("tag", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("words", TAKING_TAGS, ids=" ".join)
def test_a_hostile_tag_is_refused(cli: Cli, words: tuple[str, ...], tag: str) -> None:
    called = cli(*words, "my-api", "development", "--tag", tag).refused(2, "is not a Docker image tag")
    assert "letters, digits" in called.advice


@pytest.mark.parametrize("words", TAKING_TAGS, ids=" ".join)
def test_an_empty_tag_is_refused_though_there_is_a_tag_file(
    cli: Cli, clouds: SimulatedClouds, words: tuple[str, ...]
) -> None:
    clouds.publish("102", ".buildId")
    called = cli(*words, "my-api", "development", "--tag", "").refused(2, "The tag is empty.")
    assert "Leave it out to read a tag file." in called.advice


def test_an_empty_tag_to_go_back_to_is_refused(cli: Cli) -> None:
    called = cli("rollback", "my-api", "development", "--to", "").refused(2, "The tag is empty.")
    assert "Leave it out to go back to the version verified last." in called.advice


@pytest.mark.parametrize("tag", [*HOSTILE.values(), "10\x002"], ids=[*HOSTILE, "NUL"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_hostile_tag_in_a_tag_file_is_refused(cli: Cli, clouds: SimulatedClouds, tag: str, output: str) -> None:
    path = clouds.publish("")
    path.write_bytes(tag.encode())
    cli("deploy", "my-api", "development", "--tag-file", "drop", "--output", output).refused(2, ".buildId")


@pytest.mark.parametrize("tag", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tag_is_not_written_to_a_tag_file(cli: Cli, clouds: SimulatedClouds, tag: str) -> None:
    cli("tag", "write", tag).refused(2, "is not a Docker image tag")
    assert not (clouds.folder / ".buildId").exists()


def test_a_missing_tag_file_is_said_with_where_was_looked(cli: Cli) -> None:
    for where in ("drop", "**/.buildId", "drop/.buildId"):
        called = cli("deploy", "my-api", "development", "--tag-file", where)
        assert called.code == 2
        assert where in called.sentence


def test_several_tag_files_are_listed(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.publish("102", "drop/one/.buildId")
    clouds.publish("103", "drop/two/.buildId")
    called = cli("deploy", "my-api", "development", "--tag-file", "drop")
    assert called.code == 2
    assert "one/.buildId" in called.told
    assert "two/.buildId" in called.told


def test_a_hostile_name_of_a_tag_file_is_harmless(cli: Cli, clouds: SimulatedClouds) -> None:
    for name in ("##vso[task.complete]x", "a\x1b[2Jb"):
        clouds.publish("102", f"drop/{name}/.buildId")
    assert cli("tag", "read", "drop").code == 2
    assert cli("tag", "read", "##vso[task.complete]").code == 2


def test_a_tag_file_that_names_another_service_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli("tag", "write", "102", "--service", "my-worker")
    called = cli("deploy", "my-api", "development").refused(2, "has no image for service 'my-api'")
    assert "my-worker" in called.advice


def test_a_tag_file_that_names_another_repository_is_refused(cli: Cli, clouds: SimulatedClouds) -> None:
    cli("tag", "write", "102", "--service", "my-api", "--repository", "other")
    cli("deploy", "my-api", "development").refused(2, "'other'", "'my-api'")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"1" * 70000, "64 KiB"),
        (b"\x7fELF\x00\x01", "not a text file"),
        (b'{"version": 1, "images": {}}', "images"),
        (b'{"version": 1', "not JSON"),
        (b"102 103", "not a Docker image tag"),
    ],
)
def test_what_is_no_tag_file_is_refused(cli: Cli, clouds: SimulatedClouds, content: bytes, says: str) -> None:
    clouds.publish("").write_bytes(content)
    called = cli("deploy", "my-api", "development", "--tag-file", "drop/.buildId")
    assert called.code == 2
    assert says in called.sentence
