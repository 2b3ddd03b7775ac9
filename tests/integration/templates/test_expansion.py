"""Every template in all its variants, expanded as the service does it, against what is kept in `golden/`."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from ecs_cd_sandbox.azure_devops import ValidationFailed
from tests.integration.templates.golden import GOLDEN, Case, cases
from tests.integration.templates.template_expansion import HEAD, RELEASE_HEAD, expand, templates
from tests.integration.templates.test_files import problems, schema

CASES = cases()
AGENTS_OWN = (
    "6d15af64-176c-496d-b583-fd2ae21d4df4@1",  # checkout
    "30f35852-3f7e-4c0c-9a88-e127b4f97211@1",  # download
    "ecdc45f6-832d-4ad9-b52b-ee49e94659be@1",  # publish
)
"""What shorthands stand for in the final YAML: tasks of the agent's own, which no file names."""

BUILD = "jobs:\n- template: templates/build.yml@ecs-cd\n  parameters: "
PUBLISH = "steps:\n- template: templates/publish-tag.yml@ecs-cd\n  parameters: "
RELEASE = "stages:\n- template: templates/release.yml@ecs-cd\n  parameters: "
INFRASTRUCTURE = "stages:\n- template: templates/infrastructure.yml@ecs-cd\n  parameters: "

WRITE = "python -m tests.integration.templates.golden"


def _whole(text: str) -> str:
    return (RELEASE_HEAD if "release.yml" in text else HEAD) + text


def named(case: Case) -> str:
    return case.name


def refusal(text: str, **more: Any) -> str:  # noqa: ANN401 - passed on
    with pytest.raises(ValidationFailed) as caught:
        expand(_whole(text), **more)
    return "\n".join(caught.value.messages)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_template_expands_to_what_it_expanded_to_before(case: Case) -> None:
    final = case.expanded().yaml
    assert case.golden.is_file(), f"write it: {WRITE}"
    assert final == case.golden.read_text(encoding="utf-8"), f"if it is meant: {WRITE}"
    assert "${{" not in final


def test_every_file_that_is_kept_is_of_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {case.golden.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_a_template_expands_to_is_as_microsofts_schema_has_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = schema()["definitions"]["task"]
    names = tasks["properties"]["task"]
    monkeypatch.setitem(names, "anyOf", [*names["anyOf"], *({"enum": [name]} for name in AGENTS_OWN)])
    own = ({"properties": {"task": {"pattern": f"^{name}$"}}} for name in AGENTS_OWN)
    monkeypatch.setitem(tasks, "anyOf", [*tasks["anyOf"], *own])
    document = yaml.load(case.golden.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    for name in ("trigger", "pr"):
        if document.get(name) == {"enabled": "false"}:  # the final YAML's word for it
            document[name] = "none"
    assert problems(document) == []


def test_the_schema_refuses_what_is_wrong() -> None:
    assert jsonschema.Draft7Validator(schema()).is_valid({"steps": [{"bash": "x"}]})
    assert problems({"steps": [{"bash": "x", "pol": "y"}]})
    assert problems({"steps": [{"task": "NoSuch@1"}]})


def test_each_branch_has_its_own_stage_and_no_other() -> None:
    stages = {case.name: [s.name for s in case.expanded().stages] for case in CASES if "infrastructure." in case.name}
    assert stages == {
        "example-infrastructure.on-develop": ["development"],
        "example-infrastructure.on-main": ["production"],
        "infrastructure.on-develop": ["development"],
        "infrastructure.on-release-next": ["pre_production"],
        "infrastructure.on-main": ["production", "sandbox"],
        "infrastructure.on-feature-other": ["no_environment"],
    }


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("templates/steps/push-image.yml", "repositoryName: ${{", "repositoryNam: ${{"),
        ("templates/steps/build-image.yml", "Dockerfile: $(", "Dockerfil: $("),
        ("templates/publish-tag.yml", "ArtifactName: ", "ArtifactNam: "),
    ],
)
def test_an_input_that_a_task_does_not_have_is_refused_where_it_stands(path: str, old: str, new: str) -> None:
    said = refusal(f"{BUILD}{{projectName: my-api, artifactKind: build}}\n", shipped=templates({path: (old, new)}))
    assert said.startswith(f"/{path}@ecs-cd (Line: "), said
    assert f"has no input '{new.partition(':')[0]}'" in said


@pytest.mark.parametrize("command", ["set-parameter", "queue-pipeline", "verify"])
def test_a_command_that_the_task_does_not_have_is_refused(command: str) -> None:
    path = "templates/steps/deliver-single-tasks.yml"
    text = f"{RELEASE}{{service: my-api, style: single-tasks, environments: [{{name: development}}]}}\n"
    said = refusal(text, shipped=templates({path: (command, "nonsense")}))
    assert said.startswith(f"/{path}@ecs-cd (Line: ") and "nonsense" in said


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (f"{BUILD}{{projectNam: my-api}}", 16, "Unexpected parameter 'projectNam'"),
        (f"{BUILD}{{projectName: x, artifactKind: nonsense}}", 46, "parameter value 'nonsense' is not a valid value"),
        (f"{BUILD}{{projectName: x, createRepository: maybe}}", 50, "value 'maybe' is not a valid Boolean"),
        (f"{BUILD}{{projectName: x, timeoutInMinutes: soon}}", 50, "value 'soon' is not a valid Number"),
        (f"{BUILD}{{projectName: x, testSteps: [{{script: x, foo: y}}]}}", 43, "not a valid StepList"),
        (f"{PUBLISH}{{artifactKind: zip}}", 30, "parameter value 'zip' is not a valid value"),
        (f"{RELEASE}{{service: x, environments: [], style: all}}", 53, "parameter value 'all' is not a valid value"),
        (f"{INFRASTRUCTURE}{{environments: [], lockBehavior: wild}}", 48, "value 'wild' is not a valid value"),
    ],
)
def test_a_wrong_parameter_is_refused_where_it_is_given(text: str, column: int, message: str) -> None:
    said = refusal(f"{text}\n")
    assert said.startswith(f"/azure-pipelines.yml (Line: {_whole(text).count(chr(10)) + 1}, Col: {column}): "), said
    assert message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{BUILD}{{}}", "/templates/build.yml@ecs-cd: A value for the 'projectName' parameter must be provided."),
        (
            f"{RELEASE}{{environments: [{{name: x}}]}}",
            "/templates/release.yml@ecs-cd: A value for the 'service' parameter must be provided.",
        ),
        (
            f"{RELEASE}{{service: x}}",
            "/templates/release.yml@ecs-cd: A value for the 'environments' parameter must be provided.",
        ),
        (
            f"{RELEASE}{{service: x, environments: [{{name: d, inputs: {{clustr: x}}}}]}}",
            "The task EcsCd@1 has no input 'clustr'; is cluster meant?",
        ),
        (
            f"{RELEASE}{{service: x, environments: [{{name: d}}, {{name: p, promoteFrom: devel}}]}}",
            "Stage p depends on unknown stage devel.",
        ),
        (f"{RELEASE}{{service: x, environments: [{{name: my env}}]}}", "Stage my env has an invalid name."),
        (f"{BUILD}{{projectName: x, images: [{{dockerFile: x}}]}}", "needs the input repositoryName."),
    ],
)
def test_what_is_missing_or_wrong_inside_is_refused_with_the_file(text: str, message: str) -> None:
    said = refusal(f"{text}\n")
    assert message in said, said


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("inputs: {Service: y}, environments: [{name: d}]", "Service"),
        ("inputs: {configFile: y}, environments: [{name: d}]", "configFile"),
        ("environments: [{name: d, inputs: {tag: 1}}]", "tag"),
        ("environments: [{name: d, regionName: eu-west-1, inputs: {regionName: eu-west-2}}]", "regionName"),
        ("environments: [{name: d, awsCredentials: a, inputs: {awsCredentials: b}}]", "awsCredentials"),
        ("style: single-tasks, environments: [{name: d, inputs: {wait: true}}]", "wait"),
    ],
)
def test_an_input_that_the_template_sets_is_refused_by_name(parameters: str, name: str) -> None:
    said = refusal(f"{RELEASE}{{service: x, {parameters}}}\n")
    assert f"The inputs for environment d must not have '{name}', which release.yml sets." in said
    assert "already defined" not in said


def test_an_input_that_the_template_leaves_to_its_user_is_not_refused() -> None:
    inputs = "{configFile: other.yml, regionName: eu-west-1, awsCredentials: a, wait: true}"
    final = expand(_whole(f"{RELEASE}{{service: x, configFile: '', inputs: {inputs}, environments: [{{name: d}}]}}\n"))
    assert all(f"{name}: " in final.yaml for name in ("configFile", "regionName", "awsCredentials"))


@pytest.mark.parametrize(
    ("parameters", "installed"),
    [
        ("", "terraform 1.15.5"),
        ("terraformVersion: ''", ""),
        ("terraform: tofu", ""),
        ("terraform: ./terraform.sh", ""),
        (
            "terraform: tofu, terraformVersion: 1.12.6, terraformUrl: 'https://mirror.example/VERSION_PLATFORM'",
            "tofu 1.12.6",
        ),
    ],
)
def test_terraform_is_installed_unless_the_agent_has_it_of_its_own(parameters: str, installed: str) -> None:
    environments = "environments: [{name: d, branch: main}]"
    text = f"{INFRASTRUCTURE}{{{', '.join(filter(None, [parameters, environments]))}}}\n"
    names = re.findall("displayName: Install (.*)", expand(_whole(text)).yaml)
    assert names == ([installed] if installed else [])


def test_the_credentials_are_taken_for_an_hour_and_again_before_the_apply() -> None:
    text = f"{INFRASTRUCTURE}{{environments: [{{name: d, branch: main, awsCredentials: a}}]}}\n"
    names = re.findall(r"displayName: (.*)", expand(_whole(text)).yaml)
    assert names[names.index("Apply") - 1] == "Renew the AWS credentials"
    assert names.index("Take the AWS credentials") < names.index("Initialise")
    given = expand(_whole(text.replace("{environments", "{roleSessionSeconds: 7200, environments"))).yaml
    assert "- name: aws.rolecredential.maxduration\n      value: 7200\n" in given


def test_an_input_of_an_environment_comes_before_the_one_for_all() -> None:
    text = f"{RELEASE}{{service: x, inputs: {{timeout: 1m}}, environments: [{{name: d, inputs: {{timeout: 2m}}}}]}}\n"
    final = expand(_whole(text)).yaml
    assert "timeout: 2m" in final and "timeout: 1m" not in final
