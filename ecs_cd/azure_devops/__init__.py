"""The pipelines of an Azure DevOps project, behind the Protocol that the pipeline step asks for.

`connect` gives an `AzureDevOps`. It is built on Microsoft's SDK, which is imported by the first call, not by importing
this package.
"""

from ecs_cd.azure_devops.pipelines import AzureDevOps, connect
from ecs_cd.azure_devops.settings import AzureDevOpsSettings

__all__ = ["AzureDevOps", "AzureDevOpsSettings", "connect"]
