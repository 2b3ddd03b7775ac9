"""Environments, their checks and the approvals that stages wait for, in the shapes of their APIs."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops.http.build_json import AUTHOR, identity_json, present, time_json
from ecs_cd_sandbox.azure_devops.model.environments import Approval, KnownEnvironment
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from ecs_cd_sandbox.azure_devops.model.links import Links

JsonObject = dict[str, Any]

APPROVAL_CHECK = {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d", "name": "Approval"}
LOCK_CHECK = {"id": "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563", "name": "ExclusiveLock"}


def environment_json(environment: KnownEnvironment, links: Links) -> JsonObject:
    """Return an environment."""
    return {
        "id": environment.id,
        "name": environment.name,
        "description": "",
        "createdBy": identity_json(AUTHOR, links),
        "createdOn": time_json(environment.created),
        "lastModifiedBy": identity_json(AUTHOR, links),
        "lastModifiedOn": time_json(environment.created),
        "resources": [],
        "project": {"id": links.project.id, "name": links.project.name},
    }


def approval_json(approval: Approval, links: Links, *, steps: bool) -> JsonObject:
    """Return an approval, with its steps (one for each approver) if they are wanted."""
    return {
        "id": approval.id,
        "steps": [_step_json(approval, person, links) for person in approval.approvers] if steps else [],
        "status": approval.status,
        "createdOn": time_json(approval.created),
        "lastModifiedOn": time_json(approval.changed),
        "executionOrder": "anyOrder",
        "minRequiredApprovers": 1,
        "blockedApprovers": [],
        "instructions": approval.environment.definition.instructions,
        "_links": {"self": {"href": links.api(f"pipelines/approvals/{approval.id}")}},
    }


def _step_json(approval: Approval, approver: Identity, links: Links) -> JsonObject:
    """Return the step of one approver; once somebody has answered, the others are not needed any more."""
    answered = approval.answered_by is not None and approval.answered_by.id == approver.id
    skipped = approval.answered_by is not None and not answered
    return present(
        {
            "assignedApprover": identity_json(approver, links),
            "actualApprover": identity_json(approver, links) if answered else None,
            "status": "skipped" if skipped else approval.status,
            "comment": approval.comment if answered else None,
            "initiatedOn": time_json(approval.created),
            "lastModifiedOn": time_json(approval.changed),
            "lastModifiedBy": identity_json(approver, links) if answered else None,
            "order": approval.approvers.index(approver) + 1,
            "history": [],
        }
    )


def checks_json(environment: KnownEnvironment, links: Links, *, settings: bool) -> list[JsonObject]:
    """Return the configured checks of an environment, with their settings if they are wanted."""
    definition = environment.definition
    found = []
    if definition.approvers:
        config = {
            "approvers": [identity_json(person, links) for person in definition.approvers],
            "executionOrder": "anyOrder",
            "minRequiredApprovers": 1,
            "instructions": definition.instructions,
            "blockedApprovers": [],
            "requesterCannotBeApprover": False,
        }
        found.append(
            _check_json(environment, 2 * environment.id - 1, APPROVAL_CHECK, links, config if settings else None)
        )
    if definition.exclusive_lock:
        found.append(_check_json(environment, 2 * environment.id, LOCK_CHECK, links, {} if settings else None))
    return found


def _check_json(
    environment: KnownEnvironment, number: int, kind: JsonObject, links: Links, settings: JsonObject | None
) -> JsonObject:
    href = links.api(f"pipelines/checks/configurations/{number}")
    author = identity_json(AUTHOR, links)
    return present(
        {
            "settings": settings,
            "createdBy": author,
            "createdOn": time_json(environment.created),
            "modifiedBy": author,
            "modifiedOn": time_json(environment.created),
            "timeout": environment.definition.timeout,
            "_links": {"self": {"href": href}},
            "id": number,
            "type": kind,
            "url": href,
            "resource": {"type": "environment", "id": str(environment.id), "name": environment.name},
        }
    )
