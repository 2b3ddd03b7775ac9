"""The image reference in a task definition: whose container, which repository, which tag, which digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from ecs_cd.errors import SettingsError
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import ImageRepository, ImageTag
from ecs_cd.model.service import Container, ServiceTarget, TaskDefinition, TaskTarget
from ecs_cd.sanitize import comma_list, quoted

_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/.+"
)


def container_image(definition: TaskDefinition, target: ServiceTarget | TaskTarget) -> str:
    """Return the image of the one container that is meant.

    By name; else the only one; else the one whose image comes from the repository, or several with the same image.

    Raises:
        SettingsError: no such container, or it is not clear which of several is meant; the message lists them.
    """
    meant = containers_of(definition, target)
    if meant:
        return meant[0].image
    names = [c.name for c in definition.containers]
    if target.container:
        problem = f"has no container {quoted(target.container)}; it has {comma_list(names)}"
    else:
        problem = f"has several containers ({comma_list(names)}) and it is not clear which one carries the tag"
    whose = f" of service {quoted(target.service)}" if isinstance(target, ServiceTarget) else ""
    raise SettingsError(
        f"Task definition {definition.name}{whose} {problem}.",
        hint=Message("Name the container with ", SettingRef("container"), ", or under `ecs:` in the settings file."),
    )


def containers_of(definition: TaskDefinition, target: ServiceTarget | TaskTarget) -> tuple[Container, ...]:
    """Return the containers that are meant, as `container_image` finds them; none where that is not clear.

    Several from the repository are meant together where they have the same image: all of them carry the tag.
    """
    if target.container:
        found = [c for c in definition.containers if c.name == target.container]
    elif len(definition.containers) == 1:
        found = list(definition.containers)
    else:
        found = [c for c in definition.containers if repository_of(c.image) == target.repository != ""]
    return tuple(found) if len({c.image for c in found}) == 1 else ()


class ImageMatch(Enum):
    """What a container runs, compared with what it should. RETAGGED: the tag is right, and the image is another."""

    SAME = "same"
    RETAGGED = "retagged"
    OTHER = "other"


def match_image(image: str, running: Sequence[str], tag: ImageTag, accepted: Sequence[str]) -> ImageMatch:
    """Compare by digest where both sides have one, and else by tag.

    `image` is the reference in the task definition, `running` the digests that ECS says the container runs, `accepted`
    those under which the wanted image may run.
    """
    known = known_digests(image, running)
    same_tag = tag_of(image) == str(tag)
    if known and accepted:
        if set(known) <= set(accepted):
            return ImageMatch.SAME
        return ImageMatch.RETAGGED if same_tag else ImageMatch.OTHER
    return ImageMatch.SAME if same_tag else ImageMatch.OTHER


def known_digests(image: str, running: Sequence[str]) -> tuple[str, ...]:
    """Return the digests that run: those that ECS shows, else the one that the reference pins; empty: not known."""
    return tuple(running) or tuple(filter(None, [pinned_digest(image)]))


def pinned_digest(image: str) -> str:
    """Return the digest that an image reference names, in lower case; empty where it has none."""
    return image.partition("@")[2].lower()


def tag_of(image: str) -> str:
    """Return the tag of an image reference; empty where it has none. A port of the registry's host is not a tag."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def repository_in(image: str, otherwise: ImageRepository) -> ImageRepository:
    """Return the repository of ECR that an image reference names; `otherwise` where it names another registry."""
    if match := _ECR.fullmatch(image):
        return ImageRepository(repository_of(image), match["account"], match["region"])
    return otherwise


def repository_of(image: str) -> str:
    """Return the repository of an image reference without its registry host."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else path
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
