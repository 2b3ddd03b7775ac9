"""The image is in ECR before anything changes (rule 2)."""

from __future__ import annotations

import pytest

from ecs_cd.errors import AccessDenied, DeadlineReached, ImageMissing, Throttled
from ecs_cd.image.check import check_image, unchecked_image
from ecs_cd.model.image import CheckedImage, ImageRef, ImageTag
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import EPOCH, FakeClock, FakeImages

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
TAG = ImageTag("226")
API = ImageRef("team/api", TAG)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def images() -> FakeImages:
    images = FakeImages()
    images.push("team/api", "225", TWO)
    return images


def checked(images: FakeImages, clock: FakeClock, image: ImageRef = API, *, wait: float = 0) -> CheckedImage:
    return check_image(images, image, deadline=Deadline.after(120, clock), wait=wait)


def test_the_digest_and_push_time_are_taken_down(images: FakeImages, clock: FakeClock) -> None:
    images.push("team/api", "226", ONE)
    assert checked(images, clock) == CheckedImage(TAG, ONE, EPOCH)


def test_a_tag_that_is_not_there_is_an_error_at_once(images: FakeImages, clock: FakeClock) -> None:
    with pytest.raises(ImageMissing, match=r"repository 'team/api' has no image tagged '226'\.") as caught:
        checked(images, clock)
    assert "account" not in caught.value.message
    assert clock.slept == []


def test_the_message_names_the_account_of_another_registry(images: FakeImages, clock: FakeClock) -> None:
    with pytest.raises(ImageMissing, match="in account 123456789012"):
        checked(images, clock, ImageRef("team/api", TAG, registry_id="123456789012"))


def test_a_missing_repository_is_the_registrys_own_error(images: FakeImages, clock: FakeClock) -> None:
    with pytest.raises(ImageMissing, match="no repository"):
        checked(images, clock, ImageRef("other", TAG))


def test_the_digest_the_build_pushed_must_be_the_one_there(images: FakeImages, clock: FakeClock) -> None:
    images.push("team/api", "226", ONE)
    assert checked(images, clock, ImageRef("team/api", TAG, digest=ONE)).digest == ONE
    with pytest.raises(ImageMissing, match="another image") as caught:
        checked(images, clock, ImageRef("team/api", TAG, digest=TWO))
    assert ONE in caught.value.message
    assert TWO in caught.value.message


def test_replication_is_waited_for(images: FakeImages, clock: FakeClock) -> None:
    clock.later(20, lambda: images.push("team/api", "226", ONE))
    assert checked(images, clock, wait=60).digest == ONE
    assert len(images.calls) > 2


def test_an_image_that_is_there_is_not_waited_for(images: FakeImages, clock: FakeClock) -> None:
    images.push("team/api", "226", ONE)
    assert checked(images, clock, wait=60).digest == ONE
    assert clock.slept == []


def test_waiting_ends_with_what_was_waited_for_and_how_long(images: FakeImages, clock: FakeClock) -> None:
    with pytest.raises(ImageMissing, match=r"226' \(waited 1 min\)"):
        checked(images, clock, wait=60)
    assert sum(clock.slept) >= 60


def test_waiting_never_passes_the_deadline(images: FakeImages, clock: FakeClock) -> None:
    with pytest.raises(DeadlineReached, match="waiting for image team/api:226"):
        checked(images, clock, wait=1000)
    assert sum(clock.slept) == pytest.approx(120)


def test_a_throttled_look_is_not_the_end_of_the_wait(images: FakeImages, clock: FakeClock) -> None:
    images.push("team/api", "226", ONE)
    images.fail("find", Throttled("Slow down."))
    assert checked(images, clock, wait=60).digest == ONE


def test_a_registry_that_says_no_is_not_asked_again(images: FakeImages, clock: FakeClock) -> None:
    images.fail("find", AccessDenied("No."))
    with pytest.raises(AccessDenied):
        checked(images, clock, wait=60)
    assert images.calls == ["find"]


def test_who_chooses_not_to_look_gets_no_digest() -> None:
    assert unchecked_image(TAG) == CheckedImage(TAG, "", None)
