"""The name of a role's session: what is written into it comes out of a history again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.support.session_name import Author, author_of, session_name

ROLE = "arn:aws:sts::123456789012:assumed-role/deliver/"


@pytest.mark.parametrize(
    ("service", "tag", "run"),
    [("my-api", "102", "build-55"), ("s" * 100, "t" * 128, "build-" + "9" * 60), ("", "1", ""), ("a b/ü", "x:y", "#")],
)
def test_a_session_name_is_one_aws_accepts(service: str, tag: str, run: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", session_name(service, tag, run))


def test_a_long_service_gives_way_to_tag_and_run() -> None:
    assert session_name("s" * 100, "20261123.1", "release-123456").endswith(".20261123.1.release-123456")


@given(
    service=st.text(st.sampled_from("abz-._0"), max_size=80),
    tag=st.text(st.sampled_from("abz-._0"), max_size=40),
    kind=st.sampled_from(["build", "release"]),
    number=st.integers(1, 10**9),
)
def test_the_run_is_read_out_of_any_session_s_name(service: str, tag: str, kind: str, number: int) -> None:
    assert author_of(ROLE + session_name(service, tag, f"{kind}-{number}")) == Author("deliver", f"{kind} {number}")


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (ROLE + "ecs-cd.my-api.102.build-55", Author("deliver", "build 55")),
        (ROLE + "ecs-cd.my-api.1.2.3.task", Author("deliver")),
        (ROLE + "ann@example.com", Author("deliver/ann@example.com")),
        ("arn:aws:iam::123456789012:user/teams/ann", Author("teams/ann")),
        ("arn:aws-cn:iam::123456789012:root", Author("root")),
        ("N/A", Author("N/A")),
        ("", Author("")),
    ],
)
def test_who_wrote_is_told_in_the_words_of_the_arn(arn: str, expected: Author) -> None:
    assert author_of(arn) == expected
