from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.azure_task.wording import task_wording
from ecs_cd.cli.wording import command_line_wording
from ecs_cd.errors import SettingsError
from ecs_cd.messages import Wording, library_wording, worded
from ecs_cd.model.order import Order
from ecs_cd.model.service import ServiceTarget, TaskTarget
from ecs_cd.settings import TABLE, DeliverySettings, Section, Settings, load, values
from ecs_cd.settings.commands import ECS
from tests.unit.settings.test_file import FULL, MINIMAL

AGENT = {"SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECT": "platform"}


def loaded(tmp_path: Path, text: str = MINIMAL, **environ: str) -> Settings:
    path = tmp_path / "ecs-cd.yml"
    path.write_text(text)
    return load(path, environ)


def mistakes(error: SettingsError) -> list[str]:
    return list(error.details) or [str(error)]


def test_the_example_comes_to_what_it_says(tmp_path: Path) -> None:
    assert loaded(tmp_path).resolve("my-api", "production") == DeliverySettings(
        service="my-api",
        environment="production",
        organization="https://dev.azure.com/acme",
        project="platform",
        parameter="/my-api/production/docker-image-tag",
        repository="my-api",
        pipeline="my-infrastructure",
        branch="refs/heads/main",
        target=ServiceTarget("production", "my-api", "api", "my-api"),
        region="eu-west-1",
        promote_from="development",
    )


def test_defaults_hold_for_every_service_and_the_nearer_part_counts_more(tmp_path: Path) -> None:
    settings = loaded(tmp_path, FULL)
    api = settings.resolve("my-api", "development")
    assert api.parameter == "/my-api/development/docker-image-tag"
    assert api.registry == "012345670123"
    assert api.order is Order.SEMVER
    assert (api.wait_for_image, api.timeout) == (300, 5400)
    assert api.template_parameters == {"service": "my-api", "json": '{"a": 1}'}
    assert api.variables == {"DEBUG": "true", "LEVEL": "3"}
    assert api.target == ServiceTarget("development", "my-api", "app", "team/my-api")
    web = settings.resolve("web", "production")
    assert (web.pipeline, web.timeout) == (42, 90)
    assert web.role_arn == "arn:aws:iam::123456789012:role/deploy-production"
    assert web.target == ServiceTarget("big", "web", "app", "team/web")
    assert settings.resolve("worker", "development").target is None


def test_flags_count_over_environment_over_file_over_the_agent(tmp_path: Path) -> None:
    agent = {"SYSTEM_TEAMPROJECT": "agents", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/other/"}
    settings = loaded(tmp_path, **agent)
    assert settings.resolve("my-api", "production").project == "platform"
    settings = loaded(tmp_path, **agent, ECS_CD_PROJECT="environments", ECS_CD_CLUSTER="{environment}-2")
    assert settings.resolve("my-api", "production").project == "environments"
    final = settings.resolve("my-api", "production", project="flags", timeout="2m", verify=True)
    assert (final.project, final.timeout) == ("flags", 120)
    assert final.target == ServiceTarget("production-2", "my-api", "api", "my-api")
    without = loaded(tmp_path, MINIMAL.replace("project: platform\n", ""), **agent)
    assert without.resolve("my-api", "production").project == "agents"


def test_a_map_given_by_flag_adds_to_the_map_of_the_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, FULL, ECS_CD_VARIABLES="LEVEL=4\nC=x=y\n")
    final = settings.resolve("my-api", "development", variables=["E={environment}"])
    assert final.variables == {"DEBUG": "true", "LEVEL": "4", "C": "x=y", "E": "development"}


@pytest.mark.parametrize("given", [["hunter2"], "A=1\nhunter2", 5])
def test_a_map_is_given_as_name_and_value_and_not_repeated_when_wrong(given: object) -> None:
    with pytest.raises(SettingsError, match=r"`variables=`: must be (given as NAME=VALUE|names and)") as caught:
        Settings().resolve(steps=(), variables=given)
    assert "hunter2" not in str(caught.value)


def test_a_flag_left_out_changes_nothing(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    plain = settings.resolve("my-api", "production")
    assert settings.resolve("my-api", "production", project=None, pipeline="", variables=(), verify=None) == plain


def test_a_null_takes_a_default_back(tmp_path: Path) -> None:
    text = "defaults: {registry: '123456789012'}\nservices: {a: {registry: null}, b: }"
    settings = loaded(tmp_path, text)
    assert settings.resolve("a", steps=()).registry == ""
    assert settings.resolve("b", steps=()).registry == "123456789012"


def test_no_file_is_needed_when_all_is_given() -> None:
    settings = load(None, AGENT | {"ECS_CD_PARAMETER": "/x/{environment}", "ECS_CD_BRANCH": "develop"}, Path("/"))
    final = settings.resolve("my-api", "any", pipeline=7, verify=False)
    assert (final.parameter, final.repository, final.pipeline) == ("/x/any", "my-api", 7)
    assert (final.organization, final.branch) == ("https://dev.azure.com/acme", "refs/heads/develop")
    assert final.target is None


def test_a_single_step_needs_only_what_it_takes() -> None:
    assert Settings().resolve(steps=["parameter"], parameter="/x").parameter == "/x"
    with pytest.raises(
        SettingsError, match=r"The parameter is not set: give `parameter=`, set ECS_CD_PARAMETER, or write"
    ):
        Settings().resolve(steps=["parameter"])


def test_every_missing_value_is_told_with_three_ways_to_give_it(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "services: {my-api: }\nenvironments: {production: }")
    with pytest.raises(SettingsError) as caught:
        settings.resolve()
    found = mistakes(caught.value)
    assert len(found) == 6
    assert (
        "The ECS cluster of my-api in production is not set: give `cluster=`, set ECS_CD_CLUSTER, "
        "or write `ecs.cluster` under services.my-api or defaults in ecs-cd.yml."
    ) in found


def test_a_missing_value_says_that_no_file_was_found_and_where(tmp_path: Path) -> None:
    note = f" No ecs-cd.yml was found in '{tmp_path}' or above it."
    found_nothing = load(None, {}, tmp_path)
    with pytest.raises(SettingsError) as caught:
        found_nothing.resolve("my-api", "development", steps=["parameter"], region="eu-west-1")
    assert str(caught.value).startswith("The parameter of my-api in development is not set: give `parameter=`")
    assert str(caught.value).endswith(f" in ecs-cd.yml.{note}")
    with pytest.raises(SettingsError) as caught:
        found_nothing.resolve("my-api", "development")
    assert str(caught.value) == f"The settings have {len(mistakes(caught.value))} mistakes.{note}"
    with pytest.raises(SettingsError, match="is not set") as caught:
        loaded(tmp_path, "services: {my-api: {}}").resolve("my-api", "development", steps=["parameter"])
    assert "was found" not in str(caught.value)


def test_what_is_not_looked_at_need_not_be_given() -> None:
    needs = {"organization": "https://dev.azure.com/acme", "project": "p", "pipeline": "1", "branch": "b"}
    final = Settings().resolve(parameter="/x", verify=False, check_image=False, **needs)
    assert (final.repository, final.target) == ("", None)


@pytest.mark.parametrize(
    ("service", "environment", "says"),
    [
        (
            "my-apo",
            "production",
            "There is no service 'my-apo' in .*Did you mean 'my-api'.*There are: my-api, web, worker",
        ),
        ("my-api", "prod", "There is no environment 'prod' in .*There are: development, production"),
        ("", "production", "Which service. There are: my-api, web, worker. Name it, or set ECS_CD_SERVICE"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_known(
    tmp_path: Path, service: str, environment: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        loaded(tmp_path, FULL).resolve(service, environment)


@pytest.mark.parametrize(("service", "environment"), [(["my-api"], "production"), ("my-api", None), (7, "production")])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, service: Any, environment: Any) -> None:  # noqa: ANN401 - any type is the point
    with pytest.raises(SettingsError, match=r"must be given as a string, not as (list|NoneType|int)"):
        loaded(tmp_path).resolve(service, environment)


def test_a_name_may_come_from_the_environment_or_be_the_only_one(tmp_path: Path) -> None:
    final = loaded(tmp_path, ECS_CD_ENVIRONMENT="development").resolve()
    assert (final.service, final.environment) == ("my-api", "development")


def test_a_placeholder_without_its_name_says_which_flag_is_missing() -> None:
    with pytest.raises(
        SettingsError, match=r"placeholder {service}, and no service was named: name it with `service=`"
    ):
        Settings().resolve(steps=["parameter"], parameter="/{service}/x")


ARN = "arn:aws:iam::123456789012:role/"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "parameter",
            ["/a/b-c_d.e", "plain", "/" + "/".join("a" * 15)],
            ["a/b", "/a//b", "/a/", "/", "/aws/x", "SSMx", "/a b"],
        ),
        ("parameter", ["/" + "x" * 1010], ["/" + "x" * 1011, "/" + "/".join("a" * 16), "arn:aws:ssm:x", "/\u00e9"]),
        (
            "repository",
            ["my-api", "team/my_api.x", "a1"],
            ["My", "a", "-a", "a//b", "a:1", "1.dkr.ecr.eu-west-1.amazonaws.com/a"],
        ),
        ("registry", ["123456789012"], ["12345678901", "1234567890123", "\u0661" * 12]),
        ("region", ["eu-west-1", "us-gov-east-1", "ap-southeast-5"], ["eu-west", "EU-WEST-1", "x"]),
        ("cluster", ["a_B-9"], ["a.b", "a/b", "x" * 256, "arn:aws:ecs:x"]),
        ("ecs_service", ["a_B-9"], ["a b"]),
        ("container", ["a_B-9"], ["a b"]),
        ("role_arn", [ARN + "x/y", ARN.replace("aws", "aws-cn") + "a"], [ARN, "x", ARN + "a b"]),
        ("external_id", ["ab:/c"], ["a", "a b"]),
        (
            "branch",
            ["main", "feature/x", "refs/heads/a"],
            ["a..b", "a b", "/a", "a/", "a.lock", ".a", "a/.b", "a//b", "@", "-a", "a@{1"],
        ),
        ("branch", ["a@b"], ["a~", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a.", "a\x7f"]),
        ("pipeline", ["7", "my infra", "\\a\\b"], ["0", "9" * 20, "a\nb"]),
        ("project", ["platform", "My Project"], ["a/b", "_a", ".a", "a.", "x" * 65, "$(System.TeamProject)"]),
        ("order", ["numeric", "semver", "none"], ["Numeric"]),
        (
            "organization",
            [
                "https://dev.azure.com/acme",
                "http://127.0.0.1:8080/acme",
                "http://localhost/x",
                "https://tfs.acme/tfs/Main",
            ],
            [
                "http://dev.azure.com/acme",
                "https://dev.azure.com",
                "https://dev.azure.com/acme/project",
                "https://u:p@dev.azure.com/acme",
                "https://dev.azure.com/acme?x=1",
                "https://dev.azure.com/acme#x",
                "https:///acme",
                "https://[x/acme",
                "https://a:b/acme",
                "https://127.0.0.1\\@evil/",
                "http://127.0.0.1.evil.com/acme",
                "ftp://a/b",
                "acme",
            ],
        ),
    ],
)
def test_names_are_checked_as_their_owners_do(name: str, good: list[str], bad: list[str]) -> None:
    for value in good:
        escaped = value.replace("{", "{{")
        Settings().resolve(steps=(), **{name: escaped})
    for value in bad:
        with pytest.raises(SettingsError):
            Settings().resolve(steps=(), **{name: value.replace("{", "{{")})


def test_a_filled_value_is_checked_too_and_told_with_its_place(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL.replace("production:", "eu.production:"))
    with pytest.raises(
        SettingsError, match=r"ecs-cd\.yml:8:\d+: services\.my-api\.ecs\.cluster: 'eu\.production' is not a name"
    ):
        settings.resolve("my-api", "eu.production")


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ECS_CD_TIMEOUT: 'x' is not a duration"):
        loaded(tmp_path, ECS_CD_TIMEOUT="x")


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"pipelin": "x"}, "There is no setting 'pipelin'. Did you mean 'pipeline'?"),
        ({"zzz": "x"}, "There is no setting 'zzz'."),
        ({"settings": "x"}, "There is no setting 'settings'."),
        ({"azure_devops_pat": "s3cret"}, "comes from the environment only: set ECS_CD_AZURE_DEVOPS_PAT"),
        ({"branch": ["main"]}, "`branch=`: must be a string, not a list."),
        ({"branch": b"main"}, "`branch=`: must be a string, not bytes."),
        ({"region": 5}, "`region=`: '5' is not an AWS region"),
        ({"order": "newest"}, "`order=`: 'newest' is not one of numeric, semver, none."),
        ({"rollback": True}, "`rollback=`: must be a string, not true or false."),
        ({"verify": "maybe"}, "`verify=`: 'maybe' is neither true nor false."),
        ({"verify": 2}, "`verify=`: '2' is neither true nor false."),
        ({"timeout": "soon"}, "`timeout=`: 'soon' is not a duration"),
        ({"timeout": 0.5}, "`timeout=`: must be at least 1s."),
        ({"timeout": 0}, "`timeout=`: must be at least 1s."),
        ({"timeout": {"minutes": 5}}, "`timeout=`: a mapping is not a duration"),
        ({"timeout": float("nan")}, "`timeout=`: 'nan' is not a duration"),
        ({"variables": {"a": 1}}, "`variables=`: needs a string as the value of 'a'."),
        ({"variables": {1: "a"}}, "`variables=`: has an empty name"),
        ({"template_parameters": 5}, "`template_parameters=`: must be names and values, not int."),
    ],
)
def test_a_wrong_keyword_or_type_is_the_caller_s_mistake(keywords: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().resolve("my-api", "development", steps=(), **keywords)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_all_wrong_keywords_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().resolve(steps=(), pipelin="x", branch=["main"], timeout="soon")
    assert len(mistakes(caught.value)) == 3


@given(st.sampled_from([setting.name for setting in TABLE if setting.section is not Section.CALL]), st.data())
def test_no_value_of_a_keyword_ends_in_an_error_from_the_inside(name: str, data: st.DataObject) -> None:
    simple = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates())
    value = data.draw(st.one_of(simple, st.lists(simple), st.tuples(simple), st.dictionaries(simple, simple)))
    problem: SettingsError | None = None
    try:
        Settings().resolve("my-api", "development", steps=(), **{name: value})
    except SettingsError as error:
        problem = error
    assert problem is None or f"`{name}=`" in "".join([problem.message, *problem.details])


@pytest.mark.parametrize(
    ("wording", "name"),
    [
        (library_wording, "`template_parameters=`"),
        (command_line_wording, "--template-parameter"),
        (task_wording, "input 'templateParameters'"),
    ],
)
def test_a_mistake_names_the_setting_as_the_caller_gave_it(wording: Wording, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().resolve(steps=(), template_parameters=["x"])
    assert worded(caught.value.message, wording).startswith(f"{name}: ")
    with pytest.raises(SettingsError) as caught:
        Settings().resolve(steps=(), template_parameters=["A={service}"])
    assert worded(caught.value.message, wording).startswith(f"{name}: ")
    assert worded(caught.value.message, wording).endswith(
        {"`": "`service=`.", "-": "SERVICE.", "i": "input 'service'."}[name[0]]
    )


def test_the_settings_file_may_be_given_as_text_and_as_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("project: platform")
    assert load(str(tmp_path / "other.yml"), {}).file.top["project"] == "platform"
    with pytest.raises(SettingsError, match="must be given as a path, not as int"):
        load(5, {})  # type: ignore[arg-type]  # the point of the test


def test_a_setting_that_nobody_gave_is_as_the_table_says() -> None:
    final = DeliverySettings("my-api", "development")
    for setting in TABLE:
        if setting.default and not setting.default.startswith("{") and setting.name != "verify":
            assert getattr(final, setting.name) == values.read(setting, setting.default)
    assert final.order is Order.NUMERIC
    in_target = {*ECS, "verify"}
    made = {"service", "environment", "token", "target", "task"}
    assert {one.name for one in dataclasses.fields(final)} - made == {
        setting.name for setting in TABLE if setting.section is not Section.CALL and setting.name not in in_target
    }


def test_a_task_definition_takes_the_place_of_a_service(tmp_path: Path) -> None:
    (tmp_path / "ecs-cd.yml").write_text(
        "defaults: {ecs: {cluster: dev}}\n"
        "services: {my-report: {ecs: {task_definition: '{service}-{environment}', container: job}}}\n"
    )
    final = load(tmp_path / "ecs-cd.yml", {}).resolve("my-report", "development", steps=["rollout"])
    assert (final.target, final.task) == (None, TaskTarget("my-report-development", "job", "my-report"))
    unverified = load(tmp_path / "ecs-cd.yml", {}).resolve("my-report", "development", steps=["rollout"], verify=False)
    assert (unverified.target, unverified.task) == (None, None)


def test_the_first_token_counts_and_is_never_shown(tmp_path: Path) -> None:
    environ = {"SYSTEM_ACCESSTOKEN": "s3cret-job", "AZURE_DEVOPS_EXT_PAT": "s3cret-ext"}
    settings = loaded(tmp_path, **environ, ECS_CD_AZURE_DEVOPS_PAT="s3cret-own")
    final = settings.resolve("my-api", "production")
    assert final.token
    assert (final.token.value, final.token.bearer) == ("s3cret-own", False)
    assert "s3cret" not in repr(settings) + repr(final)
    token = loaded(tmp_path, **environ).token
    assert token
    assert (token.value, token.variable) == ("s3cret-ext", "AZURE_DEVOPS_EXT_PAT")
    token = loaded(tmp_path, SYSTEM_ACCESSTOKEN="s3cret-job").token
    assert token
    assert token.bearer


def test_a_malformed_token_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ECS_CD_AZURE_DEVOPS_PAT: the token has a character") as caught:
        loaded(tmp_path, ECS_CD_AZURE_DEVOPS_PAT="hunter2 hunter2")
    assert "hunter2" not in str(caught.value)


def test_the_jobs_token_is_not_sent_to_another_organization(tmp_path: Path) -> None:
    stranger = MINIMAL.replace("https://dev.azure.com/acme", "https://evil.example/acme")
    job = AGENT | {"SYSTEM_ACCESSTOKEN": "job"}
    with pytest.raises(SettingsError, match=r"SYSTEM_ACCESSTOKEN is a token for https://dev.azure.com/acme"):
        loaded(tmp_path, stranger, **job).resolve("my-api", "production")
    assert loaded(tmp_path, stranger, **job, ECS_CD_AZURE_DEVOPS_PAT="p").resolve("my-api", "production").token
    assert loaded(tmp_path, MINIMAL, **job).resolve("my-api", "production").token
    old = job | {"SYSTEM_COLLECTIONURI": "https://acme.visualstudio.com/"}
    assert loaded(tmp_path, MINIMAL, **old).resolve("my-api", "production").token


@pytest.mark.parametrize("blank", ["", "  ", "$(ecsParameter)"])
def test_a_variable_that_is_blank_or_was_not_expanded_by_the_agent_is_not_set(tmp_path: Path, blank: str) -> None:
    settings = loaded(tmp_path, ECS_CD_PARAMETER=blank, ECS_CD_VERIFY=blank, SYSTEM_ACCESSTOKEN=blank)
    assert settings == loaded(tmp_path)


def test_resolved_settings_cannot_be_changed(tmp_path: Path) -> None:
    final = loaded(tmp_path, FULL).resolve("my-api", "development")
    with pytest.raises(dataclasses.FrozenInstanceError):
        final.parameter = "/other"  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError):
        final.variables["x"] = "y"  # type: ignore[index]  # the point of the test


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h2m3s", 3723),
        (90, 90),
        ("0", 0),
        ("168h", 604800),
        (60.5, 60.5),
        (0.0, 0),
        (604800.0, 604800),
    ],
)
def test_a_length_of_time_is_read(text: object, length: float) -> None:
    assert values.seconds(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "-1",
        "1.5h",
        "1m1h",
        "5 m",
        "1d",
        "169h",
        "\u0661",
        True,
        None,
        [],
        -1,
        -0.5,
        math.nan,
        math.inf,
        -math.inf,
        604800.5,
        604801,
    ],
)
def test_what_is_no_length_of_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|longer than"):
        values.seconds(text)


@given(
    st.integers(min_value=0, max_value=99),
    st.integers(min_value=0, max_value=500),
    st.integers(min_value=0, max_value=500),
)
def test_any_length_of_time_adds_up(hours: int, minutes: int, rest: int) -> None:
    assert values.seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest


@given(st.text())
def test_a_text_whose_braces_are_doubled_is_filled_to_itself(text: str) -> None:
    assert values.fill(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.lists(st.sampled_from(["{", "}", "{{", "}}", "service", "{service}", "x", "{environment}"])).map("".join))
def test_filling_never_leaves_a_placeholder_behind(text: str) -> None:
    try:
        filled = values.fill(text, {"service": "S", "environment": "E"})
    except ValueError:
        return
    assert filled.count("{") <= text.count("{{")
    assert filled.count("}") <= text.count("}}")


TWO_ACCOUNTS = """\
organization: https://dev.azure.com/acme
project: platform
defaults: {parameter: "/{service}/{environment}/tag", pipeline: infra, ecs: {cluster: "{environment}"}}
services: {my-api: {}}
environments:
  stage: {branch: stage, region: eu-west-1}
  production:
    {branch: main, region: eu-west-2, role_arn: "arn:aws:iam::123456789012:role/deliver", promote_from: stage,
     promote_after: 30m}
"""


def test_the_origin_of_a_promotion_is_reached_as_the_file_says_and_not_as_the_flags_say(tmp_path: Path) -> None:
    settings = loaded(tmp_path, TWO_ACCOUNTS, ECS_CD_EXTERNAL_ID="acme", ECS_CD_ENVIRONMENT="production")
    flags = {"region": "us-east-1", "role_arn": "arn:aws:iam::123456789012:role/other", "container": "api"}
    to = settings.resolve("my-api", **flags)
    assert (to.environment, to.promote_from, to.promote_after) == ("production", "stage", 1800.0)
    origin = settings.resolve_origin(to, **flags)
    assert (origin.environment, origin.region, origin.role_arn, origin.external_id) == ("stage", "eu-west-1", "", "")
    assert origin.target == ServiceTarget("stage", "my-api", "api", "my-api")
    assert origin.parameter == "/my-api/stage/tag"


def test_without_a_file_the_flags_speak_of_both_environments(tmp_path: Path) -> None:
    flags = {"cluster": "{environment}", "region": "eu-west-1", "promote_from": "stage"}
    settings = loaded(tmp_path, "")
    to = settings.resolve("my-api", "production", steps=["rollout", "origin"], **flags)
    origin = settings.resolve_origin(to, **flags, verify=False)
    assert (origin.target, origin.region) == (ServiceTarget("stage", "my-api", "", "my-api"), "eu-west-1")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"promote_from": "production"}, "cannot follow itself"),
        ({"promote_from": "stag"}, "did you mean 'stage'"),
    ],
)
def test_an_origin_that_cannot_be_is_refused(tmp_path: Path, flags: dict[str, str], says: str) -> None:
    settings = loaded(tmp_path, TWO_ACCOUNTS)
    with pytest.raises(SettingsError, match=f"(?i){says}"):
        settings.resolve_origin(settings.resolve("my-api", "production", **flags), **flags)


def test_the_service_that_is_delivered_to_cannot_be_its_own_origin(tmp_path: Path) -> None:
    flags = {"cluster": "main", "region": "eu-west-1", "promote_from": "stage"}
    settings = loaded(tmp_path, "")
    to = settings.resolve("my-api", "production", steps=["rollout", "origin"], **flags)
    with pytest.raises(SettingsError, match="stage and production are the same ECS service"):
        settings.resolve_origin(to, **flags)


def test_a_promotion_needs_to_know_from_where(tmp_path: Path) -> None:
    settings = loaded(tmp_path, TWO_ACCOUNTS)
    with pytest.raises(SettingsError, match="The origin of my-api in stage is not set: give `promote_from=`"):
        settings.resolve("my-api", "stage", steps=["origin"])
    assert settings.resolve("my-api", "stage").promote_from == ""
