"""What a caller may pass, and what is said of all else; nothing here comes from the inside."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecs_cd import arguments
from ecs_cd.client import Client
from ecs_cd.errors import InvalidTag, WrongInput
from ecs_cd.model.image import ImageTag, TagEntry, TagFile
from ecs_cd.settings import BY_NAME, Section, Settings, load
from ecs_cd.support.clock import SystemClock

FILE = """\
organization: https://dev.azure.com/acme
project: platform
services: {my-api: {}, my-worker: {}}
environments: {development: {}, production: {}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "ecs-cd.yml"
    path.write_text(FILE)
    return load(path, {})


def test_settings_are_a_path_as_text_or_path_or_loaded(tmp_path: Path) -> None:
    path = tmp_path / "ecs-cd.yml"
    path.write_text(FILE)
    loaded = arguments.load_settings(path, {})
    assert loaded.services == ("my-api", "my-worker")
    assert arguments.load_settings(str(path), {}) == loaded
    assert arguments.load_settings(loaded, {}) is loaded


def test_without_settings_the_file_is_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ecs-cd.yml").write_text(FILE)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert arguments.load_settings(None, {}).services == ("my-api", "my-worker")


@pytest.mark.parametrize("source", [{"region": "eu-west-1"}, 1, ["ecs-cd.yml"], True])
def test_settings_of_another_type_are_refused(source: object) -> None:
    with pytest.raises(WrongInput, match="path of a file or as loaded settings, not as a value of type"):
        arguments.load_settings(source, {})  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("name", [name for name, one in BY_NAME.items() if one.section is not Section.CALL])
def test_every_setting_is_a_keyword(name: str) -> None:
    arguments.check_keywords("deploy", {name: None})


@pytest.mark.parametrize(
    ("name", "meant"),
    [("tiemout", "timeout"), ("environments_", "environments"), ("tagfile", "tag_file"), ("dryrun", "dry_run")],
)
def test_an_unknown_keyword_is_a_type_error_that_says_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=rf"deploy\(\) got an unexpected keyword argument '{name}'.*'{meant}'\?"):
        arguments.check_keywords("deploy", {name: "x"})


def test_a_secret_is_no_keyword() -> None:
    with pytest.raises(TypeError):
        arguments.check_keywords("deploy", {"azure_devops_pat": "x"})


@pytest.mark.parametrize("value", [None, 5, ["my-api"], ("my-api",), ImageTag("1")])
def test_a_service_or_an_environment_that_is_no_text_is_refused(settings: Settings, value: object) -> None:
    with pytest.raises(WrongInput, match=r"deploy\(\) takes the service as text"):
        arguments.check_place("deploy", value, "development", settings)
    with pytest.raises(WrongInput, match=r"deploy\(\) takes the environment as text"):
        arguments.check_place("deploy", "my-api", value, settings)


def test_service_and_environment_in_the_wrong_order_are_told(settings: Settings) -> None:
    with pytest.raises(WrongInput, match=r"Did you mean deploy\('my-api', 'development'\)\?"):
        arguments.check_place("deploy", "development", "my-api", settings)


def test_environment_and_services_in_the_wrong_order_are_told(settings: Settings) -> None:
    with pytest.raises(WrongInput, match="the environment first, then the services"):
        arguments.check_order_of_several({"my-api": 1}, "development", settings)
    with pytest.raises(WrongInput, match=r"Did you mean deploy_many\('development', \.\.\.\)\?"):
        arguments.check_order_of_several("my-api", "development", settings)
    arguments.check_order_of_several("development", {"my-api": 1}, settings)


def test_one_name_is_a_text_and_several_are_any_sequence() -> None:
    assert arguments.names_of("services", "my-api") == ("my-api",)
    assert arguments.names_of("services", ["a", "b"]) == ("a", "b")
    assert arguments.names_of("services", (name for name in ("a", "b"))) == ("a", "b")
    assert arguments.names_of("services", "") == arguments.names_of("services", ()) == ()


@pytest.mark.parametrize("given", [5, None, ["a", 5]])
def test_names_that_are_no_texts_are_refused(given: object) -> None:
    with pytest.raises(WrongInput, match="The services are given"):
        arguments.names_of("services", given)


@pytest.mark.parametrize("value", ["false", "", 0, 1, None])
def test_a_switch_is_a_bool_and_nothing_that_counts_as_one(value: object) -> None:
    arguments.check_switches(dry_run=True, wait=False)
    with pytest.raises(WrongInput, match=rf"^`dry_run` is True or False, not {value!r}\.$"):
        arguments.check_switches(dry_run=value)


@pytest.mark.parametrize("value", [5, None, "print"])
def test_a_watch_can_be_called(value: object) -> None:
    arguments.check_watch(print)
    with pytest.raises(WrongInput, match=r"^`watch` is a function that is called with every event, not "):
        arguments.check_watch(value)


@pytest.mark.parametrize("tag", ["101", 101, ImageTag("101")])
def test_a_tag_is_a_text_a_number_or_a_tag(tag: str | int | ImageTag) -> None:
    assert arguments.tag_entry("my-api", tag, "") == TagEntry(ImageTag("101"), "my-api")


@pytest.mark.parametrize("tag", [True, 1.5, b"101", ["101"]])
def test_a_tag_of_another_type_is_refused(tag: object) -> None:
    with pytest.raises(WrongInput, match="as text, as a number or as an ImageTag, not as"):
        arguments.image_tag(tag)


def test_what_is_no_tag_is_refused() -> None:
    for tag in (-1, "no tag"):
        with pytest.raises(InvalidTag):
            arguments.image_tag(tag)


def test_a_number_that_python_does_not_write_is_no_tag() -> None:
    with pytest.raises(InvalidTag):
        arguments.image_tag(10**5000)


@pytest.mark.parametrize("environ", [5, ["PATH"], {"PATH": 5}, {5: "x"}, {"PATH": None}, "", ()])
def test_variables_that_are_no_mapping_of_texts_are_refused(environ: object) -> None:
    with pytest.raises(WrongInput, match="`environ` is a mapping of names to texts"):
        arguments.load_settings(None, environ)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("clock", [0, "", 5, object(), time])
def test_what_is_no_clock_is_refused(clock: object) -> None:
    with pytest.raises(WrongInput, match="`clock` has the methods now, utc and sleep"):
        Client(clock=clock, environ={})  # type: ignore[arg-type]  # that is the point


def test_a_clock_that_counts_as_false_is_used(settings: Settings) -> None:
    class Clock(SystemClock):
        def __bool__(self) -> bool:
            return False

    clock = Clock()
    arguments.check_clock(clock)
    assert Client(settings, clock=clock)._calls.clock is clock


def test_what_has_an_address_and_is_no_connection_of_the_sdk_is_refused() -> None:
    with pytest.raises(WrongInput, match="`connection` is an azure"):
        arguments.check_credentials(None, SimpleNamespace(base_url="https://dev.azure.com/acme"))


def test_an_empty_tag_is_refused_and_not_taken_for_one_that_is_left_out() -> None:
    tag_file = TagFile("x", (TagEntry(ImageTag("1"), "my-api"),))
    for source in ("", tag_file):
        with pytest.raises(WrongInput, match=r"^The tag is empty\. .* set\? Leave it out to read a tag file"):
            arguments.tag_entry("my-api", "", source)
        with pytest.raises(WrongInput, match=r"^The tag is empty\."):
            arguments.tag_entries({"my-api": ""}, source)


def test_a_tag_file_is_a_path_as_text_or_path_or_one_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "drop" / ".buildId"
    path.parent.mkdir()
    path.write_text("101\n")
    entry = TagEntry(ImageTag("101"))
    for source in (path, str(path), str(path.parent), TagFile("x", (entry,))):
        assert arguments.tag_entry("my-api", None, source) == entry


def test_tag_and_tag_file_exclude_each_other() -> None:
    with pytest.raises(WrongInput, match="Both a tag and a tag file"):
        arguments.tag_entry("my-api", 0, "drop")
    with pytest.raises(WrongInput, match="Every tag is given"):
        arguments.tag_entries({"my-api": 1}, "drop")


def test_a_tag_file_of_another_type_is_refused() -> None:
    with pytest.raises(WrongInput, match="A tag file is given as a path"):
        arguments.tag_entry("my-api", None, 5)  # type: ignore[arg-type]  # that is the point


TAGS = TagFile("x", (TagEntry(ImageTag("1"), "my-api"), TagEntry(ImageTag("2"), "my-worker")))


def test_several_services_are_tags_by_name_or_names_whose_tags_the_file_has() -> None:
    def tags(services: arguments.Services, source: arguments.TagSource = TAGS) -> list[tuple[str, str]]:
        return [(entry.service, str(entry.tag)) for entry in arguments.tag_entries(services, source)]

    assert tags({"my-api": 5, "my-worker": ImageTag("6")}, "") == [("my-api", "5"), ("my-worker", "6")]
    assert tags({"my-worker": 5, "my-api": None}) == [("my-worker", "5"), ("my-api", "1")]
    assert tags(["my-worker", "my-api"]) == [("my-worker", "2"), ("my-api", "1")]
    assert tags("my-worker") == [("my-worker", "2")]
    assert tags(()) == tags({}) == [("my-api", "1"), ("my-worker", "2")]


def test_a_connection_of_the_callers_own_gives_the_organization_and_needs_no_token(tmp_path: Path) -> None:
    environ = {"SYSTEM_ACCESSTOKEN": "t" * 20, "SYSTEM_COLLECTIONURI": "https://dev.azure.com/other/"}
    loaded = arguments.with_connection(load(None, environ, tmp_path), "https://dev.azure.com/acme")
    assert loaded.token is None
    assert loaded.resolve_project(project="platform").organization == "https://dev.azure.com/acme"


def test_a_fallback_counts_less_than_the_file_and_a_wrong_one_names_its_origin(settings: Settings) -> None:
    changed = arguments.with_fallback(settings, "organization", "https://dev.azure.com/other", "somebody")
    assert changed.resolve_project().organization == "https://dev.azure.com/acme"
    with pytest.raises(WrongInput, match=r"^somebody: 'eu west'"):
        arguments.with_fallback(settings, "region", "eu west", "somebody")


def test_the_documentation_of_a_function_lists_every_setting() -> None:
    def deploy() -> None:
        """Deliver."""

    told = arguments.describe_settings(deploy).__doc__ or ""
    assert told.startswith("Deliver.\n")
    for name, one in BY_NAME.items():
        assert (f"    {name}: {one.help}" in told) is (one.section is not Section.CALL)
