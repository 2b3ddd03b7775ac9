"""Maps AWS's errors to ours: "Cannot do this (region): cause", and what to do next.

The table is `ecs_cd.aws.error_table`. Nothing secret passes: AWS's text about a signature is not repeated, nor is what
a credential helper printed; key ids and token-like text are removed from everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ecs_cd.aws.error_table import (
    BY_CLASS,
    BY_CODE,
    BY_STATUS,
    MALFORMED,
    NOT_AWS,
    UNKNOWN_CODE,
    UNREADABLE,
    MappedError,
)
from ecs_cd.errors import AccessDenied, EcsCdError, TryLater
from ecs_cd.messages import Message, Right, sentences
from ecs_cd.sanitize import single_line, without_credentials

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MAX_QUOTED = 600
_CONNECTION = re.compile(r".*?(?:Connection|Pool|object at)[^>]*?[>)]: ")
_WHO = re.compile(r"User: (\S+)")
_WHAT = re.compile(r"perform: ([\w:*-]+)")
_ON = re.compile(r"on resource: (\S+)")
_BECAUSE = re.compile(r"\b(because .+|with an explicit deny.*)$", re.DOTALL)
_SERVER_ERROR = 500


def map_error(error: Exception, doing: str, region: str = "", *, quote: bool = True) -> EcsCdError | None:
    """Return our error for one of the SDK's, or None when it is none that AWS's SDK raises (a bug of ours).

    `doing` completes "Cannot ...". `quote=False` leaves out AWS's own text.
    """
    if hasattr(error, "operation_name") and hasattr(error, "response"):
        return _of_answer(cast("ClientError", error), doing, region, quote=quote)
    entry = entry_of(type(error))
    if entry is None:
        return None
    cause = entry.cause
    if entry.quote and quote:
        cause = f"{cause}: {_message_of(error)}"
    return entry.error(_sentence(doing, region, cause), hint=entry.hint)


def entry_of(kind: type[BaseException]) -> MappedError | None:
    """Return the entry of an exception class: its own, or that of its nearest ancestor which has one."""
    for ancestor in kind.__mro__:
        if ancestor.__module__.partition(".")[0] in ("boto3", "botocore") and ancestor.__name__ in BY_CLASS:
            return BY_CLASS[ancestor.__name__]
    if issubclass(kind, OSError):
        return UNREADABLE
    return MALFORMED if issubclass(kind, KeyError | AttributeError | TypeError | ValueError) else None


def _of_answer(error: ClientError, doing: str, region: str, *, quote: bool) -> EcsCdError:
    """Map an error that AWS answered."""
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    entry = _entry_of_response(code, metadata.get("HTTPStatusCode", 0))
    text = str(answer.get("Error", {}).get("Message", ""))
    details = (f"AWS request id: {metadata['RequestId']}",) if metadata.get("RequestId") else ()
    if entry.error is AccessDenied:
        return _denied(error, text if quote else "", doing, region, details)
    words = f"{code}: {printable(text)}" if entry.quote and quote and text else code
    ours = entry.error(_sentence(doing, region, f"{entry.cause} ({words})"), hint=entry.hint, details=details)
    if isinstance(ours, TryLater):
        ours.after = _seconds(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    return ours


def _entry_of_response(code: str, status: int) -> MappedError:
    if code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= _SERVER_ERROR:
        return BY_STATUS[_SERVER_ERROR]
    # Where an answer names no error of its own, botocore puts the HTTP status in its place.
    return NOT_AWS if not code or code.isdigit() else UNKNOWN_CODE


def _denied(error: ClientError, text: str, doing: str, region: str, details: tuple[str, ...]) -> AccessDenied:
    """Name the action, and the identity and resource where AWS names them; its text is kept as evidence otherwise."""
    action, who, resource = _found(_WHAT, text), _found(_WHO, text), _found(_ON, text)
    because = _BECAUSE.search(text)
    action = action or error.operation_name
    cause = f"AWS does not allow {who or 'this identity'} to perform {action}"
    cause += f" on {resource}" if resource else ""
    cause += f" {printable(because.group(1))}" if because and who else ""
    hint: str = Message(
        "Allow ",
        Right(action, resource or "this resource"),
        f" in the policies of {who or 'the identity'}, and look at permission boundaries, organization policies and "
        "resource policies.",
    )
    if "kms" in text.lower() or "ciphertext" in text.lower() or "customer master key" in text.lower():
        keys = Message(
            "A SecureString also needs ", Right("kms:Decrypt"), " and ", Right("kms:Encrypt", "its key"), "."
        )
        hint = sentences(hint, keys)
    if text and not who:
        details = (f"AWS says: {printable(text)}", *details)
    return AccessDenied(_sentence(doing, region, cause), hint=hint, details=details)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return printable(match.group(1).rstrip(".,")) if match else ""


def _message_of(error: Exception) -> str:
    """Return the text of an error of the SDK, and for a broken connection that of the network."""
    kwargs = getattr(error, "kwargs", {})
    text = str(error) if not isinstance(error, KeyError) else f"there is no {error} in it"
    cause = kwargs.get("error") if isinstance(kwargs, dict) else None
    if isinstance(cause, Exception) and str(cause) not in text:
        text = f"{text} ({_CONNECTION.sub('', str(cause))})"
    return printable(text)


def printable(text: str) -> str:
    """Return text from outside on one line, without what could be a secret, cut to a length a person reads."""
    flat = " ".join(text.split())
    safe = without_credentials(flat)
    return single_line(safe if len(safe) <= _MAX_QUOTED else f"{safe[:_MAX_QUOTED]}...").rstrip(". ")


def _sentence(doing: str, region: str, cause: str) -> str:
    where = f" ({region})" if region else ""
    return f"Cannot {doing}{where}: {cause}."


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0.0
