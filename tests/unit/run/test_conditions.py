"""What is certain of a condition before a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.run.conditions import certain, value_of

BRANCH = {"build.sourcebranch": "refs/heads/develop", "build.sourcebranchname": "develop", "deploy": "True"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("eq(variables['Build.SourceBranch'], 'refs/heads/main')", False),
        ("eq(variables['Build.SourceBranch'], 'REFS/heads/DEVELOP')", True),
        ("eq('refs/heads/develop', variables.Build.SourceBranch)", None),
        ("eq(variables['build.sourcebranchname'], 'develop')", True),
        ("ne(variables['Build.SourceBranch'], 'refs/heads/main')", True),
        ("and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))", False),
        ("and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/develop'))", None),
        ("or(eq(variables['Build.SourceBranch'], 'refs/heads/develop'), eq(variables.unknown, 'x'))", True),
        ("in(variables['Build.SourceBranchName'], 'main', 'release')", False),
        ("notIn(variables['Build.SourceBranchName'], 'main', 'release')", True),
        ("in(variables['Build.SourceBranchName'], 'main', variables.unknown)", None),
        ("startsWith(variables['Build.SourceBranch'], 'refs/heads/release/')", False),
        ("endsWith(variables['Build.SourceBranch'], '/develop')", True),
        ("contains(variables['Build.SourceBranch'], 'dev')", True),
        ("not(contains(variables['Build.SourceBranch'], 'dev'))", False),
        ("eq(variables.deploy, true)", True),
        ("eq(variables['deploy'], 'false')", False),
        ("eq(1, 1.0)", True),
        ("false", False),
        ("True", True),
        ("always()", True),
        ("failed()", False),
        ("canceled()", False),
        ("and(always(), failed('Plan'))", False),
        ("succeededOrFailed()", None),
        ("succeeded('Plan')", None),
        ("eq(dependencies.Plan.outputs['plan.changes.found'], 'true')", None),
        ("eq(variables['Build.Reason'], 'Manual')", None),
        ("eq(stageDependencies.Plan.plan.outputs['a.b'], 'true')", None),
        ("eq('it''s', 'IT''S')", True),
        ("someNewFunction(variables['Build.SourceBranch'])", None),
        ("eq(variables['Build.SourceBranch'])", None),
        ("eq(1, 'x')", None),
        ("eq('a' 'b')", None),
        ("", None),
        ("eq('a', 'a') or true", None),
        ("not(" * 200 + "true" + ")" * 200, None),
        (f"eq('{'x' * 5000}', 'y')", None),
        ("eq(1.2.3, '1.2.3')", None),
        ("variables[variables['x']]", None),
        ("a.'b'", None),
        ("variables['a'", None),
        ("]", None),
    ],
)
def test_what_is_certain(condition: str, expected: bool | None) -> None:
    assert certain(condition, BRANCH) is expected


def test_a_dependency_that_is_skipped_did_not_succeed() -> None:
    assert certain("succeeded()", {}, succeeded=False) is False
    assert certain("and(succeeded(), true)", {}, succeeded=False) is False
    assert certain("not(succeeded())", {}, succeeded=False) is True


def test_the_value_of_an_expression_may_be_a_text() -> None:
    assert value_of("variables['Build.SourceBranchName']", BRANCH) == "develop"


@given(st.text(alphabet="eqnotvariables()[],.'12 -"))
def test_no_text_is_an_error(text: str) -> None:
    assert certain(text, BRANCH) in (True, False, None)
