"""How long the AWS sessions last that infrastructure.yml works with, and when they are taken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import AzureDevOps, PipelineDefinition, Token
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AwsLogin, Role
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint
from tests.integration.templates.service_pipelines import log
from tests.integration.templates.template_expansion import ADA, FILE, HEAD, PROJECT, templates
from tests.support.sandbox_api import Api

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its programs are POSIX")

TERRAFORM = """\
#!/bin/bash
[ "$1" = show ] || echo "$1 with $AWS_SESSION_TOKEN in ${AWS_REGION-no region}" >> "$SEEN"
"""
CONNECTION = ServiceEndpoint(
    "11111111-2222-3333-4444-555555555555",
    "aws-production",
    "AWS",
    "https://aws.amazon.com/",
    parameters={"assumeRoleArn": "arn:aws:iam::123456789012:role/terraform"},
    secrets={"username": "AKIAKEY", "password": "a-secret-access-key"},
)


class Sessions:
    """An STS that gives each session a number."""

    def __init__(self) -> None:
        self.seconds: list[int] = []

    def __call__(self, login: AwsLogin, role: Role) -> AwsLogin:
        self.seconds.append(role.seconds)
        return AwsLogin("ASIAKEY", f"secret-of-session-{len(self.seconds)}", f"session-{len(self.seconds)}")


@pytest.mark.parametrize(("parameters", "seconds"), [("", 3600), ("roleSessionSeconds: 7200", 7200)])
def test_plan_and_apply_have_a_session_each_of_the_wanted_length(tmp_path: Path, parameters: str, seconds: int) -> None:
    seen = tmp_path / "seen"
    text = f"""{HEAD}\
stages:
- template: templates/infrastructure.yml@ecs-cd
  parameters:
    terraform: ./terraform.sh
    environments: [{{name: production, branch: main, awsCredentials: aws-production}}]
    {parameters}
"""
    repository = GitRepository("infrastructure")
    repository.push("main", {FILE: text, "terraform.sh": TERRAFORM}, ADA, "Begin")
    sessions = Sessions()
    catalog = TaskCatalog(sources=lambda _name, commit: repository.commit(commit).files, assume_role=sessions)
    file = YamlFile(repository, FILE, catalog, PROJECT, (repository, templates()))
    server = AzureDevOps(
        organization=PROJECT.organization,
        project=PROJECT.name,
        definitions=[PipelineDefinition(1, "my-infrastructure", file=file)],
        tokens=[Token("ada-pat", ADA)],
        endpoints=[CONNECTION],
        agent_environment={"PATH": os.environ.get("PATH", os.defpath), "SEEN": str(seen), "AWS_REGION": "eu-west-1"},
    )
    with server:
        run = Api(server, "ada-pat").run(1)
        assert server.wait(run) == "succeeded", log(server._state.runs[run])
    assert sessions.seconds == [seconds, seconds]
    assert seen.read_text(encoding="utf-8").splitlines() == [
        *(f"{each} with session-1 in eu-west-1" for each in ("init", "plan")),
        "apply with session-2 in eu-west-1",
    ]
