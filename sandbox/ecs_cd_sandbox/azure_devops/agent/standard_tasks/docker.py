"""`Docker@2` without Docker: what it needs is checked and its images are named, but nothing is built.

Sources: the task's `dockerbuild.ts`, `dockerpush.ts`, and `containerconnection.ts` and `dockercommandutils.ts` of
azure-pipelines-tasks-docker-common (names of images, Dockerfile, build context). An image here is the same for the same
Dockerfile and build context. A login in a step of its own lasts for the job; one by `containerRegistry` for the step.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.images import (
    Image,
    ImageName,
    LocalImages,
    Registry,
    RegistryError,
    make_image,
    parse_image_name,
)
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.patterns import files_below, select
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import Body, TaskFailed, TaskRun

NOT_BUILT = "There is no Docker in the sandbox: instead of building an image it registers one of this name in ECR."
_HUB = "index.docker.io"
_INSTRUCTION = re.compile(r"^\s*(?!#)(?P<name>[A-Za-z]+)\b", re.MULTILINE)


@dataclass(frozen=True)
class _Docker:
    """One step: what it is given, and what the job's Docker would know."""

    run: TaskRun
    images: LocalImages
    registry: Registry | None

    def build(self, arguments: str) -> str:
        """Name an image for a Dockerfile and its context, and return what Docker would print."""
        dockerfile = self._dockerfile()
        context = self._context(dockerfile)
        named = [parse_image_name(name) for name in self._names()]
        named += [parse_image_name(name) for name in _tags_among(arguments)]
        image = _image_of(dockerfile, context, arguments)
        tags = " ".join(f"-t {name}" for name in named)
        self._log(" ".join(filter(None, ("docker build -f", str(dockerfile), arguments, tags, str(context)))))
        self.images.add(ImageName(image.digest[7:19]), image)
        for name in named:
            self.images.add(name, image)
        return self._log(f"Successfully built {image.digest[7:19]}", *(f"Successfully tagged {name}" for name in named))

    def push(self) -> str:
        """Push every name, and return what Docker would print."""
        if not self.run.text("repository"):
            self.run.context.warning("No repository is specified. Nothing will be pushed.")
        outputs = [self._push(parse_image_name(name)) for name in self._names()]
        return "\n".join(outputs)

    def _push(self, name: ImageName) -> str:
        self._log(f"docker push {name}")
        image = self.images.find(name)
        if image is None:
            raise TaskFailed(f"An image does not exist locally with the tag: {name}")
        if not name.host or self.registry is None:
            raise TaskFailed(
                f"denied: requested access to the resource is denied: {name} is not in a registry of yours."
            )
        try:
            digest = self.registry.push(name, image, None)
        except RegistryError as error:
            raise TaskFailed(str(error)) from error
        return self._log(f"{name.tag}: digest: {digest} size: {len(image.manifest)}")

    def host(self) -> str:
        """Return the registry of the service connection, empty without one."""
        endpoint = self.run.connection("containerRegistry")
        if endpoint is None:
            return ""
        url = {**endpoint.parameters}.get("registry") or endpoint.url
        return (urlsplit(url).netloc if "//" in url else url).strip("/")

    def _names(self) -> list[str]:
        """Return the whole names of the image: each registry with each tag; without a registry, on this machine."""
        repository = self.run.text("repository").lower().replace(" ", "")
        if not repository:
            return []
        host = self.host()
        hosts = [host] if host else list(self.images.logins) or [_HUB]
        names = [repository if each == _HUB else f"{each}/{repository}".lower() for each in hosts]
        tags = [tag.strip() for tag in re.split(r"[\n,]+", self.run.text("tags")) if tag.strip()]
        return [f"{name}:{tag}" for name in names for tag in tags] if tags else names

    def _dockerfile(self) -> Path:
        wanted = self.run.path("Dockerfile")
        found: Path | None = wanted
        if "*" in str(wanted) or "?" in str(wanted):
            root = self.run.context.job.working_directory
            chosen = select(files_below(root), [str(wanted)], str(root))
            found = root / chosen[0] if chosen else None
        if found is None or not found.is_file():
            raise TaskFailed(f"No Dockerfile matching  {wanted}  was found.")
        instructions = [name.upper() for name in _INSTRUCTION.findall(found.read_text("utf-8", errors="replace"))]
        if "FROM" not in instructions:
            raise TaskFailed(f"failed to build: {found} has no FROM instruction, so there is no build stage in it.")
        return found

    def _context(self, dockerfile: Path) -> Path:
        """Return the build context: the Dockerfile's folder if none is given."""
        given = self.run.path("buildContext")
        context = dockerfile.parent if given == self.run.context.job.working_directory / "**" else given
        if not context.is_dir():
            raise TaskFailed(f"unable to prepare context: path {str(context)!r} not found")
        return context

    def _log(self, *lines: str) -> str:
        for line in lines:
            self.run.context.log(line)
        return "\n".join(lines)


def docker(registry: Registry | None) -> Body:
    """Return what `Docker@2` does: build, push, both, login or logout. Containers and other commands are refused."""

    def act(run: TaskRun) -> None:
        run.context.log(NOT_BUILT)
        step = _Docker(run, LocalImages(run.context.job.workspace), registry)
        try:
            _carry_out(run, step)
        except ValueError as error:
            raise TaskFailed(str(error)) from error

    return act


def _carry_out(run: TaskRun, step: _Docker) -> None:
    command, arguments = run.text("command").lower(), run.text("arguments").replace("\n", " ").strip()
    if command == "login":
        if not step.host():
            raise TaskFailed("Docker registry service connection not specified.")
        step.images.log_in(step.host())
    elif command == "logout":
        step.images.log_out(step.host())
    elif command == "build":
        _set_output(run, {"build": step.build(arguments)})
    elif command == "push":
        _set_output(run, {"push": step.push()})
    elif command == "buildandpush":
        if arguments:
            run.context.warning(
                "The arguments input is not supported when the command is buildAndPush. Ignoring the input."
            )
        _set_output(run, {"build": step.build(""), "push": step.push()})
    else:
        raise TaskFailed(f"The sandbox has no Docker to run the command {command!r} with; it only registers images.")


def _set_output(run: TaskRun, outputs: dict[str, str]) -> None:
    """Write what Docker printed to files, and name them in the task's output variable."""
    folder = run.context.job.workspace.temp / "task_outputs"
    folder.mkdir(exist_ok=True)
    paths = []
    for command, output in outputs.items():
        path = folder / f"{command}_{len(list(folder.iterdir()))}.txt"
        path.write_text(output, encoding="utf-8")
        paths.append(str(path))
    run.set_variable("DockerOutput", "\n".join(paths))


def _tags_among(arguments: str) -> list[str]:
    """Return the names that arguments of `docker build` give the image."""
    words = shlex.split(arguments)
    following = [after for word, after in pairwise(words) if word in {"-t", "--tag"}]
    return [*following, *(word.partition("=")[2] for word in words if word.startswith("--tag="))]


def _image_of(dockerfile: Path, context: Path, arguments: str) -> Image:
    digest = hashlib.sha256(dockerfile.read_bytes() + b"\0" + arguments.encode())
    for path in files_below(context):
        digest.update(path.encode() + b"\0" + hashlib.sha256((context / path).read_bytes()).digest())
    return make_image(digest.digest())
