from __future__ import annotations

import threading

import pytest

from ecs_cd_sandbox.azure_devops.model.definitions import (
    BranchFilter,
    Expansion,
    PipelineDefinition,
    PipelineFile,
    PipelineResource,
    Triggers,
    ValidationFailed,
)

from .pipeline_repository import DEFINITION, FILE, MAIN, Bench, made

ANY = BranchFilter()


def triggers(text: str, branch: str = MAIN) -> Triggers:
    bench = Bench()
    bench.push({FILE: text})
    return bench.file().triggers(DEFINITION, branch)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: []", Triggers(ANY)),
        ("trigger: none", Triggers()),
        ("trigger: [main, release/*]", Triggers(BranchFilter(("main", "release/*")))),
        ("trigger:\n- ${{ 'main' }}", Triggers(BranchFilter(("main",)))),
        (
            "trigger: {batch: true, branches: {include: [main], exclude: [x]}, paths: {exclude: [docs]}}",
            Triggers(BranchFilter(("main",), ("x",)), BranchFilter((), ("docs",))),
        ),
        (
            "trigger: none\nresources: {pipelines: [{pipeline: a, source: b, trigger: true}]}",
            Triggers(pipelines=(PipelineResource("a", "b", ANY),)),
        ),
        (
            "parameters:\n- {name: p, default: main}\n- name: q\ntrigger: ['${{ parameters.p }}']\nstages: nonsense",
            Triggers(BranchFilter(("main",))),
        ),
    ],
)
def test_the_triggers_are_those_of_the_file(text: str, expected: Triggers) -> None:
    assert triggers(text) == expected


def test_there_are_no_triggers_where_there_is_no_file() -> None:
    assert triggers("steps: []", "refs/heads/other") == Triggers()
    bench = Bench()
    bench.push({"else.yml": "steps: []"})
    assert bench.file().triggers(DEFINITION, MAIN) == Triggers()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "/azure-pipelines.yml (Line: 1, Col: 5): Mapping values are not allowed here."),
        ("trigger: some", "/azure-pipelines.yml (Line: 1, Col: 10): Unexpected value 'some'"),
    ],
)
def test_triggers_that_cannot_be_read_are_told(text: str, message: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        triggers(text)
    assert raised.value.messages == (message,)


def test_each_run_reads_the_file_of_its_commit() -> None:
    bench = Bench()
    old = bench.push({FILE: "steps:\n- script: old\n"})
    new = bench.push({FILE: "steps:\n- script: new\n"})
    side = bench.push({FILE: "steps:\n- script: side\n"}, branch="refs/heads/side")
    file: PipelineFile = bench.file()
    assert file.branches() == {MAIN: new, "refs/heads/side": side}
    found = [file.expand(DEFINITION, Expansion(MAIN, commit)) for commit in (old, new, side)]
    assert [made(each.stages[0].jobs[0].steps[1]).inputs["script"] for each in found] == ["old", "new", "side"]


def test_a_file_in_a_folder_is_where_templates_are_found_from() -> None:
    bench = Bench()
    commit = bench.push({"ci/p.yml": "steps:\n- template: t.yml\n", "ci/t.yml": "steps:\n- script: x\n"})
    for path in ("ci/p.yml", "/ci/p.yml"):
        assert bench.file(path).expand(DEFINITION, Expansion(MAIN, commit)).stages


@pytest.mark.parametrize("commit", ["", "0" * 40])
def test_a_commit_or_file_that_is_not_there_is_told(commit: str) -> None:
    bench = Bench()
    known = bench.push({"else.yml": "steps: []"})
    with pytest.raises(ValidationFailed) as raised:
        bench.file().expand(DEFINITION, Expansion(MAIN, commit or known))
    assert str(raised.value) == (
        "/azure-pipelines.yml: File /azure-pipelines.yml not found in repository "
        f"https://dev.azure.com/sandbox/platform/_git/infrastructure branch refs/heads/main version {commit or known}."
    )


def test_the_reason_and_the_definition_are_known_to_the_file() -> None:
    definition = PipelineDefinition(7, "My pipeline", revision=3)
    text = "steps:\n- script: ${{ variables['Build.Reason'] }} ${{ variables['Build.DefinitionName'] }}\n"
    found = Bench().expand(text, definition=definition, reason="individualCI")
    assert made(found.stages[0].jobs[0].steps[1]).inputs["script"] == "IndividualCI My pipeline"
    assert (found.id, found.name, found.revision) == (7, "My pipeline", 3)


def test_runs_can_be_expanded_at_the_same_time() -> None:
    bench = Bench()
    commit = bench.push({FILE: "steps:\n- ${{ each i in split('a,b', ',') }}:\n  - script: ${{ i }}\n"})
    file, found = bench.file(), list[str]()
    threads = [
        threading.Thread(target=lambda: found.append(file.expand(DEFINITION, Expansion(MAIN, commit)).yaml))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
