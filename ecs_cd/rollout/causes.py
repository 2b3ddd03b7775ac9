"""Which containers made a task stop, and which were only stopped with it. Pure.

When an essential container ends, ECS stops the others of its task: SIGTERM, and SIGKILL when the stop timeout is over.
Their exit codes, 143 and 137, then say nothing of the cause; nor do any where ECS, or a person, stopped the task.
Sources: docs/real-services.md.
"""

from __future__ import annotations

from ecs_cd.model.stopped_task import StoppedContainer, StoppedTask

_KILLED = 137
_TERMINATED = 143
_STOPPED = (_TERMINATED, _KILLED)
_MEANINGS = {
    126: "its command cannot be run",
    127: "its command was not found",
    134: "SIGABRT",
    _KILLED: "SIGKILL: out of memory, or it did not stop in time",
    139: "SIGSEGV",
    _TERMINATED: "SIGTERM",
}
"""What exit codes mean whatever the program: those of Docker itself, and 128 + the number of a signal."""

_BY_ITSELF = ("", "EssentialContainerExited", "TaskFailedToStart")
"""Stop codes of tasks that nobody meant to stop; empty where ECS says none."""


def causes(task: StoppedTask, application: str = "") -> tuple[StoppedContainer, ...]:
    """Return the containers that made the task stop, the application's first; none where they did not.

    `application` is the name of its container, where it is known.
    """
    found = [one for one in task.containers if one.unhealthy or _says_why(one)]
    if task.stop_code in _BY_ITSELF:
        found += [one for one in task.containers if one not in found and _failed(one)]
        if not any(one.essential for one in found):
            found = [*_ended_first(task), *found]
    return tuple(sorted(found, key=lambda one: (not one.essential, one.name != application)))


def stopped_with_it(task: StoppedTask) -> tuple[StoppedContainer, ...]:
    """Return the containers that ECS stopped because of another's end."""
    blamed = causes(task)
    return tuple(one for one in task.containers if blamed and one not in blamed and one.exit_code in _STOPPED)


def worth_reading(task: StoppedTask, application: str = "") -> tuple[StoppedContainer, ...]:
    """Return the containers whose logs may say why the task stopped, the likeliest first; none where nothing failed."""
    blamed = causes(task, application)
    if blamed or not _failed_a_check(task):
        return blamed
    essential = [one for one in task.containers if one.essential]
    return tuple(sorted(essential, key=lambda one: one.name != application))


def severity(task: StoppedTask) -> int:
    """Return how much the task says of a failure, least first: it failed by itself, failed a check, was stopped."""
    if causes(task) or task.stop_code == "TaskFailedToStart":
        return 0
    return 1 if _failed_a_check(task) else 2


def is_scaled_in(task: StoppedTask) -> bool:
    """Return whether ECS stopped a healthy task, as it does once a deployment has ended: that explains nothing."""
    return task.stop_code == "ServiceSchedulerInitiated" and not causes(task) and not _failed_a_check(task)


def describe_stop(task: StoppedTask, application: str = "") -> str:
    """Return why a task stopped, in a line: the cause first, in half a sentence what was stopped with it."""
    parts = [part for one in causes(task, application) if (part := _describe(one, task))]
    others = [one.name for one in stopped_with_it(task)]
    if others:
        parts.append(f"{' and '.join(others)} {'were' if len(others) > 1 else 'was'} stopped with it")
    return f"task stopped: {'; '.join([task.reason, *parts])}"


def _describe(container: StoppedContainer, task: StoppedTask) -> str:
    """Return what a container came to; empty where the task's reason says it already."""
    reason = "" if container.reason in task.reason else container.reason
    if container.exit_code is None:
        return f"{container.name}: {reason}" if reason else ""
    if not reason and container.unhealthy:
        return f"{container.name}: its health check failed"
    why = reason or ("" if container.reason else _MEANINGS.get(container.exit_code, ""))
    return f"{container.name}: exit code {container.exit_code}{f' ({why})' if why else ''}"


def _says_why(container: StoppedContainer) -> bool:
    """Return whether ECS gives a reason, such as `OutOfMemoryError`, for this very container."""
    return bool(container.reason)


def _failed(container: StoppedContainer) -> bool:
    return container.exit_code not in (None, 0, *_STOPPED)


def _ended_first(task: StoppedTask) -> list[StoppedContainer]:
    """Return the essential containers that may have ended first, where none of them failed by its exit code.

    One that ended well may have done so by itself, and one that was killed may have had no memory left: neither can be
    told from one that was stopped. One that SIGTERM ended was stopped, unless there is no other.
    """
    essential = [one for one in task.containers if one.essential and one.exit_code is not None]
    return [one for one in essential if one.exit_code != _TERMINATED] or essential


def _failed_a_check(task: StoppedTask) -> bool:
    return "health check" in task.reason.lower()
