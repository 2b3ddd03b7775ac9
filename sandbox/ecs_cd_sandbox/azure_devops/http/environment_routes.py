"""Environments and their checks, and the approvals that stages wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecs_cd_sandbox.azure_devops.http.environment_json import approval_json, checks_json, environment_json
from ecs_cd_sandbox.azure_devops.http.errors import ServiceError, invalid_value, not_found
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.http.paging import page
from ecs_cd_sandbox.azure_devops.http.tokens import EXECUTE
from ecs_cd_sandbox.azure_devops.model.environments import Approval, ApprovalStatus, KnownEnvironment

APPROVALS = "37794717-f36f-4d78-b2bf-4dc30d0cfbcd"
CHECKS = "86c8381e-5aee-4cde-8ae4-25c0c7f5eaea"
ENVIRONMENTS = "d86b72de-d240-4d6f-8d06-08c2d66b015d"
ENVIRONMENTS_OF_TASKS = "8572b1fc-2482-47fa-8f74-7e3ed53ee54b"
"""The older location of the same environments."""

_EXPANSIONS = ("none", "steps", "permissions")
_ANSWERS: Mapping[str, ApprovalStatus] = {"approved": "approved", "rejected": "rejected"}
_STATES = ("pending", "approved", "rejected", "canceled", "timedOut", "all")
_DEFAULT_TOP = 100


@dataclass(frozen=True)
class _Answer:
    approval: Approval
    status: ApprovalStatus
    comment: str


def list_environments(service: Service, call: Call) -> Reply:
    """List the environments, or the one of a name."""
    wanted = (call.query.text("name") or "").lower()
    found = [one for one in service.state.environments.all() if not wanted or one.name.lower() == wanted]
    shown, continuation = page(
        found,
        lambda one: [one.name.lower(), one.id],
        order="name",
        descending=False,
        top=call.query.integer("$top", _DEFAULT_TOP),
        token=call.query.text("continuationToken"),
    )
    return listing([environment_json(one, call.links) for one in shown], continuation)


def get_environment(service: Service, call: Call) -> Reply:
    """Return one environment."""
    return Reply(environment_json(_environment(service, call.number("environmentId")), call.links))


def _environment(service: Service, identifier: int) -> KnownEnvironment:
    for environment in service.state.environments.all():
        if environment.id == identifier:
            return environment
    raise not_found("EnvironmentNotFoundException", f"Environment with id {identifier} could not be found.")


def list_checks(service: Service, call: Call) -> Reply:
    """List the checks that are configured, of all environments or of one."""
    settings = call.query.choice("$expand", ("none", "settings")) == "settings"
    kind, identifier = (call.query.text("resourceType") or "environment").lower(), call.query.text("resourceId")
    return listing(
        [
            check
            for environment in service.state.environments.all()
            if kind == "environment" and identifier in {None, str(environment.id)}
            for check in checks_json(environment, call.links, settings=settings)
        ]
    )


def list_approvals(service: Service, call: Call) -> Reply:
    """List approvals by id, approver and state."""
    identifiers = {identifier.lower() for identifier in call.query.texts("approvalIds")}
    people, state = set(call.query.texts("userIds")), call.query.choice("state", _STATES) or "all"
    steps = call.query.choice("$expand", _EXPANSIONS) == "steps"
    found = [
        approval
        for approval in service.state.approvals.values()
        if (not identifiers or approval.id in identifiers)
        and (not people or people & {approver.id for approver in approval.approvers})
        and state in {"all", approval.status}
    ]
    shown = found[: call.query.integer("top", _DEFAULT_TOP)]
    return listing([approval_json(approval, call.links, steps=steps) for approval in shown])


def get_approval(service: Service, call: Call) -> Reply:
    """Return one approval."""
    steps = call.query.choice("$expand", _EXPANSIONS) == "steps"
    return Reply(approval_json(_approval(service, call.arguments["approvalId"]), call.links, steps=steps))


def update_approvals(service: Service, call: Call) -> Reply:
    """Approve or reject; of several answers in one call either all are taken or none."""
    if not isinstance(call.body, list) or not call.body:
        raise invalid_value("updateParameters", call.body)
    answers = [_read_answer(service, call, given) for given in call.body]
    for answer in answers:
        service.orchestrator.answer(answer.approval, answer.status, call.token.identity, answer.comment)
    return listing([approval_json(answer.approval, call.links, steps=True) for answer in answers])


def _read_answer(service: Service, call: Call, given: object) -> _Answer:
    body = given if isinstance(given, dict) else {}
    approval = _approval(service, str(body.get("approvalId", "")))
    status = _ANSWERS.get(str(body.get("status", "")).lower())
    if status is None:
        raise invalid_value("status", body.get("status"))
    person = call.token.identity
    if not approval.may_answer(person):
        names = ", ".join(approver.display_name for approver in approval.approvers)
        raise ServiceError(
            403,
            "ApprovalUnauthorizedException",
            f"{person.display_name} is not an approver of {approval.environment.name}. It can be answered by: {names}.",
        )
    if approval.status != "pending":
        message = f"The approval {approval.id} is {approval.status} already and cannot be changed."
        raise ServiceError(400, "ApprovalStatusInvalidChangeException", message)
    return _Answer(approval, status, str(body.get("comment") or ""))


def _approval(service: Service, identifier: str) -> Approval:
    approval = service.state.approvals.get(identifier.lower())
    if approval is None:
        raise not_found("ApprovalNotFoundException", f"Approval {identifier} could not be found.")
    return approval


ROUTES = (
    Route("GET", APPROVALS, list_approvals),
    Route("GET", APPROVALS, get_approval, item="approvalId"),
    Route("PATCH", APPROVALS, update_approvals, scope=EXECUTE),
    Route("GET", ENVIRONMENTS, list_environments),
    Route("GET", ENVIRONMENTS, get_environment, item="environmentId"),
    Route("GET", ENVIRONMENTS_OF_TASKS, list_environments),
    Route("GET", ENVIRONMENTS_OF_TASKS, get_environment, item="environmentId"),
    Route("GET", CHECKS, list_checks),
)
