from __future__ import annotations

from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_text import NOT_CLOSED

from .pipeline_repository import expand, final, made, problems

ITEMS = """parameters:
- name: p
  type: object
  default: {list: [x, y], map: {K: v, '10': w}, none: , flag: true, n: 1.0}
"""


def scripts(steps: str, head: str = "") -> list[str]:
    """Return the scripts of a job with these steps, without its checkout."""
    found = expand(f"{head or ITEMS}steps:\n{steps}").stages[0].jobs[0].steps
    return [made(step).inputs["script"] for step in found[1:]]


def environment(entries: str, head: str = "") -> dict[str, str]:
    """Return what an `env:` with these entries comes to."""
    steps = expand(f"{head or ITEMS}steps:\n- script: x\n  env:\n{indent(entries, '    ')}").stages[0].jobs[0].steps
    return made(steps[1]).env


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- ${{ if true }}:\n  - script: a\n- ${{ else }}:\n  - script: b", ["a"]),
        ("- ${{ if false }}:\n  - script: a\n- ${{ else }}:\n  - script: b", ["b"]),
        ("- ${{ if false }}:\n  - script: a\n- ${{ elseif 1 }}:\n  - script: b\n- ${{ else }}:\n  - script: c", ["b"]),
        ("- ${{ if false }}:\n  - script: a\n- ${{ elseif 0 }}:\n  - script: b\n- script: z", ["z"]),
        ("- ${{ if false }}:\n  - script: a\n- script: z\n- ${{ else }}:\n  - script: b", ["z", "b"]),
        ("- ${{ if false }}:\n  - script: a\n- ${{ if true }}:\n  - script: b\n- ${{ else }}:\n  - script: c", ["b"]),
        ("- ${{ if true }}:\n  - ${{ if false }}:\n    - script: a\n  - ${{ else }}:\n    - script: b", ["b"]),
        ("- ${{ if true }}:\n    script: a", ["a"]),
        ("- ${{ if parameters.p.list }}:\n  - script: a", ["a"]),
        ("- ${{ if parameters.p.missing }}:\n  - script: a\n- script: z", ["z"]),
        ("- ${{ if true }}:\n  - script: a\n- ${{ elseif lt(1, 'x') }}:\n  - script: b", ["a"]),
        ("- ${{ if false }}:\n  - script: ${{ parameters.nowhere }}\n- script: z", ["z"]),
        ("- ${{ each i in parameters.p.list }}:\n  - script: ${{ i }}", ["x", "y"]),
        (
            "- ${{ each I in parameters.p.list }}:\n  - script: ${{ i }}1\n  - script: ${{ i }}2",
            ["x1", "x2", "y1", "y2"],
        ),
        ("- ${{ each i in parameters.p.map }}:\n  - script: ${{ i.key }}=${{ i.value }}", ["K=v", "10=w"]),
        ("- ${{ each i in parameters.p.missing }}:\n  - script: a\n- script: z", ["z"]),
        (
            (
                "- ${{ each i in parameters.p.list }}:\n"
                "  - ${{ each j in parameters.p.map }}:\n"
                "    - script: ${{ i }}${{ j.key }}"
            ),
            ["xK", "x10", "yK", "y10"],
        ),
        ("- ${{ each i in parameters.p.list }}:\n  - ${{ if eq(i, 'y') }}:\n    - script: ${{ i }}", ["y"]),
        ("- ${{ each i in parameters.p.list }}:\n    script: ${{ i }}", ["x", "y"]),
        ("- ${{ insert }}:\n    script: a\n    displayName: b", ["a"]),
        ("- script: a${{ true }}b${{ parameters.p.n }}c${{ parameters.p.none }}", ["aTrueb1c"]),
        ("- script: ${{ 'my${{value' }}", ["my${{value"]),
        ("- script: |\n    one\n    ${{ 'two' }}\n", ["one\ntwo\n"]),
        ("- script: ${{ '0123' }}", ["0123"]),
        ("- script: '${{ 1.2.3 }} ${{ 0.5 }} ${{ -1.25 }}'", ["1.2.3 0.5 -1.25"]),
    ],
)
def test_steps_are_inserted(steps: str, expected: list[str]) -> None:
    assert scripts(steps) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Build.SourceBranch", "refs/heads/main"),
        ("build.sourcebranchname", "main"),
        ("Build.Reason", "Manual"),
        ("Build.DefinitionName", "deploy"),
        ("Build.Repository.Name", "infrastructure"),
        ("System.TeamProject", "platform"),
        ("System.DefinitionId", "12"),
        ("Build.BuildId", ""),
    ],
)
def test_what_is_known_before_the_run_can_be_named(name: str, value: str) -> None:
    assert scripts(f"- script: <${{{{ variables['{name}'] }}}}>") == [f"<{value}>"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("A: a\n${{ if true }}:\n  B: b\nC: c", {"A": "a", "B": "b", "C": "c"}),
        ("${{ if false }}:\n  A: a\n${{ elseif true }}:\n  B: b\n${{ else }}:\n  C: c", {"B": "b"}),
        ("${{ if true }}:\n  A: a\n${{ if true }}:\n  B: b", {"A": "a", "B": "b"}),
        ("${{ insert }}: ${{ parameters.p.map }}\nZ: z", {"K": "v", "10": "w", "Z": "z"}),
        ("${{ insert }}:\n  A: ${{ 'b' }}", {"A": "b"}),
        ("${{ each i in parameters.p.map }}:\n  P_${{ i.key }}: ${{ i.value }}", {"P_K": "v", "P_10": "w"}),
        ("${{ true }}: a\n${{ 1.0 }}: b\n${{ 'K' }}: c", {"True": "a", "1": "b", "K": "c"}),
        ("A: ${{ parameters.p.flag }}\nB: ${{ parameters.p.missing }}\nC: null", {"A": "True", "B": "", "C": ""}),
    ],
)
def test_entries_are_inserted(entries: str, expected: dict[str, str]) -> None:
    assert environment(entries) == expected


def test_a_lone_expression_inserts_structure() -> None:
    head = "parameters:\n- name: e\n  type: object\n  default: {A: 1, B: two}\n"
    for written in ("${{ parameters.e }}", '"${{ parameters.e }}"'):
        text = final(f"{head}steps:\n- script: x\n  env: {written}")
        assert "      env:\n        A: 1\n        B: two\n" in text


PLACE = "/azure-pipelines.yml (Line: 6, Col: 3): "
UNKNOWN_INDEX = (
    "Unrecognized value: 'index'. Located at position 1 within expression: 'index'. "
    "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"
)
HELP = "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("- ${{ else }}:\n  - script: a", "The expression directive 'else' is not supported in this context"),
        ("- ${{ elseif true }}:\n  - script: a", "The expression directive 'elseif' is not supported in this context"),
        (
            "- ${{ IF eq(1, 1) }}:\n  - script: a",
            f"Unexpected symbol: 'eq'. Located at position 4 within expression: 'IF eq(1, 1)'. {HELP}",
        ),
        (
            "- ${{ if }}:\n  - script: a",
            f"Unrecognized value: 'if'. Located at position 1 within expression: 'if'. {HELP}",
        ),
        (
            "- ${{ each a in b c }}:\n  - script: a",
            "Exactly 3 parameter(s) were expected following the directive 'each'. Actual parameter count: 4",
        ),
        (
            "- ${{ each in in parameters.p.list }}:\n  - script: a",
            f"Expected '(' to follow a function: 'in'. Located at position 1 within expression: 'in'. {HELP}",
        ),
        (
            "- ${{ each variables in parameters.p.list }}:\n  - script: a",
            "The idenfifier 'variables' has already been defined within the current scope",
        ),
        ("- ${{ each i in parameters.p.flag }}:\n  - script: a", "Expected a sequence or mapping. Actual value 'True'"),
        (
            "- ${{ if lt(1, 'x') }}:\n  - script: a",
            "Unable to convert from String to Number. Value: 'x'",
        ),
        (
            "- ${{ if succeeded() }}:\n  - script: a",
            f"Unrecognized value: 'succeeded'. Located at position 1 within expression: 'succeeded()'. {HELP}",
        ),
        ("- ${{ if parameters.missing }}:\n  - script: a", "Key not found 'missing'"),
    ],
)
def test_a_wrong_directive_is_refused_at_its_place(step: str, message: str) -> None:
    assert problems(f"{ITEMS}steps:\n{step}") == [PLACE + message]


@pytest.mark.parametrize(
    "between", ["${{ insert }}: {script: b}", "${{ each i in parameters.p.list }}:\n  - script: ${{ i }}"]
)
def test_another_directive_ends_a_chain(between: str) -> None:
    steps = f"- ${{{{ if false }}}}:\n  - script: a\n- {between}\n- ${{{{ else }}}}:\n  - script: c"
    assert [message.partition("): ")[2] for message in problems(f"{ITEMS}steps:\n{steps}")] == [
        "The expression directive 'else' is not supported in this context"
    ]


def test_what_an_expression_yields_is_not_expanded_again() -> None:
    text = "steps:\n- template: t.yml\n  parameters:\n    s:\n    - script: ${{ 'echo ${{ nothing }}' }}\n"
    files = {"t.yml": "parameters:\n- name: s\n  type: stepList\nsteps:\n- ${{ parameters.s }}\n"}
    assert made(expand(text, files).stages[0].jobs[0].steps[1]).inputs["script"] == "echo ${{ nothing }}"


@pytest.mark.parametrize(
    ("entries", "messages"),
    [
        ("A: ${{ if true }}", ["(Line: 8, Col: 8): Unexpected value '${{ if true }}'"]),
        ("${{ if true }}:\n- A", ["(Line: 9, Col: 5): Expected a mapping"]),
        ("${{ insert }}: ${{ parameters.p.list }}", ["(Line: 8, Col: 20): Expected a mapping"]),
        ("${{ insert }}: text", ["(Line: 8, Col: 20): Expected a mapping"]),
        ("A: a\n${{ insert }}: {a: b}", ["(Line: 9, Col: 21): 'a' is already defined"]),
        ("${{ parameters.p.map }}: a", ["(Line: 8, Col: 5): Expected a scalar value"]),
        (
            "A_${{ parameters.p.map }}: a",
            ["(Line: 8, Col: 5): Unable to convert from Object to String. Value: Object"],
        ),
        ("A: x${{ parameters.p.list }}", ["(Line: 8, Col: 8): Unable to convert from Array to String. Value: Array"]),
        ("A: ${{ 'x }}", [f"(Line: 8, Col: 8): {NOT_CLOSED}"]),
        ("A: ${{ }}", ["(Line: 8, Col: 8): An expression was expected"]),
        (
            "A: ${{ index }}",
            [f"(Line: 8, Col: 8): {UNKNOWN_INDEX}"],
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(entries: str, messages: list[str]) -> None:
    text = f"{ITEMS}steps:\n- script: x\n  env:\n{indent(entries, '    ')}"
    assert problems(text) == [f"/azure-pipelines.yml {message}" for message in messages]


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = problems("steps:\n- script: ${{ a }}\n- script: fine\n- script: ${{ b }}\n- scrpt: x\n")
    assert [message.partition(": Unrecognized")[0] for message in found] == [
        "/azure-pipelines.yml (Line: 2, Col: 11)",
        "/azure-pipelines.yml (Line: 4, Col: 11)",
    ]
    assert problems("steps:\n- scrpt: x\n- script: a\n  nme: b\n  tmeout: 1") == [
        "/azure-pipelines.yml (Line: 2, Col: 3): Unexpected value 'scrpt'",
        "/azure-pipelines.yml (Line: 4, Col: 3): Unexpected value 'nme'",
        "/azure-pipelines.yml (Line: 5, Col: 3): Unexpected value 'tmeout'",
    ]


def test_loops_within_loops_end_somewhere() -> None:
    loops = "".join(f"{'  ' * depth}- ${{{{ each i{depth} in parameters.p }}}}:\n" for depth in range(8))
    head = f"parameters:\n- name: p\n  type: object\n  default: [{', '.join('abcdefghij')}]\n"
    found = problems(f"{head}steps:\n{loops}{'  ' * 8}- script: a long enough line to repeat so many times\n")
    assert found == ["/azure-pipelines.yml: Maximum object size exceeded"]


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=5))
def test_a_loop_is_its_body_written_out(values: list[str]) -> None:
    head = f"parameters:\n- name: p\n  type: object\n  default: [{', '.join(values)}]\n"
    looped = scripts("- ${{ each i in parameters.p }}:\n  - script: <${{ i }}>\n- script: end", head)
    assert looped == [*(f"<{value}>" for value in values), "end"]


@given(st.lists(st.booleans(), min_size=1, max_size=4), st.booleans())
def test_a_chain_takes_the_first_that_holds(conditions: list[bool], has_else: bool) -> None:
    steps = "".join(
        f"- ${{{{ {'elseif' if place else 'if'} {condition} }}}}:\n  - script: s{place}\n"
        for place, condition in enumerate(conditions)
    )
    steps += "- ${{ else }}:\n  - script: last\n" if has_else else ""
    expected = [f"s{conditions.index(True)}"] if True in conditions else ["last"] if has_else else []
    assert scripts(steps + "- script: end") == [*expected, "end"]
