from __future__ import annotations

import pytest

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import VariableGroup
from ecs_cd_sandbox.azure_devops.model.definitions import (
    BranchFilter,
    JobDefinition,
    PipelineDefinition,
    PipelineResource,
    Restrictions,
    StageDefinition,
    StepDefinition,
)
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK

from .pipeline_repository import DEFINITION, Bench, expand, made, problems


def only_job(text: str) -> JobDefinition:
    return expand(text).stages[0].jobs[0]


def tasks(steps: tuple[StepDefinition, ...]) -> list[str]:
    return [made(step).task for step in steps]


def test_a_step_has_what_the_file_says_of_it() -> None:
    step = only_job(
        """
        steps:
        - checkout: none
        - bash: echo
          name: my-step
          displayName: Say it
          condition: and(always(), eq(variables['a'], 'b'))
          continueOnError: yes
          enabled: off
          timeoutInMinutes: 1.5
          retryCountOnTaskFailure: 3
          workingDirectory: $(x)
          env: {A: $(b), EMPTY: }
          target: {container: host, commands: restricted, settableVariables: [a, b*]}
        """
    ).steps[0]
    action = made(step)
    assert step == StepDefinition(
        name="Say it",
        action=action,
        condition="and(always(), eq(variables['a'], 'b'))",
        continue_on_error=True,
        task=step.task,
        ref_name="my-step",
        restrictions=Restrictions("restricted", ("a", "b*")),
        enabled=False,
        timeout=1.5,
        retries=3,
    )
    assert action.task == "Bash@3"
    assert action.inputs == {"targetType": "inline", "script": "echo", "workingDirectory": "$(x)"}
    assert action.env == {"A": "$(b)", "EMPTY": ""}
    assert action.where == "/azure-pipelines.yml (Line: 4, Col: 3)"


def test_a_step_has_what_it_is_not_told() -> None:
    step = only_job("steps:\n- checkout: none\n- script: x\n").steps[0]
    assert step == StepDefinition("CmdLine", step.action, task=step.task)


@pytest.mark.parametrize(
    ("target", "restrictions"),
    [
        ("host", Restrictions()),
        ("{commands: any}", Restrictions()),
        ("{commands: restricted}", Restrictions("restricted")),
        ("{settableVariables: none}", Restrictions("any", ())),
        ("{settableVariables: []}", Restrictions("any", ())),
    ],
)
def test_a_target_restricts(target: str, restrictions: Restrictions) -> None:
    assert only_job(f"steps:\n- script: x\n  target: {target}\n").steps[1].restrictions == restrictions


def test_a_build_job_checks_out_unless_a_step_says_something_of_it() -> None:
    assert tasks(only_job("steps:\n- script: x").steps) == [CHECKOUT_TASK, "CmdLine@2"]
    assert tasks(only_job("steps:\n- script: x\n- checkout: self").steps) == ["CmdLine@2", CHECKOUT_TASK]
    assert tasks(only_job("steps:\n- checkout: none\n- script: x").steps) == ["CmdLine@2"]
    assert tasks(only_job("jobs:\n- job: A").steps) == [CHECKOUT_TASK]


def test_checkouts_of_several_repositories_have_a_folder_each() -> None:
    bench = Bench()
    library = bench.other("library", {"a": "b"})
    head = "resources:\n  repositories:\n  - {repository: lib, type: git, name: platform/library}\n"
    alone = bench.expand(f"{head}steps:\n- checkout: lib\n  clean: true\n").stages[0].jobs[0].steps
    assert [(step.name, made(step).inputs) for step in alone] == [
        (
            "Checkout library@main to s",
            {"repository": "library", "version": library.resolve("main"), "clean": "true", "path": "s"},
        )
    ]
    several = bench.expand(f"{head}steps:\n- checkout: self\n- checkout: LIB\n- checkout: lib\n  path: x/y\n")
    assert [(step.name, made(step).inputs["path"]) for step in several.stages[0].jobs[0].steps] == [
        ("Checkout infrastructure@main to s/infrastructure", "s/infrastructure"),
        ("Checkout library@main to s/library", "s/library"),
        ("Checkout library@main to x/y", "x/y"),
    ]


def test_a_repository_can_be_named_in_the_checkout() -> None:
    bench = Bench()
    library = bench.other("library", {"a": "b"})
    library.point("refs/tags/v1", str(library.resolve("main")))
    steps = bench.expand("steps:\n- checkout: git://platform/library@refs/tags/v1\n").stages[0].jobs[0].steps
    assert steps[0].name == "Checkout library@v1 to s"
    assert bench.problems("steps:\n- checkout: nope\n") == [
        "/azure-pipelines.yml (Line: 2, Col: 3): No repository found by name nope"
    ]


def test_artifacts_are_downloaded_where_the_service_puts_them() -> None:
    steps = only_job(
        """
        resources:
          pipelines:
          - pipeline: build
            source: my-api
          - pipeline: Other
            source: other
            project: platform
        steps:
        - download: current
        - download: current
          artifact: drop
          patterns: '**/*.js'
        - download: BUILD
          artifact: drop
        - download: Other
        - download: none
        - publish: out
        """
    ).steps[1:]
    assert [made(step).inputs for step in steps] == [
        {"source": "current", "path": "$(Pipeline.Workspace)"},
        {"source": "current", "artifact": "drop", "patterns": "**/*.js", "path": "$(Pipeline.Workspace)/drop"},
        {
            "source": "specific",
            "project": "$(System.TeamProject)",
            "pipeline": "$(resources.pipeline.build.pipelineID)",
            "runVersion": "specific",
            "runId": "$(resources.pipeline.build.runID)",
            "artifact": "drop",
            "path": "$(Pipeline.Workspace)/build/drop",
        },
        {
            "source": "specific",
            "project": "$(System.TeamProject)",
            "pipeline": "$(resources.pipeline.Other.pipelineID)",
            "runVersion": "specific",
            "runId": "$(resources.pipeline.Other.runID)",
            "path": "$(Pipeline.Workspace)/Other",
        },
        {"targetPath": "out"},
    ]


DEPLOYMENT = """
    resources:
      pipelines:
      - pipeline: build
        source: my-api
    jobs:
    - deployment: D
      environment: production
      strategy:
        runOnce:
          deploy:
            steps:
            - script: deploy
            {extra}
          on:
            success:
              steps: [{{script: won}}]
            failure:
              steps: [{{script: lost}}]
          preDeploy:
            pool: any
            steps: [{{checkout: self}}]
          postRouteTraffic: {{steps: [{{script: after}}]}}
          routeTraffic: {{steps: []}}
    """


def test_a_deployment_job_has_its_hooks_in_their_order() -> None:
    job = only_job(DEPLOYMENT.format(extra=""))
    assert (job.name, job.kind, job.environment, job.steps) == ("D", "deployment", "production", ())
    download = "DownloadPipelineArtifact@2"
    assert [(hook.name, tasks(hook.steps)) for hook in job.hooks] == [
        ("preDeploy", [CHECKOUT_TASK]),
        ("deploy", [download, download, "CmdLine@2"]),
        ("routeTraffic", []),
        ("postRouteTraffic", ["CmdLine@2"]),
        ("on.failure", ["CmdLine@2"]),
        ("on.success", ["CmdLine@2"]),
    ]
    assert [made(step).inputs["source"] for step in job.hooks[1].steps[:2]] == ["current", "specific"]


@pytest.mark.parametrize(
    ("extra", "downloads"),
    [
        ("- download: none", 0),
        ("- download: current\n              artifact: a", 1),
        ("- task: DownloadPipelineArtifact@2", 1),
    ],
)
def test_a_download_in_the_deploy_hook_replaces_the_automatic_ones(extra: str, downloads: int) -> None:
    hook = only_job(DEPLOYMENT.format(extra=extra)).hooks[1]
    assert tasks(hook.steps).count("DownloadPipelineArtifact@2") == downloads


def test_jobs_and_stages_have_what_the_file_says_of_them() -> None:
    stages = expand(
        """
        lockBehavior: sequential
        name: $(Build.DefinitionName)_$(Rev:r)
        stages:
        - stage: First
          displayName: The first
          lockBehavior: runLatest
          variables:
            a: 1
            b: $[ variables.x ]
          jobs:
          - job: A
            displayName: A job
            timeoutInMinutes: 0
            cancelTimeoutInMinutes: 30
            continueOnError: true
            variables: {a: $(b)}
          - job: B
            dependsOn: [A]
            condition: failed('A')
        - stage: Second
          condition: always()
          dependsOn: []
          lockBehavior: sequential
          jobs:
          - job: A
        - stage: Third
          dependsOn: [First, second]
          jobs:
          - job: A
        """
    )
    assert (stages.environment_lock, stages.run_name) == ("sequential", "$(Build.DefinitionName)_$(Rev:r)")
    first, second, third = stages.stages
    assert first == StageDefinition(
        "First", first.jobs, display_name="The first", variables={"a": "1", "b": "$[ variables.x ]"}, lock="runLatest"
    )
    assert (second.depends_on, second.condition, second.lock) == ((), "always()", "sequential")
    assert (third.depends_on, third.lock) == (("First", "second"), "none")
    a, b = first.jobs
    assert a == JobDefinition(
        "A", a.steps, "A job", variables={"a": "$(b)"}, continue_on_error=True, timeout=0, cancel_timeout=30
    )
    assert b == JobDefinition("B", b.steps, depends_on=("A",), condition="failed('A')")


def test_a_file_without_a_word_about_locks_lets_the_newest_run_go_first() -> None:
    assert expand("steps: []").environment_lock == "runLatest"


def test_parts_without_a_name_get_one() -> None:
    stages = expand("stages:\n- stage:\n  jobs:\n  - job:\n  - job:\n- stage:\n  jobs:\n  - job: A\n").stages
    assert [(stage.name, [job.name for job in stage.jobs]) for stage in stages] == [
        ("Stage1", ["Job1", "Job2"]),
        ("Stage2", ["A"]),
    ]


def test_variables_come_from_the_file_over_the_queue_over_the_definition() -> None:
    bench = Bench(groups={"Shared": VariableGroup({"d": "group", "e": "group"}, {"token": "s3cret", "f": "s"})})
    definition = PipelineDefinition(
        12, "deploy", variables={"a": "definition", "b": "definition", "c": "definition"}, secrets={"E": "x", "g": "y"}
    )
    text = """
        variables:
        - name: A
          value: file
        - group: shared
        - name: d
          value: file
        - name: F
          value: plain
        steps:
        - script: <${{ variables.e }}>
        """
    found = bench.expand(text, variables={"a": "queue", "B": "queue"}, definition=definition)
    assert found.variables == {"c": "definition", "B": "queue", "A": "file", "e": "group", "d": "file", "F": "plain"}
    assert found.secrets == {"g": "y", "token": "s3cret"}
    assert made(found.stages[0].jobs[0].steps[1]).inputs["script"] == "<>"
    assert "- group: shared\n" in found.yaml and "s3cret" not in found.yaml


def test_secrets_of_a_stages_groups_go_to_its_jobs() -> None:
    bench = Bench(groups={"g": VariableGroup({"plain": "1"}, {"token": "stage", "other": "stage"})})
    text = """
        stages:
        - stage: S
          variables: [{group: g}]
          jobs:
          - job: A
          - job: B
            variables: {TOKEN: mine}
        """
    stage = bench.expand(text).stages[0]
    assert stage.variables == {"plain": "1"}
    assert [dict(job.secrets) for job in stage.jobs] == [
        {"token": "stage", "other": "stage"},
        {"other": "stage"},
    ]


HELP = "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"
NAME_RULE = "Valid names may only contain alphanumeric characters and '_' and may not start with a number."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "steps:\n- task: NoSuchTask@9\n",
            (
                "(Line: 2, Col: 3): A task is missing. The pipeline references a task called 'NoSuchTask'. This "
                "usually indicates the task isn't installed, and you may be able to install it from the Marketplace: "
                "https://marketplace.visualstudio.com. (Task version 9, job 'Job', step ''.) There are some tasks."
            ),
        ),
        (
            "steps:\n- task: CmdLine@2\n  inputs: {scrpt: x}\n",
            "(Line: 2, Col: 3): The task CmdLine@2 has no input 'scrpt'.",
        ),
        (
            "steps:\n- task: CmdLine\n",
            "(Line: 2, Col: 9): 'CmdLine' is not a task: write its name or id, an @, and the major version.",
        ),
        (
            "steps:\n- script: x\n  condition: eq(1)\n",
            f"(Line: 3, Col: 14): Unexpected symbol: ')'. Located at position 5 within expression: 'eq(1)'. {HELP}",
        ),
        (
            "steps:\n- script: x\n  condition: eq(variable.a, 1)\n",
            (
                "(Line: 3, Col: 14): Unrecognized value: 'variable'. Located at position 4 within expression: "
                f"'eq(variable.a, 1)'. {HELP}"
            ),
        ),
        (
            "jobs:\n- job: A\n  condition: eq(resources.a, 1)\n",
            (
                "(Line: 3, Col: 14): Unrecognized value: 'resources'. Located at position 4 within expression: "
                f"'eq(resources.a, 1)'. {HELP}"
            ),
        ),
        (
            "variables:\n  a: $[ dependencies.A.result ]\nsteps: []\n",
            (
                "(Line: 2, Col: 6): Unrecognized value: 'dependencies'. Located at position 1 within expression: "
                f"'dependencies.A.result'. {HELP}"
            ),
        ),
        (
            "jobs:\n- job: A\n  variables:\n    a: $[ succeeded() ]\n",
            (
                "(Line: 4, Col: 8): Unrecognized value: 'succeeded'. Located at position 1 within expression: "
                f"'succeeded()'. {HELP}"
            ),
        ),
        (
            "variables:\n- group: nope\nsteps: []\n",
            (
                "(Line: 2, Col: 10): Variable group nope was not found or is not authorized for use. "
                "For authorization details, refer to https://aka.ms/yamlauthz."
            ),
        ),
        (
            "variables:\n  System.HostType: x\nsteps: []\n",
            "(Line: 2, Col: 3): Cannot override system variable 'System.HostType'",
        ),
        ("jobs:\n- job: 1st\n", f"(Line: 2, Col: 8): Job 1st has an invalid name. {NAME_RULE}"),
        (
            "stages:\n- stage: a-b\n  jobs: [{job: A}]\n",
            f"(Line: 2, Col: 10): Stage a-b has an invalid name. {NAME_RULE}",
        ),
        (
            "steps:\n- script: x\n  name: a b\n",
            "(Line: 3, Col: 9): Job Job: The step name a b is not valid. Use letters, digits, '-' and '_'.",
        ),
        (
            "steps:\n- script: x\n  name: a\n- script: x\n  name: A\n",
            (
                "(Line: 5, Col: 9): Job Job: The step name A appears more than once. "
                "Step names must be unique within a job."
            ),
        ),
        (
            "jobs:\n- deployment: D\n  environment: e\n",
            "(Line: 2, Col: 3): Job D: A deployment job must have a strategy: runOnce.",
        ),
        (
            "jobs:\n- deployment: D\n  strategy: {runOnce: {deploy: {steps: []}}}\n",
            "(Line: 2, Col: 3): A deployment job must have an environment.",
        ),
        (
            "jobs:\n- deployment: deploy\n  environment: e\n  strategy: {runOnce: {deploy: {steps: []}}}\n",
            "(Line: 2, Col: 15): A deployment job cannot be called 'deploy'.",
        ),
        (
            "resources:\n  pipelines:\n  - {pipeline: a, source: b, project: c}\nsteps: []\n",
            "(Line: 3, Col: 39): The sandbox has one project, platform: there is no 'c'.",
        ),
        (
            "steps:\n- download: build\n",
            "(Line: 2, Col: 3): There is no pipeline resource build: declare it under resources.pipelines.",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_at_its_place(text: str, message: str) -> None:
    assert problems(text) == [f"/azure-pipelines.yml {message}"]


def test_resources_are_read() -> None:
    definition = expand(
        """
        resources:
          pipelines:
          - pipeline: build
            source: team\\my-api
            version: 20260101.1
            branch: refs/heads/main
            tags: [good]
            trigger:
              branches: {include: [main, release/*], exclude: [release/old]}
              stages: [Build]
              tags: [proved]
          - {pipeline: b, source: c, trigger: true}
          - {pipeline: d, source: e, trigger: none}
          - {pipeline: f, source: g, trigger: {enabled: false, branches: [x]}}
          - {pipeline: h, source: i, trigger: {branches: [x]}}
        steps: []
        """
    )
    everything = BranchFilter()
    assert definition.resources == (
        PipelineResource(
            "build",
            "team\\my-api",
            BranchFilter(("main", "release/*"), ("release/old",)),
            ("Build",),
            ("proved",),
            "20260101.1",
            "refs/heads/main",
            ("good",),
        ),
        PipelineResource("b", "c", everything),
        PipelineResource("d", "e"),
        PipelineResource("f", "g"),
        PipelineResource("h", "i", BranchFilter(("x",))),
    )


def test_the_rest_of_the_definition_stays_as_it_is() -> None:
    found = expand("steps: []")
    assert (found.id, found.name, found.repository) == (DEFINITION.id, DEFINITION.name, DEFINITION.repository)
