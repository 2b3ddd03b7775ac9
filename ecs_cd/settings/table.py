"""The one table of settings.

All that concerns a setting is made from its row: the key of `ecs-cd.yml` and its JSON Schema, the `ECS_CD_*` variable,
the flag, the keyword argument (`keywords.py`), the input of the Azure Pipelines task (`task.json`, `inputs.lock.json`)
and the reference tables of docs/settings.md and docs/task.md. `make generate` writes those of them that are files, and
a test compares.
"""

from __future__ import annotations

from ecs_cd.model.order import Order
from ecs_cd.model.service_deployment import RolloutUntil
from ecs_cd.settings.environment_rows import AWS, PROMOTION
from ecs_cd.settings.setting import Group, Kind, Section, Setting, TaskInput
from ecs_cd.support import naming_rules

_YES_NO = ("Yes", "No")

_CALL = (
    Setting(
        "settings",
        Section.CALL,
        Group.CALL,
        "The settings file, instead of the ecs-cd.yml found upwards from the working folder.",
        metavar="FILE",
        task_input=TaskInput(
            "Settings file",
            "Its settings can also be given as inputs; these take precedence.",
            name="configFile",
        ),
    ),
    Setting(
        "service",
        Section.CALL,
        Group.CALL,
        "The service to deliver, as named in ecs-cd.yml.",
        flag="SERVICE",
        check=naming_rules.place,
        task_input=TaskInput(
            "Service",
            "Any name of your own if there is no settings file. Left out for `deploy`, with a JSON tag file that names "
            "several images: all of them are delivered, and the outputs but `outcome` are empty.",
        ),
    ),
    Setting(
        "environment",
        Section.CALL,
        Group.CALL,
        "The environment to deliver to, as named in ecs-cd.yml.",
        flag="ENVIRONMENT",
        check=naming_rules.place,
        task_input=TaskInput("Environment", "Any name of your own if there is no settings file."),
    ),
    Setting(
        "azure_devops_pat",
        Section.CALL,
        Group.CALL,
        "Personal access token for Azure DevOps; in the environment only.",
        fallbacks=("AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"),
    ),
)

_TOP = (
    Setting(
        "organization",
        Section.TOP,
        Group.PIPELINE,
        "Address of the Azure DevOps organization, such as https://dev.azure.com/acme.",
        metavar="URL",
        check=naming_rules.organization,
        fallbacks=("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"),
        needed_by=("project", "pipeline"),
        task_input=TaskInput("Organization", default="the job's own"),
    ),
    Setting(
        "project",
        Section.TOP,
        Group.PIPELINE,
        "Azure DevOps project that holds the infrastructure pipeline.",
        check=naming_rules.project,
        fallbacks=("SYSTEM_TEAMPROJECT",),
        needed_by=("project", "pipeline"),
        task_input=TaskInput(
            "Project",
            "The list is that of this organization; any name can be typed.",
            default="the job's own",
            listed=True,
        ),
    ),
)

_PARAMETER = (
    Setting(
        "parameter",
        Section.SERVICE,
        Group.PARAMETER,
        "Name of the SSM parameter that holds the image's tag, such as /my-api/development/docker-image-tag.",
        check=naming_rules.parameter,
        needed_by=("parameter",),
        task_input=TaskInput(
            "Parameter",
            "Needs `ssm:GetParameter`, `ssm:GetParameters`, `ssm:GetParameterHistory`, `ssm:DescribeParameters`, "
            "`ssm:PutParameter`, `ssm:LabelParameterVersion`, `ssm:UnlabelParameterVersion`; for a SecureString under "
            "a key of your own `kms:Decrypt` and `kms:Encrypt`.",
        ),
    ),
    Setting(
        "create_parameter",
        Section.SERVICE,
        Group.PARAMETER,
        "Create the parameter if it does not exist; otherwise a missing one is an error.",
        Kind.SWITCH,
        default="false",
        task_input=TaskInput("Create the parameter", options=_YES_NO),
    ),
    Setting(
        "order",
        Section.SERVICE,
        Group.PARAMETER,
        "How tags are compared: numeric (226, 20260317.1), semver or none; an older one never overwrites a newer one.",
        choices=tuple(order.value for order in Order),
        enum=Order,
        default="numeric",
        task_input=TaskInput(
            "Order of tags",
            "`numeric`: whole numbers, such as build ids, or several with dots between them, such as run numbers. "
            "`semver`: semantic versions. `none`: any tag; what comes last is newest.",
            options=("Numeric", "Semantic version", "None"),
        ),
    ),
)

_IMAGE = (
    Setting(
        "repository",
        Section.SERVICE,
        Group.IMAGE,
        "Name of the ECR repository, without the registry's address.",
        check=naming_rules.repository,
        default="{service}",
        needed_by=("image",),
        task_input=TaskInput("ECR repository", "Needs `ecr:DescribeImages`."),
    ),
    Setting(
        "registry",
        Section.SERVICE,
        Group.IMAGE,
        "AWS account id of the ECR registry, if it is not the delivery's own account.",
        metavar="ACCOUNT",
        check=naming_rules.account,
        numeric=True,
        task_input=TaskInput("ECR registry"),
    ),
    Setting(
        "registry_region",
        Section.SERVICE,
        Group.IMAGE,
        "Region of the ECR registry, if it is not the environment's.",
        check=naming_rules.region,
        task_input=TaskInput("Region of the registry"),
    ),
    Setting(
        "check_image",
        Section.SERVICE,
        Group.IMAGE,
        "Look in ECR for the image before recording its tag.",
        Kind.SWITCH,
        default="true",
        task_input=TaskInput("Check the image", options=_YES_NO),
    ),
    Setting(
        "wait_for_image",
        Section.SERVICE,
        Group.IMAGE,
        "How long to wait for the image to appear in ECR, as where it is replicated: 90s, 5m.",
        Kind.DURATION,
        default="0",
        task_input=TaskInput("Wait for the image"),
    ),
)

_PIPELINE = (
    Setting(
        "pipeline",
        Section.SERVICE,
        Group.PIPELINE,
        "The infrastructure pipeline that runs Terraform: its id, name, or folder and name.",
        check=naming_rules.pipeline,
        numeric=True,
        needed_by=("pipeline",),
        task_input=TaskInput(
            "Infrastructure pipeline",
            "Folder and name are given as `\\platform\\network`. Choose the project first to see the list. Needs *View "
            "builds*, *View build pipeline*, *Queue builds*.",
            listed=True,
        ),
    ),
    Setting(
        "branch",
        Section.ENVIRONMENT,
        Group.PIPELINE,
        "The infrastructure pipeline's branch for this environment.",
        check=naming_rules.branch,
        needed_by=("pipeline",),
        task_input=TaskInput("Branch"),
    ),
    Setting(
        "template_parameters",
        Section.SERVICE,
        Group.PIPELINE,
        "Parameters for the infrastructure pipeline's run.",
        Kind.MAP,
        flag="--template-parameter",
        task_input=TaskInput(
            "Template parameters",
            "One `NAME=VALUE` per line. Those that can hold any text need *Edit queue build configuration*.",
        ),
    ),
    Setting(
        "variables",
        Section.SERVICE,
        Group.PIPELINE,
        "Variables for the infrastructure pipeline's run.",
        Kind.MAP,
        flag="--variable",
        task_input=TaskInput(
            "Variables",
            "One `NAME=VALUE` per line. Only those the pipeline lets be set when it is queued. Not for secrets. Need "
            "*Edit queue build configuration*.",
        ),
    ),
)

_ROLLOUT = (
    Setting(
        "verify",
        Section.SERVICE,
        Group.ROLLOUT,
        "Follow the rollout and judge by what ECS serves.",
        Kind.SWITCH,
        default="true",
        task_input=TaskInput("Verify the rollout", options=_YES_NO),
    ),
    Setting(
        "rollback",
        Section.SERVICE,
        Group.ROLLOUT,
        "What to do when a rollout fails; on-failure: go back to what was verified last, and hold it.",
        choices=("never", "on-failure"),
        default="never",
        task_input=TaskInput("Roll back on failure", "The task fails all the same.", options=("Never", "On failure")),
    ),
    Setting(
        "rollout_until",
        Section.SERVICE,
        Group.ROLLOUT,
        "How far to follow a rollout: completed; production-traffic: do not wait for the bake time.",
        choices=tuple(until.value for until in RolloutUntil),
        enum=RolloutUntil,
        default="completed",
        task_input=TaskInput(
            "Follow the rollout until",
            "`production-traffic`: until the new revision of a blue/green, linear or canary deployment has all of it; "
            "the version is marked as verified only when ECS has completed the deployment.",
            options=("Completed", "Production traffic"),
        ),
    ),
    Setting(
        "cluster",
        Section.SERVICE,
        Group.ROLLOUT,
        "Name of the ECS cluster.",
        key="ecs.cluster",
        check=naming_rules.ecs,
        needed_by=("rollout",),
        task_input=TaskInput(
            "ECS cluster",
            "Needs `ecs:DescribeServices`, `ecs:DescribeTaskDefinition`, and, to show why tasks stopped and what they "
            "wrote last, `ecs:ListTasks`, `ecs:DescribeTasks` and `logs:GetLogEvents`.",
        ),
    ),
    Setting(
        "ecs_service",
        Section.SERVICE,
        Group.ROLLOUT,
        "Name of the ECS service.",
        key="ecs.service",
        check=naming_rules.ecs,
        default="{service}",
        needed_by=("rollout",),
        task_input=TaskInput("ECS service"),
    ),
    Setting(
        "container",
        Section.SERVICE,
        Group.ROLLOUT,
        "Name of the container whose image carries the tag, if its repository does not identify it.",
        key="ecs.container",
        check=naming_rules.ecs,
        task_input=TaskInput("Container"),
    ),
    Setting(
        "allow_missing_service",
        Section.SERVICE,
        Group.ROLLOUT,
        "Do not refuse a missing ECS cluster, service or container: the run may create it.",
        Kind.SWITCH,
        default="false",
        task_input=TaskInput("Allow a missing service", "For a first delivery.", options=_YES_NO),
    ),
    Setting(
        "task_definition",
        Section.SERVICE,
        Group.ROLLOUT,
        "Family of a scheduled or one-off task, which no ECS service runs: its latest revision is verified.",
        key="ecs.task_definition",
        metavar="FAMILY",
        check=naming_rules.ecs,
        task_input=TaskInput("Task definition", "Needs `ecs:DescribeTaskDefinition`."),
    ),
)

_ADVANCED = (
    Setting(
        "timeout",
        Section.SERVICE,
        Group.ADVANCED,
        "The deadline of the whole delivery: 90s, 30m, 1h30m.",
        Kind.DURATION,
        default="30m",
        least=1,
        task_input=TaskInput("Deadline", "Keep it below the job's own timeout."),
    ),
)

TABLE: tuple[Setting, ...] = (
    *_CALL,
    *_TOP,
    *_PARAMETER,
    *_IMAGE,
    *_PIPELINE,
    *_ROLLOUT,
    *_ADVANCED,
    *AWS,
    *PROMOTION,
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in TABLE}
"""The table by name."""


def in_section(section: Section) -> dict[str, Setting]:
    """Return the settings of one section of the file by their keys."""
    return {setting.path: setting for setting in TABLE if setting.section is section}


def in_group(group: Group) -> tuple[str, ...]:
    """Return the names of the settings of one group."""
    return tuple(setting.name for setting in TABLE if setting.group is group)
