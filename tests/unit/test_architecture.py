"""`docs/architecture.md` is true: the contracts it lists are checked, its folders exist, no import goes in a circle."""

from __future__ import annotations

import re

import grimp
import pytest

from tests.support.repository import ROOT, missing_paths, project

PAGE = ROOT / "docs" / "architecture.md"
LINTER = project()["tool"]["importlinter"]
PACKAGES = LINTER.get("root_packages") or [LINTER["root_package"]]


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules each of which imports all others of its set, directly or not."""
    reached = {module: _reached(module, imports) for module in imports}
    found = {frozenset(other for other in reached[module] if module in reached[other]) for module in imports}
    return [set(circle) for circle in found if circle]


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for module in imports[waiting.pop()] - seen:
            seen.add(module)
            waiting.append(module)
    return seen


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ({"a": {"b"}, "b": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [{"a", "b", "c"}]),
        ({"a": {"a"}}, [{"a"}]),
    ],
)
def test_a_circle_is_found(imports: dict[str, set[str]], expected: list[set[str]]) -> None:
    assert circles(imports) == expected


def test_no_module_imports_itself_in_a_circle_not_even_for_its_types() -> None:
    """A contract compares siblings; this sees a package's own `__init__` as well."""
    graph = grimp.build_graph(*PACKAGES)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert len(imports) > 100
    assert circles(imports) == []


def test_the_page_lists_every_contract_and_no_other() -> None:
    _, _, section = PAGE.read_text(encoding="utf-8").partition("## The contracts\n")
    listed = re.findall(r"^\| ([^|`]+?) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert listed[1:] == [contract["name"] for contract in LINTER["contracts"]]


def test_the_page_shows_the_layers_in_the_order_that_is_checked() -> None:
    layers = [layer for layer in LINTER["contracts"][0]["layers"] if "sandbox" not in layer]
    block = re.search(r"^```layers\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None
    assert block[1].splitlines() == layers


def test_every_folder_and_file_that_the_page_names_exists() -> None:
    assert missing_paths(PAGE) == []


def test_every_package_of_the_library_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "ecs_cd").glob("*/__init__.py")}
    assert [name for name in sorted(packages) if f"`{name}/`" not in text] == []
