from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops.engine.run_number import RunNumberError, run_number
from ecs_cd_sandbox.azure_devops.model.variables import Variables

NOW = datetime(2026, 5, 7, 9, 8, 3, 250000, tzinfo=timezone.utc)


VARIABLES = Variables(
    {
        "Build.BuildId": "752",
        "Build.DefinitionName": "CIBuild",
        "Build.SourceBranchName": "main",
        "System.TeamProject": "Fabrikam",
        "major": "1",
        "version": "$(major).2",
    }
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", "20260507.1"),
        ("$(Date:yyyyMMdd).$(Rev:r)", "20260507.1"),
        (
            "$(TeamProject)_$(Build.DefinitionName)_$(SourceBranchName)_$(Date:yyyyMMdd)$(Rev:.r)",
            "Fabrikam_CIBuild_main_20260507.1",
        ),
        ("$(Rev:rr)", "01"),
        ("$(BuildID)-$(BuildDefinitionName)", "752-CIBuild"),
        ("$(Year:yy).$(Month).$(DayOfMonth).$(DayOfYear)", "26.5.7.127"),
        ("$(Hours)-$(Minutes)-$(Seconds)", "9-8-3"),
        ("$(Date:d-M-yy HH.mm.ss fff)", "7-5-26 09.08.03 250"),
        ("$(version)-$(unknown)", "1.2-$(unknown)"),
        ("release", "release"),
    ],
)
def test_a_format_yields_a_number(pattern: str, expected: str) -> None:
    assert run_number(pattern, VARIABLES, NOW, lambda text: 1)[0] == expected


@pytest.mark.parametrize("pattern", [" ", "a/b", "ends.", "x" * 256])
def test_a_number_that_no_run_may_have_is_refused(pattern: str) -> None:
    with pytest.raises(RunNumberError):
        run_number(pattern, VARIABLES, NOW, lambda text: 1)


@given(st.lists(st.sampled_from(["a-$(Rev:r)", "b-$(Rev:r)", "a-$(Rev:rrr)"])))
def test_numbers_with_a_revision_are_never_the_same(patterns: list[str]) -> None:
    counts: Counter[str] = Counter()

    def count(text: str) -> int:
        counts[text] += 1
        return counts[text]

    numbers = [run_number(pattern, VARIABLES, NOW, count)[0] for pattern in patterns]
    assert len(set(numbers)) == len(numbers)
