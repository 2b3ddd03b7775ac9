"""The agent's proxy and certificates, with a real forward proxy and real TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.azure_task.library_side import DIRECT, Task
from tests.integration.azure_task.proxy import Place, Proxy, behind_tls, proxying
from tests.support.simulated_clouds import SimulatedClouds

AZURE = "azure.example.test"
AWS = "aws.example.test"
LOGIN = ("agent", "p@ss:w0rd/%-of-the-proxy")


def place(url: str) -> Place:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


@pytest.fixture
def remote(task: Task, clouds: SimulatedClouds, tmp_path: Path) -> Iterator[tuple[dict[str, Place], Path]]:
    """Both clouds under names that only a proxy knows: AWS without TLS, Azure DevOps with a certificate of its own."""
    with behind_tls(AZURE, place(clouds.azure.url), tmp_path) as (tls, certificate):
        path = urlsplit(clouds.azure.url).path
        task.environ["SYSTEM_COLLECTIONURI"] = f"https://{AZURE}{path}/"
        task.environ["AWS_ENDPOINT_URL"] = f"http://{AWS}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            task.environ.pop(name, None)
        yield {AZURE: tls, AWS: place(clouds.aws.url)}, certificate


def given(proxy: Proxy, **more: object) -> dict[str, object]:
    return {"url": proxy.url, "username": "", "password": "", "bypass": [], **more}


def test_both_clouds_are_reached_through_a_proxy_that_wants_a_login(
    task: Task, clouds: SimulatedClouds, remote: tuple[dict[str, Place], Path]
) -> None:
    hosts, certificate = remote
    user, password = LOGIN
    task.environ["SYSTEM_DEBUG"] = "true"
    with proxying(hosts, f"{user}:{password}") as proxy:
        agent = given(proxy, username=user, password=password)
        ran = task("deploy", {**DIRECT, "tag": "102"}, proxy=agent, caFile=str(certificate))
    ran.ended("Succeeded")
    assert clouds.serves() == "102"
    assert f"CONNECT {AZURE}:443" in proxy.asked
    assert any(asked.startswith(f"POST http://{AWS}/") for asked in proxy.asked)
    assert proxy.refused == []
    for secret in (password, "p%40ss%3Aw0rd"):
        assert secret not in ran.told


def test_a_proxy_that_refuses_is_told(
    task: Task, clouds: SimulatedClouds, remote: tuple[dict[str, Place], Path]
) -> None:
    hosts, certificate = remote
    with proxying(hosts, "agent:right") as proxy:
        ran = task("deploy", {**DIRECT, "tag": "102"}, proxy=given(proxy), caFile=str(certificate))
    ran.ended("Failed")
    assert proxy.asked == []
    assert clouds.writes() == []


def test_a_certificate_nobody_vouches_for_is_refused_even_where_the_agent_would_not(
    task: Task, clouds: SimulatedClouds, remote: tuple[dict[str, Place], Path]
) -> None:
    hosts, _ = remote
    with proxying(hosts) as proxy:
        ran = task("deploy", {**DIRECT, "tag": "102"}, proxy=given(proxy), skipCertificateValidation=True)
    ran.ended("Failed", AZURE)
    assert "skip the validation of certificates" in ran.out
    assert "--sslcacert" in ran.out
    assert clouds.azure.recorder.exchanges == []


def test_loopback_is_never_proxied(task: Task, clouds: SimulatedClouds) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        task.environ.pop(name, None)
    with proxying({}) as proxy:
        task("deploy", {**DIRECT, "tag": "102"}, proxy=given(proxy)).ended("Succeeded")
        task.environ |= {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url}
        task("verify", {**{n: DIRECT[n] for n in ("service", "environment", "cluster")}, "tag": "102"})
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("pattern", "direct"),
    [
        (re.escape(AWS), True),
        (r"^http://aws\.", True),
        (r"AWS\.EXAMPLE", True),
        (r"^aws\.", False),
        ("other", False),
        ("(", False),
    ],
)
def test_the_bypass_list_is_tried_on_each_address(
    task: Task, remote: tuple[dict[str, Place], Path], pattern: str, direct: bool
) -> None:
    hosts, _ = remote
    inputs = {name: DIRECT[name] for name in ("service", "environment", "parameter", "regionName")} | {"tag": "102"}
    with proxying(hosts) as proxy:
        ran = task("set-parameter", inputs, proxy=given(proxy, bypass=[pattern]))
    ran.ended("Failed" if direct else "SucceededWithIssues" if pattern == "(" else "Succeeded")
    assert (proxy.asked == []) is direct


def test_the_hosts_of_aws_and_azure_devops_can_be_bypassed(task: Task) -> None:
    task.environ["SYSTEM_DEBUG"] = "true"
    task.environ["SYSTEM_COLLECTIONURI"] = "https://dev.azure.com/acme/"
    proxy = {"url": "http://127.0.0.1:9", "username": "", "password": "", "bypass": [r"\.amazonaws\.com$", "AZURE"]}
    ran = task("deploy", {**DIRECT, "tag": "102"}, proxy=proxy)
    for host in (
        "ssm.eu-west-1",
        "ecs.eu-west-1",
        "api.ecr.eu-west-1",
        "sts.eu-west-1",
        "dev.azure.com",
        "169.254.169.254",
    ):
        assert host in ran.out.partition("not for ")[2]


@pytest.mark.parametrize("url", ["ftp://proxy", "http://", "http://proxy:port"])
def test_a_proxy_without_a_usable_address_is_told(task: Task, url: str) -> None:
    ran = task("deploy", {**DIRECT, "tag": "102"}, proxy={"url": url})
    ran.ended("Failed", "proxy")


def test_a_ca_file_that_is_not_there_is_told(task: Task) -> None:
    task("deploy", {**DIRECT, "tag": "102"}, caFile="/nowhere/ca.pem").ended("Failed", "CA file")
