"""The `api-version` rules: where a request says it, and which ones a resource accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_cd_sandbox.azure_devops.http.errors import ServiceError

if TYPE_CHECKING:
    from ecs_cd_sandbox.azure_devops.http.locations import Location

_LATEST = "7.2"
_VERSION = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<preview>-preview(\.(?P<resource>\d+))?)?", re.IGNORECASE)
_ACCEPT = re.compile(r";\s*api-version\s*=\s*\"?([^;,\"\s]+)", re.IGNORECASE)


def requested_version(query: Mapping[str, str], accept: str) -> str | None:
    """Return the version a request names in its query or its Accept header, or None."""
    for name, value in query.items():
        if name.lower() == "api-version" and value:
            return value
    match = _ACCEPT.search(accept)
    return match.group(1) if match else None


def negotiate(location: Location, method: str, requested: str | None) -> str:
    """Return the version the request is served with.

    Raises:
        ServiceError: 400, the version is missing where it must not be, is out of range, or needs `-preview`.
    """
    if requested is None:
        return _default_version(location, method)
    match = _VERSION.fullmatch(requested)
    if match is None:
        raise ServiceError(400, "VssInvalidApiResourceVersionException", f"Invalid api-version '{requested}'.")
    number = _number(match["number"])
    resource = int(match["resource"] or 0)
    if not _number(location.min_version) <= number <= _number(location.max_version):
        raise _out_of_range(requested)
    if match["preview"] is None and number > _number(location.released_version):
        raise _needs_preview(match["number"])
    if resource > location.resource_version:
        raise _out_of_range(requested)
    return requested


def _default_version(location: Location, method: str) -> str:
    """A read may leave the version out and gets the newest released one; a change may not."""
    if method not in {"GET", "HEAD", "OPTIONS"}:
        raise ServiceError(
            400,
            "VssVersionNotSpecifiedException",
            f'No api-version was supplied for the "{method}" request. The version must be supplied either as part of '
            'the Accept header (e.g. "application/json; api-version=1.0") or as a query parameter '
            '(e.g. "?api-version=1.0").',
        )
    if _number(location.released_version) == (0, 0):
        return f"{location.max_version}-preview.{location.resource_version}"
    return location.released_version


def _out_of_range(requested: str) -> ServiceError:
    return ServiceError(
        400,
        "VssVersionOutOfRangeException",
        f"The requested REST API version of {requested} is out of range for this server. The latest REST API version "
        f"this server supports is {_LATEST}.",
    )


def _needs_preview(number: str) -> ServiceError:
    return ServiceError(
        400,
        "VssInvalidPreviewVersionException",
        f'The requested version "{number}" of the resource is under preview. The -preview flag must be supplied in '
        f'the api-version for such requests. For example: "{number}-preview"',
    )


def _number(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)
