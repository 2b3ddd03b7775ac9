"""moto's CodeDeploy with deployments that end: moto leaves them at `Created`, cannot stop one, and tells no error.

The deployments of an ECS service do not move its task sets here: `set_status` says how one goes.
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from moto.codedeploy import responses
from moto.codedeploy.models import CodeDeployBackend, DeploymentInfo, codedeploy_backends
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

STATUSES = ("Created", "Queued", "InProgress", "Baking", "Ready", "Succeeded", "Failed", "Stopped")
_FINISHED = ("Succeeded", "Failed", "Stopped")

original_deployment_info = responses._deployment_info  # noqa: SLF001 - what moto answers by itself; it has no other way
original_create_deployment = CodeDeployBackend.create_deployment
"""What moto does by itself."""


def install() -> None:
    """Make moto answer so, in the whole process. Idempotent."""
    responses._deployment_info = _deployment_info  # noqa: SLF001 - likewise
    responses.CodeDeployResponse.stop_deployment = _stop_deployment  # type: ignore[attr-defined]  # likewise
    CodeDeployBackend.create_deployment = _create_deployment  # type: ignore[method-assign]  # likewise


def set_status(
    account: str, region: str, deployment_id: str, status: str, *, code: str = "", message: str = ""
) -> None:
    """Put a deployment into a status, with the `errorInformation` that CodeDeploy gives for a bad end.

    Raises `ValueError` for a status that there is not, and moto's error for a deployment that there is not.
    """
    if status not in STATUSES:
        raise ValueError(f"unknown status {status!r}: choose one of {', '.join(STATUSES)}")
    _turn(codedeploy_backends[account][region].get_deployment(deployment_id), status, code, message)


def _turn(deployment: DeploymentInfo, status: str, code: str = "", message: str = "") -> None:
    deployment.status = status
    now = utcnow()
    if status not in {"Created", "Queued"} and deployment.start_time is None:
        deployment.start_time = now
    deployment.complete_time = now if status in _FINISHED else None
    vars(deployment)["error_information"] = {"code": code, "message": message} if code else None


def _deployment_info(deployment: DeploymentInfo) -> dict[str, Any]:
    found: dict[str, Any] = original_deployment_info(deployment)
    error = vars(deployment).get("error_information")
    left_out = {key: value for key, value in found.items() if value not in ({}, None)}
    return left_out | ({"errorInformation": error} if error else {})


def _create_deployment(self: CodeDeployBackend, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - moto's own, handed on
    """Give the deployment an id as CodeDeploy's are: moto's are UUIDs."""
    made = self.deployments.pop(original_create_deployment(self, *args, **kwargs))
    made.deployment_id = "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
    self.deployments[made.deployment_id] = made
    return str(made.deployment_id)


def _stop_deployment(self: responses.CodeDeployResponse) -> ActionResult:
    deployment = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
    if deployment.status in _FINISHED:
        raise JsonRESTError("DeploymentAlreadyCompletedException", "The deployment has already completed.")
    _turn(deployment, "Stopped", "MANUAL_STOP", "The deployment was stopped by a user.")
    return ActionResult({"status": "Succeeded", "statusMessage": "The deployment was stopped."})
