"""A stand-in for Azure DevOps Services: its REST API, its queue and its agents, on one machine.

It knows nothing of the rest of the package and is reached through the official API alone.
"""

from ecs_cd_sandbox.azure_devops.artifact_download import DOWNLOAD, DownloadAction
from ecs_cd_sandbox.azure_devops.context import JobAccess, StepContext
from ecs_cd_sandbox.azure_devops.definitions import (
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
from ecs_cd_sandbox.azure_devops.faults import Faults, Held
from ecs_cd_sandbox.azure_devops.identities import EXECUTE, READ, SERVICE, Identity, Token, Tokens
from ecs_cd_sandbox.azure_devops.node import Node, NodeMissingError, find_node
from ecs_cd_sandbox.azure_devops.process import ProcessAction
from ecs_cd_sandbox.azure_devops.recorder import Exchange, Recorder
from ecs_cd_sandbox.azure_devops.server import AzureDevOps
from ecs_cd_sandbox.azure_devops.service import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.task_action import TaskAction
from ecs_cd_sandbox.azure_devops.task_package import Task, TaskPackageError, find_task, unpack

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
    "Faults",
    "Held",
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
