"""The final YAML of a run: what a preview shows, and what is read to make the run."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from .pipeline_repository import final, problems


def written(text: str) -> str:
    return f"{dedent(text).lstrip()}\n"


def test_a_pipeline_of_steps() -> None:
    assert final(
        """
        # what a beginner writes
        trigger: none
        pool:
          vmImage: ubuntu-latest
        variables:
          a: first
          b: "second"
        steps:
        - script: echo $(a)
          displayName: 'Say it'
          workingDirectory: sub
          env: {A: $(b), N: 1}
          failOnStderr: true
        - bash: |
            one
            two
          condition: always()
        - pwsh: Write-Host
          errorActionPreference: stop
        - powershell: Write-Host
        - checkout: self
          fetchDepth: 1
        - checkout: none
        - download: none
        - publish: out
          artifact: drop
        - task: CmdLine@2
          inputs:
            script: x
          name: last
          target: host
        """
    ) == written(
        """
        trigger:
          enabled: false
        variables:
        - name: a
          value: first
        - name: b
          value: 'second'
        stages:
        - stage: __default
          jobs:
          - job: Job
            pool:
              vmImage: ubuntu-latest
            steps:
            - task: CmdLine@2
              displayName: 'Say it'
              inputs:
                script: echo $(a)
                workingDirectory: sub
                failOnStderr: true
              env:
                A: $(b)
                N: 1
            - task: Bash@3
              condition: always()
              inputs:
                targetType: inline
                script: |
                  one
                  two
            - task: PowerShell@2
              inputs:
                targetType: inline
                pwsh: true
                script: Write-Host
                errorActionPreference: stop
            - task: PowerShell@2
              inputs:
                targetType: inline
                script: Write-Host
            - task: 6d15af64-176c-496d-b583-fd2ae21d4df4@1
              inputs:
                repository: self
                fetchDepth: 1
            - task: 6d15af64-176c-496d-b583-fd2ae21d4df4@1
              condition: false
              inputs:
                repository: none
            - task: 30f35852-3f7e-4c0c-9a88-e127b4f97211@1
              condition: false
              inputs:
                alias: none
            - task: ecdc45f6-832d-4ad9-b52b-ee49e94659be@1
              inputs:
                path: out
                artifactName: drop
            - task: CmdLine@2
              name: last
              target:
                container: host
              inputs:
                script: x
        """
    )


def test_a_pipeline_of_jobs_and_one_of_stages() -> None:
    assert final(
        """
        name: $(Date:yyyyMMdd)$(Rev:.r)
        trigger: [main, release/*]
        pool: default
        jobs:
        - job: A
        - deployment: B
          dependsOn: A
          environment: production
          strategy:
            runOnce:
              deploy:
                steps:
                - script: x
        """
    ) == written(
        """
        name: $(Date:yyyyMMdd)$(Rev:.r)
        trigger:
          branches:
            include:
            - main
            - release/*
        pool: default
        stages:
        - stage: __default
          jobs:
          - job: A
          - deployment: B
            dependsOn:
            - A
            environment:
              name: production
            strategy:
              runOnce:
                deploy:
                  steps:
                  - task: CmdLine@2
                    inputs:
                      script: x
        """
    )
    assert final(
        """
        stages:
        - stage: S
          dependsOn: []
          variables:
            a:
          jobs:
          - job: J
            dependsOn:
            steps: []
        """
    ) == written(
        """
        stages:
        - stage: S
          dependsOn: []
          variables:
          - name: a
            value: ''
          jobs:
          - job: J
            dependsOn: []
            steps: []
        """
    )


def _document(stages: list[tuple[str, list[tuple[str, list[str]]]]]) -> str:
    lines = ["stages:"]
    for stage, jobs in stages:
        lines += [f"- stage: {stage}", "  jobs:"]
        for job, scripts in jobs:
            lines += [f"  - job: {job}", "    steps:"]
            for script in scripts:
                lines += ["    - task: CmdLine@2", "      inputs:", f"        script: {script}"]
    return "\n".join(lines) + "\n\n"


NAMES = st.lists(st.sampled_from(["A", "b_1", "Cc"]), min_size=1, max_size=3, unique=True)
SCRIPTS = st.sampled_from(["echo hi", "echo $(a) > 'x y'", "'quoted: text'", "true", "42", "exit 1;#no comment"])


@given(st.data())
def test_a_document_without_expressions_expands_to_itself(data: st.DataObject) -> None:
    stages = [
        (stage, [(job, data.draw(st.lists(SCRIPTS, min_size=1, max_size=3))) for job in data.draw(NAMES)])
        for stage in data.draw(NAMES)
    ]
    text = _document(stages)
    assert final(text) == text


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text(max_size=20), min_size=1, max_size=3))
def test_what_is_written_can_be_read_again(variables: dict[str, str]) -> None:
    assume(not any("${{" in value for value in variables.values()))
    head = yaml.safe_dump({"variables": variables})
    once = final(f"{head}steps:\n- script: x\n")
    assert final(once) == once
    listed = yaml.load(once, Loader=yaml.BaseLoader)["variables"]
    assert {each["name"]: each["value"] for each in listed} == variables


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz:\n- script: x", "(Line: 1, Col: 1): Unexpected value 'stepz'"),
        ("name: x", "(Line: 1, Col: 1): A pipeline must have one of these: stages, jobs, steps, extends."),
        ("steps: []\nstages: []", "(Line: 1, Col: 1): Unexpected value 'steps'"),
        ("words", "(Line: 1, Col: 1): Unexpected value 'words'"),
        ("- a", "(Line: 1, Col: 1): A sequence was not expected"),
        ("steps: x", "(Line: 1, Col: 8): Unexpected value 'x'"),
        ("steps: {}", "(Line: 1, Col: 8): A mapping was not expected"),
        ("steps:\n- x", "(Line: 2, Col: 3): Unexpected value 'x'"),
        ("steps:\n- displayName: x", "(Line: 2, Col: 3): Unexpected value 'displayName'"),
        ("steps:\n- script: [x]", "(Line: 2, Col: 11): A sequence was not expected"),
        ("steps:\n- script: x\n  env: [a]", "(Line: 3, Col: 8): A sequence was not expected"),
        ("steps:\n- script: x\n  env: {A: {b: c}}", "(Line: 3, Col: 12): A mapping was not expected"),
        ("steps:\n- script: x\n  enabled: maybe", "(Line: 3, Col: 12): Unexpected value 'maybe'"),
        ("steps:\n- script: x\n  timeoutInMinutes: long", "(Line: 3, Col: 21): Unexpected value 'long'"),
        (
            "steps:\n- script: x\n  timeoutInMinutes: $(long)",
            "(Line: 3, Col: 21): A number that a variable holds, '$(long)', is not supported by the sandbox.",
        ),
        ("steps:\n- script: x\n  condition: {a: b}", "(Line: 3, Col: 14): A mapping was not expected"),
        ("steps:\n- task: A@1\n  inputs: {a: [b]}", "(Line: 3, Col: 15): A sequence was not expected"),
        ("steps:\n- task: ''", "(Line: 2, Col: 9): Unexpected value ''"),
        ("steps:\n- task: A@1\n  script: x", "(Line: 3, Col: 3): Unexpected value 'script'"),
        ("steps:\n- downloadBuild: x", "(Line: 2, Col: 3): 'downloadBuild' is not supported by the sandbox."),
        ("steps:\n- getPackage: x", "(Line: 2, Col: 3): 'getPackage' is not supported by the sandbox."),
        (
            "steps:\n- script: x\n  target: builder",
            "(Line: 3, Col: 11): A step in a container, 'builder', is not supported by the sandbox.",
        ),
        ("steps:\n- script: x\n  target: {commands: some}", "(Line: 3, Col: 22): Unexpected value 'some'"),
        ("container: x\nsteps: []", "(Line: 1, Col: 1): 'container' is not supported by the sandbox."),
        ("strategy: {parallel: 2}\nsteps: []", "(Line: 1, Col: 1): 'strategy' is not supported by the sandbox."),
        ("jobs:\n- job: A\n  strategy: {matrix: {}}", "(Line: 3, Col: 3): 'strategy' is not supported by the sandbox."),
        ("jobs:\n- job: A\n  services: {}", "(Line: 3, Col: 3): 'services' is not supported by the sandbox."),
        ("jobs:\n- displayName: A", "(Line: 2, Col: 3): Unexpected value 'displayName'"),
        ("jobs:\n- job: A\n  environment: x", "(Line: 3, Col: 3): Unexpected value 'environment'"),
        ("jobs:\n- job: A\n  workspace: {clean: some}", "(Line: 3, Col: 22): Unexpected value 'some'"),
        ("jobs:\n- deployment: A\n  steps: []", "(Line: 3, Col: 3): Unexpected value 'steps'"),
        (
            "jobs:\n- deployment: A\n  environment: e\n  strategy: {canary: {}}",
            "(Line: 4, Col: 14): 'canary' is not supported by the sandbox.",
        ),
        (
            "jobs:\n- deployment: A\n  environment: e\n  strategy: {rolling: {}}",
            "(Line: 4, Col: 14): 'rolling' is not supported by the sandbox.",
        ),
        (
            "jobs:\n- deployment: A\n  environment: e\n  strategy: {runOnce: {deploys: {}}}",
            "(Line: 4, Col: 24): Unexpected value 'deploys'",
        ),
        (
            "jobs:\n- deployment: A\n  environment: e.vm\n  strategy: {runOnce: {}}",
            "(Line: 3, Col: 16): A resource of an environment, 'e.vm', is not supported by the sandbox.",
        ),
        (
            "jobs:\n- deployment: A\n  environment: {name: e, resourceName: vm}",
            "(Line: 3, Col: 26): 'resourceName' is not supported by the sandbox.",
        ),
        ("stages:\n- jobs: []", "(Line: 2, Col: 3): Unexpected value 'jobs'"),
        ("stages:\n- stage: A\n  lockBehavior: first", "(Line: 3, Col: 17): Unexpected value 'first'"),
        (
            "stages:\n- stage: A\n  trigger: manual",
            "(Line: 3, Col: 12): A stage that is started by hand is not supported by the sandbox.",
        ),
        (
            "stages:\n- stage: A\n  isSkippable: false",
            "(Line: 3, Col: 16): A stage that cannot be skipped is not supported by the sandbox.",
        ),
        ("stages:\n- stage: A\n  checks: []", "(Line: 3, Col: 3): 'checks' is not supported by the sandbox."),
        ("variables:\n- name: a\n  group: b\nsteps: []", "(Line: 2, Col: 3): Unexpected value 'name'"),
        ("variables:\n- value: a\nsteps: []", "(Line: 2, Col: 3): Unexpected value 'value'"),
        ("variables:\n  a: [b]\nsteps: []", "(Line: 2, Col: 6): A sequence was not expected"),
        (
            "variables:\n- {name: a, value: b, readonly: true}\nsteps: []",
            "(Line: 2, Col: 33): A read-only variable is not supported by the sandbox.",
        ),
        ("trigger: some\nsteps: []", "(Line: 1, Col: 10): Unexpected value 'some'"),
        ("trigger: {tags: {}}\nsteps: []", "(Line: 1, Col: 11): 'tags' is not supported by the sandbox."),
        (
            "pr: [main]\nsteps: []",
            "(Line: 1, Col: 5): A trigger by pull requests is not supported by the sandbox. Write 'none'.",
        ),
        (
            "schedules:\n- cron: x\nsteps: []",
            "(Line: 2, Col: 1): A schedule is not supported by the sandbox. Write 'none'.",
        ),
        ("resources: {containers: []}\nsteps: []", "(Line: 1, Col: 13): 'containers' is not supported by the sandbox."),
        (
            "resources: {pipelines: [{pipeline: a}]}\nsteps: []",
            "(Line: 1, Col: 25): The required property 'source' is missing.",
        ),
        ("lockBehavior: both\nsteps: []", "(Line: 1, Col: 15): Unexpected value 'both'"),
    ],
)
def test_what_has_no_place_is_refused_at_its_place(text: str, message: str) -> None:
    assert problems(text) == [f"/azure-pipelines.yml {message}"]


def test_what_is_said_of_more_than_the_sandbox_needs_is_taken() -> None:
    text = """
        appendCommitMessageToRunName: false
        resources:
          pipelines: []
        stages:
        - stage: S
          group: g
          isSkippable: true
          trigger: automatic
          templateContext: {any: [thing]}
          pool: {name: p, demands: [x], anything: else}
          jobs:
          - job: J
            uses: {repositories: [self], pools: [p]}
            workspace: {clean: all}
            templateContext: more
            steps: []
        """
    assert final(text).endswith(f"{indent('steps: []', '    ')}\n\n")
