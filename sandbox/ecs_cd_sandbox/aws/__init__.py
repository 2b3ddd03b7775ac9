"""AWS on this machine: moto's server, with an ECS that rolls out and with faults on demand."""

from ecs_cd_sandbox.aws.ecs_scheduler import EcsScheduler
from ecs_cd_sandbox.aws.server import Aws

__all__ = ["Aws", "EcsScheduler"]
