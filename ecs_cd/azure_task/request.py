"""The request of the Node side: one JSON text in `ECS_CD_TASK`, checked to the last key.

No message of this module quotes a value: any of them may be a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_cd.errors import WrongInput
from ecs_cd.sanitize import quoted

VARIABLE = "ECS_CD_TASK"
VERSION = 1
_NOT_EXPANDED = re.compile(r"\$\([^()]*\)")


@dataclass(frozen=True)
class AwsConnection:
    """A service connection of the AWS Toolkit. `connection` is its id."""

    connection: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    assume_role_arn: str = ""
    role_session_name: str = ""
    external_id: str = field(default="", repr=False)
    use_oidc: bool = False


@dataclass(frozen=True)
class AzureDevOpsConnection:
    """A service connection to another organization. `scheme` is the endpoint's, such as Token or OAuth."""

    url: str
    token: str = field(repr=False)
    scheme: str = ""


@dataclass(frozen=True)
class AwsVariables:
    """The variables `AWS.*` that the AWS Toolkit's tasks read, too."""

    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    region: str = ""
    max_duration: str = ""


@dataclass(frozen=True)
class Proxy:
    """The agent's proxy. `bypass` are regular expressions of addresses (`https://host`) that it is not for."""

    url: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    bypass: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """All that the agent gave. No secret is in its `repr`."""

    inputs: Mapping[str, str] = field(repr=False)
    result_file: str
    aws: AwsConnection | None = None
    azure_devops: AzureDevOpsConnection | None = None
    access_token: str = field(default="", repr=False)
    aws_variables: AwsVariables = AwsVariables()
    proxy: Proxy | None = None
    ca_file: str = ""
    skip_certificate_validation: bool = False

    def secrets(self) -> list[str]:
        """Return what may never be shown."""
        found = [self.access_token, self.aws_variables.secret_access_key, self.aws_variables.session_token]
        if self.aws:
            found += [self.aws.password, self.aws.session_token, self.aws.external_id]
        if self.azure_devops:
            found.append(self.azure_devops.token)
        if self.proxy:
            found.append(self.proxy.password)
        return [secret for secret in found if secret]


def parse(text: str) -> Request:
    """Return the request in `text`.

    Raises:
        WrongInput: it is not what the contract says; no value is quoted.
    """
    try:
        data = json.loads(text)
    except ValueError:
        raise WrongInput(f"{VARIABLE} does not hold the request of the task as JSON.") from None
    top = _Part(data, "the request")
    if top.take("version", int) != VERSION:
        raise WrongInput(f"The request is not of version {VERSION}: task and library do not fit together.")
    inputs = _Part(top.take("inputs", dict), "inputs")
    request = Request(
        inputs={name: inputs.text(name) for name in tuple(inputs.data)},
        result_file=top.text("resultFile"),
        aws=_aws(top.part("aws")),
        azure_devops=_azure_devops(top.part("azureDevOps")),
        access_token=top.text("accessToken"),
        aws_variables=_aws_variables(top.part("awsVariables")),
        proxy=_proxy(top.part("proxy")),
        ca_file=top.text("caFile"),
        skip_certificate_validation=bool(top.take("skipCertificateValidation", bool)),
    )
    top.end()
    if not request.result_file:
        raise WrongInput("The request names no resultFile.")
    return request


class _Part:
    """An object of the request: what is taken from it is checked, what is left at the end is unknown."""

    def __init__(self, data: object, name: str) -> None:
        if not isinstance(data, dict):
            raise WrongInput(f"{name} is not an object.")
        self.data: dict[str, Any] = data
        self._name = name

    def take(self, key: str, kind: type) -> Any:  # noqa: ANN401 - of the kind asked for
        """Return a value of this type, or None."""
        value = self.data.pop(key, None)
        if value is not None and type(value) is not kind:
            raise WrongInput(f"{quoted(key)} in {self._name} is not of type {kind.__name__}.")
        return value

    def text(self, key: str) -> str:
        """Return a text; empty for one that is blank or that the agent did not expand (`$(name)`)."""
        value: str = self.take(key, str) or ""
        return "" if not value.strip() or _NOT_EXPANDED.fullmatch(value.strip()) else value

    def part(self, key: str) -> _Part | None:
        """Return an object in this one, or None."""
        data = self.take(key, dict)
        return None if data is None else _Part(data, key)

    def end(self) -> None:
        """Refuse what is left."""
        for key in self.data:
            raise WrongInput(f"{self._name} holds an unknown {quoted(key)}: task and library do not fit together.")


def _aws(part: _Part | None) -> AwsConnection | None:
    if part is None:
        return None
    given = part.part("parameters") or _Part({}, "parameters")
    found = AwsConnection(
        connection=part.text("connection"),
        username=given.text("username").strip(),
        password=given.text("password").strip(),
        session_token=given.text("sessionToken").strip(),
        assume_role_arn=given.text("assumeRoleArn").strip(),
        role_session_name=given.text("roleSessionName").strip(),
        external_id=given.text("externalId").strip(),
        use_oidc=given.text("useOIDC").strip().lower() == "true",
    )
    given.end()
    part.end()
    return found


def _azure_devops(part: _Part | None) -> AzureDevOpsConnection | None:
    if part is None:
        return None
    found = AzureDevOpsConnection(part.text("url").strip(), part.text("token").strip(), part.text("scheme").strip())
    part.end()
    if not found.url or not found.token:
        raise WrongInput(
            "The Azure DevOps service connection has no address or no token.",
            hint="Edit the service connection, or choose another.",
        )
    return found


def _aws_variables(part: _Part | None) -> AwsVariables:
    if part is None:
        return AwsVariables()
    names = ("accessKeyId", "secretAccessKey", "sessionToken", "region", "maxDuration")
    found = AwsVariables(*(part.text(name).strip() for name in names))
    part.end()
    return found


def _proxy(part: _Part | None) -> Proxy | None:
    if part is None:
        return None
    url = part.text("url").strip()
    bypass = part.take("bypass", list) or []
    if not all(isinstance(pattern, str) for pattern in bypass):
        raise WrongInput("'bypass' in proxy is not a list of texts.")
    found = Proxy(url, part.text("username"), part.text("password"), tuple(bypass))
    part.end()
    return found if url else None
