"""Rows of the table of settings: how an environment's AWS account is reached, and what is promoted to it."""

from __future__ import annotations

from ecs_cd.settings.setting import Group, Kind, Section, Setting, TaskInput
from ecs_cd.support import naming_rules

AWS = (
    Setting(
        "region",
        Section.ENVIRONMENT,
        Group.AWS,
        "AWS region of the environment, such as eu-west-1.",
        check=naming_rules.region,
        task_input=TaskInput(
            "AWS region",
            name="regionName",  # as the tasks of the AWS Toolkit call it
            default="the variable `AWS.Region`, the agent's `AWS_REGION`, or the region of its EC2 instance. "
            "An AWS service connection has no region",
        ),
    ),
    Setting(
        "profile",
        Section.ENVIRONMENT,
        Group.AWS,
        "AWS profile to take credentials from.",
        check=naming_rules.profile,
        task_input=TaskInput(
            "AWS profile",
            "It must be in the AWS configuration of a self-hosted agent, and is used when no credentials are given.",
        ),
    ),
    Setting(
        "role_arn",
        Section.ENVIRONMENT,
        Group.AWS,
        "ARN of the IAM role to assume for this environment.",
        metavar="ARN",
        check=naming_rules.role,
        task_input=TaskInput(
            "Role to assume", "It is assumed with the credentials above, which need `sts:AssumeRole` on it."
        ),
    ),
    Setting(
        "external_id",
        Section.ENVIRONMENT,
        Group.AWS,
        "External id to give when assuming the role.",
        check=naming_rules.external_id,
        task_input=TaskInput("External id"),
    ),
)
"""How AWS is reached."""

PROMOTION = (
    Setting(
        "promote_from",
        Section.ENVIRONMENT,
        Group.PROMOTION,
        "The environment whose tag is promoted to this one.",
        flag="--from",
        metavar="ENVIRONMENT",
        check=naming_rules.place,
        needed_by=("origin",),
        task_input=TaskInput("Promote from"),
    ),
    Setting(
        "promote_after",
        Section.ENVIRONMENT,
        Group.PROMOTION,
        "How long that environment must have served a tag before it is promoted to this one: 30m, 24h.",
        Kind.DURATION,
        flag="--serving-for",
        default="0",
        task_input=TaskInput("Promote after", "The rest of that time is waited for if the deadline leaves it."),
    ),
)
"""Where a promotion takes its tag from."""
