"""The one table of settings: which flag, environment variable and key of `ecs-cd.yml` are the same thing.

The file's models, the environment, the command line and the JSON Schema are all made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ecs_cd.model.order import Order
from ecs_cd.support import naming_rules


class Kind(str, Enum):
    """What a setting's value is. A duration is `90`, `90s`, `5m` or `1h30m`; a map is given as NAME=VALUE, repeated."""

    TEXT = "text"
    SWITCH = "switch"
    DURATION = "duration"
    MAP = "map"


class Section(str, Enum):
    """Where in the file a setting stands. CALL: not in the file, since it belongs to one call."""

    TOP = "top"
    SERVICE = "service"
    ENVIRONMENT = "environment"
    CALL = "call"


@dataclass(frozen=True)
class Option:
    """One setting.

    `name` is its keyword in `Settings.resolve`; `key` its key within its section of the file (`ecs.cluster`). `check`
    returns what is wrong with a text, or nothing. `fallbacks` are variables that count less than the file. `numeric`
    says that a person may write the text as a bare number; `least` is a duration's smallest value in seconds.
    """

    name: str
    section: Section
    help: str
    kind: Kind = Kind.TEXT
    key: str = ""
    flag: str = ""
    metavar: str = ""
    check: Callable[[str], str] | None = None
    choices: tuple[str, ...] = ()
    default: str = ""
    fallbacks: tuple[str, ...] = ()
    numeric: bool = False
    least: int = 0
    secret: bool = False

    @property
    def path(self) -> str:
        """Return the key within its section."""
        return self.key or self.name

    @property
    def switch(self) -> str:
        """Return the flag of the command line; secrets have none."""
        return "" if self.secret else self.flag or "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return the environment variable."""
        return f"ECS_CD_{self.name.upper()}"


_TOP, _SERVICE, _ENVIRONMENT, _CALL = Section.TOP, Section.SERVICE, Section.ENVIRONMENT, Section.CALL

OPTIONS: tuple[Option, ...] = (
    Option("settings", _CALL, "The settings file, instead of the ecs-cd.yml found upwards from here.", metavar="FILE"),
    Option("service", _CALL, "The service to deliver, as named in ecs-cd.yml.", check=naming_rules.own),
    Option("environment", _CALL, "The environment to deliver to, as named in ecs-cd.yml.", check=naming_rules.own),
    Option(
        "organization",
        _TOP,
        "Address of the Azure DevOps organization, such as https://dev.azure.com/acme.",
        metavar="URL",
        check=naming_rules.organization,
        fallbacks=("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"),
    ),
    Option(
        "project",
        _TOP,
        "Azure DevOps project that holds the infrastructure pipeline.",
        check=naming_rules.project,
        fallbacks=("SYSTEM_TEAMPROJECT",),
    ),
    Option(
        "parameter", _SERVICE, "Name of the SSM parameter that holds the image's tag.", check=naming_rules.parameter
    ),
    Option("create_parameter", _SERVICE, "Create the parameter when it does not exist.", Kind.SWITCH, default="false"),
    Option("order", _SERVICE, "How to tell the newer tag.", choices=tuple(o.value for o in Order), default="numeric"),
    Option("repository", _SERVICE, "Name of the ECR repository.", check=naming_rules.repository, default="{service}"),
    Option(
        "registry",
        _SERVICE,
        "AWS account id of the ECR registry, when it is not the delivery's own account.",
        metavar="ACCOUNT",
        check=naming_rules.account,
        numeric=True,
    ),
    Option("registry_region", _SERVICE, "Region of the ECR registry, when it is another.", check=naming_rules.region),
    Option("check_image", _SERVICE, "Look in ECR for the image before recording its tag.", Kind.SWITCH, default="true"),
    Option(
        "wait_for_image",
        _SERVICE,
        "How long to wait for the image to appear in ECR, as where it is replicated: 90s, 5m.",
        Kind.DURATION,
        default="0",
    ),
    Option(
        "pipeline",
        _SERVICE,
        "The infrastructure pipeline that runs Terraform: its id, name, or folder and name.",
        check=naming_rules.pipeline,
        numeric=True,
    ),
    Option(
        "template_parameters",
        _SERVICE,
        "Parameters for the infrastructure pipeline's run.",
        Kind.MAP,
        flag="--template-parameter",
    ),
    Option("variables", _SERVICE, "Variables for the infrastructure pipeline's run.", Kind.MAP, flag="--variable"),
    Option("verify", _SERVICE, "Follow the rollout and judge by what ECS serves.", Kind.SWITCH, default="true"),
    Option(
        "rollback",
        _SERVICE,
        "What to do when a rollout fails; on-failure: go back to what was verified last, and hold it.",
        choices=("never", "on-failure"),
        default="never",
    ),
    Option("cluster", _SERVICE, "Name of the ECS cluster.", key="ecs.cluster", check=naming_rules.ecs),
    Option(
        "ecs_service",
        _SERVICE,
        "Name of the ECS service.",
        key="ecs.service",
        check=naming_rules.ecs,
        default="{service}",
    ),
    Option(
        "container",
        _SERVICE,
        "Name of the container whose image has the tag, when its image does not tell.",
        key="ecs.container",
        check=naming_rules.ecs,
    ),
    Option(
        "timeout",
        _SERVICE,
        "The deadline of the whole delivery: 90s, 30m, 1h30m.",
        Kind.DURATION,
        default="30m",
        least=1,
    ),
    Option(
        "branch", _ENVIRONMENT, "The infrastructure pipeline's branch for this environment.", check=naming_rules.branch
    ),
    Option("region", _ENVIRONMENT, "AWS region of the environment.", check=naming_rules.region),
    Option("profile", _ENVIRONMENT, "AWS profile to take credentials from.", check=naming_rules.profile),
    Option(
        "role_arn", _ENVIRONMENT, "IAM role to assume for this environment.", metavar="ARN", check=naming_rules.role
    ),
    Option("external_id", _ENVIRONMENT, "External id to give when assuming the role.", check=naming_rules.external_id),
    Option(
        "promote_from",
        _ENVIRONMENT,
        "The environment whose tag is promoted to this one.",
        flag="--from",
        metavar="ENVIRONMENT",
        check=naming_rules.own,
    ),
    Option(
        "promote_after",
        _ENVIRONMENT,
        "How long that environment must have served a tag before it is promoted to this one: 30m, 24h.",
        Kind.DURATION,
        flag="--serving-for",
        default="0",
    ),
    Option(
        "azure_devops_pat",
        _CALL,
        "Personal access token for Azure DevOps; in the environment only.",
        fallbacks=("AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"),
        secret=True,
    ),
)

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}
"""The table by name."""


def in_section(section: Section) -> dict[str, Option]:
    """Return the settings of one section of the file by their keys."""
    return {option.path: option for option in OPTIONS if option.section is section}


# What the steps of a delivery read, by name: commands and the task's inputs are put together from these.
IMAGE = ("repository", "registry", "registry_region", "check_image", "wait_for_image")
PARAMETER = ("parameter", "create_parameter", "order")
PROJECT = ("organization", "project")
PIPELINE = (*PROJECT, "pipeline", "branch", "template_parameters", "variables")
ROLLOUT = ("cluster", "ecs_service", "container")
PROMOTION = ("promote_from", "promote_after")
AWS = ("region", "profile", "role_arn", "external_id")
