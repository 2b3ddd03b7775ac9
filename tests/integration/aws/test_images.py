from __future__ import annotations

import pytest

from ecs_cd.aws import Aws
from ecs_cd.aws.images import platform_digests
from ecs_cd.errors import AccessDenied, ImageMissing, Unreachable
from ecs_cd.model.image import ImageRef, ImageRepository, ImageTag
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws.faults import ErrorAnswer, Truncated


def test_an_image_is_found_by_its_tag_with_its_digest_in_one_request(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    digest = aws.push_image("my-api", "226")
    aws.forget_requests()
    found = adapter.images.find(ImageRef("my-api", ImageTag("226")))
    assert found is not None
    assert (found.digest, found.pushed_at is not None) == (digest, True)
    assert [request.operation for request in aws.requests] == ["DescribeImages"]


def test_a_tag_that_was_never_pushed_is_none(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    assert adapter.images.find(ImageRef("my-api", ImageTag("226"))) is None


def test_a_missing_repository_is_named(adapter: Aws) -> None:
    with pytest.raises(ImageMissing, match=r"repository 'my-app' \(eu-west-1\): there is no such repository"):
        adapter.images.find(ImageRef("my-app", ImageTag("226")))


def test_a_registry_of_another_account_and_region_is_asked_there(aws: Cloud, adapter: Aws) -> None:
    with pytest.raises(ImageMissing, match=r"of account 210987654321 \(us-east-2\)"):
        adapter.images.find(ImageRef("my-api", ImageTag("226"), registry_id="210987654321", region="us-east-2"))
    asked = aws.requests[-1]
    assert (asked.region, asked.parameters["registryId"]) == ("us-east-2", "210987654321")


def test_a_missing_right_names_the_action(aws: Cloud, adapter: Aws) -> None:
    said = (
        "User: arn:aws:sts::123456789012:assumed-role/ci/x is not authorized to perform: ecr:DescribeImages on "
        "resource: arn:aws:ecr:eu-west-1:123456789012:repository/my-api with an explicit deny"
    )
    aws.inject("ecr", "DescribeImages", ErrorAnswer("AccessDeniedException", said))
    with pytest.raises(AccessDenied) as caught:
        adapter.images.find(ImageRef("my-api", ImageTag("226")))
    assert "assumed-role/ci/x to perform ecr:DescribeImages on arn:aws:ecr" in caught.value.message
    assert "with an explicit deny" in caught.value.message
    assert "Allow ecr:DescribeImages" in caught.value.hint


def test_an_answer_that_breaks_off_is_not_taken_for_an_answer(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    aws.push_image("my-api", "226")
    aws.inject("ecr", "DescribeImages", Truncated())
    with pytest.raises(Unreachable, match="find image tag '226'"):
        adapter.images.find(ImageRef("my-api", ImageTag("226")))


def test_an_index_is_told_from_an_image_and_its_platforms_are_asked_for_apart(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    index = aws.push_index("my-api", "226")
    aws.forget_requests()
    reference = ImageRef("my-api", ImageTag("226"))
    found = adapter.images.find(reference)
    assert found is not None
    assert (found.digest, found.is_index) == (index.digest, True)
    assert [request.operation for request in aws.requests] == ["DescribeImages"]
    assert set(adapter.images.platforms(reference.where, found.digest)) == set(index.platforms.values())
    assert [request.operation for request in aws.requests] == ["DescribeImages", "BatchGetImage"]


def test_where_the_platforms_may_not_be_seen_the_action_is_named(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    index = aws.push_index("my-api", "226")
    said = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:BatchGetImage"
    aws.inject("ecr", "BatchGetImage", ErrorAnswer("AccessDeniedException", said))
    with pytest.raises(AccessDenied, match="ecr:BatchGetImage"):
        adapter.images.platforms(ImageRepository("my-api"), index.digest)


@pytest.mark.parametrize(
    "manifest", ["", "null", "{}", '{"manifests": 7}', '{"manifests": [7, {"digest": "sha256:no"}]}']
)
def test_what_is_no_index_has_no_platforms(manifest: str) -> None:
    assert platform_digests(manifest) == ()


def test_a_digest_is_found_with_the_tags_it_has_now(aws: Cloud, adapter: Aws) -> None:
    aws.create_repository("my-api")
    old = aws.push_image("my-api", "226")
    new = aws.push_image("my-api", "226", content="again")
    aws.forget_requests()
    repository = ImageRepository("my-api")
    found, before = adapter.images.find_digest(repository, new), adapter.images.find_digest(repository, old)
    assert (found and found.tags, before and before.tags) == (("226",), ())
    assert adapter.images.find_digest(repository, "sha256:" + "0" * 64) is None
    assert [request.operation for request in aws.requests] == ["DescribeImages"] * 3
