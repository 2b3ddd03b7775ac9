"""Where the organization is and who asks, checked before anything is sent (rule 1)."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted

_FORMS = "Give https://dev.azure.com/ORGANIZATION, https://ORGANIZATION.visualstudio.com, or a server's collection URL."
_CREDENTIALS = "Set either a personal access token (PAT) or the job's own token (System.AccessToken)."
_SEGMENT = re.compile(r"(?!\.\.?$)(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
_PROJECT = re.compile(r'(?![_.])[^\x00-\x1f\x7f\\/:*?"<>|;#${},+=\[\]]{1,64}(?<!\.)')
_SECRET = re.compile(r"[\x21-\x7e]*")
LEAST_MASKED = 8
"""Characters that a credential has at least; what is shorter is not looked for in answers."""


@dataclass(frozen=True)
class AzureDevOpsSettings:
    """An organization, one of its projects (name or id), and either a PAT or a bearer token (a job's own).

    Making one checks it; `organization` is kept without a slash at the end. No secret is in its `repr`. It has no
    credential where `connect` is given a connection, which has one.

    Raises:
        SettingsError: something is missing or is not what it should be; no secret is quoted.
    """

    organization: str
    project: str
    pat: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what could send a secret to the wrong place, or a request nowhere."""
        object.__setattr__(self, "organization", _checked_url(self.organization))
        if not _PROJECT.fullmatch(self.project):
            raise SettingsError(
                f"{quoted(self.project)} is not the name of an Azure DevOps project.",
                hint="Give the name as the portal shows it, or the project's id.",
            )
        if self.pat and self.token:
            raise SettingsError(
                "Azure DevOps needs one credential, and two are set.",
                hint=_CREDENTIALS,
            )
        if not _SECRET.fullmatch(self.pat + self.token):
            raise SettingsError(
                f"The {'PAT' if self.pat else 'token'} for Azure DevOps holds a character that no token has.",
                hint="Look for a space or a line break at its end.",
            )

    def require_credential(self) -> None:
        """Refuse to go on without a credential.

        Raises:
            SettingsError: there is none.
        """
        if not (self.pat or self.token):
            raise SettingsError("Azure DevOps needs one credential, and none is set.", hint=_CREDENTIALS)

    @property
    def credential_name(self) -> str:
        """Return the credential as messages name it."""
        if self.pat:
            return "PAT"
        return "job's token" if self.token else "connection's credential"

    @property
    def where(self) -> str:
        """Return project and organization as messages name them."""
        return f"project {quoted(self.project)} of {self.organization}"

    def masked(self, text: str) -> str:
        """Return `text` without this credential, should the other side have echoed it."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        """Return the credential in the forms it travels in; what is shorter than any token is not looked for."""
        basic = base64.b64encode(f":{self.pat}".encode()).decode()
        return [secret for secret in (self.token, self.pat, basic if self.pat else "") if len(secret) >= LEAST_MASKED]


def _checked_url(text: str) -> str:
    """Return the organization's URL without a slash at the end. What was refused is quoted only if it holds no user."""
    try:
        url = urlsplit(text.rstrip("/"))
        port = url.port
    except ValueError as error:
        raise SettingsError("The organization's URL is not a URL.", hint=_FORMS) from error
    host = url.hostname or ""
    if "@" in url.netloc:
        raise SettingsError("The organization's URL holds a user or a password.", hint=f"Leave them out. {_FORMS}")
    if not _HOST.fullmatch(host) or port == 0 or url.query or url.fragment or not text.isprintable():
        raise SettingsError(f"{quoted(text)} is not the URL of an Azure DevOps organization.", hint=_FORMS)
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise SettingsError(f"The organization's URL {quoted(text)} does not begin with https://.", hint=_FORMS)
    _check_path(text, host, url)
    return text.rstrip("/")


def _check_path(text: str, host: str, url: SplitResult) -> None:
    segments = [segment for segment in url.path.split("/") if segment]
    wrong = any(not _SEGMENT.fullmatch(segment) for segment in segments) or "//" in url.path
    if host == "dev.azure.com":
        wrong = wrong or len(segments) != 1
    elif host.endswith(".visualstudio.com"):
        wrong = wrong or [segment.lower() for segment in segments] not in ([], ["defaultcollection"])
    else:
        wrong = wrong or not segments
    if wrong:
        raise SettingsError(
            f"{quoted(text)} is not the URL of an Azure DevOps organization.", hint=f"{_FORMS} Leave the project out."
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
