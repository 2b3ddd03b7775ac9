from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import repeat
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from ecs_cd import __version__
from ecs_cd.aws import Aws, AwsSettings, StaticKeys, connect
from ecs_cd.aws.credentials import WEB_IDENTITY_ATTEMPTS
from ecs_cd.errors import AccessDenied, BadCredentials, SettingsError
from ecs_cd.image.check import Images
from ecs_cd.parameter.store import Parameters
from ecs_cd.rollout.services import Services
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.aws.conftest import Connect
from tests.support.fakes import FakeClock

ROLE = "arn:aws:iam::123456789012:role/deploy"


def test_the_adapters_fit_the_steps(adapter: Aws) -> None:
    def fitting(images: Images, parameters: Parameters, services: Services) -> int:
        return len({images, parameters, services})

    assert fitting(adapter.images, adapter.parameters, adapter.services) == 3


def test_connecting_loads_no_sdk() -> None:
    code = (
        "import sys; from ecs_cd.aws import *; connect(AwsSettings(region='eu-west-1', role_arn='x')); "
        "print(sorted({'botocore', 'boto3', 'urllib3', 's3transfer'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_aws_tells_who_we_are(adapter: Aws) -> None:
    assert adapter.whoami().account == "123456789012"


def test_a_role_is_assumed_once_with_its_external_id(aws: Cloud, connected: Connect) -> None:
    settings = AwsSettings(
        region=aws.region, endpoint_url=aws.url, role_arn=ROLE, external_id="partner-7", role_session_name="release-12"
    )
    adapter = connected(settings)
    assert adapter.whoami().arn.endswith("assumed-role/deploy/release-12")
    adapter.parameters.read_many(["/a"])
    [assumed] = [request.parameters for request in aws.requests if request.operation == "AssumeRole"]
    assert (assumed["RoleArn"], assumed["ExternalId"]) == (ROLE, "partner-7")


def test_a_role_that_may_not_be_assumed_is_told(aws: Cloud, connected: Connect) -> None:
    said = f"User: arn:aws:iam::1:user/ci is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    aws.inject("sts", "AssumeRole", ErrorAnswer("AccessDenied", said, 403))
    with pytest.raises(AccessDenied, match=f"user/ci to perform sts:AssumeRole on {ROLE}"):
        connected(AwsSettings(region=aws.region, endpoint_url=aws.url, role_arn=ROLE)).parameters.read_many(["/a"])


def test_an_expired_session_is_bad_credentials(aws: Cloud, adapter: Aws) -> None:
    aws.inject("sts", None, ErrorAnswer("ExpiredToken", "The security token included in the request is expired", 403))
    with pytest.raises(BadCredentials, match="have expired"):
        adapter.whoami()


def test_no_credentials_at_all_are_told(aws: Cloud, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for settings in (AwsSettings(aws.region, endpoint_url=aws.url), AwsSettings(aws.region, role_arn=ROLE)):
        with pytest.raises(BadCredentials, match="no usable AWS credentials"):
            connected(settings).whoami()


def test_a_missing_region_is_a_matter_of_settings(connected: Connect) -> None:
    with pytest.raises(SettingsError, match="in which AWS region") as caught:
        connected(AwsSettings()).whoami()
    assert "AWS_REGION" in caught.value.hint


def test_the_region_comes_from_the_environment_or_the_profile(
    aws: Cloud, connected: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile far]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_PROFILE", "far")
    connected(AwsSettings()).whoami()
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    connected(AwsSettings()).whoami()
    connected(AwsSettings(region="us-east-2")).whoami()
    assert [request.region for request in aws.requests] == ["ap-south-1", "eu-west-3", "us-east-2"]


def test_an_unknown_profile_is_named(connected: Connect) -> None:
    with pytest.raises(SettingsError, match="nobody"):
        connected(AwsSettings(region="eu-west-1", profile="nobody")).whoami()


@pytest.mark.parametrize("region", ["eu west 1", "-"])
def test_a_malformed_region_is_a_matter_of_settings(connected: Connect, region: str) -> None:
    with pytest.raises(SettingsError):
        connected(AwsSettings(region=region)).whoami()


@pytest.mark.parametrize("url", ["localhost:4566", "ftp://host", "http://"])
def test_a_malformed_endpoint_is_refused_at_once(url: str) -> None:
    with pytest.raises(SettingsError, match="not an HTTP URL"):
        connect(AwsSettings(endpoint_url=url))


def test_threads_share_one_client_of_each_service(aws: Cloud, connected: Connect) -> None:
    aws.put_parameter("/a", "26")
    adapter = connected()
    found: list[object] = []
    together = threading.Barrier(6)

    def ask(number: int) -> None:
        together.wait()
        found.append(adapter.parameters.read_many(["/a"]) if number % 2 else adapter.whoami())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(adapter._clients) == 2


def test_aws_is_told_who_asks(aws: Cloud, adapter: Aws) -> None:
    adapter.whoami()
    [client] = [client for (service, _), client in adapter._clients.items() if service == "sts"]
    assert f"ecs-cd/{__version__}" in client.meta.config.user_agent_extra
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (5, 20)


def test_an_external_id_is_not_shown() -> None:
    assert "partner-7" not in repr(AwsSettings(external_id="partner-7"))


def given_session(region: str | None = None) -> boto3.Session:
    return boto3.Session("AKIASESSIONSESSION12", "session-secret-key", region_name=region)


@pytest.fixture
def signers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the access keys that requests are signed with, in order."""
    keys: list[str] = []
    sign = SigV4Auth.add_auth

    def signing(signer: SigV4Auth, request: AWSRequest) -> None:
        assert signer.credentials
        keys.append(str(signer.credentials.access_key))
        sign(signer, request)

    monkeypatch.setattr(SigV4Auth, "add_auth", signing)
    return keys


def test_a_session_that_is_given_makes_the_clients_and_is_left_as_it_is(aws: Cloud, signers: list[str]) -> None:
    session = given_session("ap-south-1")
    with closing(connect(AwsSettings(endpoint_url=aws.url), session)) as adapter:
        adapter.whoami()
        adapter.parameters.read_many(["/a"])
        assert adapter._session is session
    assert [request.region for request in aws.requests] == ["ap-south-1"] * 2
    session.client("sts", endpoint_url=aws.url).get_caller_identity()
    assert signers == ["AKIASESSIONSESSION12"] * 3


def test_the_environment_s_region_counts_over_the_session_s_and_that_over_the_variable(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    for settings, session in (
        (AwsSettings("us-east-2", endpoint_url=aws.url), given_session("ap-south-1")),
        (AwsSettings(endpoint_url=aws.url), given_session("ap-south-1")),
        (AwsSettings(endpoint_url=aws.url), given_session()),
    ):
        with closing(connect(settings, session)) as adapter:
            adapter.whoami()
    assert [request.region for request in aws.requests] == ["us-east-2", "ap-south-1", "eu-west-3"]


def test_the_profile_of_the_settings_does_not_count_beside_a_session(aws: Cloud) -> None:
    settings = AwsSettings(aws.region, profile="nobody", endpoint_url=aws.url)
    with closing(connect(settings, given_session())) as adapter:
        assert adapter.whoami().account == "123456789012"


def test_a_role_is_assumed_with_the_session_s_credentials(aws: Cloud, signers: list[str]) -> None:
    settings = AwsSettings(aws.region, endpoint_url=aws.url, role_arn=ROLE, role_session_name="a.b")
    session = given_session()
    with closing(connect(settings, session)) as adapter:
        assert adapter.whoami().arn.endswith("assumed-role/deploy/a.b")
        assert adapter._session is not session
    assert [request.operation for request in aws.requests] == ["AssumeRole", "GetCallerIdentity"]
    assert signers[0] == "AKIASESSIONSESSION12" != signers[1]


def test_the_profile_of_a_session_is_that_of_its_role(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile far]\naws_access_key_id = AKIAFARFARFARFARFAR1\naws_secret_access_key = far-secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    settings = AwsSettings(aws.region, endpoint_url=aws.url, role_arn=ROLE)
    with closing(connect(settings, boto3.Session(profile_name="far"))) as adapter:
        adapter.whoami()
        assert adapter._session and adapter._session.profile_name == "far"


def test_a_session_and_other_credentials_are_not_given_together() -> None:
    with pytest.raises(ValueError, match="credentials of its own"):
        connect(AwsSettings(credentials=KEYS), given_session())


def test_several_connections_may_share_one_session(aws: Cloud) -> None:
    session = given_session()
    adapters = [connect(AwsSettings(aws.region, endpoint_url=aws.url), session) for _ in range(6)]
    together = threading.Barrier(6)
    found: list[str] = []

    def ask(adapter: Aws) -> None:
        together.wait()
        found.append(adapter.whoami().account)
        adapter.close()

    threads = [threading.Thread(target=ask, args=(adapter,)) for adapter in adapters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["123456789012"] * 6


KEYS = StaticKeys("AKIAGIVENGIVENGIVEN1", "given-secret-key-0123456789", "given-session-token-0123456789")


def asked(aws: Cloud, operation: str) -> list[dict[str, object]]:
    return [request.parameters for request in aws.requests if request.operation == operation]


def test_given_keys_win_over_all_that_the_environment_holds(
    aws: Cloud, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ambient-token")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")
    adapter = connected(AwsSettings(region=aws.region, endpoint_url=aws.url, credentials=KEYS))
    adapter.whoami()
    assert adapter._session
    found = adapter._session.get_credentials()
    assert found
    assert (found.access_key, found.secret_key, found.token) == (
        KEYS.access_key_id,
        KEYS.secret_access_key,
        KEYS.session_token,
    )
    assert asked(aws, "AssumeRoleWithWebIdentity") == []


def test_a_role_is_assumed_with_given_keys_for_as_long_as_asked(aws: Cloud, connected: Connect) -> None:
    settings = AwsSettings(
        aws.region, endpoint_url=aws.url, role_arn=ROLE, role_session_name="a.b", credentials=KEYS, session_seconds=900
    )
    assert connected(settings).whoami().arn.endswith("assumed-role/deploy/a.b")
    [assumed] = asked(aws, "AssumeRole")
    assert str(assumed["DurationSeconds"]) == "900"


def test_a_second_role_is_assumed_with_the_first(aws: Cloud, connected: Connect) -> None:
    first = AwsSettings(aws.region, endpoint_url=aws.url, role_arn=f"{ROLE}-first", credentials=KEYS)
    settings = AwsSettings(aws.region, endpoint_url=aws.url, role_arn=ROLE, role_session_name="last", source=first)
    assert connected(settings).whoami().arn.endswith("assumed-role/deploy/last")
    assert [role["RoleArn"] for role in asked(aws, "AssumeRole")] == [f"{ROLE}-first", ROLE]


def identified(aws: Cloud, tokens: Iterator[str]) -> AwsSettings:
    return AwsSettings(
        aws.region, endpoint_url=aws.url, role_arn=ROLE, role_session_name="oidc", web_identity=lambda: next(tokens)
    )


def test_a_role_is_assumed_with_an_identity_token_and_no_other_credentials(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with closing(connect(identified(aws, iter(["token-1"])), clock=FakeClock())) as adapter:
        assert adapter.whoami().arn.endswith("assumed-role/deploy/oidc")
        adapter.parameters.read_many(["/a"])
    [assumed] = asked(aws, "AssumeRoleWithWebIdentity")
    assert (assumed["RoleArn"], assumed["WebIdentityToken"]) == (ROLE, "token-1")


@pytest.mark.parametrize("code", ["InvalidIdentityToken", "IDPCommunicationError"])
def test_a_first_refusal_of_an_identity_token_is_met_with_a_new_one(aws: Cloud, code: str) -> None:
    aws.inject("sts", "AssumeRoleWithWebIdentity", ErrorAnswer(code, "Couldn't retrieve verification key"), times=2)
    clock = FakeClock()
    with closing(connect(identified(aws, iter(["token-1", "token-2", "token-3"])), attempts=1, clock=clock)) as adapter:
        adapter.whoami()
    assert [each["WebIdentityToken"] for each in asked(aws, "AssumeRoleWithWebIdentity")] == [
        "token-1",
        "token-2",
        "token-3",
    ]
    assert len(clock.slept) == 2


def test_a_lasting_refusal_of_an_identity_token_is_told(aws: Cloud) -> None:
    aws.inject("sts", "AssumeRoleWithWebIdentity", ErrorAnswer("InvalidIdentityToken", "No such issuer"), times=99)
    adapter = connect(identified(aws, repeat("token")), attempts=1, clock=FakeClock())
    with closing(adapter), pytest.raises(BadCredentials):
        adapter.whoami()
    assert len(asked(aws, "AssumeRoleWithWebIdentity")) == WEB_IDENTITY_ATTEMPTS


def test_a_role_that_trusts_no_identity_is_told_at_once(aws: Cloud) -> None:
    said = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    aws.inject("sts", "AssumeRoleWithWebIdentity", ErrorAnswer("AccessDenied", said, 403), times=99)
    adapter = connect(identified(aws, repeat("token")), attempts=1, clock=FakeClock())
    with closing(adapter), pytest.raises(AccessDenied):
        adapter.whoami()
    assert len(asked(aws, "AssumeRoleWithWebIdentity")) == 1


def test_no_credential_is_shown() -> None:
    shown = repr(AwsSettings(credentials=KEYS, source=AwsSettings(credentials=KEYS, external_id="partner-7")))
    assert not any(secret in shown + repr(KEYS) for secret in (KEYS.secret_access_key, KEYS.session_token, "partner-7"))
