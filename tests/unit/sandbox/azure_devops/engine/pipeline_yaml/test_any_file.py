"""Whatever stands in a file: it is read, or refused with a message that names the file."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.model.definitions import Expansion, ValidationFailed

from .pipeline_repository import DEFINITION, FILE, MAIN, Bench

PARTS = [
    "stages:",
    "- stage: A",
    "jobs:",
    "- job: B",
    "- deployment: D",
    "environment: e",
    "strategy:",
    "runOnce:",
    "deploy:",
    "steps:",
    "- script: x",
    "- task: CmdLine@2",
    "inputs: {script: y}",
    "- template: t.yml",
    "- download: current",
    "- checkout: ${{ parameters.p }}",
    "extends:",
    "template: t.yml",
    "parameters:",
    "- name: p",
    "type: object",
    "default: [a, {b: c}]",
    "p: ${{ 1 }}",
    "variables:",
    "- group: g",
    "a: $[ counter('x', 1) ]",
    "value: ${{ variables.a }}",
    "- ${{ if parameters.p }}:",
    "- ${{ else }}:",
    "${{ each i in parameters.p }}:",
    "- ${{ each i in parameters.p }}:",
    "${{ insert }}: ${{ i }}",
    "${{ i }}: ${{ i.b }}",
    "- ${{ parameters.p }}",
    "condition: eq(variables.a, 'b')",
    "dependsOn: [A, B]",
    "trigger: {branches: [main]}",
    "resources:",
    "pipelines:",
    "- {pipeline: a, source: b, trigger: true}",
    "repositories:",
    "- {repository: r, type: git, name: s}",
    "pool:",
    "lockBehavior: sequential",
    "target: {settableVariables: none}",
    "-",
    "[]",
    "x",
]
GOOD = """parameters:
- name: p
  type: object
  default: [a, {b: c}]
variables:
  a: b
stages:
- stage: A
  jobs:
  - job: B
    steps:
    - script: x
    - ${{ if parameters.p }}:
      - template: t.yml
  - deployment: D
    environment: e
    strategy:
      runOnce:
        deploy:
          steps:
          - download: current
"""
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "double", "indent", "put"]),
        st.integers(0, 30),
        st.integers(0, 5),
        st.sampled_from(PARTS),
    ),
    max_size=5,
)
Edits = list[tuple[str, int, int, str]]


def edited(text: str, edits: Edits) -> str:
    lines = text.split("\n")
    for kind, place, depth, part in edits:
        at = place % len(lines)
        indent = "  " * depth
        lines[at : at + 1] = {
            "drop": [],
            "double": [lines[at], lines[at]],
            "indent": [indent + lines[at].strip()],
            "put": [lines[at], indent + part],
        }[kind] or [""]
    return "\n".join(lines)


def told(call: Callable[[], object]) -> list[str]:
    try:
        call()
    except ValidationFailed as error:
        return list(error.messages)
    return []


@settings(max_examples=300)
@given(EDITS, EDITS)
def test_a_file_is_read_or_refused(edits: Edits, of_template: Edits) -> None:
    bench = Bench()
    template = edited("parameters:\n- name: q\n  default: z\nsteps:\n- script: ${{ parameters.q }}\n", of_template)
    commit = bench.push({FILE: edited(GOOD, edits), "t.yml": template})
    for message in told(lambda: bench.file().expand(DEFINITION, Expansion(MAIN, commit))):
        assert FILE in message or "/t.yml" in message or "parameter" in message
    told(lambda: bench.file().triggers(DEFINITION, MAIN))


def test_the_file_that_is_spoilt_is_a_good_one() -> None:
    assert "script: z" in Bench().expand(GOOD, {"t.yml": "steps:\n- script: z\n"}).yaml
