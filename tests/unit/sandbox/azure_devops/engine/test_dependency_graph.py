from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops import StageDefinition
from ecs_cd_sandbox.azure_devops.engine.dependency_graph import all_stages_before, check, stages_before
from tests.support.sandbox_pipelines import pipeline


@given(st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=8))
def test_all_before_is_what_can_be_reached_over_what_is_right_before(graph: list[set[int]]) -> None:
    """Each stage depends on earlier ones alone, so no graph has a circle."""
    earlier = [{other for other in wanted if other < number} for number, wanted in enumerate(graph)]
    stages = tuple(
        StageDefinition(f"s{number}", (), depends_on=tuple(f"S{other}" for other in sorted(wanted)))
        for number, wanted in enumerate(earlier)
    )
    definition = pipeline(stages=stages)
    check(definition)
    reached: list[set[int]] = []
    for wanted in earlier:
        reached.append(wanted.union(*(reached[other] for other in wanted)))
    for number, one in enumerate(stages):
        assert {other.name for other in stages_before(definition, one)} == {f"s{other}" for other in earlier[number]}
        assert {other.name for other in all_stages_before(definition, one)} == {f"s{x}" for x in reached[number]}
