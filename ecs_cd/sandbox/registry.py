"""The sandbox's ECR and STS, as the tasks that stand in for Docker and the AWS toolkit use them."""

from __future__ import annotations

import contextlib

import boto3
from botocore.exceptions import ClientError

from ecs_cd.sandbox.aws import Aws
from ecs_cd.sandbox.azure_devops import AwsLogin, Image, ImageName, RegistryError, Role, TaskFailed


class EcrRegistry:
    """A `Registry` in the ECR of the sandbox's AWS."""

    def __init__(self, aws: Aws) -> None:
        """Push to this cloud."""
        self._aws = aws

    def host(self, login: AwsLogin) -> str:
        """Return the host of the account's registry in a region."""
        return f"{self._aws.account_id}.dkr.ecr.{login.region}.amazonaws.com"

    def has(self, login: AwsLogin, repository: str) -> bool:  # noqa: ARG002 - there is one account, and moto checks no keys
        """Say whether there is such a repository."""
        ecr = self._aws.client("ecr")
        try:
            ecr.describe_repositories(repositoryNames=[repository])
        except ecr.exceptions.RepositoryNotFoundException:
            return False
        return True

    def create(self, login: AwsLogin, repository: str) -> None:  # noqa: ARG002 - as above
        """Make a repository."""
        self._aws.create_repository(repository)

    def push(self, name: ImageName, image: Image, login: AwsLogin | None) -> str:  # noqa: ARG002 - as above
        """Register an image under its name and return its digest."""
        ecr = self._aws.client("ecr")
        try:
            # Pushing what is already there is no error for `docker push`, though it is one for the API.
            with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
                ecr.put_image(repositoryName=name.repository, imageManifest=image.manifest, imageTag=name.tag)
        except ecr.exceptions.RepositoryNotFoundException as error:
            raise RegistryError(f"name unknown: The repository with name '{name.repository}' does not exist") from error
        return image.digest


class StsRoles:
    """Asks STS, with the login's own keys."""

    def __init__(self, aws: Aws) -> None:
        """Ask this cloud."""
        self._aws = aws

    def __call__(self, login: AwsLogin, role: Role) -> AwsLogin:
        """Return the credentials of the role.

        Raises:
            TaskFailed: STS refuses them.
        """
        session = boto3.Session(
            aws_access_key_id=login.access_key_id,
            aws_secret_access_key=login.secret_access_key,
            aws_session_token=login.session_token or None,
            region_name=login.region or self._aws.region,
        )
        asked = {"RoleArn": role.arn, "RoleSessionName": role.session_name, "DurationSeconds": role.seconds}
        if role.external_id:
            asked["ExternalId"] = role.external_id
        try:
            found = session.client("sts", endpoint_url=self._aws.url).assume_role(**asked)["Credentials"]
        except ClientError as error:
            raise TaskFailed(str(error)) from error
        return AwsLogin(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], login.region)
