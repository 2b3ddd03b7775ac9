"""The sandbox's AWS as the standard tasks see it: ECR that takes their images, and STS that lends them a role."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, final

import boto3
from botocore.exceptions import ClientError

from ecs_cd_sandbox.azure_devops.agent.standard_tasks import AwsLogin, Image, ImageName, RegistryError, Role, TaskFailed


class _Endpoint:
    """An AWS endpoint that can be asked with any credentials. One session serves all, as it knows the APIs once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.Session()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def client(self, service: str, login: AwsLogin) -> Iterator[Any]:
        """Lend a client that is closed afterwards; what AWS refuses meanwhile becomes a `RegistryError`."""
        with self._lock:  # making clients is not safe from several threads at once
            # The overloads of the boto3 stubs want the service's name as a literal.
            client = self._session.client(  # type: ignore[call-overload]
                service,
                endpoint_url=self._url,
                aws_access_key_id=login.access_key_id,
                aws_secret_access_key=login.secret_access_key,
                aws_session_token=login.session_token or None,
                region_name=login.region or None,
            )
        try:
            yield client
        except ClientError as error:
            raise RegistryError(str(error)) from error
        finally:
            client.close()


@final
class EcrRegistry:
    """A `Registry` at an AWS endpoint. Every call is made with the credentials and the region of the task."""

    def __init__(self, endpoint_url: str, *, login: AwsLogin) -> None:
        """Remember the endpoint, and the `login` that stands for a plain login of Docker's to the same registry."""
        self._endpoint = _Endpoint(endpoint_url)
        self._login = login

    def host(self, login: AwsLogin) -> str:
        """Return the host that ECR gives a token for."""
        with self._endpoint.client("ecr", login) as ecr:
            data = ecr.get_authorization_token()["authorizationData"]
        return str(data[0]["proxyEndpoint"]).partition("://")[2]

    def has(self, login: AwsLogin, repository: str) -> bool:
        """Say whether there is a repository."""
        with self._endpoint.client("ecr", login) as ecr:
            try:
                ecr.describe_repositories(repositoryNames=[repository])
            except ecr.exceptions.RepositoryNotFoundException:
                return False
        return True

    def create(self, login: AwsLogin, repository: str) -> None:
        """Make a repository."""
        with self._endpoint.client("ecr", login) as ecr:
            ecr.create_repository(repositoryName=repository)

    def push(self, name: ImageName, image: Image, login: AwsLogin | None) -> str:
        """Put an image in, and return its digest; one that is there under this tag already is no error."""
        login = login or self._login
        known = self.host(login)
        if name.host != known:
            raise RegistryError(f"There is no registry {name.host} in the sandbox, only {known}.")
        if not self.has(login, name.repository):
            account = known.partition(".")[0]
            raise RegistryError(
                f"name unknown: The repository with name '{name.repository}' does not exist in the registry with id "
                f"'{account}'"
            )
        with self._endpoint.client("ecr", login) as ecr:
            with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
                ecr.put_image(repositoryName=name.repository, imageManifest=image.manifest, imageTag=name.tag)
            found = ecr.describe_images(repositoryName=name.repository, imageIds=[{"imageTag": name.tag}])
        return str(found["imageDetails"][0]["imageDigest"])


@final
class Roles:
    """An `AssumeRole` at an AWS endpoint."""

    def __init__(self, endpoint_url: str) -> None:
        """Remember the endpoint."""
        self._endpoint = _Endpoint(endpoint_url)

    def __call__(self, login: AwsLogin, role: Role) -> AwsLogin:
        """Return the role's credentials, in the login's region."""
        external = {"ExternalId": role.external_id} if role.external_id else {}
        try:
            with self._endpoint.client("sts", login) as sts:
                answer = sts.assume_role(
                    RoleArn=role.arn, RoleSessionName=role.session_name, DurationSeconds=role.seconds, **external
                )
        except RegistryError as error:
            raise TaskFailed(str(error)) from error
        found = answer["Credentials"]
        return AwsLogin(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], login.region)
