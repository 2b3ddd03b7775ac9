from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import StepContext, StepDefinition
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import TaskCatalog
from ecs_cd_sandbox.azure_devops.model.step_factory import CHECKOUT_TASK
from tests.integration.sandbox.azure_devops.agent.standard_tasks.outcomes import carry_out
from tests.support.node_tasks import note
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import BRANCHES, MAIN
from tests.support.standard_task_steps import script, step

TEMPLATES = "e" * 40


def sources(name: str, version: str) -> Mapping[str, bytes]:
    repositories: dict[tuple[str, str], Mapping[str, bytes]] = {
        ("infrastructure", BRANCHES[MAIN]): {"main.tf": b"{}", "tools/run.sh": b"#!/bin/sh\necho ran\n"},
        ("templates", TEMPLATES): {"build.yml": b"steps: []"},
        ("evil", TEMPLATES): {"../outside": b"x"},
    }
    return repositories[name, version]


CATALOG = TaskCatalog(sources=sources)
SELF = {"repository": "self", "path": "s"}
VARIABLES = ("Build.SourcesDirectory", "Build.Repository.LocalPath", "System.DefaultWorkingDirectory")


def checkout(**given: str) -> StepDefinition:
    return step(CHECKOUT_TASK, given, catalog=CATALOG)


def folders(into: list[Any]) -> StepDefinition:
    """Return a step that notes where the sources are, relative to the job's folder."""

    def look(context: StepContext) -> list[str]:
        root = f"{context.job.workspace.pipeline}/"
        return [context.job.all_variables()[name].removeprefix(root) for name in VARIABLES]

    return note(into, look)


def found(into: list[Any]) -> StepDefinition:
    def look(context: StepContext) -> list[str]:
        root = context.job.workspace.pipeline
        return sorted(item.relative_to(root).as_posix() for item in root.rglob("*") if item.is_file())

    return note(into, look)


def test_the_files_of_the_runs_commit_are_put_in_the_sources(serve: Serve) -> None:
    seen: list[Any] = []
    outcome = carry_out(serve, checkout(**SELF), found(seen), folders(seen), script("tools/run.sh"))
    assert outcome.result == "succeeded"
    assert seen == [["s/main.tf", "s/tools/run.sh"], ["s", "s", "s"]]
    assert outcome.header()[1] == "Task         : Get sources"
    assert outcome.log() == ["Syncing repository: infrastructure (Git)", f"HEAD is now at {'a' * 7}"]
    assert outcome.log(4)[-1] == "ran"


def test_a_single_checkout_elsewhere_moves_where_scripts_run(serve: Serve) -> None:
    seen: list[Any] = []
    outcome = carry_out(
        serve, checkout(repository="self", path="code"), folders(seen), script('cat main.tf; basename "$PWD"')
    )
    assert seen == [["code", "code", "code"]]
    assert outcome.log(3)[-1] == "{}code"


def test_several_checkouts_leave_the_sources_folder_where_it_is(serve: Serve) -> None:
    seen: list[Any] = []
    outcome = carry_out(
        serve,
        checkout(repository="self", path="s/infrastructure"),
        checkout(repository="templates", version=TEMPLATES, path="s/templates"),
        found(seen),
        folders(seen),
    )
    assert outcome.result == "succeeded"
    assert seen[0] == ["s/infrastructure/main.tf", "s/infrastructure/tools/run.sh", "s/templates/build.yml"]
    assert seen[1] == ["s", "s", "s"]


def test_self_among_several_checkouts_may_be_elsewhere(serve: Serve) -> None:
    seen: list[Any] = []
    other = checkout(repository="templates", version=TEMPLATES, path="s/templates")
    carry_out(serve, checkout(repository="self", path="own"), other, folders(seen))
    assert seen == [["s", "own", "s"]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**SELF, "path": "../elsewhere"}, "Input path '../elsewhere' should resolve to a directory under"),
        ({**SELF, "path": "."}, "Input path '.' should resolve"),
        ({"repository": "nothing", "version": TEMPLATES}, "The repository nothing has no commit"),
        ({"repository": "evil", "version": TEMPLATES}, "The repository has a file outside of it: '../outside'"),
        ({**SELF, "submodules": "true"}, "The repositories of the sandbox have neither submodules nor"),
    ],
)
def test_a_checkout_that_cannot_be_says_why(serve: Serve, given: dict[str, str], message: str) -> None:
    outcome = carry_out(serve, checkout(**given))
    assert outcome.result == "failed" and outcome.issues()[0].startswith(message)
