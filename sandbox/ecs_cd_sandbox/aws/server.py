"""AWS on this machine: moto's server in this process, with what the sandbox needs already in it.

moto keeps its state in module globals: two `Aws` in one process share one cloud, and `reset` empties it for both.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, final

import boto3
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from ecs_cd_sandbox.aws import codedeploy_answers, ecr_answers, ecs_backend, ssm_answers
from ecs_cd_sandbox.aws.control import Command, Control
from ecs_cd_sandbox.aws.ecs_service_revision import shown
from ecs_cd_sandbox.aws.faults import AwsRequest, Fault, Recorder
from ecs_cd_sandbox.aws.manifests import ImageIndex, image_manifest, index_manifest, manifest_digest

ACCOUNT_ID = "123456789012"
"""The account that moto gives to credentials it does not know."""


class _QuietHandler(MotoRequestHandler):
    """One line per request on stderr helps nobody: the recorder knows them all."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the overridden method's name
        """Drop the line."""

    def connection_dropped(
        self,
        error: BaseException,  # noqa: ARG002 - the overridden method's signature
        environ: dict[str, Any] | None = None,  # noqa: ARG002 - the overridden method's signature
    ) -> None:
        """A connection that a fault has ended serves no further request."""
        self.close_connection = True


class _Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher; its own lists moto's folder twice for every request, which is most of the time of one."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's
        """Return the backend that answers for a host; a host is a service and a region, so there are few."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


@final
class Aws:
    """A cloud for the sandbox and the tests; a context manager that serves while it is entered.

    `lock` guards moto's state: the ECS scheduler, or a test that looks into moto, takes it to see a consistent state.
    """

    def __init__(self, region: str = "eu-west-1") -> None:
        self.region = region
        self.account_id = ACCOUNT_ID
        self.lock = threading.RLock()
        self._recorder = Recorder(_Dispatcher(), self.lock)
        self._control = Control(self._recorder)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Aws:
        codedeploy_answers.install()
        ecr_answers.install()
        ecs_backend.install()
        ssm_answers.install()
        self.reset()  # what an earlier one in this process left behind
        self._server = make_server("127.0.0.1", 0, self._control, threaded=True, request_handler=_QuietHandler)
        # The interval is how long shutdown may take, in seconds.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sandbox-aws", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
            self.reset()

    @property
    def url(self) -> str:
        """Where the server listens; `RuntimeError` while it does not."""
        if self._server is None:
            raise RuntimeError("the sandbox's AWS is not running: enter it with `with Aws() as aws:` first")
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self) -> dict[str, str]:
        """Environment variables with which any AWS SDK, the AWS CLI and Terraform reach this server and no other."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "any-secret-will-do-here",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - its type depends on the name of the service
        """Return a boto3 client of this server, whatever the environment says; it is shared, and closed at exit."""
        if service not in self._clients:
            session = boto3.Session(
                aws_access_key_id="sandbox", aws_secret_access_key="sandbox", region_name=self.region
            )
            # The overloads of the boto3 stubs want the service's name as a literal.
            self._clients[service] = session.client(service, endpoint_url=self.url)  # type: ignore[call-overload]
        return self._clients[service]

    def reset(self) -> None:
        """Empty the cloud, and forget recorded requests and planned faults. Everything seeded is gone, subnets too."""
        with self.lock:
            BackendDict.reset()
            reset_model_data()
            shown.choose()
            self._recorder.clear()

    @property
    def commands(self) -> dict[str, Command]:
        """What other processes may choose here, by name: see `control`."""
        return self._control.commands

    @property
    def requests(self) -> tuple[AwsRequest, ...]:
        """What was asked since the start, the last `reset` or `forget_requests`, oldest first (seeding included)."""
        return self._recorder.requests

    def forget_requests(self) -> None:
        """Count from here; planned faults are dropped as well."""
        self._recorder.clear()

    def inject(self, service: str, operation: str | None, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` requests to `service` (signing name) and `operation` (None: any) meet `fault`."""
        self._recorder.inject(service, operation, fault, times=times)

    def create_state_bucket(self, name: str) -> None:
        """Make the S3 bucket that holds Terraform's states."""
        # S3's first region is the one that must not be named.
        place = {"CreateBucketConfiguration": {"LocationConstraint": self.region}} if self.region != "us-east-1" else {}
        self.client("s3").create_bucket(Bucket=name, **place)

    def create_cluster(self, name: str) -> None:
        """Make an ECS cluster."""
        self.client("ecs").create_cluster(clusterName=name)

    def create_repository(self, name: str) -> str:
        """Make an ECR repository and return its URI (`<account>.dkr.ecr.<region>.amazonaws.com/<name>`)."""
        uri: str = self.client("ecr").create_repository(repositoryName=name)["repository"]["repositoryUri"]
        return uri

    def push_image(self, repository: str, tag: str, *, content: str = "") -> str:
        """Register an image as a push would, and return its digest (`sha256:...`), the same for the same arguments.

        Another `content` makes another image: the tag moves to it, and the image that had it stays without a tag.
        """
        return self._put_image(repository, tag, image_manifest(f"{repository}:{tag}{content}"))

    def push_index(
        self, repository: str, tag: str, *, content: str = "", platforms: Sequence[str] = ("linux/amd64", "linux/arm64")
    ) -> ImageIndex:
        """Register an image for several platforms: an index with the tag, and an untagged image for each of them."""
        digests = {
            platform: self._put_image(repository, None, image_manifest(f"{repository}:{tag}{content} {platform}"))
            for platform in platforms
        }
        return ImageIndex(self._put_image(repository, tag, index_manifest(digests)), digests)

    def _put_image(self, repository: str, tag: str | None, manifest: str) -> str:
        ecr = self.client("ecr")
        digest = manifest_digest(manifest)
        tagged = {} if tag is None else {"imageTag": tag}
        try:
            ecr.put_image(repositoryName=repository, imageManifest=manifest, imageDigest=digest, **tagged)
        except ecr.exceptions.ImageAlreadyExistsException:
            # The same image again is no error for `docker push`; moto says the same of a tag that must not move.
            found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
            if found[0]["imageDigest"] != digest:
                raise
        return digest

    def set_alarm(self, name: str, *, ringing: bool = True) -> None:
        """Put a CloudWatch alarm of that name into the state ALARM or OK, making it if there is none yet."""
        cloudwatch = self.client("cloudwatch")
        if not cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            cloudwatch.put_metric_alarm(
                AlarmName=name,
                Namespace="AWS/ApplicationELB",
                MetricName="HTTPCode_Target_5XX_Count",
                Statistic="Sum",
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=1,
                Period=60,
                Threshold=1,
            )
        state = "ALARM" if ringing else "OK"
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="chosen in the sandbox")

    def set_codedeploy(self, deployment_id: str, status: str, *, code: str = "", message: str = "") -> None:
        """Put a deployment of CodeDeploy into `status`, with an error's `code` and `message` where it ends badly.

        Raises `ValueError` for a status that CodeDeploy has not.
        """
        with self.lock:
            codedeploy_answers.set_status(
                self.account_id, self.region, deployment_id, status, code=code, message=message
            )

    def put_parameter(self, name: str, value: str) -> int:
        """Write a plain SSM parameter and return its version."""
        version: int = self.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)[
            "Version"
        ]
        return version

    def create_subnets(self, names: Sequence[str]) -> None:
        """Make a VPC with a subnet of each of these names (its tag Name) in it."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for number, name in enumerate(names):
            tags = [{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": name}]}]
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", TagSpecifications=tags)
