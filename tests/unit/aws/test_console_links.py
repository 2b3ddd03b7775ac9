"""Links into the AWS console of each partition."""

from __future__ import annotations

import pytest

from ecs_cd.aws.console_links import log_stream_url, service_url


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_a_console_of_its_own(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:ecs:{region}:123456789012"
    assert service_url(f"{arn}:service/dev/my-api", f"{arn}:cluster/dev") == (
        f"https://{host}/ecs/v2/clusters/dev/services/my-api/events?region={region}"
    )
    assert log_stream_url(f"{arn}:task/dev/1", region, "api", "s").startswith(f"https://{host}/cloudwatch/home?region=")


def test_names_in_a_cloudwatch_link_are_encoded_twice() -> None:
    url = log_stream_url("arn:aws:ecs:eu-west-1:1:task/dev/1", "us-east-1", "/ecs/api", "ecs/api/2026/[$LATEST]a b")
    assert url == (
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/"
        "$252Fecs$252Fapi/log-events/ecs$252Fapi$252F2026$252F$255B$2524LATEST$255Da$2520b"
    )


def test_a_service_with_an_arn_of_the_old_form_is_found_through_its_cluster() -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012"
    assert "/clusters/dev/services/my-api/" in service_url(f"{arn}:service/my-api", f"{arn}:cluster/dev")


@pytest.mark.parametrize("arn", ["", "my-api", "arn:aws-iso:ecs:us-iso-east-1:1:service/dev/my-api", "arn:aws:ecs"])
def test_where_the_console_is_not_known_there_is_no_link(arn: str) -> None:
    assert service_url(arn, arn) == ""
    assert log_stream_url(arn, "us-iso-east-1", "/ecs/api", "s") == ""


def test_hostile_names_make_no_other_address() -> None:
    arn = "arn:aws:ecs:eu-west-1:1:task/dev/1"
    url = log_stream_url(arn, "eu-west-1", "g", "\ud800 <script>\n)[x](http://evil.example)")
    assert url.isascii() and not set(url.partition("#")[2]) & set(" <>()[]\n")
