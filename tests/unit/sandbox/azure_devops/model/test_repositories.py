from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd_sandbox.azure_devops import Identity
from ecs_cd_sandbox.azure_devops.model.repositories import Commit, GitRepository

ADA = Identity("Ada Lovelace")


def push(repository: GitRepository, branch: str, **files: str | bytes | None) -> Commit:
    return repository.push(branch, {f"{name}.txt": content for name, content in files.items()}, ADA, "change")


def test_a_push_moves_the_branch_and_keeps_what_it_does_not_name() -> None:
    repository = GitRepository("infrastructure")
    first = push(repository, "main", a="1", b="2")
    second = push(repository, "refs/heads/main", b="3", c=b"\0")
    assert repository.branches() == {"refs/heads/main": second.id}
    assert (first.changed, second.changed) == (("a.txt", "b.txt"), ("b.txt", "c.txt"))
    assert (first.parent, second.parent) == (None, first.id)
    assert second.files == {"a.txt": b"1", "b.txt": b"3", "c.txt": b"\0"}
    assert repository.file(first.id, "/b.txt") == b"2"
    assert repository.file(first.id, "c.txt") is None
    assert second.branch == "refs/heads/main"
    assert (second.author, second.message) == (ADA, "change")
    assert len(second.id) == 40 and int(second.id, 16) >= 0


def test_a_file_can_be_removed_once() -> None:
    repository = GitRepository("infrastructure")
    push(repository, "main", a="1", b="2")
    commit = push(repository, "main", a=None)
    assert (commit.files, commit.changed) == ({"b.txt": b"2"}, ("a.txt",))
    with pytest.raises(ValueError, match=r"There is no file a.txt to remove\."):
        push(repository, "main", a=None)


def test_what_stays_the_same_is_not_changed() -> None:
    repository = GitRepository("infrastructure")
    first = push(repository, "main", a="1")
    again = push(repository, "main", a="1")
    assert again.changed == ()
    assert again.id != first.id


def test_a_new_branch_starts_from_the_default_one() -> None:
    repository = GitRepository("infrastructure", "develop")
    first = push(repository, "develop", a="1")
    topic = push(repository, "topic/x", b="2")
    assert topic.parent == first.id
    assert topic.files == {"a.txt": b"1", "b.txt": b"2"}
    assert repository.branches() == {"refs/heads/develop": first.id, "refs/heads/topic/x": topic.id}


def test_refs_resolve_by_name_and_by_commit() -> None:
    repository = GitRepository("infrastructure")
    first = push(repository, "main", a="1")
    repository.point("refs/tags/v1", first.id)
    repository.point("copy", first.id)
    second = push(repository, "main", a="2")
    assert repository.tags() == {"refs/tags/v1": first.id}
    assert repository.resolve("refs/tags/v1") == repository.resolve("copy") == first.id
    assert repository.resolve("main") == repository.resolve(second.id) == second.id
    assert repository.resolve("v1") is None
    repository.delete("copy")
    assert repository.resolve("copy") is None
    assert repository.commit(second.id) == second
    with pytest.raises(KeyError):
        repository.point("refs/tags/v2", "0" * 40)


def test_subscribers_hear_of_each_push_once_it_is_done() -> None:
    repository = GitRepository("infrastructure")
    heard: list[tuple[GitRepository, str, str, str | None]] = []
    repository.subscribe(lambda where, branch, commit: heard.append((where, branch, commit.id, where.resolve(branch))))
    commit = push(repository, "main", a="1")
    repository.point("other", commit.id)
    assert heard == [(repository, "refs/heads/main", commit.id, commit.id)]


@pytest.mark.parametrize("path", ["", "/", "a//b", "../a", "a/./b", "a/.."])
def test_a_path_must_be_that_of_a_file(path: str) -> None:
    with pytest.raises(ValueError, match="is not the path of a file in a repository"):
        GitRepository("infrastructure").push("main", {path: ""}, ADA, "no")


def test_pushes_from_many_threads_all_count() -> None:
    repository = GitRepository("infrastructure")
    threads = [
        threading.Thread(target=lambda name=name: push(repository, "main", **{name: "x"})) for name in "abcdefgh"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tip = repository.commit(repository.branches()["refs/heads/main"])
    assert sorted(tip.files) == [f"{name}.txt" for name in "abcdefgh"]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("12") | st.none(), min_size=1), max_size=8))
def test_the_tip_holds_what_was_pushed_last(pushes: list[dict[str, str | None]]) -> None:
    repository, expected = GitRepository("infrastructure"), dict[str, str]()
    for files in pushes:
        known = {name: content for name, content in files.items() if content is not None or name in expected}
        push(repository, "main", **known)
        expected = {name: content for name, content in {**expected, **known}.items() if content is not None}
    if pushes:
        tip = repository.commit(repository.branches()["refs/heads/main"])
        assert tip.files == {f"{name}.txt": content.encode() for name, content in expected.items()}
