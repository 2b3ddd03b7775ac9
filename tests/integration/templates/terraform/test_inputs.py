"""What the module takes as names and tags is what ecs-cd takes; anything else is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from ecs_cd.errors import InvalidTag
from ecs_cd.model.image import ImageTag
from ecs_cd.support import naming_rules
from ecs_cd_sandbox.example_infrastructure import provider_arguments
from ecs_cd_sandbox.terraform.installation import Terraform
from tests.integration.templates.terraform.configuration import MODULE, Configuration

NAMES = [
    "/my-api/development/docker-image-tag",
    "my-api.tag_1",
    "/a",
    "/" + "/".join("abcdefghijklmno"),
    "/" + "/".join("abcdefghijklmnop"),
    "/" + "a" * 1010,
    "/" + "a" * 1011,
    "",
    "/",
    "a/b",
    "/a/",
    "//a",
    "/a//b",
    "/aws/a",
    "/SsmTags/a",
    "awsome",
    "/my-api/aws",
    "/a b",
    "/a\n",
    "/a:1",
    "/ä",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/a",
    "/${a}",
]
TAGS = ["226", "v1.2.3", "_a", "a-b_C.d", "a" * 128, "a" * 129, "", ".a", "-a", "a b", "a\n", "a:b", "a/b", "ä", "%{a}"]
REPOSITORIES = {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api": True,
    "localhost:5000/team/my-api": True,
    "public.ecr.aws/datadog/agent": True,
    "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api": False,
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api:226": False,
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api@sha256:ab": False,
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/": False,
    "my-api": False,
    "": False,
}


@pytest.fixture
def module(terraform: Terraform, tmp_path: Path) -> Configuration:
    folder = tmp_path / "module"
    shutil.copytree(MODULE, folder)
    made = Configuration(folder, terraform, {})
    made.run("init", "-backend=false")
    return made


def is_tag(text: str) -> bool:
    try:
        ImageTag(text)
    except InvalidTag:
        return False
    return True


def literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def judge(module: Configuration, variable: str, cases: Iterable[tuple[str, bool]]) -> None:
    """Let one `terraform test` with a run for each value see that it is accepted, or refused for this variable."""
    blocks = ['mock_provider "aws" {}', "variables {", '  name = "/a"', '  initial_tag = "1"', "}"]
    for number, (value, accepted) in enumerate(cases):
        blocks += [
            f'run "case_{number}" {{',
            "  command = plan",
            f"  variables {{\n    {variable} = {literal(value)}\n  }}",
            "" if accepted else f"  expect_failures = [var.{variable}]",
            "}",
        ]
    shutil.rmtree(module.folder / "tests")
    (module.folder / "cases.tftest.hcl").write_text("\n".join(blocks), encoding="utf-8")
    assert ", 0 failed." in module.run("test")


def alone(module: Configuration, variables: dict[str, str]) -> str:
    """Return what Terraform says in refusing a plan of the module by itself, with these variables."""
    nobody = {"access_key": "a", "secret_key": "b", "region": "eu-west-1", **provider_arguments("http://127.0.0.1:9")}
    (module.folder / "provider.tf.json").write_text(json.dumps({"provider": {"aws": nobody}}), encoding="utf-8")
    return module.refused("plan", *(f"-var={name}={value}" for name, value in variables.items()))


def test_names_are_judged_as_ecs_cd_judges_them(module: Configuration) -> None:
    judge(module, "name", [(name, naming_rules.parameter(name) == "") for name in NAMES])


def test_tags_are_judged_as_ecs_cd_judges_them(module: Configuration) -> None:
    judge(module, "initial_tag", [(tag, is_tag(tag)) for tag in TAGS])


def test_a_repository_has_a_registry_and_neither_scheme_nor_tag(module: Configuration) -> None:
    judge(module, "repository_url", REPOSITORIES.items())


def test_what_is_wrong_is_said_in_one_sentence_each(module: Configuration) -> None:
    said = alone(module, {"name": "my api", "initial_tag": "my-api:1", "repository_url": "my-api"})
    assert "name must be an SSM parameter name such as /my-api/development/docker-image-tag: letters" in said
    assert "initial_tag must be a Docker image tag: letters" in said
    assert "repository_url must be a registry and a repository such as 123456789012.dkr.ecr.eu-west-1" in said
    assert said.count("Error:") == 3


def test_creating_needs_a_starting_tag(module: Configuration) -> None:
    said = alone(module, {"name": "/my-api/tag"})
    assert "initial_tag is missing: say with which tag /my-api/tag is created, or set create = false if it" in said


def test_the_modules_own_tests_pass(module: Configuration) -> None:
    assert "Success! 8 passed, 0 failed." in module.run("test")
