"""Step 5 where no ECS service runs the task: the latest revision of its task definition has the image.

A scheduled task, or one that is started by hand, takes the latest revision when it starts next. That is all there is to
see: nothing rolls out, and whether the task works shows when it runs.
"""

from __future__ import annotations

from dataclasses import replace

from ecs_cd.errors import NotApplied, NotServed, RolloutFailed
from ecs_cd.messages import ArgumentRef, Message
from ecs_cd.model.image_name import ImageMatch, container_image, match_image, pinned_digest, tag_of
from ecs_cd.model.service import Serving, TaskDefinition, TaskTarget, Verdict
from ecs_cd.rollout.identity import NO_REGISTRY, Registry, with_platforms
from ecs_cd.rollout.judge import Wanted
from ecs_cd.rollout.services import Services
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_at_most

BACKOFF = Backoff(first=1.0, factor=2.0, most=4.0)
SETTLE = 7.0
"""Seconds after a run's end in which DescribeTaskDefinition may still answer as before."""


def judge_task_definition(definition: TaskDefinition | None, target: TaskTarget, wanted: Wanted) -> Verdict:
    """Return what the latest revision says of the wanted tag: DEPLOYED, SUPERSEDED or NOT_APPLIED. Pure.

    Raises:
        SettingsError: it is not clear which container is meant.
    """
    if definition is None:
        return Verdict(Serving.NOT_APPLIED, f"There is no task definition {quoted(target.family)}.")
    image = container_image(definition, target)
    sentence = f"The latest revision, {definition.name}, has {image}."
    if match_image(image, (), wanted.tag, wanted.digests) is ImageMatch.SAME:
        return Verdict(Serving.DEPLOYED, sentence, image)
    newer = wanted.order.newer(tag_of(image), str(wanted.tag))
    return Verdict(Serving.SUPERSEDED if newer else Serving.NOT_APPLIED, sentence, image)


def look_at_task_definition(
    services: Services, target: TaskTarget, wanted: Wanted, registry: Registry = NO_REGISTRY
) -> Verdict:
    """Return what the latest revision says of the wanted tag now.

    `registry`: as `judge_image` has it; asked which tags the image has where the definition pins another digest.
    """
    definition = services.task_definition(target.family)
    verdict = judge_task_definition(definition, target, wanted)
    digest = pinned_digest(verdict.image) if verdict.serving is Serving.NOT_APPLIED else ""
    if digest and wanted.index:
        wanted, _ = with_platforms(wanted, registry)
        verdict = judge_task_definition(definition, target, wanted)
    found = registry.find(verdict.image, digest) if digest and verdict.serving is Serving.NOT_APPLIED else None
    if found is None or isinstance(found, str):
        return verdict
    if str(wanted.tag) in found.tags and not wanted.built:
        return replace(verdict, serving=Serving.DEPLOYED)
    newer = any(wanted.order.newer(tag, str(wanted.tag)) for tag in found.tags)
    return replace(verdict, serving=Serving.SUPERSEDED) if newer else verdict


def follow_task_definition(
    services: Services,
    target: TaskTarget,
    wanted: Wanted,
    *,
    deadline: Deadline,
    registry: Registry = NO_REGISTRY,
) -> Verdict:
    """Return the verdict once the latest revision has the tag or a newer one; else the last, after a short wait."""
    last = look_at_task_definition(services, target, wanted, registry)
    if last.serving is not Serving.NOT_APPLIED:
        return last

    def look() -> Verdict | NotYet:
        nonlocal last
        last = look_at_task_definition(services, target, wanted, registry)
        return NOT_YET if last.serving is Serving.NOT_APPLIED else last

    wait_at_most(look, seconds=min(SETTLE, deadline.remaining()), clock=deadline.clock, backoff=BACKOFF)
    return last


def not_applied(target: TaskTarget, wanted: Wanted, verdict: Verdict) -> RolloutFailed:
    """Return the error where a run was to bring the tag to the task definition."""
    return NotApplied(
        f"The run succeeded, but it did not bring {wanted.tag} to task definition {quoted(target.family)}. "
        f"{verdict.sentence}",
        hint="Does Terraform read this very parameter, put it into this container's image, and not ignore the change "
        "(`ignore_changes` on `container_definitions`)?",
    )


def not_in_latest(target: TaskTarget, wanted: Wanted, verdict: Verdict) -> RolloutFailed:
    """Return the error for somebody who asks what the task definition has."""
    return NotServed(
        f"Task definition {quoted(target.family)} does not have {wanted.tag}. {verdict.sentence}",
        hint=Message("Deliver the tag, or correct the name with ", ArgumentRef("task_definition"), "."),
    )
