"""AWS behind the Protocols of the steps: ECR, Parameter Store, ECS, CloudWatch Logs, and who we are (STS).

Importing this package loads no SDK: boto3 comes with the first request, so that what needs no AWS starts at once.
"""

from ecs_cd.aws.credentials import StaticKeys
from ecs_cd.aws.images import EcrImages
from ecs_cd.aws.parameters import SsmParameters
from ecs_cd.aws.services import EcsServices
from ecs_cd.aws.session import Aws, AwsSettings, Identity, connect

__all__ = ["Aws", "AwsSettings", "EcrImages", "EcsServices", "Identity", "SsmParameters", "StaticKeys", "connect"]
