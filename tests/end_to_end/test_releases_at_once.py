"""Eight services released at one moment into one environment, through real Terraform and real locks.

`make bench-locks` goes through all combinations of locks and agents, and measures them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_cd_sandbox.sandbox import Sandbox
from tests.end_to_end.eight_services import AGENTS, SERVICES, EightServices, Released

MOST_RUNS = 3


@pytest.fixture(scope="module")
def eight() -> Iterator[EightServices]:
    with Sandbox(agents=AGENTS, interval=0.05) as sandbox:
        yield EightServices(sandbox)


def assert_all_deployed(eight: EightServices, released: Released) -> None:
    """Each has its own good verdict, nobody was told of a failure, and ECS has what was released."""
    assert set(released.codes) == {0}, released.told
    assert {report["outcome"] for report in released.reports} == {"deployed"}
    assert eight.serves() == {report["service"]: report["tag"] for report in released.reports}
    assert len(released.reports) == len(SERVICES)
    assert not any(line.startswith("error: ") for told in released.told for line in told.splitlines())


@pytest.mark.parametrize(("agents", "lock"), [(4, "none"), (2, "sequential"), (1, "runLatest")])
def test_three_runs_carry_eight_releases(eight: EightServices, agents: int, lock: str) -> None:
    eight.behave(lock=lock)
    with eight.agents(agents):
        released = eight.release()
    assert_all_deployed(eight, released)
    assert len(released.applied) + len(released.failed) <= MOST_RUNS
    assert lock == "none" or released.failed == [], "without a lock of Azure's, a run can make another's plan stale"
    assert {report["run"]["id"] for report in released.reports} <= set(released.applied)


def test_a_lock_that_a_person_holds_is_waited_for_and_fails_nobody(eight: EightServices) -> None:
    eight.behave(lock="sequential", lock_timeout="1s")
    with eight.laptop():
        released = eight.release()
    assert_all_deployed(eight, released)
    assert released.failed, "the lock was met by no run"
    assert len(released.applied) <= MOST_RUNS
    assert any("ann@laptop (OperationTypeApply) holds it" in told for told in released.told)
