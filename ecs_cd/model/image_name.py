"""The image reference in a task definition: whose container, which repository, which tag, which digest."""

from __future__ import annotations

from ecs_cd.errors import SettingsError
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import (
    ServiceTarget,
    TaskDefinition,
)
from ecs_cd.sanitize import comma_list, quoted


def container_image(definition: TaskDefinition, target: ServiceTarget) -> str:
    """Return the image of the one container that is meant.

    By name; else the only one; else the only one whose image comes from the repository.

    Raises:
        SettingsError: no such container, or it is not clear which of several is meant; the message lists them.
    """
    names = [c.name for c in definition.containers]
    if target.container:
        found = [c for c in definition.containers if c.name == target.container]
    elif len(definition.containers) == 1:
        found = list(definition.containers)
    else:
        found = [c for c in definition.containers if repository_of(c.image) == target.repository != ""]
    if len(found) == 1:
        return found[0].image
    if target.container:
        problem = f"has no container {quoted(target.container)}; it has {comma_list(names)}"
    else:
        problem = f"has several containers ({comma_list(names)}) and it is not clear which one carries the tag"
    raise SettingsError(
        f"Task definition {definition.name} of service {quoted(target.service)} {problem}.",
        hint=Message("Name the container with ", SettingRef("container"), ", or under `ecs:` in the settings file."),
    )


def matches_image(image: str, tag: ImageTag, digest: str = "") -> bool:
    """Return whether an image reference names the wanted digest or, where either has none, carries the wanted tag."""
    _, pinned, named = image.partition("@")
    if pinned and digest:
        return named == digest
    return tag_of(image) == str(tag)


def tag_of(image: str) -> str:
    """Return the tag of an image reference; empty where it has none. A port of the registry's host is not a tag."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def repository_of(image: str) -> str:
    """Return the repository of an image reference without its registry host."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else path
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
