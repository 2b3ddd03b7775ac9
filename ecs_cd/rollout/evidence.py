"""What explains a rollout that failed: stopped tasks, the last lines of what failed in them, the service's events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ecs_cd.errors import AccessDenied, EcsCdError
from ecs_cd.model.stopped_task import StoppedContainer, StoppedTask
from ecs_cd.rollout.causes import causes, describe_stop, is_scaled_in, severity, stopped_with_it, worth_reading
from ecs_cd.rollout.logs import Logs
from ecs_cd.sanitize import single_line, without_credentials
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import run_within

LINES = 20
"""Lines of a log that a failure shows."""
CHARACTERS = 300
"""Characters of each of them."""
SECONDS = 10.0
"""The longest that logs are waited for. They are read when all else is known, and may be read after the deadline."""

_MOST_TASKS = 5
_MOST_LOGS = 3
_TASKS_PER_LOG = 2
"""Of tasks that stopped alike, the newest may not have sent its lines yet."""
_LONGEST = 2000
"""No more of a line is looked at: CloudWatch Logs takes events of a megabyte."""
_BETWEEN_WORDS = re.compile(r"[\s,;\"'&]")
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""A sequence that controls a terminal, mostly colours (ECMA-48, CSI)."""


@dataclass(frozen=True)
class ContainerEvidence:
    """A container of a stopped task. `cause`: it made the task stop, or may have. `lines` are the last that it wrote.

    `unread` says why there are no lines; empty where there are, or where the log is not known to be in CloudWatch Logs.
    `denied`: for lack of a right.
    """

    task: StoppedTask
    container: StoppedContainer
    cause: bool = True
    lines: tuple[str, ...] = ()
    unread: str = ""
    denied: bool = False


@dataclass(frozen=True)
class RolloutEvidence:
    """All that explains why a rollout did not end well.

    `tasks` are the stopped ones, each kind once, the most telling first; `containers` those of them that failed or
    were stopped with another. `events` are the service's, oldest first. `unread`: what could not be read, in sentences.
    `service_url` shows the service in the AWS console.
    """

    application: str = ""
    tasks: tuple[StoppedTask, ...] = ()
    containers: tuple[ContainerEvidence, ...] = ()
    events: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    service_url: str = ""

    @property
    def details(self) -> tuple[str, ...]:
        """Return it as lines, each once."""
        lines: list[str] = []
        for task in self.tasks:
            lines.append(describe_stop(task, self.application))
            of_task = [one for one in self.containers if one.task is task]
            lines += [f"{one.container.name} | {line}" for one in of_task for line in one.lines]
        unread = [f"({sentence})" for sentence in self.unread]
        events = [f"event: {event}" for event in self.events]
        return (*lines, *events, *unread)


def gather(
    tasks: Sequence[StoppedTask],
    logs: Logs,
    clock: Clock,
    *,
    application: str = "",
    events: tuple[str, ...] = (),
    service_url: str = "",
) -> RolloutEvidence:
    """Return the evidence of stopped tasks, newest first, with the last lines of what failed in them.

    At most three logs are read, at the same time and for ten seconds at most. What cannot be read is said, once.
    """
    kinds = _kinds(tasks, application)[:_MOST_TASKS]
    wanted = _wanted(kinds, application)
    answers = run_within(SECONDS, clock, [partial(_read, kind, one.name, logs) for kind, one in wanted], _MOST_LOGS)
    found = [
        answer or ContainerEvidence(kind[0], one, unread=f"The log of {one.name} did not come within {SECONDS:.0f} s.")
        for (kind, one), answer in zip(wanted, answers, strict=True)
    ]
    shown = {(id(kind[0]), one.name): read for (kind, one), read in zip(wanted, found, strict=True)}
    containers = [
        shown.get((id(kind[0]), one.name)) or ContainerEvidence(kind[0], one, cause=cause)
        for kind in kinds
        for one, cause in _of_interest(kind[0], application)
    ]
    return RolloutEvidence(
        application=application,
        tasks=tuple(kind[0] for kind in kinds),
        containers=tuple(containers),
        events=events,
        unread=_unread(found),
        service_url=service_url,
    )


Kind = tuple[StoppedTask, ...]
"""Tasks that stopped alike, the newest first."""


def _kinds(tasks: Sequence[StoppedTask], application: str) -> list[Kind]:
    """Return the tasks that explain something, by how they stopped, the most telling kind first."""
    kinds: dict[str, list[StoppedTask]] = {}
    for task in filter(lambda task: not is_scaled_in(task), tasks):
        kinds.setdefault(describe_stop(task, application), []).append(task)
    return sorted((tuple(kind) for kind in kinds.values()), key=lambda kind: severity(kind[0]))


def _wanted(kinds: Sequence[Kind], application: str) -> list[tuple[Kind, StoppedContainer]]:
    """Return whose logs are read, each container's of the most telling kind only."""
    wanted: dict[str, tuple[Kind, StoppedContainer]] = {}
    for kind in kinds:
        for one in worth_reading(kind[0], application):
            if one.log:
                wanted.setdefault(one.name, (kind, one))
    return list(wanted.values())[:_MOST_LOGS]


def _of_interest(task: StoppedTask, application: str) -> Iterator[tuple[StoppedContainer, bool]]:
    """Yield what failed or may say why, then what was stopped with it, each with whether it is a cause."""
    blamed = causes(task, application)
    first = blamed or worth_reading(task, application)
    yield from ((one, one in blamed) for one in first)
    yield from ((one, False) for one in stopped_with_it(task))


def _read(kind: Kind, name: str, logs: Logs) -> ContainerEvidence:
    """Return the container of the newest task of a kind that has lines, with them; nothing is raised."""
    found = ContainerEvidence(kind[0], _container(kind[0], name), cause=name in [one.name for one in causes(kind[0])])
    for task in kind[:_TASKS_PER_LOG]:
        container = _container(task, name)
        try:
            lines = logs.tail(container.log, LINES) if container.log else ()
        except AccessDenied as error:
            then = f"Allow logs:GetLogEvents to see here what {name} wrote."
            return replace(found, unread=f"{error.message} {then}", denied=True)
        except EcsCdError as error:
            return replace(found, unread=error.message)
        except Exception as error:  # noqa: BLE001 - the failure must be reported whatever a log does
            return replace(found, unread=f"The log of {name} cannot be read: {type(error).__name__}.")
        if lines:
            return replace(found, container=container, lines=tuple(map(shown_line, lines[-LINES:])))
    return replace(found, unread=_nothing_in(found.container))


def _nothing_in(container: StoppedContainer) -> str:
    log = container.log
    return f"There is nothing of {container.name} in log group {log.group}, stream {log.stream}." if log else ""


def _unread(found: Sequence[ContainerEvidence]) -> tuple[str, ...]:
    """Return why logs could not be read; a right that is missing for several, once."""
    denied = [one.unread for one in found if one.denied][:1]
    return tuple(dict.fromkeys([*denied, *(one.unread for one in found if one.unread and not one.denied)]))


def _container(task: StoppedTask, name: str) -> StoppedContainer:
    return next(one for one in task.containers if one.name == name)


def shown_line(line: str) -> str:
    """Return a line of a log as it is shown: one line, without colours or credentials, cut to a length people read."""
    plain = _ESCAPE_SEQUENCE.sub("", line[:_LONGEST]).expandtabs(4).rstrip()
    safe = without_credentials(plain)
    if len(line) > _LONGEST or len(safe) > CHARACTERS:
        # Cut between two words: half of a secret would not be recognised by what masks it.
        ends = [match.start() for match in _BETWEEN_WORDS.finditer(safe[: CHARACTERS + 1])]
        safe = f"{safe[: ends[-1] if ends else 0]} ... ({len(line)} characters)".lstrip()
    return single_line(safe)
