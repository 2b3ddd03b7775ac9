from __future__ import annotations

import pytest

from ecs_cd.azure_devops import AzureDevOpsSettings, connect
from ecs_cd.errors import SettingsError
from tests.integration.azure_devops.conftest import JOB_TOKEN, PAT
from tests.support.fakes import FakeClock


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/acme",
        "https://dev.azure.com/acme/",
        "https://acme.visualstudio.com",
        "https://acme.visualstudio.com/DefaultCollection",
        "https://tfs.example.com/tfs/Default%20Collection",
        "https://tfs.example.com:8443/DefaultCollection",
        "http://127.0.0.1:8080/sandbox",
        "http://localhost/sandbox",
        "http://[::1]:8080/sandbox",
    ],
)
def test_takes_every_form_of_an_organization(url: str) -> None:
    assert AzureDevOpsSettings(url, "platform", pat=PAT).organization == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme",
        "dev.azure.com/acme",
        "http://dev.azure.com/acme",
        "http://10.0.0.1/acme",
        "http://127.0.0.1.example.com/acme",
        "ftp://dev.azure.com/acme",
        "https://dev.azure.com",
        "https://dev.azure.com/acme/platform",
        "https://dev.azure.com/acme/../other",
        "https://dev.azure.com//acme",
        "https://acme.visualstudio.com/platform",
        "https://tfs.example.com",
        "https://dev.azure.com/acme?x=1",
        "https://dev.azure.com/acme#x",
        "https://dev.azure.com/{project}",
        "https://dev.azure.com/ac me",
        "https://dev.azure.com/acme\n",
        "https://dev.azure.com:99999/acme",
        "https://[/acme",
        "https:///acme",
    ],
)
def test_refuses_what_is_no_organization(url: str) -> None:
    with pytest.raises(SettingsError):
        AzureDevOpsSettings(url, "platform", pat=PAT)


def test_does_not_repeat_a_password_in_the_url() -> None:
    with pytest.raises(SettingsError) as raised:
        AzureDevOpsSettings("https://ann:hunter22@dev.azure.com/acme", "platform", pat=PAT)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("project", ["", "..", "_x", ".x", "x.", "a/b", "a\\b", "a{b}", "a\nb", "a?b", "x" * 65])
def test_refuses_what_is_no_project(project: str) -> None:
    with pytest.raises(SettingsError):
        AzureDevOpsSettings("https://dev.azure.com/acme", project, pat=PAT)


@pytest.mark.parametrize("project", ["platform", "My Platform", "f8412c3f-77ec-5f98-b802-beb16749b405", "Größe"])
def test_takes_names_and_ids_of_projects(project: str) -> None:
    assert AzureDevOpsSettings("https://dev.azure.com/acme", project, pat=PAT).project == project


def test_asks_for_exactly_one_credential() -> None:
    with pytest.raises(SettingsError, match="none is set"):
        connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform"), FakeClock())
    with pytest.raises(SettingsError, match="two are set"):
        AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT, token=JOB_TOKEN)


@pytest.mark.parametrize("secret", [f"{PAT}\n", f" {PAT}", "pät"])
def test_refuses_a_secret_that_no_header_can_carry_without_repeating_it(secret: str) -> None:
    with pytest.raises(SettingsError) as raised:
        AzureDevOpsSettings("https://dev.azure.com/acme", "platform", token=secret)
    assert secret.strip() not in str(raised.value)


def test_shows_no_secret() -> None:
    one = AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT)
    other = AzureDevOpsSettings("https://dev.azure.com/acme", "platform", token=JOB_TOKEN)
    assert PAT not in repr(one)
    assert JOB_TOKEN not in repr(other)
