"""The public face: what `import ecs_cd` offers, and that everything a reader may meet is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import ecs_cd
import ecs_cd_sandbox

MODULES = sorted(
    found.name
    for package in (ecs_cd, ecs_cd_sandbox)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not any(part.startswith("__") for part in found.name.split("."))
)


def test_the_public_names_are_these() -> None:
    assert ecs_cd.__all__ == [
        "Clock", "Clouds", "Deadline", "Delivery", "DeliveryFailed", "EcsCdError", "HistoryEntry", "HoldResult",
        "ImageTag", "Interrupted", "Order", "Outcome", "PlaceStatus", "Report", "Reports", "Settings", "SystemClock",
        "TagEntry", "TryLater", "WrongInput", "__version__", "deploy", "deploy_many", "history", "hold",
        "load_settings", "promote", "read_tag", "release", "rollback", "status", "verify", "write_tag",
    ]  # fmt: skip


def test_the_public_names_are_sorted_and_are_what_dir_shows() -> None:
    assert ecs_cd.__all__ == sorted(ecs_cd.__all__)
    assert dir(ecs_cd) == ecs_cd.__all__


def test_no_public_name_is_hidden_by_a_module_of_that_name() -> None:
    assert {f"ecs_cd.{name}" for name in ecs_cd.__all__} & set(MODULES) == set()


@pytest.mark.parametrize("name", ecs_cd.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(ecs_cd, name)
    if name == "__version__":
        assert value.count(".") == 2
        return
    assert inspect.getdoc(value)
    for told, member in _members(value):
        assert inspect.getdoc(member), f"{name}.{told} has no docstring"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'demote'"):
        _ = ecs_cd.demote


@pytest.mark.parametrize(
    "name", ["deploy", "deploy_many", "promote", "verify", "rollback", "hold", "release", "status", "history"]
)
def test_what_a_script_calls_says_what_it_raises(name: str) -> None:
    assert "Raises:" in (inspect.getdoc(getattr(ecs_cd, name)) or "")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_and_what_is_public_in_it_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    lacking = [told for told, value in _own(module) if not _documented(value)]
    lacking += [
        f"{told}.{inner}"
        for told, value in _own(module)
        if inspect.isclass(value)
        for inner, member in _members(value)
        if not inspect.getdoc(member)
    ]
    assert lacking == []


def _own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the public functions and classes that are defined in a module."""
    for name, value in vars(module).items():
        defines = inspect.isclass(value) or inspect.isfunction(value)
        if defines and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


def _documented(value: Any) -> bool:  # noqa: ANN401 - functions and classes
    """Say whether something has a docstring of its own; the one that dataclasses make up does not count."""
    own = value.__doc__ or ""
    return bool(own) and not own.startswith(f"{value.__name__}(")


def _members(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - functions and classes
    """Yield the public methods and properties that a class defines itself."""
    if not inspect.isclass(value):
        return
    for name, member in vars(value).items():
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if not name.startswith("_") and (inspect.isfunction(plain) or isinstance(plain, property)):
            yield name, getattr(value, name)
