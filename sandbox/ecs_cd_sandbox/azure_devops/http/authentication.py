"""Who is calling: reads the credentials, and answers the way the service does when they are missing or wrong."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from flask import Request, Response

from ecs_cd_sandbox.azure_devops.http.tokens import Token, Tokens

SIGN_IN_PATH = "/_signin"
_SIGN_IN_PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head><title>Azure DevOps Services | Sign In</title></head>
<body><h1>Sign in to your account</h1></body>
</html>
"""


class NotAuthenticated(Exception):
    """The call has no usable credentials; `response` is what the client gets."""

    def __init__(self, response: Response) -> None:
        """Keep the answer."""
        super().__init__("not authenticated")
        self.response = response


def authenticate(request: Request, tokens: Tokens, origin: str) -> Token:
    """Return the caller's token.

    Raises:
        NotAuthenticated: without credentials 401 and no body; with wrong ones a redirect to the sign-in page, or 401
            if the client asked for that with `X-TFS-FedAuthRedirect: Suppress`.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if not credentials:
        raise NotAuthenticated(_challenge(origin))
    secret = _basic_secret(credentials) if scheme.lower() == "basic" else credentials
    token = tokens.find(secret)
    # A personal access token is no bearer token, but a job's token may be sent as a password.
    fits = token is not None and (scheme.lower() == "basic" or (scheme.lower() == "bearer" and token.kind == "job"))
    if token is None or token.expired or not fits:
        suppress = request.headers.get("X-TFS-FedAuthRedirect", "").lower() == "suppress"
        raise NotAuthenticated(_challenge(origin) if suppress else _redirect(request, origin))
    return token


def sign_in_page() -> Response:
    """Return the page a redirected client ends on."""
    return Response(_SIGN_IN_PAGE, 203, content_type="text/html; charset=utf-8")


def _basic_secret(credentials: str) -> str:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text.partition(":")[2]


def _challenge(origin: str) -> Response:
    response = Response("", 401)
    del response.headers["Content-Type"]
    response.headers["WWW-Authenticate"] = f'Basic realm="{origin}/"'
    return response


def _redirect(request: Request, origin: str) -> Response:
    response = Response("", 302, content_type="text/html; charset=utf-8")
    host = origin.partition("://")[2]
    response.headers["Location"] = f"{origin}{SIGN_IN_PATH}?realm={host}&reply_to={quote(request.url, safe='')}"
    return response
