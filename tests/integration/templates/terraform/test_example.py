"""The example infrastructure repository runs as it is shipped, once for each environment, beside one override file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_cd.aws import Aws as Adapter
from ecs_cd.aws import AwsSettings, StaticKeys, connect
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.parameter import Recorded
from ecs_cd.parameter.record import record_tag
from ecs_cd.support.clock import SystemClock
from ecs_cd.support.deadline import Deadline
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.example_infrastructure import OVERRIDE, STATE_BUCKET, check_out, seed
from ecs_cd_sandbox.pipelines import FIRST_TAG, SERVICES
from ecs_cd_sandbox.template_folder import TEMPLATES
from ecs_cd_sandbox.terraform.installation import Terraform
from tests.integration.templates.terraform.configuration import Configuration

EXAMPLE = TEMPLATES / "terraform" / "example"
README = Path(__file__).parents[4] / "README.md"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


class Environment:
    """One environment of a checkout; each run is what the infrastructure pipeline does."""

    def __init__(self, configuration: Configuration, name: str) -> None:
        self.name = name
        self.terraform = configuration
        self.variables = f"-var-file=environments/{name}.tfvars"
        configuration.run("init", "-input=false", f"-backend-config=environments/{name}.s3.tfbackend")

    def plan(self, *arguments: str) -> str:
        return self.terraform.run("plan", "-input=false", "-out=run.tfplan", self.variables, *arguments)

    def apply(self) -> str:
        return self.terraform.run("apply", "-input=false", "run.tfplan")

    def run(self) -> str:
        return self.plan() + self.apply()


def environment(aws: Aws, terraform: Terraform, folder: Path, name: str) -> Environment:
    seed(aws, name)
    return Environment(Configuration(check_out(folder / name, aws), terraform, aws.environment()), name)


@pytest.fixture(scope="module")
def aws(aws_server: Aws) -> Aws:
    """One cloud for the whole file, empty at first: bringing an environment up is the longest part of a test."""
    aws_server.reset()
    aws_server.create_state_bucket(STATE_BUCKET)
    return aws_server


@pytest.fixture(scope="module")
def development(aws: Aws, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = environment(aws, terraform, tmp_path_factory.mktemp("terraform"), "development")
    assert "Apply complete! Resources: 10 added, 0 changed, 0 destroyed." in made.run()
    for service, container in SERVICES.items():
        assert value(aws, f"/{service}/development/docker-image-tag") == str(FIRST_TAG)
        assert images(aws, "development", service)[container] == f"{REGISTRY}/{service}:{FIRST_TAG}"
    return made


@pytest.fixture
def adapter(aws: Aws) -> Iterator[Adapter]:
    keys = StaticKeys("AKIASANDBOXSANDBOX12", "the-secret-key")
    settings = AwsSettings(region=aws.region, endpoint_url=aws.url, credentials=keys)
    connected = connect(settings, attempts=1)
    yield connected
    connected.close()


def definition(aws: Aws, cluster: str, service: str) -> dict[str, Any]:
    ecs = aws.client("ecs")
    arn = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["taskDefinition"]
    found: dict[str, Any] = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def images(aws: Aws, cluster: str, service: str) -> dict[str, str]:
    return {c["name"]: c["image"] for c in definition(aws, cluster, service)["containerDefinitions"]}


def value(aws: Aws, name: str) -> str:
    return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def assert_runs_on_fargate(aws: Aws, cluster: str, service: str) -> None:
    """Check that it has a role to start tasks in, logs, a network, and a circuit breaker that rolls back."""
    found = definition(aws, cluster, service)
    assert found["executionRoleArn"].endswith(f":role/ecs-execution-{cluster}")
    assert aws.client("iam").list_role_policies(RoleName=f"ecs-execution-{cluster}")["PolicyNames"] == ["start-tasks"]
    group = f"/ecs/{service}-{cluster}"
    assert aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupName"] == group
    for container in found["containerDefinitions"]:
        assert container["logConfiguration"]["options"]["awslogs-group"] == group
    running = aws.client("ecs").describe_services(cluster=cluster, services=[service])["services"][0]
    breaker = running["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert (breaker["enable"], breaker["rollback"]) == (True, True)
    assert running["desiredCount"] == 1
    assert len(running["networkConfiguration"]["awsvpcConfiguration"]["subnets"]) == 2


def test_both_environments_come_up_from_nothing_beside_each_other(
    aws: Aws, terraform: Terraform, development: Environment, tmp_path: Path
) -> None:
    before = [definition(aws, development.name, service) for service in SERVICES]
    production = environment(aws, terraform, tmp_path, "production")
    production.run()
    for service, container in SERVICES.items():
        assert value(aws, f"/{service}/production/docker-image-tag") == str(FIRST_TAG)
        assert images(aws, "production", service)[container] == f"{REGISTRY}/{service}:{FIRST_TAG}"
    assert [definition(aws, development.name, service) for service in SERVICES] == before
    assert images(aws, "production", "my-api")["datadog-agent"] == "public.ecr.aws/datadog/agent:7"
    keys = {item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]}
    assert keys == {"development.tfstate", "production.tfstate"}
    assert "No changes. Your infrastructure matches the configuration." in production.plan()
    assert_runs_on_fargate(aws, "development", "my-api")


def test_what_ecs_cd_records_reaches_the_task_definition_in_the_very_next_run(
    aws: Aws, development: Environment, adapter: Adapter
) -> None:
    name = "/my-api/development/docker-image-tag"
    image = CheckedImage(ImageTag("101"))
    change = record_tag(adapter.parameters, name, image, deadline=Deadline.after(60, SystemClock()))
    assert (change.recorded, change.old) == (Recorded.WRITTEN, "100")
    plan = development.plan()
    assert f'"{REGISTRY}/my-api:100" -> "{REGISTRY}/my-api:101"' in plan
    assert "Plan: 1 to add, 1 to change, 1 to destroy." in plan
    assert "(sensitive" not in plan
    others = definition(aws, "development", "my-worker")
    development.apply()
    assert images(aws, "development", "my-api")["api"] == f"{REGISTRY}/my-api:101"
    assert definition(aws, "development", "my-worker") == others
    assert value(aws, name) == "101"
    assert development.terraform.outputs()["parameters"]["my-api"] == f"{name}:{change.version}"
    assert "No changes." in development.plan()


def test_a_service_that_is_destroyed_and_made_again_keeps_its_tag(aws: Aws, development: Environment) -> None:
    aws.put_parameter("/my-worker/development/docker-image-tag", "101")
    target = '-target=aws_ecs_task_definition.this["my-worker"]'
    development.terraform.run("destroy", "-auto-approve", development.variables, target)
    assert value(aws, "/my-worker/development/docker-image-tag") == "101"
    development.run()
    assert images(aws, "development", "my-worker") == {"worker": f"{REGISTRY}/my-worker:101"}


def test_nothing_of_the_sandbox_is_in_the_shipped_files(aws: Aws, tmp_path: Path) -> None:
    working = check_out(tmp_path / "checkout", aws)
    added = {path.name for path in working.rglob("*")} - {path.name for path in EXAMPLE.rglob("*")}
    assert added == {OVERRIDE}
    for path in (path for path in EXAMPLE.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        assert (working / path.relative_to(EXAMPLE)).read_text(encoding="utf-8") == text
        assert not re.search(r"endpoint|skip_|path_style|sandbox|moto|127\.0\.0\.1", text), path


def test_the_example_is_the_infrastructure_of_the_readmes_settings() -> None:
    found = re.search(
        r"^```yaml\n(organization:.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found
    settings = yaml.safe_load(found[1])
    services = (EXAMPLE / "services.tf").read_text(encoding="utf-8")
    pattern = settings["defaults"]["parameter"]
    assert pattern.format(service="${each.key}", environment="${var.environment}") in services
    for service, said in settings["services"].items():
        container = said["ecs"]["container"]
        assert re.search(rf"{service} = {{\n +container = {json.dumps(container)}", services)
    assert {path.stem for path in (EXAMPLE / "environments").glob("*.tfvars")} == set(settings["environments"])
