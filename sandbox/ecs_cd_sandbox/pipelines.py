"""The pipelines of the sandbox's teams, each made from a YAML file that ships as a template or an example.

The platform team's Terraform; the CI build of each service; and, with the extension at hand, a release of `my-api`,
which each good build starts.
"""

from __future__ import annotations

from collections.abc import Callable

from ecs_cd_sandbox.azure_devops import PipelineDefinition, PipelineFile, Repository
from ecs_cd_sandbox.git_repositories import INFRASTRUCTURE_REPOSITORY

ENVIRONMENTS = {"development": "develop", "production": "main"}
"""Each environment and the branch of the infrastructure repository that is deployed to it."""

SERVICES = {"my-api": "api", "my-worker": "worker"}
"""Each service and the container of it that carries the tag; `my-api` has a sidecar beside it."""

INFRASTRUCTURE = "my-infrastructure"
RELEASED = "my-api"
"""The service that has a release pipeline."""
RELEASE = f"{RELEASED}-release"
TASK = "EcsCd@1"

FIRST_TAG = 100
"""What runs before anything is delivered. The ids of runs count on from here, and the tag of a build is its run's."""

FileOf = Callable[[str, str], PipelineFile]
"""Given a repository's name and a path in it, the pipeline that is there."""


def pipelines(file_of: FileOf, *, with_release: bool) -> list[PipelineDefinition]:
    """Return all pipelines; the release only where there is the task it delivers with."""
    made = [_pipeline(1, INFRASTRUCTURE, INFRASTRUCTURE_REPOSITORY, file_of, folder="\\platform")]
    made += [_pipeline(number, service, service, file_of) for number, service in enumerate(SERVICES, 2)]
    if with_release:
        made.append(_pipeline(len(made) + 1, RELEASE, RELEASED, file_of, path="/release.yml"))
    return made


def _pipeline(
    number: int,
    name: str,
    repository: str,
    file_of: FileOf,
    *,
    folder: str = "\\",
    path: str = "/azure-pipelines.yml",
) -> PipelineDefinition:
    file = file_of(repository, path)
    return PipelineDefinition(number, name, folder=folder, repository=Repository(repository), yaml_path=path, file=file)
