"""What a caller may pass to the client, checked and made into what the library works with.

A wrong value is a `WrongInput`, an unknown keyword a `TypeError`; both say what was probably meant.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ecs_cd.errors import InvalidTag, SettingsError, WrongInput
from ecs_cd.messages import ArgumentRef, CallRef, Message
from ecs_cd.model.image import ImageTag, TagEntry, TagFile
from ecs_cd.sanitize import comma_list, did_you_mean, quoted
from ecs_cd.settings import BY_NAME, Given, Section, Settings, load, values
from ecs_cd.tag.tag_file import entries_for, entry_for, read_tag_file

SettingsSource = str | os.PathLike[str] | Settings | None
"""A settings file by its path, settings that were loaded, or None for the file found upwards from here."""

Tag = str | int | ImageTag
"""A tag. Where it may be left out, None stands for that; empty text is a mistake, as of a variable that is not set."""

TagSource = str | os.PathLike[str] | TagFile
"""A tag file by its path, folder or glob (empty: the working folder), or one that was read."""

Names = str | Iterable[str]
"""Names of services or environments; one text is one name."""

Services = str | Sequence[str] | Mapping[str, Tag | None]
"""The services of one call: their tags by name (None: the tag file has it), or their names alone."""

F = TypeVar("F", bound=Callable[..., object])

_SETTINGS = tuple(name for name, setting in BY_NAME.items() if setting.section is not Section.CALL)

_OF_CALLS = (
    "service",
    "services",
    "environment",
    "environments",
    "tag",
    "tag_file",
    "or_newer",
    "to",
    "most",
    "marks",
    "dry_run",
    "watch",
    "settings",
    "session",
    "connection",
    "environ",
    "clock",
)
"""Parameters of the public functions, which may be meant by a keyword that is no setting."""

_OF_CLIENT = ("settings", "session", "connection", "environ", "clock", "access")

_MEANT = {("promote", "from_"): "promote_from", ("rollback", "tag"): "to"}
"""What is meant by a keyword of a function where no name like it is."""


def load_settings(source: SettingsSource = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file, and of the `ECS_CD_*` variables in `environ` (`os.environ` where it is None).

    `source`: the path of a settings file; None: `ECS_CD_SETTINGS`, or the `ecs-cd.yml` found upwards from the working
    folder, or no file at all. Settings that were loaded are returned as they are.

    Raises:
        WrongInput: every mistake in them is named with its place.
    """
    if isinstance(source, Settings):
        return source
    if source is None or isinstance(source, str | os.PathLike):
        return load(Path(source) if source else None, environ)
    raise WrongInput(
        f"Settings are given as the path of a file or as loaded settings, not as {_kind(source)}.",
        hint="Single settings are keyword arguments of the call, such as region='eu-west-1'.",
    )


def check_keywords(function: str, settings: Mapping[str, object]) -> None:
    """Refuse a keyword that is no setting.

    Raises:
        TypeError: there is one; the message says which was probably meant.
    """
    for name in settings:
        if name not in _SETTINGS:
            meant = _MEANT.get((function, name), name)
            candidates = [known for known in (*_SETTINGS, *_OF_CALLS) if known != name]
            raise _unexpected_keyword(function, name, did_you_mean(meant, candidates))


def check_client_keywords(unknown: Mapping[str, object]) -> None:
    """Refuse a keyword that `Client` does not take.

    Raises:
        TypeError: there is one; the message says which was probably meant.
    """
    for name in unknown:
        raise _unexpected_keyword("Client", name, did_you_mean(name, _OF_CLIENT))


def check_place(function: str, service: object, environment: object, settings: Settings) -> None:
    """Refuse what is no text, and names in the wrong order.

    Raises:
        WrongInput: as said.
    """
    for name, value in (("service", service), ("environment", environment)):
        if not isinstance(value, str):
            plural = f" {function}() is for one {name}." if isinstance(value, Iterable) else ""
            raise WrongInput(f"{function}() takes the {name} as text, not as {_kind(value)}.{plural}")
    swapped = service in settings.environments and environment in settings.services
    if swapped and service not in settings.services:
        raise WrongInput(
            Message(
                f"{quoted(str(service))} is an environment, and {quoted(str(environment))} is a service. Did you mean ",
                CallRef(function, str(environment), str(service)),
                "?",
            )
        )


def names_of(kind: str, given: object) -> tuple[str, ...]:
    """Return one or several names; `kind` is what they are: services or environments.

    Raises:
        WrongInput: one is no text.
    """
    if isinstance(given, str):
        return (given,) if given else ()
    if not isinstance(given, Iterable):
        raise WrongInput(f"The {kind} are given as text or a sequence of texts, not as {_kind(given)}.")
    names = tuple(given)
    for name in names:
        if not isinstance(name, str):
            raise WrongInput(f"The {kind} are given as texts; {_kind(name)} is among them.")
    return names


def check_credentials(session: object, connection: object) -> None:
    """Refuse what is neither None nor a `boto3.Session`, nor an azure-devops `Connection`; no SDK is imported for it.

    Raises:
        WrongInput: as said.
    """
    if session is not None and not hasattr(session, "region_name"):
        raise WrongInput(f"`session` is a boto3.Session, not {_kind(session)}.")
    sdk = sys.modules.get("azure.devops.connection")  # whoever has a connection has imported it
    if connection is not None and not (sdk and isinstance(connection, sdk.Connection)):
        raise WrongInput(f"`connection` is an azure.devops.connection.Connection, not {_kind(connection)}.")


def check_clock(clock: object) -> None:
    """Refuse what is neither None nor a clock.

    Raises:
        WrongInput: as said.
    """
    if clock is not None and not all(callable(getattr(clock, name, None)) for name in ("now", "utc", "sleep")):
        raise WrongInput(f"`clock` has the methods now, utc and sleep; {_kind(clock)} has not.")


def check_count(name: str, value: object) -> None:
    """Refuse what is no whole number from 1.

    Raises:
        WrongInput: as said.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise WrongInput(f"{name} is a whole number from 1, not {value!r}.")


def check_switches(**values: object) -> None:
    """Refuse what is not True or False: a text such as "false" would count as True.

    Raises:
        WrongInput: as said.
    """
    for name, value in values.items():
        if not isinstance(value, bool):
            raise WrongInput(f"`{name}` is True or False, not {value!r}.")


def check_watch(watch: object) -> None:
    """Refuse what cannot be called with an event.

    Raises:
        WrongInput: as said.
    """
    if not callable(watch):
        raise WrongInput(f"`watch` is a function that is called with every event, not {_kind(watch)}.")


def image_tag(tag: object, *, left_out: str = "read a tag file") -> ImageTag:
    """Return a tag; `left_out` says what is done where none is given.

    Raises:
        WrongInput: it is none.
    """
    if tag == "":
        raise WrongInput("The tag is empty. Is the variable it comes from set?", hint=f"Leave it out to {left_out}.")
    if isinstance(tag, ImageTag):
        return tag
    if isinstance(tag, str) or (isinstance(tag, int) and not isinstance(tag, bool)):
        return ImageTag(_digits(tag) if isinstance(tag, int) else tag)
    raise WrongInput(f"A tag is given as text, as a number or as an ImageTag, not as {_kind(tag)}.")


def tag_entry(service: str, tag: Tag | None, tag_file: TagSource) -> TagEntry:
    """Return the tag as given, or what a tag file says of the service if it is None.

    Raises:
        WrongInput: it is no tag, there is not exactly one tag file, or both are given.
    """
    if tag is None:
        return entry_for(_read(tag_file), service)
    given = image_tag(tag)
    if tag_file:
        raise WrongInput("Both a tag and a tag file are given.", hint="Give one of them.")
    return TagEntry(given, service)


def check_tag_given(function: str, tag: Tag | None, tag_file: TagSource) -> None:
    """Refuse a call that names neither a tag nor a tag file, where a file that happens to lie about must not count.

    Raises:
        WrongInput: neither is given.
    """
    if tag is None and not tag_file:
        raise WrongInput(
            Message(
                f"{function} needs to know which tag: give ", ArgumentRef("tag"), " or ", ArgumentRef("tag_file"), "."
            )
        )


def tag_entries(services: Services, tag_file: TagSource) -> tuple[TagEntry, ...]:
    """Return the tags of several services: those given, and from the tag file those that are not.

    Where no service is named, all images of the tag file.

    Raises:
        WrongInput: one is no tag, there is not exactly one tag file, or none is needed.
    """
    tags = dict(services) if isinstance(services, Mapping) else dict.fromkeys(names_of("services", services))
    names_of("services", tags)
    given = {service: image_tag(tag) for service, tag in tags.items() if tag is not None}
    without = [service for service in tags if service not in given]
    if tags and not without and tag_file:
        raise WrongInput("Every tag is given, and a tag file too.", hint="Leave one of them out.")
    read: dict[str, TagEntry] = {}
    if without or not tags:
        read = {entry.service: entry for entry in entries_for(_read(tag_file), without)}
    return tuple(TagEntry(given[service], service) if service in given else read[service] for service in tags or read)


def check_order_of_several(environment: object, services: object, settings: Settings) -> None:
    """Refuse a call for several services whose arguments are in the wrong order.

    Raises:
        WrongInput: as said.
    """
    if isinstance(environment, str) and not (
        environment in settings.services and environment not in settings.environments
    ):
        return
    known = comma_list(settings.environments) if settings.environments else ""
    given = quoted(environment) if isinstance(environment, str) else _kind(environment)
    meant = f" Did you mean deploy_many({services!r}, ...)?" if isinstance(services, str) and services else ""
    raise WrongInput(
        Message(
            CallRef("deploy_many"),
            f" takes the environment first, then the services; the environment cannot be {given}.{meant}",
        ),
        hint=f"There are: {known}." if known else "",
    )


def with_fallback(settings: Settings, name: str, value: str, origin: str) -> Settings:
    """Return the settings with this value where neither a keyword, nor a variable, nor the file gives one.

    Raises:
        SettingsError: the value is wrong; `origin` says whose it is.
    """
    try:
        given = Given(values.read(BY_NAME[name], value), origin)
    except ValueError as error:
        raise SettingsError(f"{origin}: {error}") from None
    return replace(settings, fallback={**settings.fallback, name: given})


def with_connection(settings: Settings, organization: str) -> Settings:
    """Return the settings for a connection of the caller's own to an organization: no token is looked for.

    Raises:
        SettingsError: the address is not one of an organization.
    """
    return with_fallback(replace(settings, token=None), "organization", organization, "the connection's address")


def describe_settings(function: F) -> F:
    """Append to a function's documentation the settings that it takes as keywords, from the table of settings."""
    if function.__doc__:  # there is none under `python -OO`
        lines = [f"    {name}: {BY_NAME[name].help}" for name in _SETTINGS]
        function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__), "", "Settings:", *lines])
    return function


def _read(source: TagSource) -> TagFile:
    if isinstance(source, TagFile):
        return source
    if not isinstance(source, str | os.PathLike):
        raise WrongInput(f"A tag file is given as a path, not as {_kind(source)}.")
    return read_tag_file(os.fspath(source) or ".")


def _unexpected_keyword(function: str, name: str, probably: str) -> TypeError:
    return TypeError(f"{function}() got an unexpected keyword argument {name!r}.{probably}")


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes no number of more than some thousand digits
        raise InvalidTag(
            "The number has too many digits for a Docker image tag.", hint="A tag has at most 128."
        ) from None
