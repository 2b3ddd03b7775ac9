"""Every command and snippet in README and docs is run, against one sandbox, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecs_cd.settings import load
from ecs_cd_sandbox.sandbox import Sandbox
from tests.support.forked_commands import ForkedCommand, ForkedScript

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
OF_A_PIPELINE = ("- task:", "@ecs-cd", "resources:", "terraformVersion:")
NOT_RUN = ("pip install ecs-cd", "ecs-cd sandbox demo")
"""Publishing is not the repository's to test; the demo has a test of its own."""


def blocks(page: Path, kind: str) -> list[str]:
    return [m["text"] for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if m["kind"] == kind]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(interval=0.02) as running:
        for tag in ("101", "102", "103"):
            running.aws.push_image("my-api", tag)
        yield running


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, **sandbox.environment(), "NO_COLOR": "1", "PYTHONUTF8": "1"}


def printed_by(command: ForkedCommand, *, fails: bool = False) -> str:
    """Return what a command has printed on stdout once it has ended well; all it printed, if it is to fail."""
    with command:
        out, err = command.communicate(timeout=120)
        assert (command.returncode != 0) == fails, f"ended with {command.returncode}:\n{out}{err}"
    return out + err if fails else out


def assert_shows(printed: str, lines: list[str]) -> None:
    """Check that these lines are among those printed, in order; numbers may differ, and `...` stands for anything."""
    for line in lines:
        pattern = re.sub(r"\d+", r"\\d+", re.escape(line)).replace(r"\.\.\.", ".*")
        found = re.search(f"^{pattern}$", printed, re.MULTILINE)
        assert found, f"{line!r} is not printed in its place; there is:\n{printed}"
        printed = printed[found.end() :]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_the_page_works(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / ".buildId").write_text("101\n", encoding="utf-8")
    for block in blocks(page, "console"):
        for shown in block.removeprefix("$ ").split("\n$ "):
            line, *output = shown.splitlines()
            if line in NOT_RUN:
                continue
            command, _, target = line.partition(" > ")
            words = shlex.split(command)
            assert words[0] == "ecs-cd"
            fails = bool(output) and output[0].startswith("error: ")
            printed = printed_by(ForkedCommand(words[1:], folder=tmp_path, environment=environment), fails=fails)
            if target:
                (tmp_path / target).write_text(printed, encoding="utf-8")
            assert_shows(printed, output)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_snippet_on_the_page_works(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    for snippet in blocks(page, "python"):
        printed_by(ForkedScript(snippet, folder=tmp_path, environment=environment))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_settings_file_on_the_page_is_accepted(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(blocks(page, "yaml")):
        if any(word in text for word in OF_A_PIPELINE):  # see azure_task and templates in tests/integration
            continue
        file = tmp_path / f"{number}.yml"
        file.write_text(text, encoding="utf-8")
        settings = load(file, {})
        for service in settings.services:
            for environment in settings.environments:
                settings.resolve(service, environment)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_json_on_the_page_is_json_and_every_link_leads_somewhere(page: Path) -> None:
    for text in blocks(page, "json"):
        json.loads(text)
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link
