"""A stand-in for Azure DevOps Services: its REST API, its queue and its agents, on one machine.

It knows nothing of the rest of the package and is reached through the official API alone.
"""

from ecs_cd.sandbox.azure_devops.context import JobAccess, StepContext
from ecs_cd.sandbox.azure_devops.definitions import (
    JobDefinition,
    Parameter,
    PipelineDefinition,
    Repository,
    StageDefinition,
    StepDefinition,
    TaskReference,
)
from ecs_cd.sandbox.azure_devops.faults import Faults, Held
from ecs_cd.sandbox.azure_devops.identities import EXECUTE, READ, SERVICE, Identity, Token, Tokens
from ecs_cd.sandbox.azure_devops.process import ProcessAction
from ecs_cd.sandbox.azure_devops.recorder import Exchange, Recorder
from ecs_cd.sandbox.azure_devops.server import AzureDevOps
from ecs_cd.sandbox.azure_devops.service import ServiceEndpoint

__all__ = [
    "EXECUTE",
    "READ",
    "SERVICE",
    "AzureDevOps",
    "Exchange",
    "Faults",
    "Held",
    "Identity",
    "JobAccess",
    "JobDefinition",
    "Parameter",
    "PipelineDefinition",
    "ProcessAction",
    "Recorder",
    "Repository",
    "ServiceEndpoint",
    "StageDefinition",
    "StepContext",
    "StepDefinition",
    "TaskReference",
    "Token",
    "Tokens",
]
