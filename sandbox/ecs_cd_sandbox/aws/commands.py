"""What `ecs-cd sandbox` lets its user choose in a running sandbox: each is a method of `EcsScheduler` or `Aws`."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.aws.control import Command
from ecs_cd_sandbox.aws.ecs_scheduler import EcsScheduler
from ecs_cd_sandbox.aws.server import Aws


def commands(aws: Aws, scheduler: EcsScheduler) -> dict[str, Command]:
    """Return the commands of one sandbox, by name."""

    def behave(rollout: str, **chosen: Any) -> str:  # noqa: ANN401 - the method's own parameters
        scheduler.behave(rollout, **chosen)
        return f"Deployments{_of(chosen)} now go: {rollout}."

    def answer_hooks(status: str, **chosen: Any) -> str:  # noqa: ANN401 - likewise
        scheduler.answer_hooks(status, **chosen)
        return f"Lambda hooks{_of(chosen)} now answer {status}."

    def push(repository: str, tag: str, *, content: str = "", index: bool = False) -> str:
        if repository not in _repositories(aws):
            raise ValueError(f"there is no repository {repository!r}: choose one of {', '.join(_repositories(aws))}")
        if index:
            pushed = aws.push_index(repository, tag, content=content)
            platforms = "".join(f"\n  {platform} {digest}" for platform, digest in pushed.platforms.items())
            return f"{repository}:{tag} is {pushed.digest}{platforms}"
        return f"{repository}:{tag} is {aws.push_image(repository, tag, content=content)}"

    def alarm(name: str, *, ringing: bool = True) -> str:
        aws.set_alarm(name, ringing=ringing)
        return f"The alarm {name} is in the state {'ALARM' if ringing else 'OK'}."

    def forget() -> str:
        scheduler.forget()
        return "Every deployment goes well again, and every hook succeeds."

    return {"behave": behave, "answer-hooks": answer_hooks, "push": push, "alarm": alarm, "forget": forget}


def _of(chosen: dict[str, Any]) -> str:
    return "".join(f" of {kind} {chosen[kind]}" for kind in ("service", "tag", "stage") if chosen.get(kind))


def _repositories(aws: Aws) -> list[str]:
    return [one["repositoryName"] for one in aws.client("ecr").describe_repositories()["repositories"]]
