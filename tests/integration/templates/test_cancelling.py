"""What of infrastructure.yml lets a cancelled Terraform stop by itself, seen by a program that says what it hears."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from ecs_cd_sandbox.azure_devops import AzureDevOps, PipelineDefinition, Token
from ecs_cd_sandbox.azure_devops.agent.process import Program
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog, scripts
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from tests.integration.templates.service_pipelines import log
from tests.integration.templates.template_expansion import ADA, FILE, HEAD, PROJECT, templates
from tests.support.sandbox_api import Api

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its signals are POSIX")

TERRAFORM = """\
#!/bin/bash
# Holds a lock while it applies. Interrupted once it takes its time and frees it, told again it gives up: as Terraform.
[ "$1" = apply ] || exit 0
trap 'echo Interrupt received; sleep 1.2; rm "$LOCK"; echo Stopped in order; exit 1' INT
trap 'exit 1' TERM
touch "$LOCK"
echo Applying
while :; do sleep 0.05; done
"""
PIPELINE = f"""{HEAD}\
stages:
- template: templates/infrastructure.yml@ecs-cd
  parameters:
    terraform: ./terraform.sh
    environments: [{{name: production, branch: main}}]
"""
NO_PATIENCE = {"templates/steps/job-variables.yml": ("PROCESS_SIGINT_TIMEOUT", "ANOTHER_TIMEOUT")}
NO_EXEC = {
    "templates/steps/terraform.yml": ("exec ${{ parameters.terraform }} apply", "${{ parameters.terraform }} apply")
}


def cancelled(folder: Path, changed: dict[str, tuple[str, str]]) -> str:
    """Cancel a run in mid-apply and return its log; `folder/lock` is there afterwards if the lock was not freed."""
    repository = GitRepository("infrastructure")
    repository.push("main", {FILE: PIPELINE, "terraform.sh": TERRAFORM}, ADA, "Begin")
    catalog = TaskCatalog(sources=lambda _name, commit: repository.commit(commit).files)
    file = YamlFile(repository, FILE, catalog, PROJECT, (repository, templates(changed)))
    server = AzureDevOps(
        organization=PROJECT.organization,
        project=PROJECT.name,
        definitions=[PipelineDefinition(1, "my-infrastructure", file=file)],
        tokens=[Token("ada-pat", ADA)],
        agent_environment={"PATH": os.environ.get("PATH", os.defpath), "LOCK": str(folder / "lock")},
    )
    with server:
        api = Api(server, "ada-pat")
        number = api.run(1)
        server.wait_until(number, lambda run: run.phase == "done" or "\nApplying" in log(run))
        api.cancel(number)
        assert server.wait(number) == "canceled"
        return log(server._state.runs[number])


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the agent's own patience end in a fraction of its ten seconds."""
    monkeypatch.setattr(scripts, "Program", partial(Program, interrupt_grace=0.3, terminate_grace=0.3))


def test_as_it_ships_the_program_is_interrupted_and_has_its_time(tmp_path: Path) -> None:
    told = cancelled(tmp_path, {})
    assert "Interrupt received" in told and "Stopped in order" in told
    assert not (tmp_path / "lock").exists()


def test_without_the_patience_it_is_killed_before_it_has_freed_its_lock(tmp_path: Path) -> None:
    told = cancelled(tmp_path, NO_PATIENCE)
    assert "Interrupt received" in told and "Stopped in order" not in told
    assert (tmp_path / "lock").exists()


def test_without_exec_it_is_not_even_told(tmp_path: Path) -> None:
    told = cancelled(tmp_path, {**NO_PATIENCE, **NO_EXEC})
    assert "Interrupt received" not in told
    assert (tmp_path / "lock").exists()
