"""The public face: what `import ecs_cd` offers, and that everything a reader may meet is documented."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from typing_extensions import Unpack

import ecs_cd
import ecs_cd_sandbox

MODULES = sorted(
    found.name
    for package in (ecs_cd, ecs_cd_sandbox)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not any(part.startswith("__") for part in found.name.split("."))
)


def test_the_public_names_are_these() -> None:
    assert dir(ecs_cd) == [
        "CallStarted", "Client", "Clock", "Container", "DeliveryFailed", "Deployment",
        "DeploymentMonitor", "EcsCdError", "Event", "Failure", "HistoryEntry", "HoldFact", "HoldResult", "ImageFact",
        "ImageTag", "Interrupted", "LifecycleHook", "LinkFact", "LockMet", "Order",
        "OriginFact", "Outcome", "ParameterFact", "Phase", "PhaseEnded", "PhaseFact", "PhaseStarted", "PlaceStatus",
        "Report", "Reports", "RolloutChanged", "RolloutFact", "Run", "RunChanged", "RunChosen", "RunFact", "RunGivenUp",
        "RunInProgress", "RunLeft", "RunOrigin", "RunProgress", "RunState", "ServiceDeployment",
        "ServiceEvent", "ServiceRevision", "ServiceSnapshot",
        "ServiceTarget", "Serving", "SettingKeywords", "Settings", "StateLock",
        "StoppedContainerFact", "SystemClock", "TagEntry", "TagFile",
        "TaskDefinition", "TimelineRecord", "TryLater", "Verdict", "Warned", "Watch", "WrongInput", "__version__",
        "deploy", "deploy_many", "history", "hold", "load_settings", "promote", "read_tag", "read_tag_file",
        "rollback", "status", "unhold", "verify", "write_tag",
    ]  # fmt: skip


def test_all_public_names_are_imported_by_a_star() -> None:
    program = "from ecs_cd import *\nimport ecs_cd\nassert set(dir(ecs_cd)) <= set(globals())\n"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_module_below_is_imported_without_loading_the_public_names() -> None:
    program = "import sys\nfrom ecs_cd import sanitize\nassert 'ecs_cd.public' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_no_public_name_is_hidden_by_a_module_of_that_name() -> None:
    assert {f"ecs_cd.{name}" for name in dir(ecs_cd)} & set(MODULES) == set()


@pytest.mark.parametrize("name", dir(ecs_cd))
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(ecs_cd, name)
    if name == "__version__":
        assert value.count(".") == 2
        return
    if name in ("Event", "Watch"):  # a union and a signature, described where they are defined
        return
    assert inspect.getdoc(value)
    for told, member in _members(value):
        assert inspect.getdoc(member), f"{name}.{told} has no docstring"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'demote'\. Did you mean 'promote'\?"):
        _ = ecs_cd.demote  # type: ignore[attr-defined]  # that is the point


CALLS = ("deploy", "deploy_many", "promote", "rollback", "hold", "unhold", "verify", "status", "history")


@pytest.mark.parametrize("name", CALLS)
def test_what_a_script_calls_says_what_it_raises_and_lists_the_settings(name: str) -> None:
    for function in (getattr(ecs_cd, name), getattr(ecs_cd.Client, name)):
        told = pydoc.plain(pydoc.render_doc(function))
        assert "Raises:" in told
        for setting in get_type_hints(ecs_cd.SettingKeywords):
            assert f" {setting}: " in told


@pytest.mark.parametrize("name", CALLS)
def test_a_function_takes_what_the_method_of_a_client_takes_and_what_makes_the_client(name: str) -> None:
    def parameters(function: object) -> dict[str, inspect.Parameter]:
        assert callable(function)
        return dict(inspect.signature(function).parameters)

    made = parameters(ecs_cd.Client)
    del made["access"]  # of the front ends
    assert made.pop("unknown").annotation == "Never"
    method, function = parameters(getattr(ecs_cd.Client, name)), parameters(getattr(ecs_cd, name))
    del method["self"]
    assert function.pop("keywords").annotation == method.pop("settings").annotation == "Unpack[SettingKeywords]"
    made["settings"] = made["settings"].replace(kind=inspect.Parameter.KEYWORD_ONLY)
    assert function == method | made


def test_what_a_public_function_takes_or_returns_is_public_and_nothing_else() -> None:
    """Walk from the functions and the client over annotations and fields; exceptions are what they raise."""
    known = {"boto3": SimpleNamespace(Session=object), "Connection": object, "Unpack": Unpack}
    public = {
        value: name for name, value in ((name, getattr(ecs_cd, name)) for name in dir(ecs_cd)) if name[:2] != "__"
    }
    reached: set[object] = set()
    starts = [value for value in public if inspect.isfunction(value)]
    methods = inspect.getmembers(ecs_cd.Client, inspect.isfunction)
    starts += [function for name, function in methods if not name.startswith("_")]
    left: list[object] = [
        hint
        for function in starts
        for hint in get_type_hints(function, localns=known | {"SettingKeywords": ecs_cd.SettingKeywords}).values()
    ]
    while left:
        hint = left.pop()
        if hint in reached:
            continue
        reached.add(hint)
        left += [item for arg in get_args(hint) for item in (arg if isinstance(arg, list) else [arg])]
        if is_typeddict(hint) or (dataclasses.is_dataclass(hint) and hint is not ecs_cd.Settings):
            left += get_type_hints(hint).values()
    ours = {hint for hint in reached if getattr(hint, "__module__", "").startswith("ecs_cd")}
    assert {hint for hint in ours if hint not in public} == set()
    unneeded = {name for value, name in public.items() if value not in reached and not inspect.isfunction(value)}
    assert {name for name in unneeded if not issubclass(getattr(ecs_cd, name), Exception)} == {"Client", "SystemClock"}


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
