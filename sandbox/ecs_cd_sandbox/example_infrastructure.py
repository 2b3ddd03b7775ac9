"""The example infrastructure repository under `templates/terraform`, checked out to run against the sandbox's AWS.

Not one of its files is changed. What only the sandbox needs is in one override file, which Terraform merges over the
configuration by itself.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.template_folder import TEMPLATES
from ecs_cd_sandbox.terraform.installation import Step, Terraform

STATE_BUCKET = "acme-terraform-states"
"""The bucket that `environments/*.s3.tfbackend` name."""

OVERRIDE = "sandbox_override.tf.json"

_SERVICES = ("cloudwatchlogs", "ec2", "ecs", "iam", "ssm")
"""What the example asks of AWS, by the names of the provider's endpoints."""

_BACKEND = {
    "use_lockfile": True,
    "use_path_style": True,
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_s3_checksum": True,
}


def check_out(target: Path, aws: Aws) -> Path:
    """Copy the example and its modules into `target`, ready to run there; return the folder that Terraform runs in.

    `target` is made. Terraform wants `Aws.environment` besides, and from `seed` what the example takes for granted.
    """
    shutil.copytree(TEMPLATES / "terraform", target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))
    working = target / "example"
    (working / OVERRIDE).write_text(override(aws.url), encoding="utf-8")
    return working


def run_steps(terraform: Terraform, aws: Aws, *, environment: str, target: Path) -> list[Step]:
    """Return the commands that bring an environment up, in a checkout made at `target`.

    Plan and apply are one command here: two would have the provider's schema read twice, which is most of their time.
    """
    command = [*terraform.command(), f"-chdir={check_out(target, aws)}"]
    backend, variables = f"environments/{environment}.s3.tfbackend", f"environments/{environment}.tfvars"
    env = {**aws.environment(), **terraform.environment()}
    return [
        Step("Terraform init", [*command, "init", "-no-color", f"-backend-config={backend}"], env),
        Step("Terraform apply", [*command, "apply", "-no-color", "-auto-approve", f"-var-file={variables}"], env),
    ]


def seed(aws: Aws, environment: str) -> None:
    """Make what the example takes for granted in an environment, but for the state bucket: its cluster and subnets."""
    aws.create_cluster(environment)
    aws.create_subnets([f"{environment}-a", f"{environment}-b"])


def provider_arguments(url: str) -> dict[str, Any]:
    """Return what AWS provider 3.39, which knows no AWS_ENDPOINT_URL, must be told to ask this address and nobody."""
    return {
        "skip_credentials_validation": True,
        "skip_get_ec2_platforms": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_requesting_account_id": True,
        "endpoints": dict.fromkeys(_SERVICES, url),
    }


def override(url: str) -> str:
    """Return the override file for the AWS that listens there."""
    settings = {
        "terraform": {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": "3.39.0"}},
            "backend": {"s3": _BACKEND},
        },
        "provider": {"aws": provider_arguments(url)},
    }
    return json.dumps(settings, indent=2) + "\n"
