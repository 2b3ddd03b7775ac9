"""The AWS credentials and the region a task of the AWS toolkit works with.

Source: the toolkit's `awsConnectionParameters.ts`. Looked for in this order: the service connection, the variables
`AWS.AccessKeyID` and so on, the agent's environment. EC2 metadata is nothing to ask in a sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun

_SESSION_NAME = "aws-vsts-tools"
_SHORTEST, _LONGEST = 900, 43200


@dataclass(frozen=True)
class Role:
    """A role to assume, for `seconds`."""

    arn: str
    session_name: str
    external_id: str
    seconds: int


@dataclass(frozen=True)
class AwsLogin:
    """Credentials and a region; `region` may be empty, and so is `session_token` for long-lived keys."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    region: str = ""

    def environment(self) -> dict[str, str]:
        """Return the variables by which every AWS SDK finds them."""
        found = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
        return {name: value for name, value in found.items() if value}


AssumeRole = Callable[[AwsLogin, Role], AwsLogin]
"""Asks STS for the credentials of a role. Raises `TaskFailed` if they are refused."""


def aws_login(run: TaskRun, assume_role: AssumeRole | None) -> AwsLogin:
    """Return what a task works with.

    Raises:
        TaskFailed: there are no credentials, only one half of them, or they need what the sandbox cannot do.
    """
    run.context.log("Configuring credentials for task")
    given = _from_connection(run) or _from_variables(run) or _from_environment(run)
    login = AwsLogin(given.get("username", ""), given.get("password", ""), given.get("sessionToken", ""), _region(run))
    role = _role(run, given)
    if role is None:
        return login
    run.context.log(f"...endpoint defines role-based credentials for role {role.arn}.")
    if assume_role is None:
        raise TaskFailed(f"The sandbox has no STS to assume the role {role.arn} with: leave the role out.")
    assumed = replace(assume_role(login, role), region=login.region)
    for secret in (assumed.secret_access_key, assumed.session_token):
        run.context.job.masker.add(secret)
    return assumed


def _from_connection(run: TaskRun) -> Mapping[str, str]:
    endpoint = run.connection("awsCredentials")
    if endpoint is None:
        return {}
    run.context.log(f"...configuring AWS credentials from service endpoint '{endpoint.id}'")
    given = {**endpoint.parameters, **endpoint.secrets}
    if given.get("useOIDC", "").lower() == "true":
        raise TaskFailed(
            f"The service connection {endpoint.name} logs in by OIDC, which this task of the sandbox does not do: give "
            "it an access key."
        )
    if bool(given.get("username")) != bool(given.get("password")):
        raise TaskFailed('Need to define or omit both "Access Key ID" and "Secret Access Key", not just one.')
    if not given.get("username"):
        raise TaskFailed(f"The service connection {endpoint.name} has no access key, and the sandbox no identity.")
    return given


def _from_variables(run: TaskRun) -> Mapping[str, str]:
    key = run.variable("AWS.AccessKeyID")
    if not key:
        return {}
    secret = run.variable("AWS.SecretAccessKey")
    if not secret:
        raise TaskFailed(
            "AWS access key ID present in task variables but secret key value is missing; cannot configure task "
            "credentials."
        )
    run.context.log("...configuring AWS credentials from task variables")
    names = ("SessionToken", "AssumeRoleArn", "ExternalId", "RoleSessionName")
    return {
        "username": key,
        "password": secret,
        **{f"{name[0].lower()}{name[1:]}": run.variable(f"AWS.{name}") for name in names},
    }


def _from_environment(run: TaskRun) -> Mapping[str, str]:
    environment = run.environment()
    run.context.log(
        "No credentials configured. The task will attempt to use credentials found in the build host environment."
    )
    if not environment.get("AWS_ACCESS_KEY_ID") or not environment.get("AWS_SECRET_ACCESS_KEY"):
        raise TaskFailed(
            "There are no AWS credentials: name a service connection in awsCredentials, or set the variables "
            "AWS.AccessKeyID and AWS.SecretAccessKey."
        )
    names = {
        "username": "AWS_ACCESS_KEY_ID",
        "password": "AWS_SECRET_ACCESS_KEY",
        "sessionToken": "AWS_SESSION_TOKEN",
    }
    return {name: environment.get(variable, "") for name, variable in names.items()}


def _role(run: TaskRun, given: Mapping[str, str]) -> Role | None:
    arn = given.get("assumeRoleArn", "")
    if not arn:
        return None
    wanted = run.variable("aws.rolecredential.maxduration")
    seconds = int(wanted) if wanted.isdecimal() and _SHORTEST <= int(wanted) <= _LONGEST else _SHORTEST
    return Role(arn, given.get("roleSessionName") or _SESSION_NAME, given.get("externalId", ""), seconds)


def _region(run: TaskRun) -> str:
    """Return the region: the input in lower case, the variable `AWS.Region`, or the environment's."""
    run.context.log("Configuring region for task")
    region = run.text("regionName").lower() or run.variable("AWS.Region") or run.environment().get("AWS_REGION", "")
    run.context.log(f"...configured to use region {region}" if region else "No region specified")
    return region
