from __future__ import annotations

import pytest

from ecs_cd_sandbox.aws import Aws, EcsScheduler
from tests.integration.sandbox.aws.fleet import REGISTRY, Fleet


def test_a_rollout_that_goes_well_step_by_step(fleet: Fleet) -> None:
    fleet.create()
    old = fleet.describe()["deployments"][0]["id"]
    answer = fleet.update("102")
    assert [deployment["status"] for deployment in answer["deployments"]] == ["PRIMARY", "ACTIVE"]
    new = answer["deployments"][0]["id"]
    assert answer["deployments"][0]["rolloutStateReason"] == f"ECS deployment {new} in progress."
    seen = [fleet.shape()]
    for _ in range(4):
        fleet.tick()
        seen.append(fleet.shape())
    done = ("ACTIVE", "COMPLETED", 1, 0, 0)
    assert seen == [
        [("PRIMARY", "IN_PROGRESS", 0, 0, 0), done],
        [("PRIMARY", "IN_PROGRESS", 0, 1, 0), done],
        [("PRIMARY", "IN_PROGRESS", 1, 0, 0), done],
        [("PRIMARY", "IN_PROGRESS", 1, 0, 0), ("ACTIVE", "COMPLETED", 0, 0, 0)],
        [("PRIMARY", "COMPLETED", 1, 0, 0)],
    ]
    primary = fleet.describe()["deployments"][0]
    assert primary["id"] == new != old
    assert primary["rolloutStateReason"] == f"ECS deployment {new} completed."
    started, stopped = fleet.tasks("RUNNING")[0], fleet.tasks("STOPPED")[0]
    assert fleet.events()[:4] == [
        "(service my-api) has reached a steady state.",
        f"(service my-api) (deployment {new}) deployment completed.",
        f"(service my-api) has stopped 1 running tasks: (task {stopped['taskArn'].split('/')[-1]}).",
        f"(service my-api) has started 1 tasks: (task {started['taskArn'].split('/')[-1]}).",
    ]
    assert (started["group"], started["startedBy"], started["lastStatus"]) == ("service:my-api", new, "RUNNING")
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"


def test_a_running_task_shows_the_digest_of_its_image(fleet: Fleet) -> None:
    fleet.create("103")
    containers = {container["name"]: container for container in fleet.tasks("RUNNING")[0]["containers"]}
    assert containers["api"]["imageDigest"] == fleet.aws.push_image("my-api", "103")
    assert set(containers) == {"api", "datadog-agent"}


def test_a_slow_rollout_takes_as_many_ticks_more_as_it_was_told(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("slow", tag="102", ticks=5)
    fleet.update("102")
    fleet.tick(6)
    assert fleet.shape()[0] == ("PRIMARY", "IN_PROGRESS", 0, 1, 0)
    fleet.tick(3)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]


def test_a_crash_loop_trips_the_circuit_breaker_and_rolls_back(fleet: Fleet) -> None:
    fleet.create()
    old = fleet.describe()["deployments"][0]
    fleet.scheduler.behave("crash-loop", service="my-api", tag="103")
    new = fleet.update("103")["deployments"][0]["id"]
    fleet.tick(3)
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 0, 1, 1), ("ACTIVE", "COMPLETED", 1, 0, 0)]
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 1, 0, 0), ("ACTIVE", "FAILED", 0, 0, 3)]
    service = fleet.describe()
    assert service["taskDefinition"] == old["taskDefinition"] == service["deployments"][0]["taskDefinition"]
    assert [deployment["rolloutStateReason"] for deployment in service["deployments"]] == [
        f"ECS deployment circuit breaker: rolling back to deploymentId {old['id']}.",
        "ECS deployment circuit breaker: tasks failed to start.",
    ]
    assert fleet.events()[:2] == [
        f"(service my-api) rolling back to deployment {old['id']}.",
        f"(service my-api) (deployment {new}) deployment failed: tasks failed to start.",
    ]
    fleet.tick(5)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert fleet.describe()["deployments"][0]["rolloutStateReason"] == f"ECS deployment {old['id']} completed."


def test_a_crashed_task_names_the_container_that_exited(fleet: Fleet) -> None:
    fleet.scheduler.behave("crash-loop")
    fleet.create()
    crashed = fleet.tasks("STOPPED")[0]
    assert crashed["stoppedReason"] == "Essential container in task exited"
    assert crashed["stopCode"] == "EssentialContainerExited"
    assert {container["name"]: container["exitCode"] for container in crashed["containers"]} == {
        "api": 1,
        "datadog-agent": 143,
    }


def test_without_rollback_a_failed_deployment_stays_primary(fleet: Fleet) -> None:
    fleet.create(breaker=(True, False))
    fleet.scheduler.behave("crash-loop", tag="103")
    fleet.update("103")
    fleet.tick(20)
    assert fleet.shape() == [("PRIMARY", "FAILED", 0, 0, 3), ("ACTIVE", "COMPLETED", 1, 0, 0)]


def test_a_first_deployment_has_nothing_to_roll_back_to(fleet: Fleet) -> None:
    fleet.scheduler.behave("crash-loop")
    fleet.create()
    fleet.tick(20)
    assert fleet.shape() == [("PRIMARY", "FAILED", 0, 0, 3)]


def test_without_a_circuit_breaker_it_crashes_for_ever(fleet: Fleet) -> None:
    fleet.create(breaker=(False, False))
    fleet.scheduler.behave("crash-loop", tag="103")
    fleet.update("103")
    fleet.tick(200)
    state, failed = fleet.shape()[0][1], fleet.shape()[0][4]
    assert state == "IN_PROGRESS"
    assert failed > 50
    assert any("unable to consistently start tasks successfully" in event for event in fleet.events())
    assert len(fleet.tasks("STOPPED")) <= 50
    assert len(fleet.events()) == 100


def test_an_image_that_was_never_pushed_cannot_be_pulled(fleet: Fleet) -> None:
    fleet.create()
    fleet.update("999")
    fleet.tick(2)
    stopped = fleet.tasks("STOPPED")[0]
    assert stopped["stoppedReason"].startswith("CannotPullContainerError: ")
    assert stopped["stoppedReason"].endswith(f"{REGISTRY}/my-api:999: not found")
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert "startedAt" not in stopped
    reasons = {container["name"]: container.get("reason") for container in stopped["containers"]}
    assert reasons == {"api": stopped["stoppedReason"], "datadog-agent": None}
    fleet.tick(10)
    assert fleet.describe()["taskDefinition"].endswith(":1")


def test_an_image_pushed_in_time_saves_the_rollout(fleet: Fleet) -> None:
    fleet.create()
    fleet.update("999")
    fleet.tick(2)
    fleet.aws.push_image("my-api", "999")
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 1)]


def test_a_stuck_rollout_never_places_a_task_and_says_so_once(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("stuck", service="my-api")
    fleet.update("102")
    fleet.tick(30)
    assert fleet.shape() == [("PRIMARY", "IN_PROGRESS", 0, 0, 0), ("ACTIVE", "COMPLETED", 1, 0, 0)]
    assert sum("was unable to place a task" in event for event in fleet.events()) == 1


def test_a_newer_deployment_supersedes_one_in_progress(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("stuck", tag="102")
    fleet.update("102")
    fleet.tick(2)
    fleet.update("103")
    assert [row[:2] for row in fleet.shape()] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert fleet.tasks("RUNNING")[0]["containers"][1]["image"] == f"{REGISTRY}/my-api:103"


def test_nothing_desired_is_done_at_once(fleet: Fleet) -> None:
    fleet.create(count=0)
    fleet.update("102")
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 0, 0, 0)]
    fleet.update("103", desiredCount=1)
    fleet.tick(4)
    fleet.update("102", desiredCount=0)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 0, 0, 0)]
    assert fleet.tasks("RUNNING") == []


def test_scaling_starts_and_stops_tasks_but_no_deployment(fleet: Fleet) -> None:
    fleet.create()
    identifier = fleet.describe()["deployments"][0]["id"]
    fleet.ecs.update_service(cluster="development", service="my-api", desiredCount=3)
    assert fleet.describe()["runningCount"] == 1
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 3, 0, 0)]
    fleet.ecs.update_service(cluster="development", service="my-api", desiredCount=1)
    fleet.tick()
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert fleet.describe()["deployments"][0]["id"] == identifier


def test_a_forced_deployment_replaces_the_same_tasks(fleet: Fleet) -> None:
    fleet.create()
    before = fleet.tasks("RUNNING")[0]["taskArn"]
    fleet.ecs.update_service(cluster="development", service="my-api", forceNewDeployment=True)
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]
    assert fleet.tasks("RUNNING")[0]["taskArn"] != before


def test_a_task_stopped_by_hand_is_replaced(fleet: Fleet) -> None:
    fleet.create()
    arn = fleet.tasks("RUNNING")[0]["taskArn"]
    fleet.ecs.stop_task(cluster="development", task=arn, reason="somebody's")
    fleet.tick(3)
    assert fleet.tasks("RUNNING")[0]["taskArn"] != arn
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]


def test_a_deleted_service_stops_and_may_be_made_again(fleet: Fleet) -> None:
    fleet.create()
    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException, match="not idempotent"):
        fleet.create()
    fleet.ecs.delete_service(cluster="development", service="my-api", force=True)
    assert fleet.describe()["status"] == "INACTIVE"
    assert fleet.tasks("RUNNING") == []
    fleet.create("102")
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]


def test_services_that_deploy_by_task_sets_are_left_to_moto(fleet: Fleet) -> None:
    fleet.ecs.create_service(
        cluster="development", serviceName="my-api", desiredCount=1, deploymentController={"type": "EXTERNAL"}
    )
    fleet.tick(3)
    assert fleet.shape() == []


def test_tasks_are_listed_by_their_service(fleet: Fleet) -> None:
    fleet.create()
    listed = fleet.ecs.list_tasks(cluster="development", serviceName="my-worker")["taskArns"]
    assert listed == []


def test_the_thread_ticks_by_itself(fleet: Fleet) -> None:
    with EcsScheduler(fleet.aws, interval=0.001):
        fleet.create()
        for _ in range(1000):
            if fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]:
                return
    pytest.fail("the service never became steady")


@pytest.mark.parametrize(
    ("rollout", "names", "message"),
    [
        ("explode", {}, "unknown rollout 'explode': choose one of success, slow"),
        ("success\n##vso[task.complete]", {}, r"unknown rollout 'success\\n##vso"),
        ("success", {"service": "a b"}, "cannot be the name of a service"),
        ("success", {"tag": "##vso[x]\n"}, r"'##vso\[x\]\\n' cannot be the name of a tag"),
        ("success", {"tag": ""}, "'' cannot be the name of a tag"),
    ],
)
def test_behaviour_nobody_knows_is_refused(aws: Aws, rollout: str, names: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EcsScheduler(aws).behave(rollout, **names)  # type: ignore[arg-type]  # the names are strings, mypy sees ticks


def test_the_latest_word_counts_and_can_be_taken_back(fleet: Fleet) -> None:
    fleet.create()
    fleet.scheduler.behave("success", tag="103")
    fleet.scheduler.behave("stuck", tag="103")
    fleet.update("103")
    fleet.tick(4)
    assert fleet.shape()[0][1] == "IN_PROGRESS"
    fleet.scheduler.forget()
    fleet.tick(4)
    assert fleet.shape() == [("PRIMARY", "COMPLETED", 1, 0, 0)]


def test_negative_patience_is_refused(aws: Aws) -> None:
    with pytest.raises(ValueError, match="negative"):
        EcsScheduler(aws).behave("slow", ticks=-1)
