"""The operations on service deployments and revisions, which moto does not have.

Their errors are those of the API; the messages of ContinueServiceDeployment are AWS's ("Troubleshooting Amazon ECS
blue/green deployments"), the others the sandbox's own.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Protocol, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.responses import EC2ContainerServiceResponse

from ecs_cd_sandbox.aws.ecs_service_deployment import (
    FINISHED,
    IN_PROGRESS,
    PENDING,
    ROLLBACK_REQUESTED,
    STOP_REQUESTED,
    ServiceDeployment,
)

_MOST_DESCRIBED = 20
_MOST_LISTED = 100
_HOOK_ID = re.compile(r"ecs-[a-z]+-[A-Za-z0-9_-]+")


class DeployedService(Protocol):
    """What the answers ask of a service's rollout."""

    history: list[ServiceDeployment]

    def publish(self) -> None:
        """Put the state where moto reads it."""


class DeployedServices(Protocol):
    """What the answers ask of the backend, beside moto's own."""

    @property
    def rollouts(self) -> Mapping[tuple[str, str], DeployedService]:
        """The services that deploy, by cluster and name."""

    services: dict[str, Any]
    configuration: dict[str, Any]

    def _get_cluster(self, name: str) -> Any: ...  # noqa: ANN401 - moto's cluster

    def describe_service_revisions(self, arns: list[str]) -> list[dict[str, Any]]:
        """Return those service revisions that there are."""


class ServiceDeploymentNotFoundException(ECSException):
    """The API's error of that name."""

    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "The service deployment does not exist.")


class ConflictException(ECSException):
    """The API's error of that name."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class ServiceDeploymentAnswers(EC2ContainerServiceResponse):
    """moto's handler with those operations."""

    @property
    def _ecs(self) -> DeployedServices:
        return cast("DeployedServices", self.ecs_backend)

    def list_service_deployments(self) -> ActionResult:
        """Answer with the deployments of a service, newest first."""
        cluster = self._ecs._get_cluster(self._get_param("cluster", "default"))  # noqa: SLF001 - moto has no other way
        name = str(self._get_param("service")).split("/")[-1]
        if f"{cluster.name}:{name}" not in self._ecs.services:
            raise ServiceNotFoundException
        size = int(self._get_param("maxResults") or _MOST_DESCRIBED)
        if not 1 <= size <= _MOST_LISTED:
            raise InvalidParameterException(f"maxResults must be between 1 and {_MOST_LISTED}.")
        token = str(self._get_param("nextToken") or "0")
        if not token.isdecimal():
            raise InvalidParameterException("Invalid token.")
        rollout = self._ecs.rollouts.get((cluster.name, name))
        found = [one.describe_briefly() for one in self._selected(rollout.history if rollout else ())]
        start = int(token)
        answer: dict[str, Any] = {"serviceDeployments": found[start : start + size]}
        if start + size < len(found):
            answer["nextToken"] = str(start + size)
        return ActionResult(answer)

    def describe_service_deployments(self) -> ActionResult:
        """Answer with those service deployments that there are."""
        arns = self._arns("serviceDeploymentArns")
        there = {one.arn: one for rollout in self._ecs.rollouts.values() for one in rollout.history}
        found = [there[arn].describe() for arn in arns if arn in there]
        return ActionResult({"serviceDeployments": found, "failures": _failures(arns, there)})

    def describe_service_revisions(self) -> ActionResult:
        """Answer with those service revisions that there are."""
        arns = self._arns("serviceRevisionArns")
        found = self._ecs.describe_service_revisions(arns)
        there = {one["serviceRevisionArn"] for one in found}
        return ActionResult({"serviceRevisions": found, "failures": _failures(arns, there)})

    def stop_service_deployment(self) -> ActionResult:
        """Ask for a rollback, or for an end where it is."""
        rollout, deployment = self._deployment()
        kind = self._get_param("stopType") or "ROLLBACK"
        if kind not in {"ROLLBACK", "ABORT"}:
            raise InvalidParameterException("stopType should be one of [ABORT,ROLLBACK].")
        if deployment.status in FINISHED:
            raise ConflictException(f"The service deployment is in the state {deployment.status}.")
        if deployment.status in {PENDING, IN_PROGRESS}:
            deployment.turn(ROLLBACK_REQUESTED if kind == "ROLLBACK" else STOP_REQUESTED)
            rollout.publish()
        return ActionResult({"serviceDeploymentArn": deployment.arn})

    def continue_service_deployment(self) -> ActionResult:
        """Let a paused hook go on, or have it roll back."""
        _, deployment = self._deployment()
        action = self._get_param("action") or "CONTINUE"
        if action not in {"CONTINUE", "ROLLBACK"}:
            raise InvalidParameterException("action should be one of [CONTINUE,ROLLBACK].")
        if deployment.finished:
            raise InvalidParameterException(
                "Continuing a service deployment is not allowed for service deployment in terminal states."
            )
        identifier = str(self._get_param("hookId"))
        if not _HOOK_ID.fullmatch(identifier):
            raise InvalidParameterException("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
        hook = next((one for one in deployment.hooks if one["hookId"] == identifier), None)
        if hook is None or hook["status"] != "AWAITING_ACTION":
            raise InvalidParameterException(
                "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
            )
        hook["status"] = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
        return ActionResult({"serviceDeploymentArn": deployment.arn})

    def _selected(self, deployments: Iterable[ServiceDeployment]) -> Iterator[ServiceDeployment]:
        statuses = self._get_param("status") or []
        created = self._get_param("createdAt") or {}
        after, before = _time(created.get("after")), _time(created.get("before"))
        for one in deployments:
            if statuses and one.status not in statuses:
                continue
            if (after is None or one.created_at >= after) and (before is None or one.created_at <= before):
                yield one

    def _arns(self, name: str) -> list[str]:
        arns: list[str] = self._get_param(name) or []
        if not 1 <= len(arns) <= _MOST_DESCRIBED:
            raise InvalidParameterException(f"{name} must have between 1 and {_MOST_DESCRIBED} items.")
        return arns

    def _deployment(self) -> tuple[DeployedService, ServiceDeployment]:
        arn = self._get_param("serviceDeploymentArn")
        for rollout in self._ecs.rollouts.values():
            for one in rollout.history:
                if one.arn == arn:
                    return rollout, one
        raise ServiceDeploymentNotFoundException


def _failures(arns: list[str], there: Container[str]) -> list[dict[str, str]]:
    return [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in there]


def _time(given: Any) -> datetime | None:  # noqa: ANN401 - a number of seconds, or what moto has made of it
    """Read a timestamp in moto's way (UTC, without a zone)."""
    if given is None:
        return None
    moment = given if isinstance(given, datetime) else datetime.fromtimestamp(float(given), tz=timezone.utc)
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment
