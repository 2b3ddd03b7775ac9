from __future__ import annotations

import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws.faults import ConnectionReset, Delay, ErrorAnswer, Truncated


def test_seeded_things_answer_over_the_real_api(aws: Aws) -> None:
    aws.create_cluster("development")
    uri = aws.create_repository("my-api")
    digest = aws.push_image("my-api", "103")
    assert aws.put_parameter("/my-api/development/docker-image-tag", "103") == 1
    assert aws.put_parameter("/my-api/development/docker-image-tag", "104") == 2
    found = aws.client("ecr").describe_images(repositoryName="my-api", imageIds=[{"imageTag": "103"}])["imageDetails"]
    assert [image["imageDigest"] for image in found] == [digest]
    assert uri == f"{aws.account_id}.dkr.ecr.eu-west-1.amazonaws.com/my-api"


def test_subnets_are_found_by_their_names(aws: Aws) -> None:
    aws.create_subnets(["development-a", "development-b"])
    aws.create_subnets(["production-a"])
    found = aws.client("ec2").describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["development-*"]}])["Subnets"]
    assert sorted(subnet["CidrBlock"] for subnet in found) == ["10.0.0.0/24", "10.0.1.0/24"]
    assert len({subnet["VpcId"] for subnet in found}) == 1


def test_each_tag_is_an_image_of_its_own(aws: Aws) -> None:
    aws.create_repository("my-api")
    assert aws.push_image("my-api", "103") != aws.push_image("my-api", "104")


def test_the_environment_alone_leads_an_sdk_here(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    client = boto3.client("sts")
    assert client.get_caller_identity()["Account"] == aws.account_id
    client.close()


def test_requests_are_recorded_with_service_operation_and_parameters(aws: Aws) -> None:
    aws.put_parameter("/a/b", "1")
    aws.client("sts").get_caller_identity()
    aws.create_state_bucket("states")
    aws.client("s3").put_object(Bucket="states", Key="a/b.tfstate", Body=b"{}")
    seen = [(request.service, request.operation) for request in aws.requests]
    assert seen == [("ssm", "PutParameter"), ("sts", "GetCallerIdentity"), ("s3", "CreateBucket"), ("s3", "PutObject")]
    assert aws.requests[0].parameters["Name"] == "/a/b"
    assert aws.requests[-1].parameters["Key"] == "a/b.tfstate"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ParameterMaxVersionLimitExceeded"])
def test_an_error_answer_reaches_the_client_and_moto_sees_nothing(aws: Aws, code: str) -> None:
    aws.put_parameter("/a/b", "1")
    aws.inject("ssm", "PutParameter", ErrorAnswer(code))
    with pytest.raises(ClientError) as caught:
        aws.put_parameter("/a/b", "2")
    assert caught.value.response["Error"]["Code"] == code
    assert aws.put_parameter("/a/b", "3") == 2


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("sts", "get_caller_identity", {}),
        ("s3", "list_objects_v2", {"Bucket": "states"}),
        ("ec2", "describe_subnets", {}),
        ("ecs", "list_clusters", {}),
    ],
)
def test_an_error_answer_speaks_the_wire_format_of_its_service(
    aws: Aws, service: str, operation: str, arguments: dict[str, str]
) -> None:
    aws.inject(service, None, ErrorAnswer("AccessDenied", "no <right> for that", status=403))
    with pytest.raises(ClientError) as caught:
        getattr(aws.client(service), operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["Error"]["Message"] == "no <right> for that"


def test_throttling_passes_after_the_given_number_of_times(aws: Aws) -> None:
    aws.put_parameter("/a/b", "1")
    aws.forget_requests()
    aws.inject("ssm", "GetParameter", ErrorAnswer("ThrottlingException"))
    assert aws.client("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "1"
    assert len(aws.requests) == 2


def test_a_reset_after_the_work_loses_only_the_answer(aws: Aws) -> None:
    aws.inject("ssm", "PutParameter", ConnectionReset(after=True))
    # boto3 asks again by itself, so the work is done twice.
    assert aws.put_parameter("/a/b", "1") == 2


def test_a_reset_before_the_work_leaves_nothing_done(aws: Aws) -> None:
    aws.inject("ssm", "PutParameter", ConnectionReset())
    assert aws.put_parameter("/a/b", "1") == 1
    assert len(aws.requests) == 2


def test_a_truncated_answer_ends_in_the_middle_of_its_body(aws: Aws) -> None:
    aws.create_state_bucket("states")
    aws.client("s3").put_object(Bucket="states", Key="k", Body=b"0123456789")
    aws.inject("s3", "GetObject", Truncated())
    body = aws.client("s3").get_object(Bucket="states", Key="k")["Body"]
    with body, pytest.raises(BotoCoreError):
        body.read()


def test_a_delay_is_longer_than_an_impatient_client(aws: Aws) -> None:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-1")
    client = session.client(
        "ssm", endpoint_url=aws.url, config=Config(read_timeout=0.05, retries={"total_max_attempts": 1})
    )
    aws.inject("ssm", None, Delay(0.3))
    with pytest.raises(BotoCoreError, match="timeout"):
        client.describe_parameters()
    client.close()


def test_reset_empties_the_cloud_and_drops_planned_faults(aws: Aws) -> None:
    aws.put_parameter("/a/b", "1")
    aws.inject("ssm", None, ErrorAnswer("AccessDenied"))
    aws.reset()
    assert aws.requests == ()
    assert aws.put_parameter("/a/b", "1") == 1


def test_faults_that_can_never_happen_are_refused(aws: Aws) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        aws.inject("ssm", None, Delay(1), times=0)


def test_a_cloud_that_is_not_running_says_how_to_run_it() -> None:
    with pytest.raises(RuntimeError, match="with Aws"):
        _ = Aws().url


def test_unsigned_rubbish_is_answered_and_recorded(aws: Aws) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as caught, direct.open(f"{aws.url}/no/such"):
        pass
    caught.value.close()
    assert [request.service for request in aws.requests] == ["s3"]
