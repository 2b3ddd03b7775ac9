"""Links into the AWS console.

Each partition has a console of its own; that of a region has the region in its host (AWS General Reference, "AWS
Management Console endpoints"; for the other partitions see docs/real-services.md). A name in the fragment of a
CloudWatch link is percent-encoded twice, and the percent signs become `$`.
"""

from __future__ import annotations

from urllib.parse import quote

_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def service_url(service_arn: str, cluster_arn: str) -> str:
    """Return the page of an ECS service with its events; empty for a partition whose console is not known."""
    home = _home(service_arn, _region(service_arn))
    cluster, service = _name(cluster_arn), _name(service_arn)
    if not (home and cluster and service):
        return ""
    path = f"ecs/v2/clusters/{quote(cluster, safe='')}/services/{quote(service, safe='')}/events"
    return f"{home}/{path}?region={_region(service_arn)}"


def log_stream_url(arn: str, region: str, group: str, stream: str) -> str:
    """Return the page of a log stream; `arn` is one of the same partition. Empty where its console is not known."""
    home = _home(arn, region)
    if not home:
        return ""
    path = f"log-groups/log-group/{_twice_encoded(group)}/log-events/{_twice_encoded(stream)}"
    return f"{home}/cloudwatch/home?region={region}#logsV2:{path}"


def _home(arn: str, region: str) -> str:
    partition = arn.split(":")[1] if arn.count(":") >= 5 else ""  # noqa: PLR2004 - an ARN has six parts
    return f"https://{region}.{_HOSTS[partition]}" if region and partition in _HOSTS else ""


def _region(arn: str) -> str:
    return arn.split(":")[3] if arn.count(":") >= 5 else ""  # noqa: PLR2004 - an ARN has six parts


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _twice_encoded(text: str) -> str:
    # A lone surrogate cannot be encoded; a name with one is none that AWS allows.
    once = quote(text.encode("utf-8", "replace"), safe="")
    return quote(once, safe="").replace("%", "$")
