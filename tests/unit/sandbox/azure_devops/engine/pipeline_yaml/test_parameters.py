from __future__ import annotations

import json

import pytest

from ecs_cd_sandbox.azure_devops.expressions import Value
from ecs_cd_sandbox.azure_devops.model.definitions import Parameter

from .pipeline_repository import Bench, expand, made, problems

SHOW = "steps:\n- script: ${{ convertToJson(parameters.p) }}\n"


def shown(declaration: str, **given: str) -> Value:
    """Return the value a parameter of a pipeline has."""
    definition = expand(f"parameters:\n- name: p\n{declaration}{SHOW}", None, **given)
    value: Value = json.loads(made(definition.stages[0].jobs[0].steps[1]).inputs["script"])
    return value


def passed(declaration: str, argument: str) -> Value:
    """Return the value a parameter of a template has."""
    files = {"t.yml": f"parameters:\n- name: p\n{declaration}{SHOW}"}
    definition = expand(f"steps:\n- template: t.yml\n  parameters:\n    p: {argument}\n", files)
    value: Value = json.loads(made(definition.stages[0].jobs[0].steps[1]).inputs["script"])
    return value


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("string", "text", "text"),
        ("string", "42", "42"),
        ("string", "1.0", "1.0"),
        ("string", "007", "007"),
        ("string", "True", "True"),
        ("string", "null", ""),
        ("string", "", ""),
        ("string", "${{ true }}", "True"),
        ("number", "8", 8),
        ("number", "'8'", 8),
        ("number", "1.0", 1),
        ("number", "0.5", 0.5),
        ("number", "${{ 3 }}", 3),
        ("boolean", "true", True),
        ("boolean", "'FALSE'", False),
        ("boolean", "${{ eq(1, 2) }}", False),
        ("object", "{a: [1, true, x, null], b: {c: 0.5}}", {"a": [1, True, "x", ""], "b": {"c": 0.5}}),
        ("object", "text", "text"),
        ("object", "'42'", "42"),
        ("object", "${{ '42' }}", "42"),
        ("object", "${{ 1.0 }}", 1),
        ("object", "[x, '${{ variables.none }}']", ["x", ""]),
        ("stringList", "[a, 1, true]", ["a", "1", "true"]),
        ("stepList", "[]", []),
        ("stepList", "", []),
        (
            "stepList",
            "[{bash: x, name: n}]",
            [{"task": "Bash@3", "name": "n", "inputs": {"targetType": "inline", "script": "x"}}],
        ),
        ("step", "{task: CmdLine@2, inputs: {script: x}}", {"task": "CmdLine@2", "inputs": {"script": "x"}}),
        ("jobList", "[{job: J, dependsOn: A}]", [{"job": "J", "dependsOn": ["A"]}]),
        ("job", "{job: J, variables: {a: 1}}", {"job": "J", "variables": [{"name": "a", "value": 1}]}),
        ("deployment", "{deployment: D, environment: e}", {"deployment": "D", "environment": {"name": "e"}}),
        ("deploymentList", "[{deployment: D}]", [{"deployment": "D"}]),
        ("stage", "{stage: S, lockBehavior: sequential}", {"stage": "S", "lockBehavior": "sequential"}),
        ("stageList", "[{stage: S, jobs: []}]", [{"stage": "S", "jobs": []}]),
    ],
)
def test_what_is_passed_becomes_a_value_of_the_type(kind: str, written: str, value: Value) -> None:
    found = passed(f"  type: {kind}\n", written)
    assert found == value
    assert type(found) is type(value)


IS_NOT = "/azure-pipelines.yml (Line: 4, Col: 8): The 'p' parameter"


@pytest.mark.parametrize(
    ("kind", "written", "messages"),
    [
        ("string", "{a: 1}", [f"{IS_NOT} is not a valid String."]),
        ("number", "abc", [f"{IS_NOT} value 'abc' is not a valid Number."]),
        ("number", "''", [f"{IS_NOT} value '' is not a valid Number."]),
        ("number", "null", [f"{IS_NOT} value '' is not a valid Number."]),
        ("boolean", "yes", [f"{IS_NOT} value 'yes' is not a valid Boolean."]),
        ("boolean", "1", [f"{IS_NOT} value '1' is not a valid Boolean."]),
        ("stringList", "a", [f"{IS_NOT} value 'a' is not a valid StringList."]),
        (
            "stepList",
            "nope",
            [f"{IS_NOT} is not a valid StepList.\n/azure-pipelines.yml (Line: 4, Col: 8): Unexpected value 'nope'"],
        ),
        (
            "step",
            "{notAStep: x}",
            [f"{IS_NOT} is not a valid Step.\n/azure-pipelines.yml (Line: 4, Col: 9): Unexpected value 'notAStep'"],
        ),
        ("string\n  values: [a, b]", "A", [f"{IS_NOT} value 'A' is not a valid value."]),
        ("number\n  values: [1, 2]", "3", [f"{IS_NOT} value '3' is not a valid value."]),
        (
            "stringList\n  values: [a]",
            "[a, z]",
            ["/azure-pipelines.yml (Line: 4, Col: 12): The 'p' parameter value 'z' is not a valid value."],
        ),
        (
            "string\n- name: q",
            "x",
            ["/t.yml: A value for the 'q' parameter must be provided."],
        ),
        ("string", "x\n    r: y", ["/azure-pipelines.yml (Line: 5, Col: 5): Unexpected parameter 'r'"]),
    ],
)
def test_what_is_passed_wrongly_is_refused(kind: str, written: str, messages: list[str]) -> None:
    files = {"t.yml": f"parameters:\n- name: p\n  type: {kind}\nsteps:\n- script: x\n"}
    assert problems(f"steps:\n- template: t.yml\n  parameters:\n    p: {written}\n", files) == messages


def test_values_are_compared_once_they_have_the_type() -> None:
    assert passed("  type: number\n  values: [1, 2]\n", "'2'") == 2
    assert passed("  type: object\n  values: [a]\n", "b") == "b"


def test_names_of_parameters_know_no_case() -> None:
    files = {"t.yml": "parameters:\n- name: myParam\nsteps:\n- script: ${{ parameters.MYPARAM }}\n"}
    found = expand("steps:\n- template: t.yml\n  parameters: {MyPARAM: x}\n", files).stages[0].jobs[0].steps[1]
    assert made(found).inputs["script"] == "x"


def test_a_template_that_declares_nothing_takes_anything() -> None:
    assert expand("steps:\n- template: t.yml\n  parameters: {a: 1}\n", {"t.yml": "steps:\n- script: x\n"}).stages


def test_the_short_form_of_a_template_takes_anything_as_text() -> None:
    files = {"t.yml": f"parameters:\n  p: {{a: 1}}\n  q: ''\n{SHOW}"}
    for argument, value in (("", {"a": "1"}), ("\n    p: [true, {b: null}]", ["true", {"b": ""}])):
        definition = expand(f"steps:\n- template: t.yml\n  parameters: {argument}\n", files)
        assert json.loads(made(definition.stages[0].jobs[0].steps[1]).inputs["script"]) == value
    assert problems("steps:\n- template: t.yml\n  parameters: {r: 1}\n", files) == [
        "/azure-pipelines.yml (Line: 3, Col: 16): Unexpected parameter 'r'"
    ]


def test_parameters_can_be_passed_by_directives() -> None:
    files = {"t.yml": "parameters:\n- name: p\n  type: object\n" + SHOW}
    text = """
        parameters:
        - name: more
          type: object
          default: {x: 1}
        steps:
        - template: t.yml
          parameters:
            ${{ if true }}:
              p:
                ${{ insert }}: ${{ parameters.more }}
                ${{ each pair in parameters.more }}:
                  ${{ pair.key }}${{ pair.key }}: ${{ pair.value }}
        """
    found = made(expand(text, files).stages[0].jobs[0].steps[1]).inputs["script"]
    assert json.loads(found) == {"x": 1, "xx": 1}


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        ("  type: number\n", "8", 8),
        ("  type: boolean\n", "TRUE", True),
        ("", "true", "true"),
        ("  default: x\n", "y", "y"),
        ("  type: object\n", '{"a": [1, "x"]}', {"a": [1, "x"]}),
        ("  type: object\n", "[custom, {b: true}]", ["custom", {"b": True}]),
        ("  type: object\n", "text", "text"),
        ("  type: object\n  default: {a: 1}\n", "", ""),
        ("  type: stepList\n", "[{script: x}]", [{"task": "CmdLine@2", "inputs": {"script": "x"}}]),
        ("  values: [a, b]\n", "b", "b"),
    ],
)
def test_what_is_given_when_queueing_is_converted_too(declaration: str, given: str, value: Value) -> None:
    assert shown(declaration, p=given) == value


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ("  default: 007\n", "007"),
        ("  default: ${{ 'it''s' }}\n", "it's"),
        ("  type: object\n  default: {a: '${{ ''b'' }}', c: []}\n", {"a": "b", "c": []}),
        ("  type: boolean\n  default: 'true'\n", True),
    ],
)
def test_defaults_are_as_they_are_written(declaration: str, value: Value) -> None:
    assert shown(declaration) == value


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        ("", {}, "A value for the 'p' parameter must be provided."),
        ("  values: [a]\n", {}, "A value for the 'p' parameter must be provided."),
        ("  default: x\n", {"q": "y"}, "Unexpected parameter 'q'"),
        ("  values: [a]\n", {"p": "b"}, "The 'p' parameter value 'b' is not a valid value."),
        ("  type: number\n", {"p": "b"}, "The 'p' parameter value 'b' is not a valid Number."),
        (
            "  type: object\n",
            {"p": "[a"},
            (
                "The 'p' parameter value '[a' is not YAML: "
                "While parsing a flow sequence, did not find expected ',' or ']'."
            ),
        ),
    ],
)
def test_what_is_given_wrongly_when_queueing_is_refused(declaration: str, given: dict[str, str], message: str) -> None:
    assert problems(f"parameters:\n- name: p\n{declaration}{SHOW}", None, **given) == [message]


@pytest.mark.parametrize(
    ("declarations", "message"),
    [
        ("- type: string", "(Line: 2, Col: 3): Unexpected value 'type'"),
        ("- name: p\n  kind: x", "(Line: 3, Col: 3): Unexpected value 'kind'"),
        ("- name: p\n  type: String", "(Line: 3, Col: 9): Unexpected value 'String'"),
        (
            "- name: p\n  type: pool",
            "(Line: 3, Col: 9): Parameters of the type 'pool' are not supported by the sandbox.",
        ),
        (
            "- name: p\n  default: ''\n- name: P",
            "(Line: 4, Col: 3): The 'P' parameter is declared more than once in the parameter list.",
        ),
        (
            "- name: p\n  default: ${{ format('x') }}",
            "(Line: 3, Col: 12): A template expression is not allowed in this context",
        ),
        (
            "- name: p\n  default: a${{ 'x' }}",
            "(Line: 3, Col: 12): A template expression is not allowed in this context",
        ),
        (
            "- name: p\n  type: number\n  default: x",
            "(Line: 4, Col: 12): The 'p' parameter value 'x' is not a valid Number.",
        ),
        (
            "- name: p\n  default: c\n  values: [a, b]",
            "(Line: 3, Col: 12): The 'p' parameter value 'c' is not a valid value.",
        ),
        ("- name: p\n  default: {a: b}", "(Line: 3, Col: 12): The 'p' parameter is not a valid String."),
        ("- name: p\n  values: a", "(Line: 3, Col: 11): Expected a sequence"),
        ("- p", "(Line: 2, Col: 3): Expected a mapping"),
        ("  p: x", "(Line: 2, Col: 3): Expected a sequence"),
    ],
)
def test_what_is_declared_wrongly_is_refused(declarations: str, message: str) -> None:
    assert problems(f"parameters:\n{declarations}\nsteps:\n- script: x\n") == [f"/azure-pipelines.yml {message}"]


def test_whoever_queues_a_run_sees_the_parameters_as_texts() -> None:
    definition = Bench().expand(
        """
        parameters:
        - name: who
        - name: count
          type: number
          default: 1.0
          values: [1.0, 2]
        - name: loud
          type: boolean
          default: False
        - name: where
          type: object
          default: {a: [1, x]}
        steps:
        - script: x
        """,
        parameters={"who": "me"},
    )
    assert definition.parameters == {
        "who": Parameter(None),
        "count": Parameter("1.0", ("1.0", "2"), closed=True),
        "loud": Parameter("False", closed=True),
        "where": Parameter('{"a": [1, "x"]}'),
    }
    again = {name: parameter.default for name, parameter in definition.parameters.items() if parameter.default}
    text = "parameters:\n- name: p\n  type: object\n"
    steps = Bench().expand(f"{text}{SHOW}", parameters={"p": again["where"]}).stages[0].jobs[0].steps
    assert json.loads(made(steps[1]).inputs["script"]) == {"a": [1, "x"]}
