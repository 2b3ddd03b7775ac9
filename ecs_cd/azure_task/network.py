"""The agent's proxy and certificates, for both clouds.

Both SDKs read them from the environment. That of this process is private: no other process reads or inherits it.
The agent's bypass list holds regular expressions, which no SDK knows: they are tried on every address that will be
talked to, and the hosts that match are named in NO_PROXY.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ecs_cd.azure_task.request import Proxy, Request
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted

NEVER_PROXIED = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2", "169.254.170.23")
"""Loopback, and where AWS gives a machine or a container its credentials."""

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
_SERVICES = ("ssm", "ecs", "api.ecr", "sts", "codedeploy")


def apply(request: Request, addresses: Iterable[str], environ: MutableMapping[str, str], task_log: TaskLog) -> None:
    """Let this process reach `addresses` as the agent would.

    Raises:
        SettingsError: the proxy's address or the certificate file cannot be used.
    """
    direct = list(NEVER_PROXIED)
    if request.proxy:
        url = _with_login(request.proxy, task_log)
        for name in _VARIABLES:
            _set(environ, name, url)
        direct += _bypassed(request.proxy, addresses, task_log)
        task_log.debug(f"proxy: {_shown(request.proxy)}, not for {', '.join(direct)}")
    else:
        direct += filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(","))
    _set(environ, "NO_PROXY", ",".join(dict.fromkeys(direct)))
    if request.ca_file:
        bundle = _bundle(Path(request.ca_file), Path(request.result_file))
        for name in _BUNDLES:
            environ.setdefault(name, str(bundle))
        task_log.debug(f"certificates: the usual ones and those in {request.ca_file}")
    if request.skip_certificate_validation:
        task_log.warn(
            "The agent is configured to skip the validation of certificates. ecs-cd never does: give the agent the "
            "certificate of your proxy or server as a CA file (--sslcacert), and it is trusted here too."
        )


def aws_addresses(regions: Iterable[str], environ: MutableMapping[str, str]) -> list[str]:
    """Return the addresses of the AWS services a delivery talks to in these regions."""
    found = ["https://sts.amazonaws.com"]
    for region in filter(None, regions):
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        found += [f"https://{service}.{region}.{domain}" for service in _SERVICES]
    return [*found, *filter(None, [environ.get("AWS_ENDPOINT_URL", "")])]


def _with_login(proxy: Proxy, task_log: TaskLog) -> str:
    """Return the proxy's address with user and password in it, percent-encoded; both are hidden from now on."""
    try:
        parts = urlsplit(proxy.url if "://" in proxy.url else f"http://{proxy.url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise SettingsError(
            "The agent's proxy has no usable address.", hint="Configure the agent with http://host:port."
        )
    user = proxy.username or unquote(parts.username or "")
    password = proxy.password or unquote(parts.password or "")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    task_log.hide(password, quote(password, safe=""), login)
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{login}{name}{f':{port}' if port else ''}"


def _shown(proxy: Proxy) -> str:
    return proxy.url.rpartition("@")[2]


def _bypassed(proxy: Proxy, addresses: Iterable[str], task_log: TaskLog) -> list[str]:
    """Return the hosts of the addresses that the bypass list matches.

    As on the agent itself, a pattern is searched in `scheme://host[:port]` whatever its letters' case.
    """
    patterns = []
    for pattern in proxy.bypass:
        try:
            patterns.append(re.compile(pattern, re.IGNORECASE))
        except re.error:  # noqa: PERF203 - each is judged for itself
            task_log.warn(
                f"The agent's proxy bypass list has an entry that is no regular expression: {quoted(pattern)}."
            )
    found = []
    for address in addresses:
        parts = urlsplit(address)
        if any(pattern.search(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}") for pattern in patterns):
            found.append(parts.hostname or "")
    return list(filter(None, found))


def _bundle(certificates: Path, beside: Path) -> Path:
    """Return a file beside the result file with the usual certificates and these."""
    import certifi  # noqa: PLC0415 - only an agent with a certificate of its own needs it

    try:
        added = certificates.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError(
            f"The agent's CA file {quoted(str(certificates))} cannot be read: {error.strerror}.",
            hint="Configure the agent with a readable --sslcacert.",
        ) from None
    bundle = beside.with_name(f"{beside.stem}.ca.pem")
    bundle.write_text(f"{certifi.contents()}\n{added}\n", encoding="utf-8")
    return bundle


def _set(environ: MutableMapping[str, str], name: str, value: str) -> None:
    """Set a variable; its other spelling, which some read first, goes."""
    environ.pop(name.lower(), None)
    environ[name] = value
