"""What an expanded pipeline says of its stages, jobs and steps."""

from __future__ import annotations

import pytest

from ecs_cd.model.run import Pipeline, RunRequest
from ecs_cd.run.expanded import ExpandedPipeline, read_expanded

YAML = """
variables:
- name: isMain
  value: $[eq(variables['Build.SourceBranch'], 'refs/heads/main')]
- name: kind
  value: full
- name: later
  value: $(somewhere)
- group: secrets
stages:
- stage: Production
  displayName: Deploy to production
  condition: and(succeeded(), eq(variables.isMain, 'true'))
  jobs:
  - job: terraform
    steps:
    - task: CmdLine@2
      inputs:
        script: terraform apply -auto-approve
- stage: After
  jobs:
  - job: check
    steps:
    - task: Bash@3
      displayName: Look
- stage: Notify
  dependsOn: [Production, After]
  condition: failed()
  jobs: []
- stage: Development
  dependsOn: []
  condition: ne(variables.isMain, 'true')
  jobs:
  - job: plan
    steps:
    - task: Bash@3
      displayName: Plan
    - task: PublishBuildArtifacts@1
      displayName: Publish on failure
      condition: failed()
  - deployment: ship
    displayName: Ship
    dependsOn: plan
    strategy:
      runOnce:
        deploy:
          steps:
          - task: TerraformTaskV4@4
            inputs:
              command: apply
  - job: never
    condition: eq(variables.kind, 'partial')
    steps:
    - bash: ./run.sh
  - job: follows
    dependsOn: never
    steps:
    - script: echo
- stage: Unknown
  dependsOn: []
  condition: eq(variables.later, 'x')
"""


def read(text: str, branch: str = "refs/heads/develop", **variables: str) -> ExpandedPipeline:
    found = read_expanded(text, RunRequest(Pipeline(1), branch, variables=variables))
    assert found
    return found


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("refs/heads/develop", {"production", "deploy to production", "after", "notify"}),
        ("refs/heads/main", {"development", "notify"}),
    ],
)
def test_a_stage_whose_condition_is_false_on_the_branch_is_never_run_nor_what_needs_it(
    branch: str, expected: set[str]
) -> None:
    assert read(YAML, branch).never_run["Stage"] == expected


def test_jobs_and_steps_are_never_run_likewise() -> None:
    found = read(YAML)
    assert found.never_run["Job"] == {"never", "follows"}
    assert found.is_never_run("Phase", "Never")
    assert found.is_never_run("Task", "Publish on failure")
    assert not found.is_never_run("Task", "Plan")
    assert not found.is_never_run("Checkpoint", "Plan")


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("Stage", "Production", True),
        ("Stage", "Deploy to production", True),
        ("Stage", "After", False),
        ("Phase", "ship", True),
        ("Job", "Ship", True),
        ("Job", "plan", False),
        ("Task", "TerraformTaskV4", True),
        ("Task", "Plan", False),
        ("Task", "Terraform: apply", True),
        ("Task", "Applying", False),
    ],
)
def test_what_applies_is_known_by_its_name_its_script_or_its_command(kind: str, name: str, *, expected: bool) -> None:
    assert read(YAML).applies(kind, name) is expected


def test_a_step_without_a_name_counts_only_where_all_of_its_kind_apply() -> None:
    found = read(f"{YAML}\n  jobs: [{{job: a, steps: [{{task: CmdLine@2, inputs: {{script: terraform plan}}}}]}}]")
    assert not found.applies("Task", "CmdLine")
    assert read(YAML.replace("- script: echo", "- bash: x")).applies("Task", "CmdLine")


def test_a_variable_that_whoever_queues_the_run_sets_as_well_is_not_known() -> None:
    assert "job" not in read(YAML).never_run
    assert read(YAML, kind="partial").never_run["Job"] == frozenset()
    assert read(YAML, isMain="true").never_run["Stage"] == {"notify"}


def test_variables_may_be_a_map() -> None:
    text = "variables: {go: 'no'}\nstages: [{stage: A, condition: \"eq(variables.go, 'yes')\"}]"
    assert read(text).never_run["Stage"] == {"a"}


def test_a_name_that_two_stages_have_tells_nothing() -> None:
    text = "stages: [{stage: A, displayName: X, condition: 'false'}, {stage: B, dependsOn: [], displayName: X}]"
    assert read(text).never_run["Stage"] == {"a"}


@pytest.mark.parametrize("text", ["", "stages: [", "jobs: []", "- a", "stages: x", "x" * 2_000_000, "\x00", "[" * 5000])
def test_what_cannot_be_read_tells_nothing(text: str) -> None:
    assert read_expanded(text, RunRequest(Pipeline(1), "refs/heads/main")) is None
