from __future__ import annotations

import pytest

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.version_ranges import satisfies


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        ("3.x", [(3, 0, 0), (3, 99, 1)], [(2, 7, 18), (4, 0, 0)]),
        ("3", [(3, 11, 7)], [(4, 0, 0)]),
        ("3.1", [(3, 1, 5)], [(3, 11, 0)]),
        ("3.11.7", [(3, 11, 7)], [(3, 11, 8)]),
        (">=3.9 <3.12", [(3, 9, 0), (3, 11, 9)], [(3, 8, 9), (3, 12, 0)]),
        ("> 3.9", [(3, 10, 0)], [(3, 9, 9)]),
        ("<=3.9", [(3, 9, 9)], [(3, 10, 0)]),
        ("~3.10", [(3, 10, 9)], [(3, 11, 0)]),
        ("~3.10.2", [(3, 10, 9)], [(3, 10, 1), (3, 11, 0)]),
        ("^3.10", [(3, 10, 0), (3, 99, 0)], [(3, 9, 0), (4, 0, 0)]),
        ("3.8 || 3.12.1", [(3, 8, 3), (3, 12, 1)], [(3, 9, 0)]),
        ("*", [(3, 11, 7)], []),
        ("3.9 - 3.11", [(3, 9, 0), (3, 11, 9)], [(3, 8, 9), (3, 12, 0)]),
    ],
)
def test_ranges_of_versions(
    wanted: str, fitting: list[tuple[int, int, int]], others: list[tuple[int, int, int]]
) -> None:
    assert [version for version in (*fitting, *others) if satisfies(version, wanted)] == fitting
