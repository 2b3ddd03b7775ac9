"""From AWS's errors to ours: how a foreign error becomes "Cannot do this (there): why" and what to do next.

The tables are in `ecs_cd.aws.meanings`. Nothing secret passes: what AWS says of a signature is not repeated, nor is
what a credential helper printed; key ids and token-like text are struck out of everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ecs_cd.aws.meanings import BY_CLASS, BY_CODE, BY_STATUS, MALFORMED, NOT_AWS, UNKNOWN_CODE, UNREADABLE, Meaning
from ecs_cd.errors import AccessDenied, EcsCdError, TryLater
from ecs_cd.messages import Message, Right, sentences
from ecs_cd.sanitize import single_line

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MOST_QUOTED = 600
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b")
_TOKEN = re.compile(r"[A-Za-z0-9+/=]{80,}")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_CONNECTION = re.compile(r".*?(?:Connection|Pool|object at)[^>]*?[>)]: ")
_WHO = re.compile(r"User: (\S+)")
_WHAT = re.compile(r"perform: ([\w:*-]+)")
_ON = re.compile(r"on resource: (\S+)")
_BECAUSE = re.compile(r"\b(because .+|with an explicit deny.*)$", re.DOTALL)
_SERVER_ERROR = 500


def translated(error: Exception, doing: str, region: str = "", *, quote: bool = True) -> EcsCdError | None:
    """Return our error for one of the SDK's, or None when it is none that AWS's SDK raises (a bug of ours).

    `doing` completes "Cannot ...". `quote=False` leaves out AWS's own words.
    """
    if hasattr(error, "operation_name") and hasattr(error, "response"):
        return _of_answer(cast("ClientError", error), doing, region, quote=quote)
    meaning = meaning_of(type(error))
    if meaning is None:
        return None
    cause = meaning.cause
    if meaning.told and quote:
        cause = f"{cause}: {_words_of(error)}"
    return meaning.kind(_sentence(doing, region, cause), hint=meaning.hint)


def meaning_of(kind: type[BaseException]) -> Meaning | None:
    """Return what an exception class means: its own entry, or that of its nearest ancestor which has one."""
    for ancestor in kind.__mro__:
        if ancestor.__module__.partition(".")[0] in ("boto3", "botocore") and ancestor.__name__ in BY_CLASS:
            return BY_CLASS[ancestor.__name__]
    if issubclass(kind, OSError):
        return UNREADABLE
    return MALFORMED if issubclass(kind, KeyError | AttributeError | TypeError | ValueError) else None


def _of_answer(error: ClientError, doing: str, region: str, *, quote: bool) -> EcsCdError:
    """Translate an answer that says no."""
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    meaning = _meaning_of_answer(code, metadata.get("HTTPStatusCode", 0))
    said = str(answer.get("Error", {}).get("Message", ""))
    details = (f"AWS request id: {metadata['RequestId']}",) if metadata.get("RequestId") else ()
    if meaning.kind is AccessDenied:
        return _denied(error, said if quote else "", doing, region, details)
    words = f"{code}: {shown(said)}" if meaning.told and quote and said else code
    ours = meaning.kind(_sentence(doing, region, f"{meaning.cause} ({words})"), hint=meaning.hint, details=details)
    if isinstance(ours, TryLater):
        ours.after = _seconds(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    return ours


def _meaning_of_answer(code: str, status: int) -> Meaning:
    if code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= _SERVER_ERROR:
        return BY_STATUS[_SERVER_ERROR]
    # Where an answer names no error of its own, botocore puts the HTTP status in its place.
    return NOT_AWS if not code or code.isdigit() else UNKNOWN_CODE


def _denied(error: ClientError, said: str, doing: str, region: str, details: tuple[str, ...]) -> AccessDenied:
    """Name the action, and who and on what where AWS told; what it says besides is kept as evidence."""
    action, who, resource = _found(_WHAT, said), _found(_WHO, said), _found(_ON, said)
    because = _BECAUSE.search(said)
    action = action or error.operation_name
    cause = f"AWS does not allow {who or 'this identity'} to perform {action}"
    cause += f" on {resource}" if resource else ""
    cause += f" {shown(because.group(1))}" if because and who else ""
    hint: str = Message(
        "Allow ",
        Right(action, resource or "this resource"),
        f" in the policies of {who or 'the identity'}, and look at permission boundaries, organization policies and "
        "resource policies.",
    )
    if "kms" in said.lower() or "ciphertext" in said.lower() or "customer master key" in said.lower():
        keys = Message(
            "A SecureString also needs ", Right("kms:Decrypt"), " and ", Right("kms:Encrypt", "its key"), "."
        )
        hint = sentences(hint, keys)
    if said and not who:
        details = (f"AWS says: {shown(said)}", *details)
    return AccessDenied(_sentence(doing, region, cause), hint=hint, details=details)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return shown(match.group(1).rstrip(".,")) if match else ""


def _words_of(error: Exception) -> str:
    """Return what botocore says, and for a broken connection what the network said."""
    kwargs = getattr(error, "kwargs", {})
    said = str(error) if not isinstance(error, KeyError) else f"there is no {error} in it"
    cause = kwargs.get("error") if isinstance(kwargs, dict) else None
    if isinstance(cause, Exception) and str(cause) not in said:
        said = f"{said} ({_CONNECTION.sub('', str(cause))})"
    return shown(said)


def shown(text: str) -> str:
    """Return foreign text on one line, without what could be a secret, cut to a length a person reads."""
    flat = " ".join(text.split())
    safe = _USERINFO.sub("", _TOKEN.sub("(removed)", _KEY_ID.sub("(a key id)", flat)))
    return single_line(safe if len(safe) <= _MOST_QUOTED else f"{safe[:_MOST_QUOTED]}...").rstrip(". ")


def _sentence(doing: str, region: str, cause: str) -> str:
    where = f" ({region})" if region else ""
    return f"Cannot {doing}{where}: {cause}."


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0.0
