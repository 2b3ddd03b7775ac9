"""Settings as keyword arguments. Generated from the table of settings by `make generate`: do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ecs_cd.model.order import Order
from ecs_cd.model.service_deployment import RolloutUntil


class SettingKeywords(TypedDict, total=False):
    """The settings that a call may give. They take precedence over `ECS_CD_*` variables, and these over the file.

    None and empty text mean "not given". A duration is a number of seconds, or text such as `90s`, `5m`, `1h30m`.
    `{service}` and `{environment}` may stand in every text.
    """

    organization: str | None
    """Address of the Azure DevOps organization, such as https://dev.azure.com/acme."""

    project: str | None
    """Azure DevOps project that holds the infrastructure pipeline."""

    parameter: str | None
    """Name of the SSM parameter that holds the image's tag, such as /my-api/development/docker-image-tag."""

    create_parameter: bool | None
    """Create the parameter if it does not exist; otherwise a missing one is an error."""

    order: Order | Literal["numeric", "semver", "none"] | None
    """How tags are compared: numeric (226, 20260317.1), semver or none; an older one never overwrites a newer one."""

    repository: str | None
    """Name of the ECR repository, without the registry's address."""

    registry: str | int | None
    """AWS account id of the ECR registry, if it is not the delivery's own account."""

    registry_region: str | None
    """Region of the ECR registry, if it is not the environment's."""

    check_image: bool | None
    """Look in ECR for the image before recording its tag."""

    wait_for_image: str | float | None
    """How long to wait for the image to appear in ECR, as where it is replicated: 90s, 5m."""

    pipeline: str | int | None
    """The infrastructure pipeline that runs Terraform: its id, name, or folder and name."""

    branch: str | None
    """The infrastructure pipeline's branch for this environment."""

    template_parameters: Mapping[str, str] | Sequence[str] | None
    """Parameters for the infrastructure pipeline's run."""

    variables: Mapping[str, str] | Sequence[str] | None
    """Variables for the infrastructure pipeline's run."""

    verify: bool | None
    """Follow the rollout and judge by what ECS serves."""

    rollback: Literal["never", "on-failure"] | None
    """What to do when a rollout fails; on-failure: go back to what was verified last, and hold it."""

    rollout_until: RolloutUntil | Literal["completed", "production-traffic"] | None
    """How far to follow a rollout: completed; production-traffic: do not wait for the bake time."""

    cluster: str | None
    """Name of the ECS cluster."""

    ecs_service: str | None
    """Name of the ECS service."""

    container: str | None
    """Name of the container whose image carries the tag, if its repository does not identify it."""

    allow_missing_service: bool | None
    """Do not refuse a missing ECS cluster, service or container: the run may create it."""

    task_definition: str | None
    """Family of a scheduled or one-off task, which no ECS service runs: its latest revision is verified."""

    timeout: str | float | None
    """The deadline of the whole delivery: 90s, 30m, 1h30m."""

    region: str | None
    """AWS region of the environment, such as eu-west-1."""

    profile: str | None
    """AWS profile to take credentials from."""

    role_arn: str | None
    """ARN of the IAM role to assume for this environment."""

    external_id: str | None
    """External id to give when assuming the role."""

    promote_from: str | None
    """The environment whose tag is promoted to this one."""

    promote_after: str | float | None
    """How long that environment must have served a tag before it is promoted to this one: 30m, 24h."""
