"""A folder that Terraform runs in."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.example_infrastructure import provider_arguments
from ecs_cd_sandbox.template_folder import TEMPLATES
from ecs_cd_sandbox.terraform.installation import Terraform

MODULE = TEMPLATES / "terraform" / "modules" / "image-tag"


@dataclass(frozen=True)
class Configuration:
    """`run` returns what Terraform printed, in one line each for what it broke into several, and insists on success."""

    folder: Path
    terraform: Terraform
    environment: dict[str, str]

    def attempt(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [*self.terraform.command(), f"-chdir={self.folder}", *arguments, "-no-color"],
            env={**os.environ, **self.environment, **self.terraform.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, *arguments: str) -> str:
        code, output = self.attempt(*arguments)
        assert code == 0, output
        return output

    def refused(self, *arguments: str) -> str:
        """Return what Terraform said in refusing, as one line: it breaks its sentences at the 78th column."""
        code, output = self.attempt(*arguments)
        assert code == 1, output
        return " ".join(output.split())

    def apply(self, *arguments: str) -> str:
        return self.run("apply", "-auto-approve", *arguments)

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}


def write(folder: Path, text: str, terraform: Terraform, aws: Aws) -> Configuration:
    """Make an initialised configuration of this text, whose provider asks `aws`; `MODULE` in it is the module."""
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(text.replace("MODULE", json.dumps(str(MODULE))), encoding="utf-8")
    provider = {"provider": {"aws": {"region": aws.region, **provider_arguments(aws.url)}}}
    (folder / "provider.tf.json").write_text(json.dumps(provider), encoding="utf-8")
    made = Configuration(folder, terraform, aws.environment())
    made.run("init")
    return made
