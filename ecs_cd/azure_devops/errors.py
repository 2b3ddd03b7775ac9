"""The one table that maps errors of Azure DevOps and its SDK to ours.

`map_error` takes any error: a `ResponseError` (an HTTP answer) is looked up in the rows of `_RESPONSES`, all else by
its class in `BY_CLASS`. Each message says what was being done and where; each hint what to do next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from azure.core import exceptions as azure_core
from azure.devops import exceptions as sdk
from msrest import exceptions as msrest
from requests import exceptions as http
from urllib3.exceptions import HTTPError

from ecs_cd.azure_devops.error_response import ErrorResponse, NoResponse, ResponseError
from ecs_cd.azure_devops.settings import AzureDevOpsSettings
from ecs_cd.errors import (
    AccessDenied,
    BadCredentials,
    EcsCdError,
    PipelineNotFound,
    QueueRefused,
    ServiceUnavailable,
    SettingsError,
    Throttled,
    TryLater,
    UnexpectedAnswer,
    Unreachable,
)
from ecs_cd.model.pipeline_problems import REPOSITORY_ADVICE, read_problem
from ecs_cd.sanitize import quoted, single_line
from ecs_cd.support.deadline import format_duration


@dataclass(frozen=True)
class Operation:
    """What was being asked of Azure DevOps, so that an error can say so.

    `doing` completes "while ...". `right` is the permission that it takes by the documents, of which an answer may name
    another; `scope` is the PAT scope. `branch` is set for the one call that changes something: queueing a run.
    """

    settings: AzureDevOpsSettings
    doing: str
    right: str = "View builds"
    scope: str = "Build (read), vso.build"
    branch: str = ""


@dataclass(frozen=True)
class _Row:
    """An answer and what it means; a pattern that is empty fits all, the first row that fits counts.

    `sentence` and `hint` are templates: see `_filled`.
    """

    error: type[EcsCdError]
    sentence: str
    hint: str = ""
    status: range = range(1000)
    type_key: str = ""
    message: str = ""
    html: bool | None = None
    queueing: bool = False

    def fits(self, response: ErrorResponse, operation: Operation) -> bool:
        return (
            response.status in self.status
            and (self.html is None or response.html == self.html)
            and (bool(operation.branch) or not self.queueing)
            and bool(re.search(self.type_key, response.type_key, re.IGNORECASE))
            and bool(re.search(self.message, response.message, re.IGNORECASE))
        )


def _only(status: int) -> range:
    return range(status, status + 1)


_SIGN_IN = "Azure DevOps does not accept the {credential} for {organization}"
_NO_SERVICE = "{host} does not answer as Azure DevOps ({answer}) while {doing}."
_CHECK_URL = "Check the organization's URL: https://dev.azure.com/ORGANIZATION, or a server's collection."
_NAMED_RIGHT = "{who} may not do this in {where}: {named} is missing, while {doing}."
_SOME_RIGHT = "{problem}{who} may not do this in {where}, while {doing}."
_GIVE_SCOPE = "Give the PAT the scope {scope}, and its owner {right} ({security}){for_a_job}."
_NEEDS = re.compile(
    r"Access denied[.:]\s?(?P<who>.{0,200}?)\s*needs (?:the following permission\(s\) to perform this action:\s*"
    r"(?P<listed>[^.\n]{1,100})|(?P<right>\S.{0,80}?) permissions?(?: (?:for|from|on) (?P<of>.{1,200}?))?"
    r"(?: in team project (?P<project>.{1,100}?))?(?: (?:to )?perform\b|[.\n]|$))",
    re.IGNORECASE,
)
"""The sentence in which Azure DevOps names the right that is missing, for whom, and on what."""
_ANONYMOUS = "TF400813.*('a{8}-(a{4}-){3}a{12}'|anonymous)"
"""Nobody: the identity under which a request without valid credentials is seen to act."""
_NO_PROJECT = "There is no {where} that these credentials can see."
_CHECK_PROJECT = "Check the project's name, and that the identity is a member of it{for_a_job}."
_WAIT = "Nothing is wrong here; try again later, or see https://status.dev.azure.com."
_POLICY = (
    "Renewing the {credential} does not help. Ask the administrator of Microsoft Entra to let Azure DevOps be used "
    "from this machine's network, or use an agent where it may be."
)

_RESPONSES = (
    # Which organization, which service
    _Row(AccessDenied, "The organization {organization} is deactivated.", "Ask its owner to restore it.",
         message="TF24668"),
    _Row(Throttled, "Azure DevOps refuses more requests for now, while {doing}{after}.", "Ask less often: fewer "
         "deliveries at once under this identity.", status=_only(429)),
    _Row(AccessDenied, "A conditional access policy of Microsoft Entra blocks {organization}, while {doing}.", _POLICY,
         message="VS403463"),
    _Row(ServiceUnavailable, "Azure DevOps fails ({answer}) while {doing}.", _WAIT, status=range(500, 600), html=True),
    _Row(UnexpectedAnswer, _NO_SERVICE, _CHECK_URL, status=_only(404), html=True),
    _Row(Unreachable, "A proxy on the way to {host} wants a login, while {doing}.", "Set HTTPS_PROXY with it.",
         status=_only(407)),
    # Who asks
    _Row(BadCredentials, _SIGN_IN + ", while {doing}.", "{renew}", html=True),
    _Row(BadCredentials, _SIGN_IN + ", while {doing}.", "{renew}", status=_only(203)),
    _Row(BadCredentials, _SIGN_IN + ": it has expired or was revoked.", "{renew}", status=range(401, 404),
         message=r"\btoken\b.*\b(expired|revoked|invalid)"),
    _Row(BadCredentials, _SIGN_IN + ", while {doing}.", "{renew} A conditional access policy can be the cause, too.",
         status=_only(401), message=_ANONYMOUS),
    _Row(AccessDenied, "{who} is not known to {organization}, while {doing}.", "Let this identity sign in once at "
         "{organization}, or add it: Organization settings > Users.", message="TF401444"),
    # What is missing
    _Row(PipelineNotFound, _NO_PROJECT, _CHECK_PROJECT, message="VS800075"),
    _Row(AccessDenied, _NAMED_RIGHT, "{grant}", status=range(400, 500), message=_NEEDS.pattern),
    _Row(AccessDenied, "{problem}A repository that this takes cannot be read in {where}, while {doing}.",
         REPOSITORY_ADVICE, status=range(400, 500), message="TF401019"),
    _Row(AccessDenied, _SOME_RIGHT, _GIVE_SCOPE, status=_only(401), message="TF400813"),
    _Row(AccessDenied, _SOME_RIGHT, "{grant}", status=range(400, 404), message="access denied|TF215106"),
    _Row(AccessDenied, _SOME_RIGHT, "{grant}", status=_only(401), type_key="Access(Denied|Check)"),
    _Row(BadCredentials, _SIGN_IN + ", while {doing}.", "{renew}", status=_only(401)),
    _Row(AccessDenied, _SOME_RIGHT, "{grant}", status=_only(403)),
    _Row(AccessDenied, _SOME_RIGHT, "{grant}", type_key="Access(Denied|Check)Exception"),
    # What is asked for
    _Row(PipelineNotFound, _NO_PROJECT, _CHECK_PROJECT, status=_only(404), message="TF200016"),
    _Row(PipelineNotFound, _NO_PROJECT, _CHECK_PROJECT, type_key="ProjectDoesNotExist"),
    _Row(PipelineNotFound, "The pipeline does not exist in {where}, while {doing}.", "Check its id: it may have been "
         "deleted.", type_key="(Pipeline|Definition)NotFound"),
    _Row(UnexpectedAnswer, "Azure DevOps has no such thing, while {doing}.", "It may have been deleted, or its "
         "retention has ended.", status=_only(404), type_key="."),
    _Row(UnexpectedAnswer, _NO_SERVICE, _CHECK_URL, status=_only(404)),
    _Row(UnexpectedAnswer, "This Azure DevOps Server is too old, while {doing}.", "It must speak API version 7.1: "
         "Azure DevOps Server 2022.1 or later.", type_key="VssVersion|VssInvalidPreviewVersion"),
    # What is wrong with the run that is asked for: `ecs_cd.model.pipeline_problems` tells
    _Row(QueueRefused, "{problem}No run was queued{reading} ({doing}).", "{advice}", status=range(400, 500),
         queueing=True),
    # Whatever else
    _Row(UnexpectedAnswer, "{host} points elsewhere ({answer}) while {doing}.", _CHECK_URL, status=range(300, 400)),
    _Row(ServiceUnavailable, "Azure DevOps fails ({answer}) while {doing}.", _WAIT, status=range(500, 600)),
    _Row(UnexpectedAnswer, "{problem}Azure DevOps refuses ({answer}) while {doing}.", "Its own words say why.",
         status=range(400, 500), type_key="."),
    _Row(UnexpectedAnswer, _NO_SERVICE, _CHECK_URL),
)  # fmt: skip


@dataclass(frozen=True)
class MappedError:
    """What a class of error of the libraries means. `sentence` and `hint` are templates: see `_filled`."""

    error: type[EcsCdError]
    sentence: str
    hint: str = ""


_MAYBE_QUEUED = "The run may have been queued all the same: look at the pipeline's runs before you queue another."
_ALIVE = "Check the network, the firewall, and whether a proxy is needed (HTTPS_PROXY)."
_NO_CONNECTION = MappedError(Unreachable, "No connection to {host} while {doing}.", _ALIVE)
_TOO_LATE = MappedError(Unreachable, "{host} did not answer in time while {doing}.", _ALIVE)
_CUT_OFF = MappedError(
    Unreachable, "The answer of {host} was cut off while {doing}.", "Try again; a proxy may be at fault."
)
_TLS = MappedError(
    Unreachable,
    "No trusted connection (TLS) to {host} while {doing}.",
    "Point REQUESTS_CA_BUNDLE at the certificates of your proxy or server; TLS is never switched off.",
)
_PROXY = MappedError(Unreachable, "The proxy does not lead to {host} while {doing}.", "Check HTTPS_PROXY and NO_PROXY.")
_BAD_URL = MappedError(SettingsError, "The URL of {where} cannot be asked, while {doing}.", _CHECK_URL)
_ODD = MappedError(UnexpectedAnswer, "{host} answered something that cannot be read, while {doing}.", _CHECK_URL)
_LOGIN = MappedError(BadCredentials, _SIGN_IN + ", while {doing}.", "{renew}")

BY_CLASS: dict[type[BaseException], MappedError] = {
    http.RequestException: _NO_CONNECTION,
    http.ConnectionError: _NO_CONNECTION,
    http.HTTPError: _ODD,
    http.InvalidJSONError: _CUT_OFF,
    http.JSONDecodeError: _CUT_OFF,
    http.ChunkedEncodingError: _CUT_OFF,
    http.ContentDecodingError: _CUT_OFF,
    http.StreamConsumedError: _CUT_OFF,
    http.UnrewindableBodyError: _CUT_OFF,
    http.ProxyError: _PROXY,
    http.InvalidProxyURL: _PROXY,
    http.SSLError: _TLS,
    http.Timeout: _TOO_LATE,
    http.ConnectTimeout: _TOO_LATE,
    http.ReadTimeout: _TOO_LATE,
    http.TooManyRedirects: _ODD,
    http.RetryError: _NO_CONNECTION,
    http.URLRequired: _BAD_URL,
    http.MissingSchema: _BAD_URL,
    http.InvalidSchema: _BAD_URL,
    http.InvalidURL: _BAD_URL,
    http.InvalidHeader: _LOGIN,
    HTTPError: _NO_CONNECTION,
    OSError: _NO_CONNECTION,
    msrest.ClientException: _ODD,
    msrest.ClientRequestError: _NO_CONNECTION,
    msrest.AuthenticationError: _LOGIN,
    msrest.TokenExpiredError: _LOGIN,
    msrest.ValidationError: _ODD,
    msrest.HttpOperationError: _ODD,
    azure_core.AzureError: _ODD,
    azure_core.DeserializationError: _ODD,
    azure_core.SerializationError: _ODD,
    sdk.AzureDevOpsClientError: _ODD,
    sdk.AzureDevOpsClientRequestError: _ODD,
    sdk.AzureDevOpsServiceError: _ODD,
    sdk.AzureDevOpsAuthenticationError: _LOGIN,
    Exception: _ODD,
}
"""Every class of error that the SDK, msrest and requests can raise, and the roots of what lies below them."""


def map_error(error: Exception, operation: Operation) -> EcsCdError:
    """Return our error for any error of a call; one that is ours already stays as it is."""
    if isinstance(error, EcsCdError):
        return error
    if isinstance(error, ResponseError):
        return _map_response(error.response, operation)
    return _map_no_response(error if isinstance(error, NoResponse) else NoResponse(type(error), str(error)), operation)


def missing_right(operation: Operation) -> AccessDenied:
    """Return the error of a right that Azure DevOps says is missing, asked for it."""
    sentence = _NAMED_RIGHT.replace("{named}", "{right}")
    return AccessDenied(_filled(sentence, operation), hint=_filled(_GIVE_SCOPE, operation))


def _map_response(response: ErrorResponse, operation: Operation) -> EcsCdError:
    row = next(row for row in _RESPONSES if row.fits(response, operation))
    hint = _filled(row.hint, operation, response)
    if issubclass(row.error, ServiceUnavailable) and operation.branch:
        hint = f"{_MAYBE_QUEUED} {hint}"
    quoted_whole = "{problem}" in row.sentence and len(response.message) <= _MOST_SHOWN
    details = response.for_support if quoted_whole else response.details
    ours = row.error(_filled(row.sentence, operation, response), hint=hint, details=details)
    if isinstance(ours, TryLater):
        ours.after = response.retry_after
    return ours


def _map_no_response(failure: NoResponse, operation: Operation) -> EcsCdError:
    kind = next(BY_CLASS[cls] for cls in failure.kind.__mro__ if cls in BY_CLASS)
    hint = _filled(kind.hint, operation)
    if operation.branch and failure.sent:
        hint = f"{_MAYBE_QUEUED} {hint}"
    evidence = f"{failure.kind.__name__}: {failure.evidence}" if failure.evidence else failure.kind.__name__
    shown = single_line(operation.settings.masked(evidence))[:_MOST_SHOWN]
    return kind.error(_filled(kind.sentence, operation), hint=hint, details=(shown,))


_MOST_SHOWN = 400
_SECURITY = "Pipelines > the pipeline > ⋮ > Manage security"
_ANYTHING = "Run the pipeline once in the portal, which shows what is wrong."


def _filled(template: str, operation: Operation, response: ErrorResponse | None = None) -> str:
    """Return a template with what can stand in it: where, what was being done, and what the answer was."""
    settings, message = operation.settings, response.message if response else ""
    after = response.retry_after if response else 0.0
    problem = read_problem(f"{message}\n{response.type_key}", branch=operation.branch) if response else None
    return template.format(
        organization=settings.organization,
        where=settings.where,
        host=urlsplit(settings.organization).netloc,
        credential=settings.credential_name,
        doing=operation.doing,
        right=operation.right,
        scope=operation.scope,
        security=_SECURITY,
        who=_who(message) or f"The owner of the {settings.credential_name}",
        named=_named_right(message),
        grant=_grant(message, operation),
        renew=_RENEW_TOKEN if settings.token else _RENEW,
        answer=_answer(response) if response else "",
        problem=_quoted_message(message),
        reading=f": {problem.reading}" if problem else "",
        advice=problem.advice if problem else _ANYTHING,
        after=f"; it asks to wait {format_duration(after)}" if after else "",
        for_a_job=_for_a_job(settings),
    )


_RENEW = "Check that it is the right one, has not expired and is for this organization; a PAT is renewed under User settings, Personal access tokens."  # noqa: E501 - one sentence
_RENEW_TOKEN = (
    f"It ends with its job, and is of use in its own organization alone. {REPOSITORY_ADVICE} Or give the task "
    "a connection with a PAT."
)
_FOR_A_JOB = (
    "; the job's token acts as the Build Service of its own project, so for another project than {project} turn off "
    "'Limit job authorization scope to current project' and give that identity the right"
)


def _for_a_job(settings: AzureDevOpsSettings) -> str:
    return _FOR_A_JOB.format(project=quoted(settings.project)) if settings.token else ""


def _quoted_message(message: str) -> str:
    """Return the service's own words for the beginning of a sentence of ours: in quotes, on one line, and bounded."""
    words = "; ".join(" ".join(line.split()) for line in message.splitlines() if line.strip())
    shown = single_line(words[:_MOST_SHOWN])
    return f'"{shown}{" ..." if len(words) > _MOST_SHOWN else ""}" ' if words else ""


def _who(message: str) -> str:
    """Return the identity a response names, quoted; empty where it names none."""
    needs = _NEEDS.search(message)
    other = re.search(r" user '([^']{1,200})' is not|sign-in at least once as (.{1,200}?) in a web", message)
    name = (needs["who"] if needs else "") or (other and (other[1] or other[2])) or ""
    return quoted(name.strip()) if name.strip() else ""


def _named_right(message: str) -> str:
    """Return the right that a response names, and what it is on; empty where it names none."""
    needs = _NEEDS.search(message)
    if not needs:
        return ""
    of = f" for {single_line(needs['of'])}" if needs["of"] else ""
    return f"{single_line((needs['right'] or needs['listed']).strip())}{of}"


def _grant(message: str, operation: Operation) -> str:
    """Return where in the portal a right is given: the one that the response names, else the documented one."""
    needs, settings = _NEEDS.search(message), operation.settings
    right, of = (needs["right"] or needs["listed"], needs["of"] or "") if needs else (operation.right, "")
    place = _SECURITY
    if of.lower().startswith("pool"):
        right, place = "the role User", "Project settings > Agent pools > the pool > Security"
    elif re.search(r"(project|collection|instance)-level", right):
        place = "Project settings > Permissions" if "project" in right else "Organization settings > Permissions"
    why = "; variables and free-text template parameters take it" if right.startswith("Edit queue") else ""
    return (
        f"Allow {_who(message) or 'this identity'} {single_line(right.strip())} ({place}){why}; a PAT needs the scope "
        f"{operation.scope}{_for_a_job(settings)}."
    )


def _answer(response: ErrorResponse) -> str:
    target = response.redirect.partition("?")[0]
    elsewhere = f" to {quoted(target)}" if target else ""
    return f"HTTP {response.status}{elsewhere}"
