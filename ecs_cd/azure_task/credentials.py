"""Whose AWS credentials a delivery uses: the service connection's, the variables `AWS.*`, or what the agent has."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace

from ecs_cd.aws import AwsSettings, StaticKeys
from ecs_cd.aws.instance_region import instance_region
from ecs_cd.azure_task.agent import Agent
from ecs_cd.azure_task.oidc import IdentityTokens, request_url
from ecs_cd.azure_task.request import AwsConnection, Request
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted
from ecs_cd.settings import DeliverySettings
from ecs_cd.support import naming_rules
from ecs_cd.support.clock import Clock
from ecs_cd.support.session_name import session_name

_SHORTEST_SESSION, _LONGEST_SESSION = 900, 43200
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


def aws_settings(
    request: Request,
    settings: DeliverySettings,
    tag: str,
    *,
    agent: Agent,
    task_log: TaskLog,
    clock: Clock,
    environ: MutableMapping[str, str],
) -> AwsSettings:
    """Return how to reach AWS. Where credentials were given, the profiles of `environ` are taken out of it.

    The role of the settings, if there is one, is assumed with the credentials of the service connection.

    Raises:
        SettingsError: the service connection or a variable does not say what is needed.
    """
    name = session_name(settings.service, tag, agent.run)
    given = _given(request, name, agent=agent, task_log=task_log, clock=clock)
    if given is None:
        task_log.debug("AWS credentials: those of the environment, the profile or the machine")
        given = AwsSettings(profile=settings.profile)
    else:
        for variable in _PROFILES:
            environ.pop(variable, None)
    region = settings.region or _agents_region(given.profile, environ)
    given = replace(given, region=region, role_session_name=given.role_session_name)
    if not settings.role_arn:
        return given
    task_log.debug(f"AWS role of the settings: {settings.role_arn}")
    return AwsSettings(
        region=region,
        profile=given.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id,
        role_session_name=name,
        source=given,
        session_seconds=0 if given.role_arn else session_seconds(request),
    )


def _agents_region(profile: str, environ: Mapping[str, str]) -> str:
    """Return the region of an EC2 agent; empty where the environment says one, which the SDK reads itself."""
    if any(environ.get(name) for name in _REGIONS):
        return ""
    region = instance_region(profile)
    return "" if naming_rules.region(region) else region


def session_seconds(request: Request) -> int:
    """Return how long the session of a role is to last, in seconds; 0 where it is not set.

    Raises:
        SettingsError: the variable holds no such number.
    """
    text = request.aws_variables.max_duration
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or not _SHORTEST_SESSION <= int(text[:9]) <= _LONGEST_SESSION:
        raise SettingsError(
            f"variable 'aws.rolecredential.maxduration': {quoted(text)} is not a number of seconds "
            f"from {_SHORTEST_SESSION} to {_LONGEST_SESSION}."
        )
    return int(text)


def _given(request: Request, name: str, *, agent: Agent, task_log: TaskLog, clock: Clock) -> AwsSettings | None:
    """Return the credentials that were given to the task, or None."""
    connection = request.aws
    if connection:
        return _connected(request, connection, name, agent=agent, task_log=task_log, clock=clock)
    variables = request.aws_variables
    if not variables.access_key_id and not variables.secret_access_key:
        return None
    keys = _keys(
        variables.access_key_id,
        variables.secret_access_key,
        variables.session_token,
        "The variables AWS.AccessKeyID and AWS.SecretAccessKey",
    )
    task_log.debug("AWS credentials: those of the variables AWS.*")
    return AwsSettings(credentials=keys)


def _connected(
    request: Request, connection: AwsConnection, name: str, *, agent: Agent, task_log: TaskLog, clock: Clock
) -> AwsSettings:
    if wrong := connection.assume_role_arn and naming_rules.role(connection.assume_role_arn):
        raise SettingsError(f"The AWS service connection's role {quoted(connection.assume_role_arn)} {wrong}.")
    role = AwsSettings(
        role_arn=connection.assume_role_arn,
        external_id=connection.external_id,
        role_session_name=connection.role_session_name or name,
        session_seconds=session_seconds(request) if connection.assume_role_arn else 0,
    )
    if connection.use_oidc:
        if not role.role_arn:
            raise SettingsError("The AWS service connection uses OIDC and names no role to assume.")
        if not request.access_token:
            raise SettingsError("The AWS service connection uses OIDC, and the job has no token to ask with.")
        task_log.debug(f"AWS credentials: {role.role_arn} by the job's identity token")
        tokens = IdentityTokens(request_url(agent, connection.connection), request.access_token, clock, task_log.hide)
        return replace(role, web_identity=tokens, external_id="")
    keys = None
    if connection.username or connection.password or not role.role_arn:
        keys = _keys(
            connection.username, connection.password, connection.session_token, "The AWS service connection's keys"
        )
    task_log.debug(f"AWS credentials: the service connection's{f', then {role.role_arn}' if role.role_arn else ''}")
    return replace(role, credentials=keys)


def _keys(key: str, secret: str, token: str, what: str) -> StaticKeys:
    if not key or not secret:
        raise SettingsError(f"{what} are not complete: an access key id and a secret access key are needed.")
    return StaticKeys(key, secret, token)
