from __future__ import annotations

import pytest

from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition

from .pipeline_repository import ADA, FILE, MAIN, Bench, expand, made, problems

LEAF = "steps:\n- script: leaf\n"


def scripts(definition: PipelineDefinition) -> list[str]:
    steps = [step for stage in definition.stages for job in stage.jobs for step in job.steps]
    return [made(step).inputs["script"] for step in steps if "script" in made(step).inputs]


@pytest.mark.parametrize(
    ("reference", "where"),
    [
        ("leaf.yml", "leaf.yml"),
        ("./leaf.yml", "leaf.yml"),
        ("/leaf.yml", "leaf.yml"),
        ("sub/leaf.yml", "sub/leaf.yml"),
        ("sub\\leaf.yml", "sub/leaf.yml"),
        ("sub/../leaf.yml", "leaf.yml"),
        ("leaf.yml@self", "leaf.yml"),
        ("leaf.yml@", "leaf.yml"),
        ("${{ 'leaf' }}.yml", "leaf.yml"),
    ],
)
def test_a_template_is_found_from_the_file_that_names_it(reference: str, where: str) -> None:
    assert scripts(expand(f"steps:\n- template: {reference}\n", {where: LEAF})) == ["leaf"]


@pytest.mark.parametrize(
    ("reference", "where"),
    [
        ("leaf.yml", "a/b/leaf.yml"),
        ("../leaf.yml", "a/leaf.yml"),
        ("/leaf.yml", "leaf.yml"),
        ("../../leaf.yml@self", "leaf.yml"),
        ("/a/b/c/leaf.yml", "a/b/c/leaf.yml"),
    ],
)
def test_a_template_of_a_template_is_found_from_that(reference: str, where: str) -> None:
    files = {"a/b/t.yml": f"steps:\n- template: {reference}\n", where: LEAF}
    assert scripts(expand("steps:\n- template: a/b/t.yml\n", files)) == ["leaf"]


URL = "https://dev.azure.com/sandbox/platform/_git"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nope.yml", "/azure-pipelines.yml: File /nope.yml not found in repository " + URL
         + "/infrastructure branch refs/heads/main version {commit}."),
        ("LEAF.yml", "/azure-pipelines.yml: File /LEAF.yml not found in repository " + URL
         + "/infrastructure branch refs/heads/main version {commit}."),
        ("../x.yml", "/azure-pipelines.yml: The file path //../x.yml is invalid"),
        ("a/../../x.yml", "/azure-pipelines.yml: The file path //a/../../x.yml is invalid"),
        ("leaf.yml@other", "/azure-pipelines.yml: No repository found by name other"),
        ("leaf.yml@self@self", "/azure-pipelines.yml: No repository found by name self@self"),
        ("''", "/azure-pipelines.yml (Line: 2, Col: 3): Expected the path of a template"),
        ("leaf.yml\n  extra: x", "/azure-pipelines.yml (Line: 3, Col: 3): Unexpected value 'extra'"),
        ("leaf.yml\n  parameters: [x]", "/azure-pipelines.yml (Line: 3, Col: 15): Expected a mapping"),
        ("jobs.yml", "/jobs.yml (Line: 1, Col: 1): Unexpected value 'jobs'"),
        ("list.yml", "/list.yml (Line: 1, Col: 1): A sequence was not expected"),
        ("text.yml", "/text.yml (Line: 1, Col: 1): Unexpected value 'words'"),
        ("bad.yml", "/bad.yml (Line: 1, Col: 5): Mapping values are not allowed here."),
        ("empty.yml", "/empty.yml (Line: 1, Col: 8): Unexpected value 'x'"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_refused(reference: str, message: str) -> None:
    bench = Bench()
    files = {
        "leaf.yml": LEAF,
        "jobs.yml": "jobs: []",
        "list.yml": "- script: x",
        "text.yml": "words",
        "bad.yml": "a: b: c",
        "empty.yml": "steps: x",
    }
    found = bench.problems(f"steps:\n- template: {reference}\n", files)
    assert found == [message.format(commit=bench.repository.resolve(MAIN))]


def test_a_template_without_steps_inserts_nothing() -> None:
    assert scripts(expand("steps:\n- template: t.yml\n- script: a", {"t.yml": "steps:\n"})) == ["a"]
    assert scripts(expand("steps:\n- template: t.yml\n- script: a", {"t.yml": "parameters: []\n"})) == ["a"]


def test_a_file_that_is_no_text_is_refused() -> None:
    bench = Bench()
    bench.repository.push("main", {"t.yml": b"\xff\xfe"}, ADA, "no")
    assert bench.problems("steps:\n- template: t.yml\n") == ["/t.yml: The file is not UTF-8 text."]


def test_stages_jobs_and_variables_come_from_templates_too() -> None:
    definition = expand(
        """
        variables:
        - template: v.yml
          parameters: {env: dev}
        - name: after
          value: ${{ variables.named }}
        stages:
        - template: s.yml
          parameters: {name: Two}
        - stage: Three
          variables:
            mine: ${{ variables.named }}!
          jobs:
          - template: j.yml
        """,
        {
            "v.yml": "parameters:\n- name: env\nvariables:\n  named: ${{ parameters.env }}-x\n",
            "s.yml": """
                parameters:
                - name: name
                  default: One
                stages:
                - stage: First
                  jobs:
                  - job: A
                    steps:
                    - script: ${{ variables.after }}
                - stage: ${{ parameters.name }}
                  jobs:
                  - template: j.yml
                """,
            "j.yml": "jobs:\n- job: B\n  steps:\n  - script: <${{ variables.mine }}>\n",
        },
    )
    assert definition.variables == {"named": "dev-x", "after": "dev-x"}
    assert [(stage.name, [job.name for job in stage.jobs]) for stage in definition.stages] == [
        ("First", ["A"]),
        ("Two", ["B"]),
        ("Three", ["B"]),
    ]
    assert scripts(definition) == ["dev-x", "<>", "<dev-x!>"]


def test_variables_reach_what_is_within_and_after_them_only() -> None:
    definition = expand(
        """
        variables:
          a: root
          b: ${{ variables.c }}
          c: late
        stages:
        - stage: S
          variables: {a: stage}
          jobs:
          - job: J
            steps:
            - script: ${{ variables.a }} ${{ variables.B }} ${{ variables.c }}
            variables:
            - name: A
              value: job
          - job: K
            steps:
            - script: ${{ variables.a }}
        - stage: T
          jobs:
          - job: L
            steps:
            - script: ${{ variables.a }}
        """
    )
    assert scripts(definition) == ["job  late", "stage", "root"]


def test_parameters_are_those_of_the_file_and_loops_stay_outside() -> None:
    found = problems(
        """
        parameters:
        - name: outer
          default: o
        steps:
        - ${{ each i in split('a,b', ',') }}:
          - template: t.yml
            parameters:
              p: ${{ parameters.outer }}${{ i }}
              q: ${{ parameters.q }}
        - template: u.yml
        - ${{ each i in split('a', ',') }}:
          - template: v.yml
        """,
        {
            "t.yml": "parameters:\n- name: p\n- name: q\nsteps:\n- script: x\n",
            "u.yml": "steps:\n- script: ${{ parameters.outer }}\n",
            "v.yml": "steps:\n- script: ${{ i }}\n",
        },
    )
    assert found == [
        "/azure-pipelines.yml (Line: 10, Col: 10): Key not found 'q'",
        "/u.yml (Line: 2, Col: 11): Key not found 'outer'",
        (
            "/v.yml (Line: 2, Col: 11): Unrecognized value: 'i'. Located at position 1 within expression: 'i'. "
            "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"
        ),
    ]


def test_a_template_of_another_repository_stays_in_it() -> None:
    bench = Bench()
    library = bench.other(
        "library",
        {
            "t/outer.yml": "steps:\n- template: inner.yml\n- template: /leaf.yml\n- template: leaf.yml@self\n",
            "t/inner.yml": "steps:\n- script: inner\n",
            "leaf.yml": "steps:\n- script: theirs\n",
        },
    )
    old = library.resolve(MAIN)
    library.push("main", {"leaf.yml": "steps:\n- script: newer\n"}, ADA, "change")
    library.point("refs/tags/v1", str(old))
    text = """
        resources:
          repositories:
          - repository: lib
            type: git
            name: platform/library
            {ref}
        steps:
        - template: t/outer.yml@LIB
        """
    files = {"leaf.yml": "steps:\n- script: ours\n"}
    assert scripts(bench.expand(text.format(ref="ref: refs/tags/v1"), files)) == ["inner", "theirs", "ours"]
    assert scripts(bench.expand(text.format(ref=""), files)) == ["inner", "newer", "ours"]
    assert scripts(bench.expand(text.format(ref="ref: main"), files)) == ["inner", "newer", "ours"]


def test_what_is_wrong_in_another_repository_names_it() -> None:
    bench = Bench()
    library = bench.other("library", {"t.yml": "steps:\n- scrpt: x\n", "u.yml": "steps:\n- template: nope.yml\n"})
    head = "resources:\n  repositories:\n  - {repository: lib, type: git, name: library}\nsteps:\n"
    assert bench.problems(f"{head}- template: t.yml@lib\n") == [
        "/t.yml@lib (Line: 2, Col: 3): Unexpected value 'scrpt'"
    ]
    assert bench.problems(f"{head}- template: u.yml@lib\n") == [
        (
            f"/u.yml@lib: File /nope.yml not found in repository {URL}/library branch refs/heads/main "
            f"version {library.resolve(MAIN)}."
        )
    ]


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        (
            "{repository: lib, type: git, name: gone}",
            (
                " (Line: 3, Col: 5): The repository gone in project platform could not be retrieved. "
                "Verify the name and credentials being used and permissions."
            ),
        ),
        (
            "{repository: lib, type: git, name: other/gone}",
            (
                " (Line: 3, Col: 5): The repository gone in project other could not be retrieved. "
                "Verify the name and credentials being used and permissions."
            ),
        ),
        (
            "{repository: lib, type: git, name: library, ref: refs/heads/x}",
            (
                ": Could not get the latest source version for repository library hosted on Azure Repos "
                "using ref refs/heads/x."
            ),
        ),
        (
            "{repository: lib, type: github, name: library}",
            " (Line: 3, Col: 29): A repository of the type 'github' is not supported by the sandbox.",
        ),
        ("{repository: lib, name: library}", " (Line: 3, Col: 5): The required property 'type' is missing."),
        (
            "{repository: lib, type: git, name: library, endpoint: x}",
            " (Line: 3, Col: 49): 'endpoint' is not supported by the sandbox.",
        ),
    ],
)
def test_a_repository_that_cannot_be_read_is_refused(repository: str, message: str) -> None:
    bench = Bench()
    bench.other("library", {"t.yml": LEAF})
    found = bench.problems(f"resources:\n  repositories:\n  - {repository}\nsteps:\n- script: x\n")
    assert found == [f"{FILE}{message}"]


def test_a_pipeline_can_extend_a_template() -> None:
    definition = expand(
        """
        parameters:
        - name: who
          default: me
        variables:
          a: 1
        extends:
          template: t.yml
          parameters:
            stages:
            - stage: Mine
              jobs:
              - job: J
                steps:
                - script: for ${{ parameters.who }}
                  displayName: Mine
        """,
        {
            "t.yml": """
                parameters:
                - name: stages
                  type: stageList
                  default: []
                variables:
                - name: b
                  value: ${{ variables.a }}2
                stages:
                - stage: Before
                  jobs:
                  - job: J
                    steps:
                    - script: before ${{ variables.b }}
                - ${{ each stage in parameters.stages }}:
                  - stage: ${{ stage.stage }}_wrapped
                    jobs:
                    - ${{ each job in stage.jobs }}:
                      - ${{ each pair in job }}:
                          ${{ if ne(pair.key, 'steps') }}:
                            ${{ pair.key }}: ${{ pair.value }}
                        steps:
                        - script: first
                        - ${{ job.steps }}
                        - script: ${{ job.steps[0].task }} ${{ job.steps[0].inputs.script }}
                """
        },
    )
    assert definition.variables == {"a": "1", "b": "12"}
    assert [stage.name for stage in definition.stages] == ["Before", "Mine_wrapped"]
    assert scripts(definition) == ["before 12", "first", "for me", "CmdLine@2 for me"]


def test_an_extended_template_can_extend_another_and_bring_resources() -> None:
    bench = Bench()
    bench.other("library", {"leaf.yml": LEAF})
    definition = bench.expand(
        "extends:\n  template: a.yml\n",
        {
            "a.yml": "extends:\n  template: b.yml\n  parameters: {n: 2}\n",
            "b.yml": """
                parameters:
                - name: n
                  type: number
                resources:
                  repositories:
                  - {repository: lib, type: git, name: library}
                steps:
                - template: leaf.yml@lib
                - script: ${{ parameters.n }}
                """,
        },
    )
    assert scripts(definition) == ["leaf", "2"]


@pytest.mark.parametrize(
    ("text", "template", "message"),
    [
        ("extends: t.yml", LEAF, "/azure-pipelines.yml (Line: 1, Col: 10): Expected a mapping"),
        (
            "extends:\n  template: t.yml\nsteps: []",
            LEAF,
            "/azure-pipelines.yml (Line: 3, Col: 1): 'steps' is already defined",
        ),
        ("extends:\n  template: t.yml", "steps: []\npool: x", "/t.yml (Line: 2, Col: 1): Unexpected value 'pool'"),
        (
            "extends:\n  template: t.yml",
            "trigger: none\nsteps: []",
            "/t.yml (Line: 1, Col: 1): Unexpected value 'trigger'",
        ),
    ],
)
def test_what_cannot_be_extended_is_refused(text: str, template: str, message: str) -> None:
    assert problems(text, {"t.yml": template})[0] == message


def test_templates_nest_to_a_limit_and_circles_end_there() -> None:
    chain = {f"t{n}.yml": f"steps:\n- template: t{n + 1}.yml\n" for n in range(1, 20)}
    assert scripts(expand("steps:\n- template: t1.yml\n", {**chain, "t20.yml": LEAF})) == ["leaf"]
    deeper = {**chain, "t20.yml": "steps:\n- template: t21.yml\n", "t21.yml": LEAF}
    assert problems("steps:\n- template: t1.yml\n", deeper) == [
        "/t20.yml: Templates cannot be nested more than 20 levels deep."
    ]
    assert problems("steps:\n- template: t.yml\n", {"t.yml": "steps:\n- template: t.yml\n"}) == [
        "/t.yml: Templates cannot be nested more than 20 levels deep."
    ]


def test_a_pipeline_has_a_hundred_files_at_most() -> None:
    files = {f"t{n}.yml": LEAF for n in range(100)}
    steps = "".join(f"- template: t{n}.yml\n" for n in range(99))
    assert len(scripts(expand(f"steps:\n{steps}- template: t0.yml\n", files))) == 100
    assert problems(f"steps:\n{steps}- template: t99.yml\n", files) == [
        "/t99.yml: A pipeline cannot be made of more than 100 files."
    ]
