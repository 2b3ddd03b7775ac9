"""Who may do what: the tokens that identities hold, and the rights of each."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.identities import Identity

READ = "vso.build"
EXECUTE = "vso.build_execute"


@dataclass(frozen=True)
class Token:
    """A secret and what its holder may do.

    A `pat` is sent with Basic, a `job` token with Bearer. `scopes` bound the token, the rest are permissions of its
    identity: `may_queue` names the pipelines it may queue (None means all of them), `may_configure` allows variables
    and free-text template parameters (*Edit queue build configuration*), `may_tag` is *Edit build quality*,
    `may_update` *Update build information*. `repositories`: those that a job's token may read where access to
    repositories in YAML pipelines is protected (None means all of them).
    """

    secret: str = field(repr=False)
    identity: Identity
    kind: Literal["pat", "job"] = "pat"
    scopes: frozenset[str] = frozenset({READ, EXECUTE})
    may_queue: frozenset[str] | None = None
    may_stop: bool = True
    may_tag: bool = True
    may_update: bool = True
    may_configure: bool = True
    repositories: frozenset[str] | None = None
    expired: bool = False

    def has_scope(self, scope: str) -> bool:
        """Say whether the token covers a scope; executing includes reading."""
        return scope in self.scopes or (scope == READ and EXECUTE in self.scopes)


class Tokens:
    """The tokens the server knows. Safe to change while the server runs."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        """Start with some tokens."""
        self._lock = threading.Lock()
        self._tokens = {token.secret: token for token in tokens}

    def add(self, token: Token) -> Token:
        """Make a token valid (or replace the one with the same secret) and return it."""
        with self._lock:
            self._tokens[token.secret] = token
        return token

    def revoke(self, secret: str) -> None:
        """Make a token unknown; revoking an unknown one is fine."""
        with self._lock:
            self._tokens.pop(secret, None)

    def find(self, secret: str) -> Token | None:
        """Return the token with this secret, or None."""
        with self._lock:
            return self._tokens.get(secret)

    def issue_job_token(self, identity: Identity) -> Token:
        """Make the token a running job gets as `System.AccessToken`."""
        return self.add(Token(secrets.token_urlsafe(32), identity, kind="job"))
