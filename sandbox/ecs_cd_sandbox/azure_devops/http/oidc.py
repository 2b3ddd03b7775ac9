"""The tokens a job proves itself with to other clouds: the claims the official service puts in, ten minutes of life.

The signature is of the right form but nobody can verify it; the sandbox's AWS does not look at it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.run import Run

LIFETIME = timedelta(minutes=10)


def oidc_token(run: Run, links: Links, connection: str | None, now: datetime) -> str:
    """Return the token of a run; `connection` names the service connection it is asked for, if any."""
    organization, project = links.project.organization, links.project.name
    organization_id = stable_guid("organization", organization)
    subject = f"p://{organization}/{project}/{run.definition.name}"
    claims: dict[str, Any] = {
        "jti": str(uuid.uuid4()),
        "sub": f"sc://{organization}/{project}/{connection}" if connection else subject,
        "aud": "api://AzureADTokenExchange",
        "iss": f"https://vstoken.dev.azure.com/{organization_id}",
        "org_id": organization_id,
        "prj_id": links.project.id,
        "def_id": str(run.definition.id),
        "rpo_id": stable_guid("repository", run.definition.repository.name),
        "rpo_uri": links.web(f"_git/{run.definition.repository.name}"),
        "rpo_ver": run.request.source.commit,
        "rpo_ref": run.request.source.branch,
        "run_id": str(run.id),
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    signed = f"{_part({'typ': 'JWT', 'alg': 'RS256', 'kid': organization_id})}.{_part(claims)}"
    return f"{signed}.{_encoded(hashlib.shake_256(signed.encode()).digest(256))}"


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
