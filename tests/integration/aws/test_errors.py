from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator

import boto3.exceptions
import botocore.exceptions
import botocore.loaders
import botocore.parsers
import pytest
from botocore.exceptions import ClientError

from ecs_cd.aws import Aws, AwsSettings
from ecs_cd.aws.error_table import BY_CLASS, BY_CODE
from ecs_cd.aws.errors import entry_of, map_error
from ecs_cd.errors import (
    AccessDenied,
    BadCredentials,
    DeliveryFailed,
    EcsCdError,
    ServiceUnavailable,
    Throttled,
    TryLater,
    UnexpectedAnswer,
    Unreachable,
)
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer, Truncated
from tests.integration.aws.conftest import Answering, Connect, http

USED = {
    "ssm": (
        "GetParameter",
        "GetParameters",
        "GetParameterHistory",
        "DescribeParameters",
        "PutParameter",
        "LabelParameterVersion",
        "UnlabelParameterVersion",
    ),
    "ecr": ("DescribeImages",),
    "ecs": (
        "DescribeServices",
        "DescribeServiceRevisions",
        "ListServiceDeployments",
        "DescribeServiceDeployments",
        "ContinueServiceDeployment",
        "DescribeTaskDefinition",
        "ListTasks",
        "DescribeTasks",
    ),
    "codedeploy": ("GetDeployment",),
    "logs": ("GetLogEvents",),
    "sts": ("GetCallerIdentity", "AssumeRole"),
}


def declared_codes() -> Iterator[str]:
    loader = botocore.loaders.Loader()
    for service, operations in USED.items():
        model = loader.load_service_model(service, "service-2")
        for operation in operations:
            for error in model["operations"][operation].get("errors", []):
                shape = model["shapes"][error["shape"]]
                yield shape.get("error", {}).get("code", error["shape"])


def classes_of_botocore() -> Iterator[type[Exception]]:
    for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass):
        ours = kind.__module__ == "botocore.exceptions"
        if ours and issubclass(kind, Exception) and not issubclass(kind, Warning | ClientError):
            yield kind
    yield botocore.parsers.ResponseParserError


def classes_of_boto3() -> Iterator[type[Exception]]:
    for _, kind in inspect.getmembers(boto3.exceptions, inspect.isclass):
        ours = kind.__module__ == "boto3.exceptions"
        if ours and issubclass(kind, Exception) and not issubclass(kind, Warning):
            yield kind


def test_every_error_that_the_operations_we_use_declare_has_a_meaning() -> None:
    assert sorted(set(declared_codes()) - set(BY_CODE)) == []


def test_the_operations_we_use_are_those_the_adapter_sends() -> None:
    from ecs_cd.aws import (  # noqa: PLC0415 - read as text here
        code_deploy,
        images,
        logs,
        parameters,
        service_deployments,
        service_tasks,
        services,
        session,
        stopped_tasks,
        task_definitions,
    )

    modules = [task_definitions, images, logs, parameters, services, service_deployments, code_deploy, session]
    text = "".join(inspect.getsource(module) for module in (*modules, service_tasks, stopped_tasks))
    snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in op)[1:] for ops in USED.values() for op in ops}
    # AssumeRole is sent by botocore itself.
    assert sorted(name for name in snake if name not in text and name != "assume_role") == []


def test_every_exception_class_of_botocore_has_a_meaning_of_its_own() -> None:
    assert sorted(kind.__name__ for kind in classes_of_botocore() if kind.__name__ not in BY_CLASS) == []
    assert all(entry_of(kind) is BY_CLASS[kind.__name__] for kind in classes_of_botocore())


def test_every_exception_class_of_boto3_has_a_meaning() -> None:
    assert [kind.__name__ for kind in classes_of_boto3() if entry_of(kind) is None] == []


def test_a_mistake_of_ours_is_not_taken_for_an_error_of_aws() -> None:
    assert map_error(RuntimeError("bug"), "do it") is None


def answer(code: str, message: str, status: int = 400, headers: dict[str, str] | None = None) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": headers or {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "GetParameter")  # type: ignore[typeddict-item] # a real one has more


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ExpiredTokenException", 400, BadCredentials),
        ("UnrecognizedClientException", 400, BadCredentials),
        ("ThrottlingException", 400, Throttled),
        ("Strange", 429, Throttled),
        ("InternalServerError", 500, ServiceUnavailable),
        ("503", 503, ServiceUnavailable),
        ("Strange", 502, ServiceUnavailable),
        ("403", 403, UnexpectedAnswer),
        ("407", 407, UnexpectedAnswer),
        ("Strange", 400, DeliveryFailed),
    ],
)
def test_an_answer_that_says_no_becomes_the_error_it_means(code: str, status: int, kind: type[EcsCdError]) -> None:
    ours = map_error(answer(code, "said so", status), "read parameter '/a'", "eu-west-1")
    assert type(ours) is kind
    assert ours.message.startswith("Cannot read parameter '/a' (eu-west-1): ")
    assert code in ours.message
    assert ours.hint
    assert ours.details == ("AWS request id: r-1",)


def test_an_unknown_code_is_marked_and_told_with_its_message() -> None:
    ours = map_error(answer("Strange", "the moon is full"), "read it")
    assert "an error that ecs-cd does not know (Strange: the moon is full)" in str(ours)


def test_a_wait_that_aws_asks_for_is_kept() -> None:
    ours = map_error(answer("Strange", "", 503, {"retry-after": "7"}), "read it")
    assert isinstance(ours, TryLater)
    assert ours.after == 7


def test_denied_kms_names_the_action_and_the_key() -> None:
    said = (
        "User: arn:aws:iam::1:user/ci is not authorized to perform: kms:Decrypt on resource: "
        "arn:aws:kms:eu-west-1:1:key/k because no resource-based policy allows the kms:Decrypt action"
    )
    ours = map_error(answer("AccessDeniedException", said), "read it")
    assert isinstance(ours, AccessDenied)
    assert "arn:aws:iam::1:user/ci to perform kms:Decrypt on arn:aws:kms:eu-west-1:1:key/k because" in ours.message
    assert "kms:Decrypt and kms:Encrypt" in ours.hint


@pytest.mark.parametrize(
    "error",
    [
        answer("SignatureDoesNotMatch", "Canonical String: x-amz-security-token:the-secret-token", 403),
        answer("Strange", "token IQoJb3JpZ2luX2VjE" + "the+secret+token/" * 8 + " of AKIASECRETSECRET12"),
        botocore.exceptions.CredentialRetrievalError(provider="custom-process", error_msg="the-secret-token"),
        botocore.exceptions.EndpointConnectionError(endpoint_url="http://me:the-secret-token@host/"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_secret_passes(error: Exception) -> None:
    ours = map_error(error, "read it")
    assert ours is not None
    item = repr((ours.message, ours.hint, ours.details)).lower()
    assert "secret" not in item.replace("securestring", "")


def test_what_aws_says_cannot_command_the_agent() -> None:
    ours = map_error(answer("Strange", "##vso[task.complete result=Succeeded]\r\n\x1b[2J"), "read it")
    assert "##vso" not in str(ours)
    assert "\x1b" not in str(ours)
    assert "\n" not in str(ours)


def test_a_traceback_does_not_show_the_original(aws: Cloud, adapter: Aws) -> None:
    aws.inject("ssm", "GetParameters", ErrorAnswer("SignatureDoesNotMatch", "x-amz-security-token:hush", 403))
    with pytest.raises(BadCredentials) as caught:
        adapter.parameters.read_many(["/a"])
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def failing(connected: Connect, url: str, kind: type[EcsCdError]) -> EcsCdError:
    with pytest.raises(kind) as caught:
        connected(AwsSettings(region="eu-west-1", endpoint_url=url)).parameters.read_many(["/a"])
    assert type(caught.value) is kind
    return caught.value


def test_a_refused_connection_is_unreachable(connected: Connect) -> None:
    assert "refused" in failing(connected, "http://127.0.0.1:1", Unreachable).message


def test_a_host_that_does_not_exist_is_unreachable(connected: Connect) -> None:
    assert "no-such-host.invalid" in failing(connected, "http://no-such-host.invalid", Unreachable).message


def test_tls_that_is_none_is_unreachable(connected: Connect, answering: Answering) -> None:
    url = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").replace("http:", "https:")
    assert "SSL" in failing(connected, url, Unreachable).message


def test_a_proxy_that_is_not_there_is_unreachable(connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:hush@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    error = failing(connected, "http://aws.invalid", Unreachable)
    assert "proxy" in error.message
    assert "hush" not in error.message


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", Unreachable),
        (http("200 OK", '{"Parameters": [', promised=500), Unreachable),
        (http("200 OK", '{"Parameters": ['), UnexpectedAnswer),
        (http("200 OK", "<html>Please sign in</html>"), UnexpectedAnswer),
        (http("200 OK", "<html>Please sign in</html>", "text/html"), UnexpectedAnswer),
        (http("200 OK", "{}"), UnexpectedAnswer),
        (http("200 OK", '{"Parameters": 5, "InvalidParameters": 7}'), UnexpectedAnswer),
        (http("503 Service Unavailable", "<html>busy</html>", "text/html"), ServiceUnavailable),
        (http("403 Forbidden", "<html>not for you</html>", "text/html"), UnexpectedAnswer),
    ],
    ids=["reset", "truncated", "half", "no-json", "html", "empty", "wrong-shape", "503", "403"],
)
def test_what_is_no_answer_of_aws_is_not_taken_for_one(
    connected: Connect, answering: Answering, sent: bytes, kind: type[EcsCdError]
) -> None:
    assert failing(connected, answering(sent), kind).message.startswith("Cannot read parameters (eu-west-1): ")


def test_half_an_answer_of_the_real_service_is_unreachable(aws: Cloud, adapter: Aws) -> None:
    aws.put_parameter("/a", "26")
    aws.inject("ssm", "GetParameters", Truncated())
    with pytest.raises(Unreachable):
        adapter.parameters.read_many(["/a"])


def test_a_failure_that_passes_is_tried_again_by_itself(aws: Cloud, connected: Connect) -> None:
    aws.put_parameter("/a", "26")
    aws.forget_requests()
    aws.inject("ssm", "GetParameters", ErrorAnswer("InternalServerError", status=500))
    adapter = connected(attempts=2)
    assert adapter.parameters.read_many(["/a"])["/a"].value == "26"
    assert len(aws.requests) == 2
