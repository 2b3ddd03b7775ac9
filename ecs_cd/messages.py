"""Text that names a setting, an argument, a command or a right, and leaves it to each front end how to write it.

`Message("Allow more time with ", SettingRef("timeout"), ".")` reads "... with `timeout=`." where the library is called,
"... with --timeout." at a command line, and "... with input 'timeout'." in a pipeline. A `Message` is a `str` in the
library's form, so it can stand wherever text can; `worded` gives the form of another front end. What is put together
with an f-string is plain text again: use `Message` or `sentences` where a reference must survive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from ecs_cd.sanitize import sanitize

T = TypeVar("T")


@dataclass(frozen=True)
class SettingRef:
    """A setting by its name in the table of settings, with the value to give it, if one is advised."""

    name: str
    value: str = ""


@dataclass(frozen=True)
class ArgumentRef:
    """An argument of a call that is no setting, by its name in the library: `to`, `dry_run`."""

    name: str


@dataclass(frozen=True)
class CommandRef:
    """A command by its name on the command line (`rollback`), with the service and environment it is for, if any.

    The library's function has the same name, with underscores; but `continue` is a word of Python's own.
    """

    name: str
    service: str = ""
    environment: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """Return service and environment, as far as they are given."""
        return tuple(filter(None, (self.service, self.environment)))

    @property
    def function(self) -> str:
        """Return the name of the library's function."""
        return "continue_rollout" if self.name == "continue" else self.name.replace("-", "_")


@dataclass(frozen=True)
class CallRef:
    """The call itself, by the name of its function (`deploy`, `set_parameter`), with the place it is meant for."""

    function: str
    service: str = ""
    environment: str = ""

    @property
    def command(self) -> CommandRef:
        """Return the same as a command of the command line."""
        name = _COMMANDS_OF_STEPS.get(self.function, self.function.replace("_", "-"))
        return CommandRef(name, self.service, self.environment)


_COMMANDS_OF_STEPS = {
    "get_parameter": "parameter get",
    "set_parameter": "parameter set",
    "queue_run": "pipeline queue",
    "continue_rollout": "continue",
}
"""Functions whose command has another name."""


@dataclass(frozen=True)
class Right:
    """A right in the cloud: `ecs:DescribeServices`, and the resource it is needed for (an ARN), where that is known."""

    action: str
    resource: str = ""


Reference = SettingRef | ArgumentRef | CommandRef | CallRef | Right
Wording = Callable[[Reference], str]
"""Returns how a front end writes a reference."""


def library_wording(reference: Reference) -> str:
    """Return how a reference is written to who calls the library: as a keyword argument, or a call."""
    if isinstance(reference, SettingRef):
        if reference.name == "azure_devops_pat":  # a secret: no keyword takes it
            return "`connection=` or ECS_CD_AZURE_DEVOPS_PAT"
        return f"`{reference.name}={repr(reference.value) if reference.value else ''}`"
    if isinstance(reference, ArgumentRef):
        return f"`{reference.name}=`"
    if isinstance(reference, CommandRef):
        return f"`ecs_cd.{reference.function}({', '.join(map(repr, reference.place))})`"
    if isinstance(reference, CallRef):
        return f"{reference.function}({', '.join(map(repr, reference.command.place))})"
    return right_wording(reference)


def right_wording(right: Right) -> str:
    """Return how a right is written, which is the same everywhere."""
    return f"{right.action} on {right.resource}" if right.resource else right.action


def typed(command: CommandRef) -> str:
    """Return a command as one types it: `ecs-cd rollback my-api development`."""
    return f"`{' '.join(['ecs-cd', command.name, *command.place])}`"


class Message(str):
    """Text with references in it. Its value as a `str` is the form for the library; `parts` are what it is made of."""

    __slots__ = ("parts",)
    parts: tuple[str | Reference, ...]

    def __new__(cls, *parts: str | Reference) -> Message:  # noqa: PYI034 - `Self` is newer than Python 3.10
        """Put text, references and other messages together."""
        flat: list[str | Reference] = []
        for part in parts:
            flat += part.parts if isinstance(part, Message) else [part]
        message = super().__new__(cls, "".join(_written(part, library_wording) for part in flat))
        message.parts = tuple(flat)
        return message

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return what a copy is made of."""
        return self.parts

    def worded(self, wording: Wording) -> str:
        """Return the text as plain text, with each reference written as `wording` does."""
        return "".join(_written(part, wording) for part in self.parts)


def sentences(*texts: str) -> str:
    """Return the texts that are not empty, one after another with a space between them."""
    parts: list[str] = []
    for text in filter(None, texts):
        parts += [" ", text] if parts else [text]
    return Message(*parts)


def sanitized(text: str) -> str:
    """Return text with nothing in it that an agent or a terminal would obey; its references stay."""
    if not isinstance(text, Message):
        return sanitize(text)
    return Message(*(sanitize(part) if isinstance(part, str) else part for part in text.parts))


def worded(value: T, wording: Wording) -> T:
    """Return a value (a text, or a tuple or dataclass of them) with every message as plain text in this wording."""
    if isinstance(value, Message):
        return cast("T", value.worded(wording))
    if isinstance(value, tuple):
        items = tuple(worded(item, wording) for item in value)
        return cast("T", items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value)}
        new = {name: worded(item, wording) for name, item in old.items()}
        changed = {name: item for name, item in new.items() if item is not old[name]}
        return cast("T", replace(value, **changed)) if changed else value
    return value


def _written(part: str | Reference, wording: Wording) -> str:
    return part if isinstance(part, str) else sanitize(wording(part))
