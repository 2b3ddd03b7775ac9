"""What the processes of `forked_commands` have imported, and read of botocore's data, before they begin."""

from __future__ import annotations

import importlib
import pkgutil

import botocore.session

import ecs_cd
import ecs_cd.aws
import ecs_cd.azure_devops
import ecs_cd.cli
from tests.support import cached_models, forked_commands

__all__ = ["cached_models", "forked_commands"]

_SDKS = (
    "boto3",
    "azure.devops.connection",
    "azure.devops.v7_1.build",
    "azure.devops.v7_1.pipelines",
    "azure.devops.v7_1.security",
)

for _name in _SDKS:
    importlib.import_module(_name)
for _name in dir(ecs_cd):  # each is imported when it is first used
    getattr(ecs_cd, _name)
for _package in (ecs_cd.aws, ecs_cd.azure_devops, ecs_cd.cli):
    for _module in pkgutil.iter_modules(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)
_session = botocore.session.Session()
_session.set_credentials("nobody", "nothing")
for _service in ("ecr", "ecs", "ssm", "sts"):
    _session.create_client(_service, region_name="eu-west-1")
