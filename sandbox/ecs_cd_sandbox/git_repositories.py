"""The git repositories of the sandbox's teams: what ships as templates and examples, unchanged, as a team has it.

ecs-cd           the templates, which the pipelines of all other repositories use
infrastructure   Terraform's example and its pipeline, a branch for each environment
my-api           the API's Dockerfile, its pipeline, its release and its settings
my-worker        the same with another name
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ecs_cd_sandbox.azure_devops import Identity
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.example_infrastructure import OVERRIDE, override
from ecs_cd_sandbox.template_folder import TEMPLATES

TEMPLATES_REPOSITORY = "ecs-cd"
INFRASTRUCTURE_REPOSITORY = "infrastructure"
_EXAMPLES = TEMPLATES / "examples"


def templates_repository(author: Identity) -> GitRepository:
    """Return the repository of the templates, with the tags of the versions that the examples pin."""
    repository = _repository(TEMPLATES_REPOSITORY, _below(TEMPLATES, "templates/", "*.yml"), author)
    for commit in repository.branches().values():
        for tag in _pinned_tags():
            repository.point(tag, commit)
    return repository


def infrastructure_repository(branches: Mapping[str, str], url: str, author: Identity) -> GitRepository:
    """Return the infrastructure repository with its branches; `url` is where the sandbox's AWS listens."""
    files = {
        **_below(TEMPLATES / "terraform" / "example", "terraform/"),
        **_below(TEMPLATES / "terraform" / "modules", "modules/"),
        **_below(_EXAMPLES / "infrastructure"),
        f"terraform/{OVERRIDE}": override(url).encode(),
    }
    repository = GitRepository(INFRASTRUCTURE_REPOSITORY)
    for branch in branches.values():
        repository.push(branch, files, author, "Bring up the services")
    return repository


def service_repository(name: str, container: str, author: Identity) -> GitRepository:
    """Return the repository of a service, made from the example's by putting in its names."""
    files = {
        path: content.replace(b"my-api", name.encode()).replace(b"container: api", f"container: {container}".encode())
        for path, content in _below(_EXAMPLES / "api").items()
    }
    return _repository(name, files, author)


def _repository(name: str, files: Mapping[str, bytes], author: Identity) -> GitRepository:
    repository = GitRepository(name)
    repository.push("main", files, author, "Begin")
    return repository


def _pinned_tags() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in _EXAMPLES.rglob("*.yml")]
    return {tag for text in texts for tag in re.findall(r"ref: (refs/tags/\S+)", text)}


def _below(folder: Path, prefix: str = "", pattern: str = "*") -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file() and ".terraform" not in path.parts)
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path.read_bytes() for path in found}
