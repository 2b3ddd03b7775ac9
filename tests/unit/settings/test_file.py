"""A settings file is checked as a whole before anything is sent (rule 1)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecs_cd.errors import SettingsError
from ecs_cd.settings import TABLE, Section, Settings, json_schema, load
from ecs_cd.settings.table import in_section

MINIMAL = """\
organization: https://dev.azure.com/acme
project: platform
services:
  my-api:
    parameter: /{service}/{environment}/docker-image-tag
    repository: my-api                  # in ECR
    pipeline: my-infrastructure         # id, name or folder path
    ecs: {cluster: "{environment}", service: my-api, container: api}
environments:
  development: {branch: develop, region: eu-west-1}
  production: {branch: main, region: eu-west-1, promote_from: development}
"""
FULL = r"""
organization: https://dev.azure.com/acme
project: platform
defaults: &usual
  parameter: /{service}/{environment}/docker-image-tag
  create_parameter: true
  order: semver
  repository: team/{service}
  registry: 012345670123
  registry_region: eu-west-1
  check_image: yes
  wait_for_image: 5m
  pipeline: \infrastructure\network
  template_parameters: {service: "{service}", json: '{{"a": 1}}'}
  variables: {DEBUG: true, LEVEL: 3}
  verify: true
  ecs: {cluster: "{environment}", container: app}
  timeout: 1h30m
services:
  my-api:
  web:
    <<: *usual
    pipeline: 42
  worker: {ecs: null}
environments:
  development: {branch: develop, region: eu-west-1, profile: dev}
  production:
    branch: refs/heads/main
    role_arn: arn:aws:iam::123456789012:role/deploy-{environment}
    external_id: abc
    promote_from: development
    services:
      web: {ecs: {cluster: big}, timeout: 90}
"""
HOSTILE = re.compile(r"##\[|##vso\[|[\x00-\x08\x0a-\x1f\x7f-\x9f]", re.IGNORECASE)


def loaded(tmp_path: Path, text: str | bytes) -> Settings:
    path = tmp_path / "ecs-cd.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, {})


def mistakes(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    lines = list(caught.value.details) or [caught.value.message]
    return [line.replace(str(tmp_path / "ecs-cd.yml"), "ecs-cd.yml") for line in lines]


@pytest.mark.parametrize("text", [MINIMAL, FULL])
def test_a_good_file_passes_both_the_models_and_the_schema(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).environments == ("development", "production")
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("right", "typo"),
    [("parameter:", "paramter:"), ("cluster:", "clustr:"), ("promote_from", "promotefrom"), ("project", "projcet")],
)
def test_a_typo_fails_both_the_models_and_the_schema(tmp_path: Path, right: str, typo: str) -> None:
    text = MINIMAL.replace(right, typo)
    (mistake,) = mistakes(tmp_path, text)
    assert f"Did you mean '{right.rstrip(':')}'?" in mistake
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(yaml.safe_load(text))


def test_every_key_of_the_schema_has_a_title_and_a_description() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for part in [schema, *schema["$defs"].values()]:
        assert part["additionalProperties"] is False
        for key, value in part["properties"].items():
            assert value.get("title"), key
            assert value.get("description"), key


def test_the_schema_has_the_settings_of_the_table() -> None:
    schema = json_schema()
    parts = {
        Section.TOP: (schema, {"defaults", "services", "environments"}),
        Section.SERVICE: (schema["$defs"]["ServicePart"], {"ecs"}),
        Section.ENVIRONMENT: (schema["$defs"]["EnvironmentPart"], {"services"}),
    }
    for section, (part, containers) in parts.items():
        assert set(part["properties"]) - containers == {key for key in in_section(section) if "." not in key}
    assert {f"ecs.{key}" for key in schema["$defs"]["EcsPart"]["properties"]} == {
        key for key in in_section(Section.SERVICE) if "." in key
    }
    for setting in TABLE:
        if setting.section is not Section.CALL:
            part = schema["$defs"]["EcsPart"] if "." in setting.path else parts[setting.section][0]
            assert part["properties"][setting.path.rpartition(".")[2]]["description"] == setting.help


def test_no_flag_variable_or_name_stands_for_two_things() -> None:
    for names in (
        [option.name for option in TABLE],
        [option.switch for option in TABLE if option.switch],
        [variable for option in TABLE for variable in (option.variable, *option.fallbacks)],
    ):
        assert len(names) == len(set(names))


def test_a_secret_has_no_flag_and_no_key() -> None:
    assert [option.name for option in TABLE if option.secret] == ["azure_devops_pat"]
    assert all(not option.switch and option.section is Section.CALL for option in TABLE if option.secret)


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ("pipeline: 7", "1:1", "`pipeline` belongs to a service"),
        ("branch: main", "1:1", "`branch` belongs to an environment"),
        ("cluster: main", "1:1", "`cluster` belongs under ecs"),
        ("wibble: main", "1:1", "Known here: organization, project, defaults, services, environments"),
        ("project: a\nproject: b", "2:1", "'project' is already on line 1"),
        ("project: [a]", "1:10", "project: must be a string, not a list"),
        ("project: ''", "1:10", "project: is empty"),
        ("services: 5", "1:11", "services: must hold keys and values"),
        ("services: {a: 5}", "1:15", "services.a: must hold keys and values"),
        ("services: {a b: {}}", "1:12", "'a b' is not a name"),
        ("defaults: {ecs: 5}", "1:17", "defaults.ecs: must hold keys and values"),
        ("defaults: {variables: [A=B]}", "1:23", "defaults.variables: must hold names and values"),
        ("defaults: {variables: {a: }}", "1:23", "needs a string as the value of 'a'"),
        ("defaults: {variables: {'': a}}", "1:23", "has an empty name"),
        ("defaults: {verify: [a]}", "1:20", "a list is neither true nor false"),
        ("defaults: {variables: {a: '{x}'}}", "1:23", "unknown placeholder '{x}'"),
        ("defaults: {timeout: soon}", "1:21", "'soon' is not a duration; write 90s, 5m or 1h30m"),
        ("defaults: {timeout: 0}", "1:21", "must be at least 1s"),
        ("defaults: {timeout: 999h}", "1:21", "longer than a week"),
        ("defaults: {verify: maybe}", "1:20", "'maybe' is neither true nor false"),
        ("defaults: {order: semvr}", "1:19", "Did you mean 'semver'?"),
        ("defaults: {parameter: '/{servce}'}", "1:23", "unknown placeholder '{servce}'.*Did you mean 'service'?"),
        ("defaults: {parameter: '/{service'}", "1:23", "stray '{'; write it twice"),
        ("defaults: {parameter: '/service}'}", "1:23", "stray '}'"),
        ("services: {a: {parameter: !x y}}", "1:27", "the tag '!x' has no meaning here"),
        ("? [a]\n: b", "1:3", "a key must be a name"),
        ("defaults: {<<: 5}", "1:16", "`<<` needs the alias of a mapping"),
        ("environments: {a: {promote_from: b}}", "1:34", "no environment 'b'. There are: a"),
        ("environments: {a: {promote_from: a}}", "1:34", "cannot follow itself"),
        ("services: {api: }\nenvironments: {a: {services: {apo: {}}}}", "2:31", "Did you mean 'api'?"),
        ("a: b: c", "1:5", "not YAML: mapping values are not allowed here"),
        ("a: *b", "1:4", "not YAML: found undefined alias"),
        ("a: 1\n---\nb: 1", "2:1", "not YAML"),
        ("- a", "1:1", "must be keys and values"),
        ("organization: acme", "1:15", "'acme' is not an address, such as https://dev.azure.com/acme"),
    ],
)
def test_a_mistake_is_told_with_line_column_and_what_to_do(tmp_path: Path, line: str, place: str, says: str) -> None:
    (mistake,) = mistakes(tmp_path, line)
    assert mistake.startswith(f"ecs-cd.yml:{place}: ")
    assert all(part in mistake for part in says.split(".*"))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "wrong: 1\nproject: a/b\ndefaults:\n  timeout: x\n  timeout: y\n  verfy: no\n")
    assert [line.split(":")[1] for line in found] == ["1", "2", "4", "5", "6"]


@pytest.mark.parametrize("key", ["pat", "token", "PAT", "azure_devops_pat", "access_token", "password"])
@pytest.mark.parametrize("where", ["{}", "defaults: {{{}}}", "defaults: {{ecs: {{{}}}}}"])
def test_a_token_in_the_file_is_refused_and_not_repeated(tmp_path: Path, key: str, where: str) -> None:
    (mistake,) = mistakes(tmp_path, where.format(f"{key}: hunter2"))
    assert "belongs in the environment, as ECS_CD_AZURE_DEVOPS_PAT" in mistake
    assert "hunter2" not in mistake


def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, "organization: https://me:hunter2@dev.azure.com/acme")
    assert "holds credentials" in mistake
    assert "hunter2" not in mistake


def test_what_looks_like_a_number_or_a_switch_stays_as_it_was_written(tmp_path: Path) -> None:
    text = "services: {on: {registry: 012345670123, variables: {a: 1.10, b: yes, c: 2020-01-01, d: 0x1F}}}"
    part = loaded(tmp_path, text).file.services["on"]
    assert part["registry"] == "012345670123"
    assert part["variables"] == {"a": "1.10", "b": "yes", "c": "2020-01-01", "d": "0x1F"}


def test_aliases_and_merges_are_understood(tmp_path: Path) -> None:
    text = """
defaults: &a {timeout: 5m, order: none}
services:
  one: *a
  two: {<<: *a, timeout: 1m}
  three: {<<: [{timeout: 2m}, *a]}
"""
    services = loaded(tmp_path, text).file.services
    assert [(part["timeout"], part["order"]) for part in services.values()] == [
        (300, "none"),
        (60, "none"),
        (120, "none"),
    ]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "once its aliases are written out"),
        ("a: &a {<<: *a}", "once its aliases are written out|not YAML"),
        ("a: &a [*a]", "once its aliases are written out"),
        ("a: &a {b: *a}", "once its aliases are written out"),
        ("[" * 100_000, "nested too deeply"),
        ("#" * (256 * 1024 + 1), "larger than 256 KiB"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"project: \xe9", "not UTF-8"),
        ("project: \x07", "may not be in a text"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, text: str | bytes, says: str) -> None:
    (mistake,) = mistakes(tmp_path, text)
    assert re.search(says, mistake)


PIECES = [
    "##vso[x]",
    "##[x]",
    "services: ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "\n",
    "  ",
    ": ",
    "- ",
    "'",
    '"',
    "\\n",
    "\x1b",
]


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.sampled_from([*PIECES, "defaults", "timeout"])).map(lambda p: "".join(p).encode()),
    )
)
@example(b'"##vso[x]\\n": 1')
@example(b'services: {"##vso[x]\\n": {a: 1}}')
@example(b'defaults: {timeout: "##[x]\\n"}')
@example(b'services: {"##[x]\\n": {timeout: x}}')
@example(b'services: {"##[x]\\n": {a: x}}')
@example(b"!<##vso[x]> {}")
def test_whatever_the_file_is_the_only_error_is_ours_and_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(data)
    problem: SettingsError | None = None
    try:
        load(path, {})
    except SettingsError as error:
        problem = error
    for text in (problem.message, problem.hint, *problem.details) if problem else ():
        assert not HOSTILE.search(text)


def test_without_a_file_what_only_a_file_needs_is_not_imported(tmp_path: Path) -> None:
    code = "import sys, ecs_cd.settings as s\ns.load(None, {'ECS_CD_TIMEOUT': '5m'})\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"pydantic", "yaml"} & set(done.stdout.split())


def test_the_file_is_found_upwards_and_the_nearest_counts(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "ecs-cd.yml").write_text("project: far")
    assert load(None, {}, deep).file.top["project"] == "far"
    (tmp_path / "a" / "ecs-cd.yml").write_text("project: near")
    assert load(None, {}, deep).file.top["project"] == "near"
    assert load(None, {"ECS_CD_SETTINGS": str(tmp_path / "ecs-cd.yml")}, deep).file.top["project"] == "far"


def test_a_directory_of_that_name_is_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "ecs-cd.yml").write_text("project: far")
    (tmp_path / "a" / "ecs-cd.yml").mkdir(parents=True)
    assert load(None, {}, tmp_path / "a").file.top["project"] == "far"


def test_a_file_with_the_other_ending_is_not_overlooked(tmp_path: Path) -> None:
    (tmp_path / "ecs-cd.yaml").write_text("project: a")
    with pytest.raises(SettingsError, match=r"is named ecs-cd\.yml: rename"):
        load(None, {}, tmp_path)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Cannot read the settings file .*No such file"):
        load(tmp_path / "none.yml", {})


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "\ufeffproject: a", "services:\n"])
def test_an_empty_or_marked_file_is_fine(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).services == ()
