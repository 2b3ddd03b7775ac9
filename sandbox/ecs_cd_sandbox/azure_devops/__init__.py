"""Azure DevOps Services: the REST API of one organization with pipelines, a queue and its agents, on one machine.

It is reached through the official API alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_cd_sandbox.azure_devops.agent.artifact_download import DOWNLOAD, DownloadAction
from ecs_cd_sandbox.azure_devops.agent.nodejs import Node, NodeMissingError, find_node
from ecs_cd_sandbox.azure_devops.agent.process import ProcessAction
from ecs_cd_sandbox.azure_devops.agent.step_context import JobAccess, StepContext
from ecs_cd_sandbox.azure_devops.agent.task_action import TaskAction
from ecs_cd_sandbox.azure_devops.agent.task_package import Task, TaskPackageError, find_task, unpack
from ecs_cd_sandbox.azure_devops.http.recorder import Exchange, Recorder
from ecs_cd_sandbox.azure_devops.http.tokens import EXECUTE, READ, Token, Tokens
from ecs_cd_sandbox.azure_devops.model.definitions import (
    BranchFilter,
    Environment,
    Expansion,
    Hook,
    JobDefinition,
    Parameter,
    PipelineDefinition,
    PipelineFile,
    PipelineResource,
    Repository,
    Restrictions,
    StageDefinition,
    StepDefinition,
    TaskReference,
    Triggers,
    ValidationFailed,
)
from ecs_cd_sandbox.azure_devops.model.identities import SERVICE, Identity
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint

if TYPE_CHECKING:
    from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps

__all__ = [
    "DOWNLOAD",
    "EXECUTE",
    "READ",
    "SERVICE",
    "AzureDevOps",
    "BranchFilter",
    "DownloadAction",
    "Environment",
    "Exchange",
    "Expansion",
    "Hook",
    "Identity",
    "JobAccess",
    "JobDefinition",
    "Node",
    "NodeMissingError",
    "Parameter",
    "PipelineDefinition",
    "PipelineFile",
    "PipelineResource",
    "ProcessAction",
    "Recorder",
    "Repository",
    "Restrictions",
    "ServiceEndpoint",
    "StageDefinition",
    "StepContext",
    "StepDefinition",
    "Task",
    "TaskAction",
    "TaskPackageError",
    "TaskReference",
    "Token",
    "Tokens",
    "Triggers",
    "ValidationFailed",
    "find_node",
    "find_task",
    "unpack",
]


def __getattr__(name: str) -> object:
    """Import the server when it is first asked for: without it nothing here needs a web framework."""
    if name != "AzureDevOps":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps  # noqa: PLC0415 - see above

    return AzureDevOps
