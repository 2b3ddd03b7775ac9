"""`ECRPushImage@1` of the AWS toolkit without Docker: an image the job built is given to the registry.

Source: the toolkit's `ECRPushImage/TaskOperations.ts`.
"""

from __future__ import annotations

import re

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AssumeRole, AwsLogin, aws_login
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.docker import NOT_BUILT
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.images import (
    Image,
    ImageName,
    LocalImages,
    Registry,
    RegistryError,
    parse_image_name,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import Body, TaskFailed, TaskRun


def ecr_push_image(registry: Registry | None, assume_role: AssumeRole | None) -> Body:
    """Return what the task does; without a registry it says so and fails."""

    def act(run: TaskRun) -> None:
        run.context.log(NOT_BUILT)
        if registry is None:
            raise TaskFailed("The sandbox was given no registry to push images to.")
        try:
            _push(run, registry, aws_login(run, assume_role))
        except (RegistryError, ValueError) as error:
            raise TaskFailed(str(error)) from error

    return act


def _push(run: TaskRun, registry: Registry, login: AwsLogin) -> None:
    context, images = run.context, LocalImages(run.context.job.workspace)
    source, image = _source(run, images)
    if not login.region:
        raise TaskFailed("There is no AWS region: give regionName, or set the variable AWS.Region.")
    context.log("Obtaining authentication token for ECR login")
    repository = run.required("repositoryName")
    if run.switch("forceDockerNamingConventions"):
        repository = re.sub(r"[^a-z0-9-_.]", "", repository.lower())
    target = parse_image_name(f"{registry.host(login)}/{_tagged(repository, run.text('pushTag'))}")
    if run.switch("autoCreateRepository"):
        context.log(f"Testing existence of repository '{repository}'")
        if not registry.has(login, repository):
            context.log("Repository not found, attempting to create")
            registry.create(login, repository)
    context.log(f"Adding tag '{target}' to image '{source}'")
    images.add(target, image)
    context.log(f"Pushing image '{target}' to Elastic Container Registry")
    digest = registry.push(target, image, login)
    context.log(f"{target.tag}: digest: {digest} size: {len(image.manifest)}")
    _finish(run, images, target, source, image)


def _tagged(name: str, tag: str) -> str:
    return f"{name}:{tag}" if tag else name


def _source(run: TaskRun, images: LocalImages) -> tuple[str, Image]:
    """Return the name or id of the image to push, and the image."""
    if run.text("imageSource").lower() == "imagename":
        name = parse_image_name(_tagged(run.required("sourceImageName"), run.text("sourceImageTag") or "latest"))
        run.context.log(f"Pushing image '{name}'")
        source, found = str(name), images.find(name)
    else:
        source = run.required("sourceImageId")
        run.context.log(f"Pushing image with ID '{source}'")
        found = images.find_by_id(source)
    if found is None:
        raise TaskFailed(f"Error response from daemon: No such image: {source}. No step of this job has built it.")
    return source, found


def _finish(run: TaskRun, images: LocalImages, target: ImageName, source: str, image: Image) -> None:
    output = run.text("outputVariable")
    if output:
        run.context.log(f"Setting output variable {output} with the pushed image tag {target}")
        run.set_variable(output, str(target))
    if run.switch("removeDockerImage"):
        run.context.log(f"Removing image '{source}' and untagging any references to the image")
        images.remove(image)
    run.context.log("Successfully completed sending the message")
