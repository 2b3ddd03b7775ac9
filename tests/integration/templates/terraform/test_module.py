"""The module `image-tag`: Terraform makes the parameter once, ecs-cd writes it, and Terraform reads what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.terraform.installation import Terraform
from tests.integration.templates.terraform.configuration import Configuration, write

NAME = "/my-api/development/docker-image-tag"
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api"
CREATED = f"""
variable "description" {{
  default = "The tag."
}}

variable "tags" {{
  type    = map(string)
  default = {{}}
}}

module "image_tag" {{
  source         = MODULE
  name           = "{NAME}"
  initial_tag    = "100"
  repository_url = "{REPOSITORY}"
  description    = var.description
  tags           = var.tags
}}

resource "terraform_data" "task_definition" {{
  input            = module.image_tag.image
  triggers_replace = module.image_tag.image
}}

output "module" {{
  value = module.image_tag
}}
"""
READ = CREATED.replace('  initial_tag    = "100"\n', "  create         = false\n")


@pytest.fixture
def created(aws: Aws, terraform: Terraform, tmp_path: Path) -> Configuration:
    """Terraform has made the parameter, and a stand-in for a task definition with its image."""
    made = write(tmp_path / "created", CREATED, terraform, aws)
    made.apply()
    return made


def parameter(aws: Aws) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ssm").get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    return found


def described(aws: Aws) -> dict[str, Any]:
    filters = [{"Key": "Name", "Option": "Equals", "Values": [NAME]}]
    found: dict[str, Any] = aws.client("ssm").describe_parameters(ParameterFilters=filters)["Parameters"][0]
    return found


def test_the_first_apply_makes_the_parameter_and_the_second_changes_nothing(aws: Aws, created: Configuration) -> None:
    assert (parameter(aws)["Value"], parameter(aws)["Type"], parameter(aws)["Version"]) == ("100", "String", 1)
    assert described(aws)["AllowedPattern"] == "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
    assert created.outputs()["module"] == {
        "tag": "100",
        "image": f"{REPOSITORY}:100",
        "parameter_name": NAME,
        "parameter_arn": parameter(aws)["ARN"],
        "parameter_version": 1,
    }
    assert "No changes. Your infrastructure matches the configuration." in created.apply()


def test_a_recorded_tag_is_in_the_next_plan_for_all_to_see_and_no_apply_takes_it_back(
    aws: Aws, created: Configuration
) -> None:
    aws.put_parameter(NAME, "101")
    aws.forget_requests()
    shown = f'"{REPOSITORY}:100" -> "{REPOSITORY}:101"'
    assert shown in created.run("plan", "-refresh=false")
    assert shown in created.apply()
    assert parameter(aws)["Value"] == "101"
    assert "PutParameter" not in {request.operation for request in aws.requests}
    assert created.outputs()["module"]["image"] == f"{REPOSITORY}:101"
    assert created.outputs()["module"]["parameter_version"] == 2
    assert "No changes." in created.apply()


def test_what_changes_the_parameter_touches_neither_the_task_definition_nor_a_tag_recorded_since(
    aws: Aws, created: Configuration
) -> None:
    plan = created.run("plan", "-out=saved.tfplan", "-var=description=Another.", '-var=tags={team="platform"}')
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in plan
    aws.put_parameter(NAME, "101")
    created.run("apply", "saved.tfplan")
    assert parameter(aws)["Value"] == "101"
    tags = aws.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert tags == [{"Key": "team", "Value": "platform"}]


def test_what_others_made_of_the_parameter_stays(aws: Aws, created: Configuration) -> None:
    aws.client("ssm").put_parameter(
        Name=NAME, Value="101", Type="SecureString", Tier="Advanced", Description="Mine.", Overwrite=True
    )
    created.apply()
    assert (parameter(aws)["Value"], parameter(aws)["Version"]) == ("101", 2)
    kept = described(aws)
    assert (kept["Type"], kept["Tier"], kept["Description"]) == ("SecureString", "Advanced", "Mine.")
    assert created.outputs()["module"]["tag"] == "101"


def test_a_parameter_that_is_made_elsewhere_is_read_and_never_destroyed(
    aws: Aws, terraform: Terraform, tmp_path: Path
) -> None:
    aws.put_parameter(NAME, "226")
    configuration = write(tmp_path / "read", READ, terraform, aws)
    assert f'"{REPOSITORY}:226"' in configuration.apply()
    configuration.run("destroy", "-auto-approve")
    assert (parameter(aws)["Value"], parameter(aws)["Version"]) == ("226", 1)


def test_a_parameter_that_exists_is_not_overwritten_but_can_be_imported(
    aws: Aws, terraform: Terraform, tmp_path: Path
) -> None:
    aws.put_parameter(NAME, "226")
    configuration = write(tmp_path / "import", CREATED, terraform, aws)
    assert "ParameterAlreadyExists" in configuration.refused("apply", "-auto-approve")
    assert parameter(aws)["Value"] == "226"

    block = f'import {{\n  to = module.image_tag.aws_ssm_parameter.this[0]\n  id = "{NAME}"\n}}\n'
    (configuration.folder / "import.tf").write_text(block, encoding="utf-8")
    assert "1 imported" in configuration.apply()
    assert (parameter(aws)["Value"], parameter(aws)["Version"]) == ("226", 1)
    assert configuration.outputs()["module"]["image"] == f"{REPOSITORY}:226"


def test_a_value_that_is_no_tag_is_refused_in_one_sentence_without_being_repeated(
    aws: Aws, created: Configuration
) -> None:
    aws.put_parameter(NAME, "##vso[task.complete result=Succeeded;]")
    said = created.refused("plan")
    assert said.count("Error:") == 1
    assert f"Parameter {NAME} (a String, version 2) holds no image tag: record one with ecs-cd" in said
    assert "##vso" not in said
