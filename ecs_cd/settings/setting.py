"""The type of a row in the table of settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """What a setting's value is. A duration is `90`, `90s`, `5m` or `1h30m`; a map is given as NAME=VALUE, repeated."""

    TEXT = "text"
    SWITCH = "switch"
    DURATION = "duration"
    MAP = "map"


class Section(str, Enum):
    """Where in the file a setting stands. CALL: not in the file, since it belongs to one call.

    SERVICE: under `defaults`, `services.<name>` and `environments.<name>.services.<name>`.
    """

    TOP = "top"
    SERVICE = "service"
    ENVIRONMENT = "environment"
    CALL = "call"


class Group(str, Enum):
    """What a setting is about; in the form of the task it stands in the group of inputs of this name, if there is one.

    CALL: what is delivered where. PROMOTION: from where, and when.
    """

    CALL = "call"
    PROMOTION = "promotion"
    AWS = "aws"
    PARAMETER = "parameter"
    IMAGE = "image"
    PIPELINE = "pipeline"
    ROLLOUT = "rollout"
    ADVANCED = "advanced"


@dataclass(frozen=True)
class TaskInput:
    """How a setting is shown in the form of the Azure Pipelines task.

    `more` is Markdown, shown after the setting's own help. `name` is the input's, where it is not the setting's in
    camel case. `options` are the labels of the setting's choices. `default` describes what is used if neither the
    input nor the settings file has a value, unless that is the setting's default. `listed`: Azure DevOps offers a list,
    from a data source of `task.json`.
    """

    label: str
    more: str = ""
    name: str = ""
    options: tuple[str, ...] = ()
    default: str = ""
    listed: bool = False


@dataclass(frozen=True)
class Setting:
    """One setting.

    `name` is its keyword in the library; `key` its key within its section of the file (`ecs.cluster`), if that is not
    the name. `check` returns what is wrong with a text, or nothing. `choices` are all that it may be; `enum` is their
    type, if they have one. `fallbacks` are variables that the file overrides. `numeric`: the text may also be a
    number; `least` is a duration's smallest value in seconds. `needed_by` are the steps that cannot do without it.
    `task_input` is None for a secret alone.
    """

    name: str
    section: Section
    group: Group
    help: str
    kind: Kind = Kind.TEXT
    key: str = ""
    flag: str = ""
    metavar: str = ""
    check: Callable[[str], str] | None = None
    choices: tuple[str, ...] = ()
    enum: type[Enum] | None = None
    default: str = ""
    fallbacks: tuple[str, ...] = ()
    numeric: bool = False
    least: int = 0
    needed_by: tuple[str, ...] = ()
    task_input: TaskInput | None = None

    @property
    def secret(self) -> bool:
        """Return whether the value comes from the environment only: no key, no flag, no keyword, no input."""
        return self.task_input is None

    @property
    def path(self) -> str:
        """Return the key within its section."""
        return self.key or self.name

    @property
    def switch(self) -> str:
        """Return the flag or argument of the command line; secrets have none."""
        return "" if self.secret else self.flag or "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return the environment variable."""
        return f"ECS_CD_{self.name.upper()}"

    @property
    def input_name(self) -> str:
        """Return the name of the task's input; secrets have none."""
        return (self.task_input.name or camel_case(self.name)) if self.task_input else ""


def camel_case(name: str) -> str:
    """Return a name as the task's inputs are written: `wait_for_image` is `waitForImage`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
