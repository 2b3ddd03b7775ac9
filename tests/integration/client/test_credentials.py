"""A client with a boto3 session or an azure-devops connection that its caller has."""

from __future__ import annotations

import boto3
import pytest
from azure.devops.connection import Connection
from botocore.awsrequest import AWSPreparedRequest
from msrest.authentication import BasicAuthentication

import ecs_cd
from ecs_cd import arguments
from ecs_cd.client import Client
from tests.support.simulated_clouds import PAT, REGION, SimulatedClouds

KEY = "AKIASESSIONSESSION12"


class Session(boto3.Session):
    """A session with keys of its own, which notes who signs each request."""

    def __init__(self, region: str | None = None) -> None:
        super().__init__(KEY, "session-secret-key", region_name=region)
        self.signed: list[tuple[str, str]] = []
        self.events.register("before-send", self._note)

    def _note(self, request: AWSPreparedRequest, **_: object) -> None:
        credential = str(request.headers["Authorization"]).partition("Credential=")[2].split("/")
        self.signed.append((credential[0], credential[2]))


@pytest.fixture(autouse=True)
def _no_waits(client: Client) -> None:
    """Hurry the time of every client, and give every test a clouds."""


def without_region(clouds: SimulatedClouds) -> str:
    text = clouds.file.read_text(encoding="utf-8").replace(f"region: {REGION}", "")
    clouds.file.write_text(text, encoding="utf-8")
    return str(clouds.file)


def test_a_session_signs_everything_and_its_region_is_the_default(
    clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    session = Session(REGION)
    with Client(without_region(clouds), session=session) as client:
        assert client.deploy("my-api", "development", tag=102).succeeded
    assert set(session.signed) == {(KEY, REGION)}


def test_another_region_of_the_settings_counts_over_the_session_s(clouds: SimulatedClouds) -> None:
    session = Session("ap-south-1")
    assert ecs_cd.hold("my-api", "development", session=session).held
    assert ecs_cd.history("my-api", "development", session=session, region=REGION)
    assert set(session.signed) == {(KEY, REGION)}
    clouds.forget()
    with pytest.raises(ecs_cd.EcsCdError):
        ecs_cd.history("my-api", "development", session=session, region="us-east-1")
    assert {request.region for request in clouds.aws.requests} == {"us-east-1"}


def test_a_session_s_credentials_are_used_and_not_the_profile_of_the_settings(clouds: SimulatedClouds) -> None:
    session = Session()
    assert ecs_cd.history("my-api", "development", session=session, profile="not-there")
    assert {key for key, _ in session.signed} == {KEY}
    assert clouds.aws.requests


def test_a_role_of_the_settings_is_assumed_with_the_session_s_credentials(clouds: SimulatedClouds) -> None:
    session = Session()
    role = "arn:aws:iam::123456789012:role/deploy"
    assert ecs_cd.history("my-api", "development", session=session, role_arn=role)
    operations = [request.operation for request in clouds.aws.requests]
    assert operations[0] == "AssumeRole"
    assert session.signed[0][0] == KEY


def test_a_connection_gives_organization_and_credentials(
    clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_CD_AZURE_DEVOPS_PAT")
    text = clouds.file.read_text(encoding="utf-8").replace(f"organization: {clouds.azure.url}", "")
    clouds.file.write_text(text, encoding="utf-8")
    connection = Connection(clouds.azure.url, BasicAuthentication("", PAT))
    with Client(clouds.file, connection=connection) as client:
        assert client.deploy("my-api", "development", tag=102).succeeded
        [place] = client.status("my-api", "development")
    assert place.runs_unseen == ""


def test_a_connection_to_another_organization_is_refused_before_anything_is_sent(clouds: SimulatedClouds) -> None:
    connection = Connection("https://dev.azure.com/other", BasicAuthentication("", PAT))
    with pytest.raises(ecs_cd.WrongInput, match=r"dev\.azure\.com/other"):
        ecs_cd.deploy("my-api", "development", tag=102, connection=connection)
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


def test_something_else_is_refused() -> None:
    with pytest.raises(ecs_cd.WrongInput, match=r"`session` is a boto3\.Session"):
        Client(session="build")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ecs_cd.WrongInput, match=r"`connection` is an azure"):
        Client(connection="https://dev.azure.com/acme")


def test_a_connection_of_the_sdk_is_taken() -> None:
    arguments.check_credentials(None, Connection("https://dev.azure.com/acme", BasicAuthentication("", "x")))
