"""What the sandbox's agent does for the tasks that nearly every pipeline uses, as the real ones do it.

Nothing of theirs runs here: each is written after its published source, and says where it differs.
"""

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AssumeRole, AwsLogin, Role
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.catalog import TaskCatalog
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.checkout import Sources
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.images import Image, ImageName, Registry, RegistryError
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed

__all__ = [
    "AssumeRole",
    "AwsLogin",
    "Image",
    "ImageName",
    "Registry",
    "RegistryError",
    "Role",
    "Sources",
    "TaskCatalog",
    "TaskFailed",
]
