"""A connection of the SDK that the caller has: its credential is used, and it is left as it is."""

from __future__ import annotations

import logging

import pytest
import requests
from azure.devops.connection import Connection
from msrest.authentication import BasicAuthentication, BasicTokenAuthentication

from ecs_cd.azure_devops import AzureDevOpsSettings, connect
from ecs_cd.errors import BadCredentials, EcsCdError, SettingsError
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import JOB_TOKEN, PAT
from tests.support.fakes import FakeClock


@pytest.mark.parametrize(
    "credential",
    [BasicAuthentication("", PAT), BasicTokenAuthentication({"access_token": JOB_TOKEN})],
    ids=["pat", "token"],
)
def test_the_connection_s_credential_is_used(server: Server, clock: FakeClock, credential: object) -> None:
    connection = Connection(server.url, credential)
    with connect(AzureDevOpsSettings(server.url, "platform"), clock, connection) as azure:
        assert azure.find("infrastructure")
    assert connection._client_cache == {}
    assert len(server.recorder.exchanges) == 1, "no discovery"


def test_a_credential_that_changes_is_used_as_it_is_at_each_request(server: Server, clock: FakeClock) -> None:
    class Changing(BasicTokenAuthentication):
        def signed_session(self, session: requests.Session | None = None) -> requests.Session:
            self.token = {"access_token": tokens.pop(0)}
            signed: requests.Session = super().signed_session(session)
            return signed

    tokens = ["expired-0123456789", JOB_TOKEN]
    connection = Connection(server.url, Changing({"access_token": ""}))
    with connect(AzureDevOpsSettings(server.url, "platform"), clock, connection) as azure:
        with pytest.raises(BadCredentials, match="does not accept the connection's credential"):
            azure.find("infrastructure")
        assert azure.find("infrastructure")


def test_a_credential_is_not_shown_when_the_service_echoes_it(
    server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.answer("GET", "Definitions", status=400, body={"message": f"You sent {PAT}", "typeKey": "X"})
    connection = Connection(server.url, BasicAuthentication("", PAT))
    opened = connect(AzureDevOpsSettings(server.url, "platform"), clock, connection)
    with opened as azure, pytest.raises(EcsCdError) as caught:
        azure.find("infrastructure")
    assert "You sent ***" in caught.value.message
    assert PAT not in repr(vars(caught.value)) + caplog.text


def test_a_connection_to_another_organization_is_refused(clock: FakeClock) -> None:
    connection = Connection("https://dev.azure.com/other", BasicAuthentication("", PAT))
    with pytest.raises(
        SettingsError, match=r"one to 'https://dev\.azure\.com/other', not to https://dev\.azure\.com/acme"
    ):
        connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform"), clock, connection)


def test_an_organization_s_former_address_is_the_same_one(clock: FakeClock) -> None:
    connection = Connection("https://acme.visualstudio.com/", BasicAuthentication("", PAT))
    connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform"), clock, connection).close()


def test_a_connection_and_another_credential_are_not_given_together(clock: FakeClock) -> None:
    connection = Connection("https://dev.azure.com/acme", BasicAuthentication("", PAT))
    with pytest.raises(ValueError, match="credential of its own"):
        connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT), clock, connection)


def test_the_caller_s_own_clients_find_every_resource_afterwards(server: Server, clock: FakeClock) -> None:
    from azure.devops.client import Client  # noqa: PLC0415 - the cache is the process's

    with connect(
        AzureDevOpsSettings(server.url, "platform"), clock, Connection(server.url, BasicAuthentication("", PAT))
    ) as azure:
        azure.find("infrastructure")
    assert server.url.rstrip("/").lower() not in Client._locations_cache
