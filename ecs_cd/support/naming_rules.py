"""What AWS, Azure DevOps, git and this library accept as a name.

Each function takes a value and returns what is wrong with it, as the rest of a sentence that begins with the value
(`is not ...`), or an empty string. The rules are those of the services' own API references.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PARAMETER = re.compile(r"[A-Za-z0-9_./-]+")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,6}(?:-[a-z]{2,16}){1,3}-[0-9]{1,2}")
_ECS = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_REF_REFUSED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_PROJECT_REFUSED = re.compile(r'[\x00-\x1f\x7f\\/:*?"<>|;#${},+=\[\]]')
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")

_MOST_PARAMETER = 1011
_MOST_LEVELS = 15
_MOST_PROJECT = 64
_MOST_PIPELINE = 400


def place(value: str) -> str:
    """Check the name of a service or of an environment, as the settings define them."""
    if _PLACE.fullmatch(value):
        return ""
    return "is not a name: letters, digits, '.', '_' and '-', at most 128, beginning with a letter or digit"


def parameter(value: str) -> str:  # noqa: PLR0911 - one rule of the service, one return
    """Check the name of an SSM parameter (`PutParameter`, member `Name`)."""
    if value.startswith("arn:"):
        return "is an ARN; Parameter Store wants the parameter's name"
    if not _PARAMETER.fullmatch(value):
        return "is not a parameter name: only letters, digits, '_', '.', '-' and '/' may be in it"
    if "/" in value and not value.startswith("/"):
        return "has levels, so it must begin with '/'"
    levels = value.removeprefix("/").split("/")
    if not all(levels):
        return "has an empty level: no '//' and no '/' at the end"
    if len(levels) > _MOST_LEVELS:
        return f"has {len(levels)} levels; Parameter Store allows {_MOST_LEVELS}"
    if levels[0].lower().startswith(("aws", "ssm")):
        return "begins with 'aws' or 'ssm', which AWS keeps for itself"
    if len(value) > _MOST_PARAMETER:
        return f"has {len(value)} characters; Parameter Store allows {_MOST_PARAMETER}"
    return ""


def repository(value: str) -> str:
    """Check the name of an ECR repository (`RepositoryName`: a name, no registry host and no tag)."""
    if ".amazonaws.com" in value:
        return "holds the registry's address; only the repository's name belongs here, the account under `registry`"
    if _REPOSITORY.fullmatch(value) and 2 <= len(value) <= 256:  # noqa: PLR2004 - ECR's own bounds
        return ""
    if ":" in value:
        return "holds a tag; only the repository's name belongs here"
    return "is not an ECR repository: 2 to 256 lower-case letters, digits, and '.', '_', '-', '/' between them"


def account(value: str) -> str:
    """Check the id of an AWS account."""
    return "" if _ACCOUNT.fullmatch(value) else "is not an AWS account id, which has 12 digits"


def region(value: str) -> str:
    """Check the name of an AWS region."""
    return "" if _REGION.fullmatch(value) else "is not an AWS region, such as eu-west-1"


def ecs(value: str) -> str:
    """Check the name of an ECS cluster, service or container."""
    if _ECS.fullmatch(value):
        return ""
    hint = "; give the name, not the ARN" if value.startswith("arn:") else ""
    return f"is not a name in ECS: 1 to 255 letters, digits, '_' and '-'{hint}"


def role(value: str) -> str:
    """Check the ARN of an IAM role."""
    return "" if _ROLE.fullmatch(value) else "is not a role's ARN, such as arn:aws:iam::123456789012:role/deploy"


def external_id(value: str) -> str:
    """Check the external id given with `AssumeRole`."""
    if _EXTERNAL_ID.fullmatch(value):
        return ""
    return "is not an external id: 2 to 1224 letters, digits, and any of _+=,.@:/-"


def branch(value: str) -> str:
    """Check a branch, short or as a full ref, by the rules of `git check-ref-format`."""
    parts = value.split("/")
    wrong = (
        _REF_REFUSED.search(value)
        or value in ("", "@")
        or value.startswith(("/", "-"))
        or value.endswith(("/", "."))
        or any(part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    return "is not a branch git would accept (`git check-ref-format --branch`)" if wrong else ""


def pipeline(value: str) -> str:
    r"""Check a pipeline: its id, its name, or folder and name such as `\infrastructure\network`."""
    if value.isdigit() and not 0 < int(value[:12]) < 2**31:
        return "is not a pipeline's id"
    if _UNPRINTABLE.search(value) or value != value.strip() or not 0 < len(value) <= _MOST_PIPELINE:
        return "is not the id, name or folder path of a pipeline"
    return ""


def project(value: str) -> str:
    """Check the name (or id) of an Azure DevOps project."""
    wrong = (
        _PROJECT_REFUSED.search(value)
        or value != value.strip()
        or value.startswith(("_", "."))
        or value.endswith(".")
        or not 0 < len(value) <= _MOST_PROJECT
    )
    return "is not the name of an Azure DevOps project" if wrong else ""


def profile(value: str) -> str:
    """Check the name of an AWS profile."""
    return "is not the name of an AWS profile" if _UNPRINTABLE.search(value) or "]" in value or not value else ""


def organization(value: str) -> str:  # noqa: PLR0911 - one rule, one return
    """Check the address of an Azure DevOps organization (or a collection of Azure DevOps Server)."""
    example = "such as https://dev.azure.com/acme"
    if "://" not in value:
        return f"is not an address, {example}"
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return f"is not an address, {example}"
    if re.search(r"[\s\x00-\x20\x7f\\]", value) or not host:
        return f"is not an address, {example}"
    if "@" in parts.netloc:
        return "holds credentials; tokens belong in the environment only (ECS_CD_AZURE_DEVOPS_PAT)"
    if "?" in value or "#" in value:
        return "has a query or a fragment; only the organization's address belongs here"
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        return "must begin with https:// (http:// is for this machine only), since a token is sent there"
    levels = [level for level in parts.path.split("/") if level]
    if host == "dev.azure.com" and len(levels) != 1:
        return f"must name one organization and nothing more, {example}"
    return ""


def same_organization(one: str, other: str) -> bool:
    """Return whether two addresses mean one organization: `acme.visualstudio.com` is `dev.azure.com/acme`."""
    return _canonical(one) == _canonical(other)


def _canonical(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    host = parts.netloc.lower()
    path = parts.path.strip("/").lower()
    if host.endswith(".visualstudio.com"):
        return "dev.azure.com", host.removesuffix(".visualstudio.com")
    return host, path
